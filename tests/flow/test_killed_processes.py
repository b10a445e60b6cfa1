"""`kill -9` at the worst moments: nothing stays locked, nothing is broken, and history knows who died."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.flow.workshop import LOG_IN, TWO_ENTRIES, Workshop, alive, until

DAWDLE = "echo $$ > pid\ntouch begun\nsleep 30\n"
LOOK = "\nsteps:\n  - {name: look, tool: look}\n"


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    """Tools and a lock, and nothing has happened yet."""
    made = Workshop(tmp_path / "work", tmp_path / "home")
    made.furnish()
    made.tool("dawdle", DAWDLE)
    return made


def kill(workshop: Workshop, *words: str, when: Any) -> None:
    """Runs the command and kills it as soon as `when` is true; what its tool started ends with it."""
    with workshop.running(*words) as process:
        until(when)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=10)
    until(lambda: not alive(int((workshop.folder / "pid").read_text())))


def assert_goes_on(workshop: Workshop, name: str) -> None:
    """The dead run is shown as interrupted, the next one works, and memory is whole."""
    (dead,) = workshop.json("history")
    assert dead["status"] == "interrupted"
    assert "interrupted" in workshop.run("status", dead["run"]).stdout
    assert workshop.json("run", name)["status"] == "ok"
    assert "interrupted" in workshop.run("history").stdout
    workshop.assert_memory_is_whole()


def test_killed_in_mid_step(workshop: Workshop) -> None:
    """The step has begun and has no end; the next run is not hindered by it."""
    slow = workshop.skill(TWO_ENTRIES + "  - {name: slow, tool: dawdle}\n")
    kill(workshop, "run", slow, when=(workshop.folder / "begun").exists)
    workshop.skill(TWO_ENTRIES)
    assert_goes_on(workshop, slow)


def test_killed_in_mid_fix(workshop: Workshop) -> None:
    """The fix's lock is free at once: the next run logs in itself, and heals."""
    name = workshop.skill(LOOK)
    workshop.furnish(log_in=DAWDLE + LOG_IN)
    kill(workshop, "run", name, when=(workshop.folder / "begun").exists)
    workshop.furnish()
    assert_goes_on(workshop, name)
    assert workshop.log == ["log_in"]
    totals = workshop.json("memory", "show", "failures")["stats"]
    assert (totals["total_failures"], totals["auto_fixed"]) == (1, 1)


def test_a_run_that_waits_for_a_killed_one_takes_over(workshop: Workshop) -> None:
    """Two runs need the same login; the one that runs it dies, the other runs it then."""
    name = workshop.skill(LOOK)
    workshop.furnish(log_in="if test -e begun; then\n" + LOG_IN + "else\n" + DAWDLE + "fi\n")
    with workshop.running("run", name) as first:
        until((workshop.folder / "pid").exists)
        with workshop.running("run", name, "--json") as second:
            until(lambda: len(list((workshop.home / "state" / "fixes").iterdir())) == 1)
            first.send_signal(signal.SIGKILL)
            first.communicate(timeout=10)
            output, error = second.communicate(timeout=20)
    assert (second.returncode, json.loads(output)["healed"]) == (0, 1), error
    assert workshop.log == ["log_in"]


def test_killed_in_mid_deploy(tmp_path: Path) -> None:
    """The main job dies with a namespace reserved; the next run has one of its own, and ends ok."""
    home = Workshop(tmp_path / "work", tmp_path / "home")
    home.folder.mkdir()
    platform = home.home / "state" / "platform"
    try:
        with home.running("run", "test_mr_ephemeral", "-i", "run_tests=false") as process:
            assert process.stderr is not None
            assert any(" reserve " in line for line in process.stderr)
            process.send_signal(signal.SIGKILL)
            process.communicate(timeout=10)
        again = home.json("run", "test_mr_ephemeral", "-i", "run_tests=false")
        assert again["status"] == "ok"
        assert "interrupted" in home.run("history").stdout
        home.assert_memory_is_whole()
    finally:
        os.kill(json.loads((platform / "endpoint.json").read_text())["pid"], signal.SIGTERM)
        until(lambda: not (platform / "endpoint.json").exists())
