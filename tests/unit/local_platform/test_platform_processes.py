"""Programs inside a namespace: started, started again, bounded, and found by their mark."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tool_registry.local_platform.command import run_command
from tool_registry.local_platform.service import RESTARTS, Service, shell_status
from tool_registry.local_platform.sweeping import MARKER, sweep

ENVIRONMENT = {"PATH": os.environ["PATH"]}


def service(folder: Path, source: str) -> Service:
    """Describe a service of one Python line."""
    return Service(argv=[sys.executable, "-c", source], folder=str(folder), environment=ENVIRONMENT)


def wait_for(state: str, kept: Service) -> None:
    """Wait until the service is in that state."""
    end = time.monotonic() + 10
    while kept.status()["state"] != state:
        assert time.monotonic() < end, kept.status()
        time.sleep(0.02)


@pytest.fixture
def orphan() -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A process with a mark, in a session of its own."""
    mark = secrets.token_hex(16)
    process = subprocess.Popen(["sleep", "30"], env={**ENVIRONMENT, MARKER: mark}, start_new_session=True)
    yield process, mark
    process.kill()
    process.wait()


def test_a_service_that_ends_is_started_again_three_times(tmp_path: Path) -> None:
    """Also one that ends well: a service is not to end."""
    kept = service(tmp_path, "print('once')")
    kept.start()
    wait_for("crashed", kept)
    assert (kept.status()["restarts"], kept.status()["exit_status"]) == (RESTARTS, 0)
    assert kept.last_lines(100) == ["once"] * (RESTARTS + 1)


def test_a_stopped_service_stays_stopped(tmp_path: Path) -> None:
    """What was asked to end is not started again, also when it ignores being asked."""
    kept = service(
        tmp_path, "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(30)"
    )
    kept.start()
    while kept.last_lines(1) != ["up"]:
        time.sleep(0.02)
    kept.stop()
    assert (kept.status()["state"], kept.status()["exit_status"], kept.status()["restarts"]) == ("stopped", 137, 0)


def test_a_line_without_end_is_cut(tmp_path: Path) -> None:
    """A log holds lines of bounded length."""
    kept = service(tmp_path, "import time; print('x' * 10_000, flush=True); time.sleep(30)")
    kept.start()
    while len(kept.last_lines(9)) < 3:
        time.sleep(0.02)
    kept.stop()
    assert [len(line) for line in kept.last_lines(9)] == [4000, 4000, 2000]


def test_a_child_that_holds_the_output_is_not_waited_for(tmp_path: Path) -> None:
    """A command that leaves a process behind in another session is over when the command itself is."""
    argv = ["sh", "-c", "setsid sleep 5 & echo done"]
    ran = run_command({"argv": argv, "folder": str(tmp_path), "environment": ENVIRONMENT, "timeout": 10})
    assert (ran["exit_status"], ran["stdout"], ran["timed_out"]) == (0, "done\n", False)
    assert ran["duration"] < 4


def test_a_status_is_as_a_shell_shows_it() -> None:
    """A signal is 128 and its number."""
    assert [shell_status(code) for code in (0, 3, -9)] == [0, 3, 137]


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")
def test_sweeping_kills_what_carries_the_mark_and_nothing_else(orphan: tuple[subprocess.Popen[bytes], str]) -> None:
    """A process is known by the mark in its environment alone."""
    process, mark = orphan
    assert sweep(mark[:-1] + "x") == 0
    assert process.poll() is None
    end = time.monotonic() + 5
    while sweep(mark) == 0:  # its environment is there only once it has become its program
        assert time.monotonic() < end
    assert process.wait(5) == -9
