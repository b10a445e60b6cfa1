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

from engine.frontends.cli import main

told = []
for words in json.load(sys.stdin):
    sys.argv = ["skill", *words]
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        try:
            main()
        except SystemExit as ended:
            status = ended.code
    told.append([status, said.getvalue()])
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
        told = self.each(*commands)
        assert [command for command, (status, _) in zip(commands, told, strict=True) if status] == []
        return [said for _, said in told]

    def each(self, *commands: Sequence[str]) -> list[tuple[int, str]]:
        """The exit status of each of these commands and what it prints, all run by one process."""
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
        return [(int(status), str(said)) for status, said in json.loads(done.stdout)]

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
