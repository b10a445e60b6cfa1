"""What history knows of a run, as the facts a graph is coloured by."""

from __future__ import annotations

from engine.frontends.cli.layout import one_line
from engine.history.records import RunRecord, StepRecord
from engine.library.graph import Fact, RunOutcome, State
from engine.model.failure import FailureKind
from engine.model.outcome import RunStatus, StepStatus


def run_outcome(run: RunRecord) -> RunOutcome:
    """The run as a whole; `interrupted` when its process died before the end."""
    status = "interrupted" if run.interrupted else run.status.value
    return RunOutcome(id=run.id, status=status, duration=run.duration, message=one_line(run.message))


def fact(step: StepRecord, run: RunRecord) -> Fact:
    """One step of the run."""
    state = _state(step, run)
    return Fact(
        path=step.name,
        state=state,
        section=step.section,
        duration=step.duration,
        attempts=step.attempts,
        fixes=step.fixes,
        told=_told(step, state, run),
    )


def _state(step: StepRecord, run: RunRecord) -> State:
    if step.status is None:
        if run.status is RunStatus.WAITING:
            return State.WAITING
        return State.RUNNING if run.status is RunStatus.RUNNING and not run.interrupted else State.STOPPED
    if step.status is StepStatus.FAILED and (step.failure or {}).get("kind") == FailureKind.CANCELLED:
        return State.STOPPED
    return State(step.status.value)


def _told(step: StepRecord, state: State, run: RunRecord) -> str:
    """Why a step ended so: its failure, what healed it, what it waits for, or where its output is from."""
    if state is State.WAITING:
        return next((one_line(question.text) for question in run.questions if question.step == step.name), "")
    if state is State.HEALED:
        return one_line(step.reason)
    if step.reused:
        return f"output of {run.reused_from}"
    message = one_line(str((step.failure or {}).get("message", "")))
    return message if step.foreach else message or one_line(step.reason)
