"""Attempts, diagnoses, decisions and fixes as they are told in events."""

from __future__ import annotations

from typing import Any

from engine.model.failure import Diagnosis, Failure
from engine.model.heal import ApplyFix, Decision, FixOutcome, LeaveAlone, RetryPlain
from engine.model.outcome import Attempt
from engine.model.question import Question


def attempt_data(tried: Attempt, tool: str, domain: str | None = None) -> dict[str, Any]:
    """An attempt as event data; `domain` is whose credentials and network it used."""
    return {
        "number": tried.number,
        "tool": tool,
        "domain": domain,
        "args": dict(tried.call.args),
        "ok": tried.ok,
        "started_at": tried.started_at,
        "finished_at": tried.finished_at,
        "value": tried.value if tried.ok else None,
        "failure": failure_data(tried.failure),
    }


def failure_data(failure: Failure | None) -> dict[str, Any] | None:
    """A failure as event data; evidence without its empty fields."""
    if failure is None:
        return None
    evidence = failure.evidence
    told = {name: getattr(evidence, name) for name in evidence.__dataclass_fields__}
    return {
        "tool": failure.tool,
        "kind": failure.kind,
        "message": failure.message,
        "evidence": {name: value for name, value in told.items() if value not in (None, "", {})},
    }


def diagnosis_data(diagnosis: Diagnosis) -> dict[str, Any]:
    """A diagnosis as event data."""
    return {
        "answer": diagnosis.because,
        "kind": diagnosis.kind,
        "confidence": round(diagnosis.confidence, 3),
        "basis": diagnosis.basis,
        "pattern": diagnosis.pattern.id if diagnosis.pattern else None,
        "untouched": diagnosis.untouched,
    }


def decision_data(decision: Decision) -> dict[str, Any]:
    """A decision as event data."""
    match decision:
        case ApplyFix():
            return {
                "answer": decision.because,
                "decision": "fix",
                "fix": str(decision.plan.call),
                "risk": decision.risk,
            }
        case RetryPlain():
            return {"answer": decision.because, "decision": "retry", "delay": decision.delay}
        case LeaveAlone():
            suggestion = str(decision.suggestion) if decision.suggestion else None
            return {"answer": decision.because, "decision": "leave", "suggestion": suggestion}


def outcome_data(outcome: FixOutcome) -> dict[str, Any]:
    """What became of a fix as event data."""
    return {
        "ok": outcome.ok,
        "shared": outcome.shared,
        "started_at": outcome.started_at,
        "finished_at": outcome.finished_at,
        "failure": outcome.failure.message if outcome.failure else None,
    }


def question_data(question: Question) -> dict[str, Any]:
    """A question as event data."""
    return {
        "name": question.name,
        "question": question.text,
        "type": question.type,
        "choices": list(question.choices),
        "default": question.default,
        "about": question.about,
    }
