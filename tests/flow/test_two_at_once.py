"""Two processes at one run: one has it, the other says who, nothing is done twice, and who lost it does nothing."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.flow.places import FIRST, TIDY, Standing
from tests.flow.racing import Racer, raced, racing
from tests.flow.workshop import Workshop, until

ROUNDS = 20
SOME_ROUNDS = 5
ASKS = FIRST + '  - {name: sure, ask: {question: "Sure?", type: boolean}}\n'
SLOW = FIRST + "  - {name: slow, tool: stand, args: {name: a}}\n"
LAST = "  - {name: last, tool: enter, args: {name: zoe}}\n"
UNDONE = (["enter ann", "leave ann", "enter tidy"], ["enter ann", "enter zoe", "leave ann", "enter tidy"])
BUSY = """
  - name: busy
    parallel:
      - {name: waits, tool: stand, args: {name: a}}
      - {name: fails, tool: fail, args: {name: b}, retry: {attempts: 9, delay: 0.1}, on_error: continue}
      - {name: polls, tool: poll, until: {condition: "False", every: 0.1, timeout: 60}, on_error: continue}
"""


@pytest.fixture
def standing(tmp_path: Path) -> Standing:
    """Tools that stand still, and nothing has happened yet."""
    made = Standing(Workshop(tmp_path / "work", tmp_path / "home"))
    made.furnish()
    return made


def killed(standing: Standing, text: str = SLOW + LAST + TIDY) -> None:
    """A run whose process was killed in its second step."""
    standing.clear()
    with racing(standing.workshop, ["run", standing.workshop.skill(text)]) as (run,):
        until((standing.folder / "begun-a").exists)
        run.kill()
    (standing.folder / "begun-a").unlink()


def parked(standing: Standing) -> None:
    """A run that waits for an answer."""
    standing.clear()
    (run,) = raced(standing.workshop, ["run", standing.workshop.skill(ASKS + LAST + TIDY)])
    assert run.status == 4, run.error


def assert_says_who(loser: Racer, winner: Racer) -> None:
    """Exit status 5; process and machine of the one that has the run."""
    assert loser.wait() == 5, loser.error
    assert f"process {winner.pid} on {os.uname().nodename}" in loser.error


def test_of_two_that_resume_one_wins_and_the_other_says_who(standing: Standing) -> None:
    """At the same moment, again and again: the winner ends the run, and every step is done once."""
    for _ in range(ROUNDS):
        killed(standing)
        with racing(standing.workshop, ["resume", "last"], ["resume", "last"]) as racers:
            until((standing.folder / "begun-a").exists)
            until(lambda: not all(racer.runs for racer in racers))
            loser, winner = sorted(racers, key=lambda racer: racer.runs)
            assert_says_who(loser, winner)
            standing.go()
            assert winner.wait() == 0, winner.error
        assert standing.workshop.log == ["enter ann", "enter zoe", "enter tidy"]


@pytest.mark.parametrize("words", [["resume", "last"], ["answer", "last", "sure=yes"]])
def test_a_run_that_lives_is_left_alone(standing: Standing, words: list[str]) -> None:
    """Whoever would go on with it is told who has it."""
    with racing(standing.workshop, ["run", standing.workshop.skill(SLOW + LAST)]) as (run,):
        until((standing.folder / "begun-a").exists)
        (other,) = raced(standing.workshop, words)
        assert_says_who(other, run)
        standing.go()
        assert run.wait() == 0, run.error
    assert standing.workshop.log == ["enter ann", "enter zoe"]


def test_of_two_answers_one_counts(standing: Standing) -> None:
    """The other is refused: the run is busy, or has ended by then."""
    for _ in range(SOME_ROUNDS):
        parked(standing)
        racers = raced(standing.workshop, ["answer", "last", "sure=yes"], ["answer", "last", "sure=no"])
        statuses = [racer.wait() for racer in racers]
        assert sorted(statuses) in ([0, 2], [0, 5]), [racer.error for racer in racers]
        assert standing.workshop.log == ["enter ann", "enter zoe", "enter tidy"]
        assert standing.past.answers == {"sure": statuses[0] == 0}


@pytest.mark.parametrize(("begun", "words"), [(parked, ["answer", "last", "sure=yes"]), (killed, ["resume", "last"])])
def test_going_on_and_cancelling_at_once_is_one_of_both(
    standing: Standing, begun: Callable[[Standing], None], words: list[str]
) -> None:
    """The run is done to its end or undone to its beginning, and whoever cancels is not sent away."""
    for _ in range(SOME_ROUNDS):
        begun(standing)
        standing.go()
        going, cancel = raced(standing.workshop, words, ["cancel", "last"])
        if standing.status == "ok":
            assert going.wait() == 0, going.error
            assert cancel.wait() in {0, 2}, cancel.error
            assert standing.workshop.log == ["enter ann", "enter zoe", "enter tidy"]
        else:
            assert standing.status == "cancelled"
            assert cancel.wait() == 0, cancel.error
            assert standing.workshop.log in UNDONE


@pytest.mark.parametrize("begun", [parked, killed])
def test_of_two_that_cancel_one_undoes(standing: Standing, begun: Callable[[Standing], None]) -> None:
    """The other watches how, or is told that it has ended."""
    for _ in range(SOME_ROUNDS):
        begun(standing)
        racers = raced(standing.workshop, ["cancel", "last"], ["cancel", "last"])
        assert sorted(racer.wait() for racer in racers) in ([0, 0], [0, 2]), [racer.error for racer in racers]
        assert all(racer.status == 0 or "has ended" in racer.error for racer in racers)
        assert standing.workshop.log == ["enter ann", "leave ann", "enter tidy"]


def test_two_cancel_a_run_that_lives(standing: Standing) -> None:
    """Both ask its process, and both see how it cleans up."""
    with racing(standing.workshop, ["run", standing.workshop.skill(SLOW + TIDY)]) as (run,):
        until((standing.folder / "begun-a").exists)
        racers = raced(standing.workshop, ["cancel", "last"], ["cancel", "last"])
        assert [racer.status for racer in racers] == [0, 0], [racer.error for racer in racers]
        assert run.wait() == 130
    standing.assert_undone()


@pytest.mark.parametrize("text", [SLOW, FIRST + BUSY])
def test_a_process_that_was_stopped_and_lost_its_run_does_nothing_more(standing: Standing, text: str) -> None:
    """Its lock was deleted by hand and another took over; awake again, it says so, writes nothing and calls nothing."""
    standing.workshop.tool("fail", 'echo "$PPID" >> callers\nexit 3\n')
    standing.workshop.tool("poll", 'echo "$PPID" >> callers\n')
    with racing(standing.workshop, ["run", standing.workshop.skill(text + TIDY)]) as (first,):
        until((standing.folder / "begun-a").exists)
        first.kill(signal.SIGSTOP)
        forget(standing)
        with racing(standing.workshop, ["resume", "last"]) as (second,):
            until((standing.folder / "begun-a").exists)
            written = len(standing.events)
            (standing.folder / "callers").unlink(missing_ok=True)
            first.kill(signal.SIGCONT)
            assert first.wait() == 1
            assert f"taken over by process {second.pid}" in first.error
            assert "this one keeps and does nothing more of it" in first.error
            assert str(first.pid) not in callers(standing)
            assert len(standing.events) == written or text != SLOW
            second.kill(signal.SIGTERM)
            assert second.wait() == 130, second.error
    assert standing.workshop.log == ["enter ann", "leave ann", "enter tidy"]


def forget(standing: Standing) -> None:
    """Deletes the locks by hand, and every sign of what was begun."""
    for path in (*(standing.workshop.home / "runs").glob("*.lock"), standing.folder / "begun-a"):
        path.unlink()


def callers(standing: Standing) -> list[str]:
    """The processes that called a tool lately."""
    path = standing.folder / "callers"
    return path.read_text().split() if path.exists() else []
