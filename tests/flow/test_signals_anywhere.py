"""SIGTERM, Ctrl-C once and thrice, a closed terminal, `kill -9`: nothing is left running, history knows the rest."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import subprocess
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.flow.places import FIRST, PLACES, STAND, TIDY, Standing
from tests.flow.racing import raced, racing
from tests.flow.workshop import Workshop, until
from tests.shell import SKILL

ASKS = FIRST + '  - {name: sure, ask: {question: "Sure?", type: boolean}}\n'
STANDS = FIRST + "  - {name: slow, tool: stand, args: {name: a}}\n"
STUBBORN = 'trap "" TERM\n' + STAND
WRITES = "echo pay-begun >> log\ntouch begun-a\nsleep 2\necho pay-ended >> log\n"
VERIFIED = "  - {name: pay, tool: pay}\n"
TERM, INT, HUP = signal.SIGTERM, signal.SIGINT, signal.SIGHUP


@pytest.fixture
def standing(tmp_path: Path) -> Standing:
    """Tools that stand still, and nothing has happened yet."""
    made = Standing(Workshop(tmp_path / "work", tmp_path / "home"))
    made.furnish()
    return made


@pytest.mark.parametrize("signals", [(TERM,), (INT, INT), (HUP,)], ids=["term", "int-int", "hup"])
@pytest.mark.parametrize("place", PLACES)
def test_a_signal_ends_a_run_wherever_it_is(
    standing: Standing, place: str, signals: tuple[signal.Signals, ...]
) -> None:
    """Exit status 130; every program has ended, what was done is undone, each `always` ran, and history says so."""
    with standing.run(place) as run:
        for number in signals:
            run.kill(number)
        assert run.wait() == 130, run.error
    assert standing.status == "cancelled"
    standing.assert_undone()
    standing.assert_undone_in_reverse()
    standing.assert_nothing_runs()


def test_the_third_time_leaves_at_once_and_whoever_cancels_undoes_the_rest(standing: Standing) -> None:
    """A program that will not stop is ended too; the command that was named for it undoes what was done."""
    standing.workshop.tool("stand", STUBBORN, effect="read")
    with standing.run("a foreach in parallel") as run:
        run.kill(INT)
        until(lambda: "cancelling" in run.error)
        run.kill(INT)
        until(lambda: "cleaning up is under way" in run.error)
        run.kill(INT)
        assert run.wait() == 130
    assert "`skill cancel last` undoes what is not undone yet" in run.error
    standing.assert_nothing_runs()
    assert standing.status == "interrupted"
    (cancel,) = raced(standing.workshop, ["cancel", "last"])
    assert cancel.status == 0, cancel.error
    standing.assert_undone()


@pytest.mark.parametrize("script", [STAND, STUBBORN], ids=["obedient", "stubborn"])
def test_programs_end_with_a_process_that_is_killed(standing: Standing, script: str) -> None:
    """Also those that ignore SIGTERM, and what they had begun in the background: a resumed run is alone."""
    standing.workshop.tool("stand", script, effect="read")
    with standing.run("branches") as run:
        run.kill()
    standing.assert_nothing_runs()
    standing.go()
    (resume,) = raced(standing.workshop, ["resume", "last"])
    assert resume.status == 0, resume.error


def test_a_write_that_was_under_way_does_not_end_after_it_was_looked_for(standing: Standing) -> None:
    """Its process was killed in mid-write: the program ends, so what `verify` finds stays true, and it is done once."""
    standing.workshop.tool("pay", WRITES, effect="write", more="verify: paid")
    standing.workshop.tool("paid", "grep -q pay-ended log && echo true || echo false\n", output="json")
    with racing(standing.workshop, ["run", standing.workshop.skill("\nsteps:\n" + VERIFIED)]) as (run,):
        until((standing.folder / "begun-a").exists)
        run.kill()
        run.wait()
        (resume,) = raced(standing.workshop, ["resume", "last"])
    assert resume.status == 0, resume.error
    assert standing.workshop.log.count("pay-ended") == 1


@pytest.mark.parametrize("words", [["watch"], ["logs", "-f"]])
@pytest.mark.parametrize("number", [INT, TERM, HUP])
def test_who_only_watches_can_go(standing: Standing, words: list[str], number: signal.Signals) -> None:
    """130 after Ctrl-C, else by the signal itself; the run goes on."""
    with standing.run("a long call") as run:
        with racing(standing.workshop, words) as (watch,):
            until(lambda: "first" in watch.error + watch.output)
            watch.kill(number)
            assert watch.wait() == (130 if number is INT else -number)
        standing.go()
        assert run.wait() == 0, run.error
    assert standing.workshop.log == ["enter ann", "enter tidy"]


@contextmanager
def terminal(
    standing: Standing, text: str, *, hears: bool
) -> Iterator[tuple[subprocess.Popen[bytes], Callable[[], None]]]:
    """The real command at a terminal, and what closes that; unless it `hears` of that, it ignores the signal."""

    def settle() -> None:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        signal.signal(HUP, signal.SIG_DFL if hears else signal.SIG_IGN)

    ours, theirs = pty.openpty()
    environment = {name: value for name, value in standing.workshop.environment.items() if name != "CI"}
    process = subprocess.Popen(
        [SKILL, "run", standing.workshop.skill(text)],
        cwd=standing.folder,
        env={**environment, "TERM": "xterm"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=settle,  # noqa: PLW1509 - one thread
    )
    os.close(theirs)
    nowhere = os.open(os.devnull, os.O_RDWR)

    def close() -> None:
        os.dup2(nowhere, ours)  # the last handle of our side goes

    try:
        yield process, close
    finally:
        process.kill()
        process.wait()
        os.close(ours)
        os.close(nowhere)


@pytest.mark.parametrize(
    ("text", "hears", "status", "log"),
    [
        (STANDS, True, 130, ["enter ann", "leave ann", "enter tidy"]),
        (STANDS, False, 0, ["enter ann", "enter tidy"]),
        (ASKS, True, 130, ["enter ann", "leave ann", "enter tidy"]),
        (ASKS, False, 4, ["enter ann"]),
    ],
    ids=["a step", "a step under nohup", "a question", "a question under nohup"],
)
def test_a_terminal_that_is_closed(standing: Standing, text: str, hears: bool, status: int, log: list[str]) -> None:
    """The run is cancelled; one that ignores the signal goes on without anybody watching, and its question waits."""
    with terminal(standing, text + TIDY, hears=hears) as (process, close):
        if text == ASKS:
            until((standing.workshop.home / "history.db").exists)
            until(lambda: any(event.kind == "question_asked" for event in standing.events))
        else:
            until((standing.folder / "begun-a").exists)
        close()
        if not hears:
            standing.go()
        assert process.wait(timeout=30) == status
    assert standing.workshop.log == log
    assert not list(standing.workshop.home.glob("crashes/*"))
