"""Mistakes in where a run goes: steps it never reaches."""

from __future__ import annotations

from collections.abc import Iterator

from engine.library.codes import FindingCode
from engine.library.part import Part
from engine.model.place import Finding, Severity, Text

_FALSE = frozenset({"False", "false", "None", "none", "0", "''", '""', "[]", "{}", "not True", "not true"})
_TRUE = frozenset({"True", "true", "1"})


def unreachable_steps(skill: Part) -> Iterator[Finding]:
    """Steps after a `stop` that always happens, and steps whose condition is always false."""
    yield from _unreachable(skill, "steps", stops=True)
    # A `stop` there is a mistake of its own.
    yield from _unreachable(skill, "always", stops=False)


def _unreachable(owner: Part, key: str, *, stops: bool) -> Iterator[Finding]:
    stopped_at: Part | None = None
    for part in owner.listed(key):
        if stopped_at is not None:
            yield _never(part, f"the step {stopped_at.name()} on line {stopped_at.place.line} always ends the run")
            return
        if _constant(part.text("condition")) is False:
            yield _never(part["condition"], "its condition is always false")
        elif stops and key != "parallel" and _always_stops(part):
            stopped_at = part
        for inner in ("steps", "parallel"):
            yield from _unreachable(part, inner, stops=stops)


def _always_stops(part: Part) -> bool:
    """Whether the step ends the run whenever it is come to; a group does if a step in it does."""
    if _constant(part.text("condition")) is not True or "foreach" in part:
        return False
    return "stop" in part or any(_always_stops(inner) for key in ("steps", "parallel") for inner in part.listed(key))


def _never(part: Part, because: str) -> Finding:
    return Finding(
        place=part.place,
        code=FindingCode.UNREACHABLE,
        message=f"this step never runs, for {because}" if "name" in part else f"the step never runs: {because}",
        hint="remove it, or change the condition",
        severity=Severity.WARNING,
    )


def _constant(condition: Text | None) -> bool | None:
    """What a condition always is; None when that depends on the run."""
    if condition is None:
        return True
    text = condition.text.strip()
    if text.startswith("{{") and text.endswith("}}"):
        text = text[2:-2].strip()
    return True if text in _TRUE else False if text in _FALSE else None
