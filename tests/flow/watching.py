"""A workspace that can be watched: a domain whose road and token are files, and the real command that watches it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.flow.workshop import Workshop, until
from tests.shell import SKILL

PROFILE = "profile: yard\ndescription: Nothing but what a test adds.\ndomains: {}\n"
DOMAIN = """
profile = "yard"

[domains.door]
description = "A door with a lock, at the end of a road."
fixes.login = {{call = {{tool = "log_in"}}, cooldown = 0}}
fixes.connect = {{call = {{tool = "build_road"}}, cooldown = 0}}
checks.road = {{tool = "road_is_open", role = "connect", kind = "connection_refused", within = {within}}}
expiry = {{tool = "token_time"}}

[health]
interval = "1s"
{health}
"""
ROAD = "test -e road || exit 7\n"
TOKEN = "test -e token && cat token || echo '{\"expires_at\": null}'\n"
BUILD = "echo build_road >> log\ntest -e no_road && exit 1\ntouch road\n"
LOG_IN = "echo log_in >> log\nprintf '{\"expires_at\": %s}' $(( $(date +%s) + $(cat lifetime) )) > token\n"
REFUSED = 'exit: {"7": {kind: connection_refused, message: there is no road}}'


@dataclass(frozen=True, slots=True)
class Outlook(Workshop):
    """A workshop whose door is watched."""

    def watchable(self, *, health: str = "", within: float = 5, lifetime: int = 3_600, road: str = ROAD) -> None:
        """Puts the domain and its tools there: a road that is open, and a token that was got just now."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "config").mkdir(exist_ok=True)
        (self.folder / "config" / "yard_profile.yaml").write_text(PROFILE)
        (self.folder / "skill.toml").write_text(DOMAIN.format(health=health, within=within))
        self.script("road_is_open", road, command=REFUSED)
        self.script("token_time", TOKEN, output="json")
        self.script("build_road", BUILD, kind="effect: write\nidempotent: true\nfix: connectivity")
        self.script("log_in", LOG_IN, kind="effect: write\nidempotent: true\nfix: credentials")
        (self.folder / "lifetime").write_text(str(lifetime))
        (self.folder / "road").touch()
        subprocess.run(["sh", str(self.folder / "scripts" / "log_in.sh")], check=True)
        (self.folder / "log").unlink()

    def script(
        self, name: str, text: str, *, kind: str = "effect: read", output: str = "text", command: str = ""
    ) -> None:
        """A tool that runs `text` in a shell, in the workspace."""
        for part in ("tools", "scripts"):
            (self.folder / part).mkdir(exist_ok=True)
        path = self.folder / "scripts" / f"{name}.sh"
        path.write_text(f'cd "{self.folder}" || exit 1\n{text}')
        (self.folder / "tools" / f"{name}.yaml").write_text(
            f"name: {name}\ndescription: A small program.\n{kind}\ndomain: door\ntimeout: 90\ncommand:\n"
            f'  argv: [sh, "{path}"]\n  output: {output}\n  {command}\n'
        )

    def health_skill(self, text: str, name: str) -> None:
        """Writes a health skill; `text` is everything after the description."""
        folder = self.folder / "skills" / "health"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.yaml").write_text(f"name: {name}\ndescription: A test.\n{text}")

    @property
    def inbox(self) -> list[str]:
        """The notes in the inbox, without their times."""
        path = self.home / "memory" / "inbox.md"
        lines = path.read_text().splitlines() if path.is_file() else []
        return [line.split("Z ", 1)[1] for line in lines if line.startswith("- ")]

    @contextmanager
    def watch(self, *words: str, prefix: tuple[str, ...] = ()) -> Iterator[Watch]:
        """A monitor as a process of its own, after its first look; at the end it is gone in any case."""
        with subprocess.Popen(
            [*prefix, SKILL, "health", "watch", "-o", "jsonl", *words],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            watch = Watch(process)
            try:
                watch.wait("found")
                yield watch
            finally:
                process.kill()
                watch.join()


@dataclass(slots=True)
class Watch:
    """A monitor that runs, and everything it has said so far."""

    process: subprocess.Popen[str]
    said: list[dict[str, Any]] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    _readers: list[threading.Thread] = field(default_factory=list)

    def __post_init__(self) -> None:
        for reads in (self._output, self._error):
            thread = threading.Thread(target=reads, daemon=True)
            thread.start()
            self._readers.append(thread)

    def _output(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(json.loads(line))

    def _error(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.heard.append(line)

    def join(self) -> None:
        """Waits for the last words."""
        for thread in self._readers:
            thread.join(timeout=10)

    def all(self, about: str) -> list[dict[str, Any]]:
        """What was said of one sort."""
        return [each for each in tuple(self.said) if each["health"] == about]

    def wait(self, about: str, more: int = 1) -> dict[str, Any]:
        """Waits for so many more things of one sort, and gives the last."""
        wanted = len(self.all(about)) + more
        until(lambda: len(self.all(about)) >= wanted or self.process.poll() is not None, within=40)
        assert self.process.poll() is None, "".join(self.heard)
        return self.all(about)[wanted - 1]

    def state(self, name: str) -> str:
        """How a part was in the last look."""
        check, _, part = name.rpartition("/") if not name.startswith("health/") else (name, "", "")
        found = self.all("found")[-1]
        parts = next(each["parts"] for each in found["checks"] if each["name"] == check)
        return str(next(each["state"] for each in parts if each["name"] == part))

    def until(self, name: str, state: str) -> None:
        """Waits until a part is so."""
        until(lambda: self.state(name) == state, within=40)

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ends it, and gives the exit status."""
        os.kill(self.process.pid, number)
        status = self.process.wait(timeout=20)
        self.join()
        return status
