"""Runs and steps as they are told to whoever traces them."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager

from engine.model.failure import FailureKind
from engine.model.outcome import RunResult, RunStatus, StepResult, StepStatus
from engine.model.skill import Step
from engine.model.tracing import Span, TracedStep
from engine.run.ending import RESTING, Ended
from engine.run.frame import Frame
from engine.run.running import Running

BAD = frozenset({RunStatus.FAILED, RunStatus.BLOCKED, RunStatus.CANCELLED})
"""How runs end that did not do what they were for."""


def step_span(running: Running, step: Step, frame: Frame, path: str, *, action: str) -> AbstractContextManager[Span]:
    """The span of a step, until its context is left."""
    skill = frame.skill.name
    return running.tracing.step(
        TracedStep(run_id=running.run_id, skill=skill, name=step.name, path=path, action=action)
    )


def tell_step(span: Span, ended: Ended) -> Ended:
    """Tells how the step ended, and hands that on; a step that waits for an answer or was not done says so."""
    result = ended.result
    if result is None:
        span.ended(RunStatus.WAITING.value if ended.ending is RESTING else "halted")
        return ended
    if result.status is StepStatus.FAILED and result.failure is not None:
        span.failed(result.failure)
    span.ended(result.status.value, attempts=result.attempts, fixes=len(result.fixes))
    return ended


def trace_data(span: Span) -> dict[str, str]:
    """What a later process needs to link to the span: nothing where nobody traces."""
    found = span.headers.get("traceparent")
    return {"traceparent": found} if found else {}


def tell_run(span: Span, result: RunResult) -> RunResult:
    """Tells how the run ended, and hands that on."""
    error = _what_ended(result) if result.status in BAD else ""
    span.ended(result.status.value, error=error, message=result.message, healed=result.healed)
    return result


def _what_ended(result: RunResult) -> str:
    """The kind of failure that ended a run; its status where there is none."""
    if result.timed_out:
        return FailureKind.TIMEOUT.value
    kinds = _kinds(result.steps) if result.status is not RunStatus.CANCELLED else ()
    return next(iter(kinds), result.status.value)


def _kinds(steps: Iterable[StepResult]) -> Iterable[str]:
    return (step.failure.kind.value for step in steps if step.status is StepStatus.FAILED and step.failure)
