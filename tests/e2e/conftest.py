"""The real command in a folder and a home of its own; the platform it starts is stopped at the end."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.shell import Shell


@dataclass(frozen=True, slots=True)
class PlatformShell(Shell):
    """A shell that knows the local platform its commands start."""

    @property
    def platform(self) -> Path:
        """The local platform's data folder."""
        return self.home / "state" / "platform"

    def stop_platform(self) -> None:
        """Ends the platform, for certain."""
        try:
            pid = int(json.loads((self.platform / "endpoint.json").read_text())["pid"])
            os.kill(pid, signal.SIGTERM)
        except (OSError, ValueError):
            return
        until = time.monotonic() + 10
        while time.monotonic() < until and (self.platform / "endpoint.json").exists():
            time.sleep(0.05)


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[PlatformShell]:
    """A shell nothing has happened in."""
    (tmp_path / "work").mkdir()
    made = PlatformShell(folder=tmp_path / "work", home=tmp_path / "home")
    yield made
    made.stop_platform()


@pytest.fixture(scope="module")
def warm_shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlatformShell]:
    """A shell whose platform runs and whose user is logged in; shared by the tests of a module."""
    folder = tmp_path_factory.mktemp("warm")
    (folder / "work").mkdir()
    made = PlatformShell(folder=folder / "work", home=folder / "home")
    done = made.run("demo")
    assert done.returncode == 0, done.stderr
    yield made
    made.stop_platform()
