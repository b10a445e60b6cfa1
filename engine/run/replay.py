"""What an earlier process did of a step, read again as if it had been done now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from engine.model.event import EventKind
from engine.model.failure import Failure, FailureKind
from engine.model.outcome import StepResult, StepStatus
from engine.model.past import PastRun, PastStep
from engine.model.remediation import root_cause_of
from engine.model.secret import MASK
from engine.model.skill import AskStep, ComputeStep, GroupStep, SkillStep, Step, ToolStep
from engine.run.scope import VALUE_STATUSES
from tool_registry.registry import ToolRegistry
from tool_registry.tool import Effect

BEGUN_LIMIT = 5
"""How often a step may be begun by processes that die in it, before it counts as the reason."""


def keeps_dying(step: Step, past: PastStep) -> bool:
    """Whether process after process died in this step, in mid-call or in a computation; one that waits does not die."""
    in_it = isinstance(step, ComputeStep) or bool(past.attempts and past.attempts[-1].ok is None)
    return past.status is None and past.begun >= BEGUN_LIMIT and in_it


def reused_events(past: PastRun) -> Iterator[tuple[EventKind, str, dict[str, Any]]]:
    """The steps of another run, told as those of the one that reuses them."""
    for step in past.steps.values():
        items = {} if step.items is None else {"items": list(step.items), "count": len(step.items)}
        begun = {"index": 0, "action": step.action, "section": step.section, "foreach": step.items is not None}
        yield EventKind.STEP_STARTED, step.path, {**begun, **items}
        value = MASK if step.lost else step.value
        yield EventKind.STEP_FINISHED, step.path, {**step.finished, "value": value, "reused": True}


def past_result(step: Step, past: PastStep, *, inner: Any = None) -> StepResult:
    """The result of a step that ended before; a group's value is put together from what stands in it."""
    told = past.finished
    holds_others = isinstance(step, GroupStep | SkillStep)
    gone = past.lost or step.secret
    value = inner if holds_others and past.status in VALUE_STATUSES and gone else past.value
    return StepResult(
        name=step.name,
        path=past.path,
        place=step.place,
        status=past.status or StepStatus.FAILED,
        value=value,
        failure=_failure(told.get("failure")),
        first_failure=_failure(told.get("first_failure")),
        attempts=int(told.get("attempts") or 0),
        fixes=tuple(told.get("fixes") or ()),
        duration=float(told.get("duration") or 0.0),
        remediation=tuple(told.get("remediation") or ()),
        root_cause=root_cause_of(told.get("root_cause")),
        reason=str(told.get("reason") or ""),
    )


def is_lost(step: Step, past: PastStep) -> bool:
    """Whether the step worked, but its value is not known: it holds a secret, or nobody ever saw it."""
    gone = past.lost or step.secret or bool(past.finished.get("answer_lost"))
    return gone and past.status in VALUE_STATUSES and not isinstance(step, GroupStep | SkillStep)


def must_be_read_again(step: Step, past: PastStep, registry: ToolRegistry) -> bool:
    """Whether a value that history could not keep, for it holds a secret, is read or computed anew.

    Only what changes nothing is, and a person is asked again; the value of a write is gone, and whoever reads it is
    told so.
    """
    if not is_lost(step, past):
        return False
    if isinstance(step, ToolStep):
        tool = registry.get(step.tool)
        return tool is not None and tool.effect is Effect.READ
    return isinstance(step, ComputeStep | AskStep)


def earlier(step: Step, past: PastStep | None) -> PastStep | None:
    """What a call goes on from: nothing when it never began, or when `until` would call again anyway."""
    if past is None or not (past.attempts or past.fixes) or past.status is not None:
        return None
    if step.until is not None and past.attempts and past.attempts[-1].ok:
        return None
    return past


def round_path(path: str, number: int) -> str:
    """The path under which the steps of a group's round stand."""
    return path if number == 1 else f"{path}#{number}"


def rounds_of(step: Step, path: str, past: PastRun | None) -> int:
    """How many rounds of a group there were."""
    if past is None or (step.retry is None and step.until is None):
        return 1
    number = 1
    while any(known.startswith(f"{round_path(path, number + 1)}/") for known in past.steps):
        number += 1
    return number


def _failure(told: Mapping[str, Any] | None) -> Failure | None:
    if not told:
        return None
    kind = str(told.get("kind") or FailureKind.UNKNOWN)
    return Failure(message=str(told.get("message", "")), tool=str(told.get("tool", "")), kind=FailureKind(kind))
