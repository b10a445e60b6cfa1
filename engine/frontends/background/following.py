"""Following a run of another process by what history has of it, and its end as that process would tell it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from engine.history import History
from engine.history.records import RunRecord, StepRecord
from engine.model.event import Event, EventKind
from engine.model.failure import Failure, FailureKind
from engine.model.outcome import RunResult, RunStatus, StepResult, StepStatus

POLL = 0.25
"""Seconds between looks into history."""
TICK = 0.1
"""Seconds between calls of `tick`."""


def follow(history: History, run_id: str, *, after: int = 0, tick: Callable[[], None] | None = None) -> Iterator[Event]:
    """The events of a run from number `after` on, those to come too, until it has ended, waits, or its process died.

    `tick` is called now and then while nothing happens.
    """
    while True:
        # Asked before the events are: what happened until then is among them.
        rests = resting(history.run(run_id))
        for number, event in history.events(run_id, after=after):
            after = number
            yield event
        if rests:
            return
        _pause(tick)


def resting(run: RunRecord) -> bool:
    """Whether nobody works on the run now."""
    return run.status is not RunStatus.RUNNING or run.interrupted


def result_of(history: History, run_id: str) -> RunResult:
    """How a run ended, or how far it came, as the process that ran it would give it."""
    run = history.run(run_id)
    events = [event for _, event in history.events(run.id)]
    return RunResult(
        run_id=run.id,
        skill=run.skill,
        status=run.status,
        steps=tuple(_step(step) for step in history.steps(run.id) if step.status is not None),
        outputs=run.outputs,
        message=run.message,
        notes=run.notes,
        duration=_duration(run, events),
        timed_out=_timed_out(events),
        questions=run.questions,
    )


def _duration(run: RunRecord, events: list[Event]) -> float:
    if run.duration is not None:
        return run.duration
    return max(0.0, events[-1].at - run.started_at) if events else 0.0


def _timed_out(events: Iterable[Event]) -> bool:
    """Whether the run's own deadline ended it."""
    ends = (EventKind.RUN_FINISHED, EventKind.RUN_ENDING)
    told = [bool(event.data.get("timed_out")) for event in events if event.kind in ends and not event.step]
    return any(told)


def _step(step: StepRecord) -> StepResult:
    return StepResult(
        name=step.name,
        path=step.name,
        status=step.status or StepStatus.FAILED,
        value=step.value,
        failure=_failure(step.failure),
        first_failure=_failure(step.first_failure),
        attempts=step.attempts,
        fixes=step.fixes,
        duration=step.duration or 0.0,
        remediation=step.remediation,
        root_cause=step.root_cause,
        reason=step.reason,
    )


def _failure(told: Any) -> Failure | None:
    if not told:
        return None
    kind = str(told.get("kind") or FailureKind.UNKNOWN)
    return Failure(message=str(told.get("message", "")), tool=str(told.get("tool") or ""), kind=FailureKind(kind))


def _pause(tick: Callable[[], None] | None) -> None:
    end = time.monotonic() + POLL
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(left, TICK) if tick else left)
        if tick:
            tick()
