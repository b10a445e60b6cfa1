"""The real command, in a folder and a home of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SKILL = Path(sys.executable).with_name("skill")
MANY = """
import contextlib, io, json, sys

from engine.frontends.cli import app
from engine.frontends.cli.session import Session

told = []
for words in json.load(sys.stdin):
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        status = app.main(words, prog_name="skill", standalone_mode=False, obj=Session())
    if status:
        sys.exit(f"skill {' '.join(words)} ended with {status}")
    told.append(said.getvalue())
json.dump(told, sys.stdout)
"""
"""The command line many times in one process: starting one for each costs most of their time."""


@dataclass(frozen=True, slots=True)
class Shell:
    """Runs `skill` in `folder` with its live files in `home`."""

    folder: Path
    home: Path

    @property
    def environment(self) -> dict[str, str]:
        """What the command sees: this machine's environment, our home, and nobody to ask."""
        return {**os.environ, "SKILL_HOME": str(self.home), "NO_COLOR": "1", "CI": "true"}

    def run(
        self, *words: str, environment: Mapping[str, str] | None = None, prefix: tuple[str, ...] = ()
    ) -> subprocess.CompletedProcess[str]:
        """The finished command; `prefix` are words before it (`unshare`)."""
        return subprocess.run(
            [*prefix, str(SKILL), *words],
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

    def many(self, *commands: Sequence[str]) -> list[str]:
        """What each of these commands prints, all run by one process; each must end well."""
        done = subprocess.run(
            [sys.executable, "-c", MANY],
            input=json.dumps(commands),
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=110,
        )
        assert done.returncode == 0, done.stderr
        told: list[str] = json.loads(done.stdout)
        return told

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
