"""The end of a step: as a value, and as the event that tells it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from engine.attempt import Mask
from engine.heal.told import failure_data
from engine.model.failure import Failure
from engine.model.heal import Healing, HealMode
from engine.model.outcome import RunResult, StepResult, StepStatus
from engine.model.prevention import CheckResult
from engine.model.remediation import root_cause_of
from engine.model.secret import MASK
from engine.model.skill import OnError, Step


def result_of(step: Step, path: str, healing: Healing, *, healed: bool = False) -> StepResult:
    """How a step ended, by what its last round gave; `healed` when an earlier round had failed."""
    worked = StepStatus.HEALED if healed or healing.healed else StepStatus.OK
    failed = StepStatus.TOLERATED if step.on_error is OnError.CONTINUE else StepStatus.FAILED
    return StepResult(
        name=step.name,
        path=path,
        place=step.place,
        status=worked if healing.ok else failed,
        value=healing.value if healing.ok else None,
        failure=healing.failure,
        first_failure=healing.first_failure,
        attempts=len(healing.attempts),
        fixes=tuple(str(fix.call) for fix in healing.fixes),
        remediation=() if healing.ok else healing.remediation,
        root_cause=None if healing.ok else healing.root_cause,
        reason=healing.reason,
    )


def finished_data(step: Step, result: StepResult, healing: Healing | None) -> dict[str, Any]:
    """A finished step as event data."""
    return {
        "status": result.status,
        "duration": result.duration,
        "attempts": result.attempts,
        "fixes": list(result.fixes),
        "reason": result.reason,
        "failure": failure_data(result.failure),
        "first_failure": failure_data(result.first_failure),
        "remediation": list(result.remediation),
        "root_cause": result.root_cause.record if result.root_cause else None,
        "value": MASK if step.secret and result.value is not None else result.value,
        "healed_by": _healed_by(healing) if healing else [],
        "diagnosis": _judged_diagnosis(healing) if healing else None,
        "answer_lost": healing.answer_lost if healing else False,
        "reused": False,
    }


def run_data(result: RunResult) -> dict[str, Any]:
    """A finished run as event data."""
    return {
        "status": result.status,
        "message": result.message,
        "duration": result.duration,
        "timed_out": result.timed_out,
        "outputs": dict(result.outputs),
        "notes": list(result.notes),
        "healed": result.healed,
    }


def in_words(result: StepResult, mask: Mask) -> StepResult:
    """A step's result whose sentences may be shown; its value stays as it is."""
    if result.failure is None and result.first_failure is None and not result.fixes:
        return result if not result.reason else replace(result, reason=mask(result.reason))
    return replace(
        result,
        failure=_failure_in_words(result.failure, mask),
        first_failure=_failure_in_words(result.first_failure, mask),
        fixes=tuple(map(mask, result.fixes)),
        reason=mask(result.reason),
        remediation=tuple(map(mask, result.remediation)),
        root_cause=root_cause_of(mask(result.root_cause.record)) if result.root_cause else None,
    )


def check_in_words(result: CheckResult, mask: Mask) -> CheckResult:
    """What a check found, as it may be shown."""
    cause = root_cause_of(mask(result.cause.record)) if result.cause else None
    return replace(result, message=mask(result.message), fix=mask(result.fix), user=mask(result.user), cause=cause)


def _failure_in_words(failure: Failure | None, mask: Mask) -> Failure | None:
    if failure is None:
        return None
    evidence = replace(failure.evidence, text=mask(failure.evidence.text), details=mask(failure.evidence.details))
    return replace(failure, message=mask(failure.message), evidence=evidence)


def without_value(data: Mapping[str, Any]) -> dict[str, Any]:
    """Event data of a secret step."""
    return {**data, "value": MASK if data.get("value") is not None else None}


def _healed_by(healing: Healing) -> list[dict[str, Any]]:
    return [
        {
            "fix": fix.fix,
            "domain": fix.domain,
            "kind": fix.kind,
            "signature": fix.signature,
            "pattern": fix.pattern,
            "shared": fix.shared,
            "started_at": fix.started_at,
            "helped": fix.helped,
        }
        for fix in healing.fixes
    ]


def _judged_diagnosis(healing: Healing) -> dict[str, Any] | None:
    """What the first failure was taken for; `right` is known when a fix for it was judged, or a look confirmed it."""
    if healing.diagnosis is None:
        return None
    judged = healing.fixes[0].helped if healing.fixes else _confirmed(healing)
    pattern = healing.diagnosis.pattern
    return {"kind": healing.diagnosis.kind, "pattern": pattern.id if pattern else None, "right": judged}


def _confirmed(healing: Healing) -> bool | None:
    """Whether looking for the root cause saw what the failure was taken for; None when nobody could see."""
    if healing.root_cause is None or healing.failure is None or healing.diagnosis is None:
        return None
    return healing.root_cause.confirmed if healing.failure.kind is healing.diagnosis.kind else None


def manner_data(timeout: float | None, heal: HealMode | None) -> dict[str, Any]:
    """How the run was asked to go, as far as it was: whoever goes on with it goes on so."""
    return {**({"timeout": timeout} if timeout else {}), **({"heal": heal.value} if heal else {})}
