"""A plan as JSON-like data; docs/dry-run.md describes every key."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from engine.model.place import Finding
from engine.run.dry import Plan, PlannedStep


def plan_record(plan: Plan) -> dict[str, Any]:
    """The whole plan."""
    return {
        "dry_run": "reads" if plan.reads else "plan",
        "skill": plan.skill,
        "file": plan.file,
        "profile": plan.profile,
        "status": plan.status.value,
        "end": {**asdict(plan.end), "status": plan.end.status.value} if plan.end else None,
        "expected": asdict(plan.expected) if plan.expected else None,
        "inputs": dict(plan.inputs),
        "steps": [step_record(step) for step in plan.steps],
        "always": [step_record(step) for step in plan.always],
        "outputs": [
            {"name": output.name, "value": output.value, "unknown": list(output.unknown)} for output in plan.outputs
        ],
        "tools": list(plan.tools),
        "needs": [{**asdict(need), "steps": list(need.steps)} for need in plan.needs],
        "unknown": [{**asdict(source), "steps": list(source.steps)} for source in plan.sources],
        "findings": [_finding(finding) for finding in plan.findings],
    }


def step_record(step: PlannedStep) -> dict[str, Any]:
    """One step; keys that would say nothing are left out."""
    told = {"path": step.path, "name": step.name, "action": step.action, "section": step.section}
    return {**told, "verdict": step.verdict.value, **dict(_told(step))}


def _told(step: PlannedStep) -> Iterator[tuple[str, Any]]:
    plain = {
        "because": step.because,
        "depends": list(step.depends),
        "tool": step.tool,
        "effect": step.effect,
        "domain": step.domain,
        "elsewhere": step.elsewhere,
        "skill": step.skill,
        "args": dict(step.args),
        "unknown": {name: list(sources) for name, sources in step.unknown.items()},
        "stops": step.stops,
        "message": step.message,
        "repeats": step.repeats,
        "heal": dict(step.heal),
    }
    yield from ((key, value) for key, value in plain.items() if value)
    if step.on_error != "fail":
        yield "on_error", step.on_error
    if step.known:
        yield "value", step.value
    if step.look is not None:
        yield "read", asdict(step.look)
    if step.elements is not None:
        yield "foreach", asdict(step.elements)
    if step.question is not None:
        yield "question", _question(step)
    if step.undo is not None:
        yield "undo", step_record(step.undo)
    if step.steps:
        yield "steps", [step_record(inner) for inner in step.steps]


def _question(step: PlannedStep) -> dict[str, Any] | None:
    if step.question is None:
        return None
    return {
        "name": step.question.name,
        "question": step.question.text,
        "type": step.question.type.value,
        "choices": list(step.question.choices),
        "default": step.question.default,
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {**asdict(finding.place), **{key: value for key, value in asdict(finding).items() if key != "place"}}
