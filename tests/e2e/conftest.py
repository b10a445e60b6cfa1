"""The real command in a folder and a home of its own; the platform it starts is stopped at the end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

SKILL = Path(sys.executable).with_name("skill")


@dataclass(frozen=True, slots=True)
class Shell:
    """Runs `skill` in `folder` with its live files in `home`."""

    folder: Path
    home: Path

    @property
    def environment(self) -> dict[str, str]:
        """What the command sees: this machine's environment, our home, and nothing to ask."""
        return {**os.environ, "SKILL_HOME": str(self.home), "NO_COLOR": "1", "CI": "true"}

    @property
    def platform(self) -> Path:
        """The local platform's data folder."""
        return self.home / "state" / "platform"

    def run(self, *words: str, environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """The finished command."""
        return subprocess.run(
            [SKILL, *words],
            cwd=self.folder,
            env={**self.environment, **(environment or {})},
            capture_output=True,
            text=True,
            check=False,
            timeout=110,
        )

    def json(self, *words: str, status: int = 0) -> Any:
        """The command's result as data; its exit status must be `status`."""
        done = self.run(*words, "--json")
        assert done.returncode == status, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
        return json.loads(done.stdout)

    def start(self, *words: str) -> subprocess.Popen[str]:
        """The command as a process of its own."""
        return subprocess.Popen(
            [SKILL, *words],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

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
def shell(tmp_path: Path) -> Iterator[Shell]:
    """A shell nothing has happened in."""
    (tmp_path / "work").mkdir()
    made = Shell(folder=tmp_path / "work", home=tmp_path / "home")
    yield made
    made.stop_platform()


@pytest.fixture(scope="module")
def warm_shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A shell whose platform runs and whose user is logged in; shared by the tests of a module."""
    folder = tmp_path_factory.mktemp("warm")
    (folder / "work").mkdir()
    made = Shell(folder=folder / "work", home=folder / "home")
    done = made.run("demo")
    assert done.returncode == 0, done.stderr
    yield made
    made.stop_platform()
