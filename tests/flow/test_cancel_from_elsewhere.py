"""`skill cancel` from another terminal: wherever the run is, what it did is undone, and both commands say so."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.flow.places import CALLED, FIRST, PLACES, TIDY, Standing
from tests.flow.racing import raced, racing
from tests.flow.workshop import Workshop, until


@pytest.fixture
def standing(tmp_path: Path) -> Standing:
    """Tools that stand still, and nothing has happened yet."""
    made = Standing(Workshop(tmp_path / "work", tmp_path / "home"))
    made.furnish()
    return made


@pytest.mark.parametrize("place", PLACES)
def test_a_run_of_another_process_is_cancelled_wherever_it_is(standing: Standing, place: str) -> None:
    """0 for who cancels, 130 for the run; its programs have ended, what it did is undone, `always` ran."""
    with standing.run(place) as run:
        (cancel,) = raced(standing.workshop, ["cancel", "last"])
        assert (cancel.status, run.wait()) == (0, 130), cancel.error + run.error
    assert "tidy" in cancel.error
    assert "cancelled" in cancel.output
    assert standing.status == "cancelled"
    standing.assert_undone()
    standing.assert_undone_in_reverse()
    standing.assert_nothing_runs()


@pytest.mark.parametrize("place", PLACES)
def test_a_run_whose_process_was_killed_is_cancelled_wherever_it_was(standing: Standing, place: str) -> None:
    """Whoever cancels it undoes what had been done, also in groups, lists and sub-skills that never came to an end."""
    standing.killed(place)
    (cancel,) = raced(standing.workshop, ["cancel", "last"])
    assert cancel.status == 0, cancel.error
    assert standing.status == "cancelled"
    standing.assert_undone()
    standing.assert_undone_in_reverse()


def test_a_run_that_is_cleaning_up_goes_on_with_that(standing: Standing) -> None:
    """It is undone once, and ends as it was ending: who cancels gets the run's own exit status."""
    standing.workshop.tool(
        "leave", 'touch begun-leave\nwhile ! test -e go; do sleep 0.02; done\necho "leave $1" >> log\n'
    )
    name = standing.workshop.skill(FIRST + "  - {name: end, stop: {status: blocked, message: no more}}\n" + TIDY)
    with racing(standing.workshop, ["run", name]) as (run,):
        until((standing.folder / "begun-leave").exists)
        with racing(standing.workshop, ["cancel", "last"]) as (cancel,):
            until(lambda: "asked process" in cancel.error)
            standing.go()
            assert (cancel.wait(), run.wait()) == (5, 5)
    standing.assert_undone()


def test_a_run_that_waits_in_the_depth_is_undone(standing: Standing) -> None:
    """A sub-skill in a branch asks: its own steps are undone and its `always` runs before those around it."""
    standing.workshop.skill(CALLED.replace("tool: stand, args: {name: in2}", "ask: {question: Sure?}"), "called")
    (run,) = raced(standing.workshop, ["run", standing.workshop.skill(FIRST + PLACES["a sub-skill"] + TIDY)])
    assert run.status == 4, run.error
    (cancel,) = raced(standing.workshop, ["cancel", "last"])
    assert cancel.status == 0, cancel.error
    assert standing.workshop.log == [
        "enter ann",
        "enter in1",
        "leave in1",
        "enter inner_tidy",
        "leave ann",
        "enter tidy",
    ]


def test_a_cancel_that_is_killed_stays_one(standing: Standing) -> None:
    """The process that undoes an interrupted run dies, too; whoever resumes that goes on undoing."""
    standing.killed("a long call")
    standing.clear()
    leave = standing.folder / "scripts" / "leave.sh"
    slow = 'touch begun-leave\nwhile ! test -e go; do sleep 0.02; done\necho "leave $1" >> log\n'
    leave.write_text(f'cd "{standing.folder}"\n{slow}')
    with racing(standing.workshop, ["cancel", "last"]) as (cancel,):
        until((standing.folder / "begun-leave").exists)
        cancel.kill()
    standing.go()
    (resume,) = raced(standing.workshop, ["resume", "last"])
    assert resume.status == 130, resume.error
    assert standing.workshop.log == ["leave ann", "enter tidy"]
    assert standing.status == "cancelled"


def test_a_run_that_has_ended_cannot_be_cancelled(standing: Standing) -> None:
    """Exit status 2, how it ended, and nothing is undone."""
    raced(standing.workshop, ["run", standing.workshop.skill(FIRST)])
    (cancel,) = raced(standing.workshop, ["cancel", "last"])
    assert cancel.status == 2
    assert "has ended already: ok" in cancel.error
    assert standing.workshop.log == ["enter ann"]
