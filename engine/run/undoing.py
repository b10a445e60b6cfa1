"""What it takes to take a step back, decided when the step ends."""

from __future__ import annotations

from dataclasses import replace

from engine.errors import DocumentError, SandboxError
from engine.heal.request import HealRequest
from engine.model.failure import FailureKind
from engine.model.outcome import StepResult, StepStatus
from engine.model.skill import Step, ToolStep
from engine.run.frame import Frame, Undo
from engine.run.perform import Performer
from engine.run.scope import VALUE_STATUSES
from tool_registry.tool import Effect, ToolError

UNCERTAIN = frozenset({FailureKind.CANCELLED, FailureKind.TIMEOUT, FailureKind.SERVER_ERROR})
"""Failures after which even a call that may be repeated may have had its effect."""


def undo_of(performer: Performer, step: Step, frame: Frame, result: StepResult, *, repeatable: bool) -> Undo | None:
    """The step's undo, when it worked or may have; None when there is nothing to take back."""
    if step.undo is None or result.status is StepStatus.SKIPPED:
        return None
    undo = Undo(
        step=step.undo,
        scope=frame.scope,
        path=undo_path(result.path, step, step.undo),
        of=result.path,
        output=step.output,
    )
    kind = result.failure.kind if result.failure else None
    if result.status in VALUE_STATUSES or (kind is FailureKind.UNEXPECTED_RESULT and isinstance(step, ToolStep)):
        return undo
    first = result.first_failure.kind if result.first_failure else None
    # A second call that is refused says nothing of the first, whose answer was lost.
    if repeatable and not {kind, first} & UNCERTAIN:
        return None
    unsure = _call_of(performer, step, frame, result.path)
    return None if unsure is None else replace(undo, unsure=unsure)


def undo_path(path: str, step: Step, undo: ToolStep) -> str:
    """The path of an undo: beside its step, and for the same element of a list."""
    group, slash, last = path.rpartition("/")
    return f"{group}{slash}{undo.name}{last[len(step.name) :]}"


def _call_of(performer: Performer, step: Step, frame: Frame, path: str) -> HealRequest | None:
    """The call of a write that may have had its effect; None for what changes nothing."""
    if not isinstance(step, ToolStep):
        return None
    try:
        request = performer.request(step, replace(frame, section="undo"), path)
    except (SandboxError, DocumentError, ToolError):
        return None
    return None if request.tool.effect is Effect.READ else request
