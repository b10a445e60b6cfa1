"""What history keeps of a step, as the state a graph shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from engine.frontends.cli.graphing.facts import fact, run_outcome
from engine.history.records import RunRecord, StepRecord
from engine.model.outcome import RunStatus, StepStatus
from engine.model.question import Question


def run(status: RunStatus, **more: Any) -> RunRecord:
    """A run that is, or ended, so."""
    return RunRecord(id="r1", skill="example", status=status, started_at=0.0, **more)


def step(status: StepStatus | None, failure: Mapping[str, Any] | None = None, **more: Any) -> StepRecord:
    """A step that ended so; None: it has no end."""
    return StepRecord(name="a", status=status, started_at=0.0, failure=failure, **more)


@pytest.mark.parametrize(
    ("record", "state"),
    [
        (run(RunStatus.RUNNING, alive=True), "running"),
        (run(RunStatus.RUNNING, alive=None), "running"),
        (run(RunStatus.RUNNING, alive=False), "stopped"),
        (run(RunStatus.WAITING), "waiting"),
        (run(RunStatus.CANCELLED), "stopped"),
    ],
)
def test_a_step_without_an_end_is_what_its_run_is(record: RunRecord, state: str) -> None:
    """Under way, waiting, or stopped with it; a run on another machine is believed to go on."""
    assert fact(step(None), record).state == state


@pytest.mark.parametrize("status", list(StepStatus))
def test_a_step_with_an_end_is_as_it_ended(status: StepStatus) -> None:
    """Every way a step can end is a state."""
    assert fact(step(status), run(RunStatus.OK)).state == status.value


def test_a_step_that_was_cut_off_was_stopped_and_did_not_fail() -> None:
    """Though its end says failed."""
    assert fact(step(StepStatus.FAILED, {"kind": "cancelled"}), run(RunStatus.CANCELLED)).state == "stopped"


def test_why_it_ended_so_is_told_in_a_line() -> None:
    """The failure, what healed it, what is asked, or where an output is from."""
    asked = run(RunStatus.WAITING, questions=(Question(name="a", text="Is it\nso?", step="a"),))
    reused = run(RunStatus.OK, reused_from="r0")
    healed = step(StepStatus.HEALED, {"message": "first"}, reason="healed by login")
    assert fact(step(StepStatus.FAILED, {"message": "no\nroute"}), run(RunStatus.FAILED)).told == "no route"
    assert fact(healed, run(RunStatus.OK)).told == "healed by login"
    assert fact(step(None), asked).told == "Is it so?"
    assert fact(step(StepStatus.OK, reused=True), reused).told == "output of r0"
    assert fact(step(StepStatus.TOLERATED, reason="1 of 4 failed", foreach=True), run(RunStatus.OK)).told == ""


def test_a_run_whose_process_died_was_interrupted() -> None:
    """As `skill history` says."""
    assert run_outcome(run(RunStatus.RUNNING, alive=False)).status == "interrupted"
    assert run_outcome(run(RunStatus.OK, message="all\nwell")).message == "all well"
