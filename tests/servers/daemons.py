"""Programs of Debian that serve, each at a free port of the loopback interface; they end with the test for certain."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

PATIENCE = 60.0
"""Seconds a program may take until it answers on a machine that is busy with other things."""
TRIES = 3


def program(name: str) -> str:
    """Where the program is; without it the test is skipped, and fails in CI."""
    found = shutil.which(name)
    if found is None:
        if os.environ.get("CI"):
            pytest.fail(f"the program {name} is missing, and .ci/run should have installed it")
        pytest.skip(f"the program {name} is not installed")
    return found


@contextmanager
def serving(argv: Callable[[int], list[str]], ready: str, log: Path) -> Iterator[str]:
    """The address of what `argv(port)` starts, once it answers at the path `ready`; whatever it says goes to `log`.

    A port that somebody else took in between ends the program: then it is tried with another one.
    """
    for _ in range(TRIES):
        port = free_port()
        with log.open("ab") as out:
            process = subprocess.Popen(
                [program("setpriv"), "--pdeathsig", "KILL", *argv(port)],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        try:
            if answers(f"http://127.0.0.1:{port}{ready}", process):
                yield f"http://127.0.0.1:{port}"
                return
        finally:
            stop(process)
    pytest.fail(f"{argv(0)[0]} does not answer:\n{log.read_text(errors='replace')[-2_000:]}")


def free_port() -> int:
    """A port of the loopback interface that nobody listens at."""
    with socket.socket() as looking:
        looking.bind(("127.0.0.1", 0))
        return int(looking.getsockname()[1])


def answers(url: str, process: subprocess.Popen[bytes]) -> bool:
    """Whether it says 200 there before it ends, or patience does."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - an address of ours
                return True
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    return False


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ends it and all it started, for certain."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
