"""Ctrl-C at any moment: what was done is undone, nothing is left running, the exit status is 130."""

from __future__ import annotations

import fcntl
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.flow.workshop import LOG_IN, TWO_ENTRIES, Workshop, alive, descendants, interrupt, until

GRANDCHILD = "sleep 60 &\necho $! > grandchild\n"
DAWDLE = GRANDCHILD + "touch begun\nsleep 60\n"
LOOK = "  - {name: look, tool: look}\n"
BUSY = """
  - name: busy{number}
    on_error: continue
    compute: |
      total = 0
      for n in range(10 ** 8):
        total += n
      result = total
"""
UNDONE = ["enter ann", "enter bob", "leave bob", "leave ann"]


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    """Tools and a lock, and nothing has happened yet."""
    made = Workshop(tmp_path / "work", tmp_path / "home")
    made.furnish()
    return made


def interrupted(workshop: Workshop, skill: str, *, when: Callable[[], object]) -> str:
    """Ctrl-C in the middle of a run; it ends with 130 and leaves no process behind. Gives what was said."""
    with workshop.running("run", skill) as process:
        until(when)
        family = descendants(process.pid)
        status, said = interrupt(process)
    assert status == 130, said
    until(lambda: not any(alive(pid) for pid in family), within=5)
    assert workshop.json("status", "last")["status"] == "cancelled"
    return said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_while_a_step_runs(workshop: Workshop, number: signal.Signals) -> None:
    """The program is ended with all it started, then what was done is undone."""
    workshop.tool("dawdle", DAWDLE)
    name = workshop.skill(TWO_ENTRIES + "  - {name: slow, tool: dawdle}\n")
    with workshop.running("run", name) as process:
        until((workshop.folder / "begun").exists)
        process.send_signal(number)
        process.communicate(timeout=30)
    assert process.returncode == 130
    assert workshop.log == UNDONE
    assert not alive(int((workshop.folder / "grandchild").read_text()))


def test_while_a_fix_runs(workshop: Workshop) -> None:
    """The fix is ended, its lock is free, and what it would have repaired is not called again."""
    workshop.furnish(log_in=DAWDLE + LOG_IN)
    name = workshop.skill(TWO_ENTRIES + LOOK)
    interrupted(workshop, name, when=(workshop.folder / "begun").exists)
    assert workshop.log == UNDONE
    workshop.furnish()
    assert workshop.json("run", workshop.skill("\nsteps:\n" + LOOK))["healed"] == 1


def test_while_another_process_runs_the_fix(workshop: Workshop) -> None:
    """Whoever waits for a lock can be interrupted; the lock's holder is not disturbed."""
    name = workshop.skill(TWO_ENTRIES + LOOK)
    locks = workshop.home / "state" / "fixes"
    locks.mkdir(parents=True)
    with (locks / "log_in--door.json").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        interrupted(workshop, name, when=lambda: "fix_started" in workshop.run("logs", "last", "--json").stdout)
        assert workshop.log == UNDONE


def test_while_compute_runs(workshop: Workshop) -> None:
    """The interpreter's worker is gone with the run, though it was busy."""
    name = workshop.skill(TWO_ENTRIES + "".join(BUSY.format(number=number) for number in range(20)))
    with workshop.running("run", name) as process:
        until(lambda: len(workshop.log) > 1 and descendants(process.pid))  # what entered was a program, too
        family = descendants(process.pid)
        status, said = interrupt(process)
    assert status == 130, said
    assert workshop.log == UNDONE
    until(lambda: not any(alive(pid) for pid in family), within=5)


def test_while_undoing(workshop: Workshop) -> None:
    """A second Ctrl-C says that cleaning up is under way, and does not cut it short."""
    workshop.tool("leave", 'touch leaving\nsleep 0.7\necho "leave $1" >> log\n', effect="write", idempotent=True)
    workshop.tool("dawdle", DAWDLE)
    name = workshop.skill(TWO_ENTRIES + "  - {name: slow, tool: dawdle}\n")
    with workshop.running("run", name) as process:
        until((workshop.folder / "begun").exists)
        process.send_signal(signal.SIGINT)
        until((workshop.folder / "leaving").exists)
        status, said = interrupt(process)
    assert status == 130, said
    assert workshop.log == UNDONE


def test_while_a_failed_run_is_undone(workshop: Workshop) -> None:
    """The run had failed before; the interruption changes nothing about that, and the undo ends."""
    workshop.tool("leave", 'touch leaving\nsleep 0.7\necho "leave $1" >> log\n', effect="write", idempotent=True)
    name = workshop.skill(TWO_ENTRIES + "  - name: bad\n    compute: raise ValueError('no')\n")
    with workshop.running("run", name) as process:
        until((workshop.folder / "leaving").exists)
        status, said = interrupt(process)
    assert status in {1, 130}, said
    assert workshop.log == UNDONE
    assert workshop.json("status", "last")["status"] == "failed"


def test_at_any_moment_of_the_start(workshop: Workshop) -> None:
    """From the first moment on: every step that was finished is undone, and nothing ends in a traceback of ours."""
    workshop.tool("dawdle", DAWDLE)
    name = workshop.skill(TWO_ENTRIES + "  - {name: slow, tool: dawdle}\n")
    for delay in (0.02, 0.08, 0.15, 0.22, 0.3, 0.4):
        (workshop.folder / "log").unlink(missing_ok=True)
        with workshop.running("run", name) as process:
            try:
                process.wait(delay)
            except subprocess.TimeoutExpired:
                status, said = interrupt(process)
        # Python itself shows a traceback when it is interrupted before any line of ours was run.
        not_ours = "init_import_site" in said or "bin/skill" in said.partition("Traceback")[2].partition("line")[0]
        assert status in {130, -signal.SIGINT} or not_ours, said
        assert "Traceback" not in said or not_ours, said
        finished = [who for step, who in (("first", "ann"), ("second", "bob")) if f"✓ {step} " in said]
        left = [line.removeprefix("leave ") for line in workshop.log if line.startswith("leave")]
        assert left == finished[::-1], (delay, workshop.log, said)
