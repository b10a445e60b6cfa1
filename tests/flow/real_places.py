"""A person's folder beside the real local platform, and skills run in it by a real engine."""

from __future__ import annotations

import json
import os
import signal
import textwrap
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine import Engine, Event, EventKind, HealMode, RunResult, SkillExecutor
from engine.model.outcome import StepResult
from engine.model.remediation import RootCause

SETTINGS = """
profile = "local"
[heal]
preflight = false
predict = false
"""
"""Nothing looks ahead: what is shown here is what is made of a failure that came."""


@dataclass(slots=True)
class RealPlace:
    """A workspace whose local platform is shared with others; `events` are those of the newest run."""

    folder: Path
    home: Path
    events: list[Event] = field(default_factory=list)

    @property
    def platform(self) -> Path:
        """The platform's data folder."""
        return self.home / "state" / "platform"

    @property
    def url(self) -> str:
        """Where the platform answers."""
        return str(json.loads((self.platform / "endpoint.json").read_text())["url"])

    @property
    def kubeconfig(self) -> Path:
        """Where the login keeps its token."""
        return self.home / "state" / "kubeconfig"

    @property
    def token(self) -> str:
        """The token that is kept."""
        return str(json.loads(self.kubeconfig.read_text())["users"][0]["user"]["token"])

    def set(self, **settings: Any) -> None:
        """Writes the platform's settings, as a person would."""
        (self.platform / "settings.json").write_text(json.dumps(settings))

    def tool(self, name: str, text: str) -> None:
        """Defines a tool of the workspace's own."""
        (self.folder / "tools").mkdir(exist_ok=True)
        (self.folder / "tools" / f"{name}.yaml").write_text(
            f"name: {name}\ndescription: A tool.\n{textwrap.dedent(text)}"
        )

    def write(self, steps: str) -> None:
        """Writes the skill `tried`, of these steps."""
        (self.folder / "skills").mkdir(exist_ok=True)
        head = "name: tried\ndescription: A test.\nsteps:\n"
        (self.folder / "skills" / "tried.yaml").write_text(head + textwrap.indent(textwrap.dedent(steps), "  "))

    def remedy(self, name: str, text: str) -> None:
        """Writes a remedy of the workspace's own; `text` is everything after the description."""
        (self.folder / "skills" / "remedies").mkdir(parents=True, exist_ok=True)
        path = self.folder / "skills" / "remedies" / f"{name}.yaml"
        path.write_text(f"name: {name}\ndescription: A remedy.\n{textwrap.dedent(text)}")

    async def call(self, tool: str, /, **args: Any) -> Any:
        """What a registered tool gives, called as a fix would call it."""
        async with Engine.open(self.folder, home=self.home) as engine:
            found = engine.registry[tool]
            context = engine.context(domain=found.domain, run_id="", step="", timeout=found.timeout)
            return (await engine.registry.call(tool, args, context)).value

    async def run(
        self, steps: str, *, heal: HealMode = HealMode.SUGGEST, listener: Callable[[Event], None] | None = None
    ) -> RunResult:
        """Runs a skill of these steps; nothing is repaired unless `heal` says so."""
        self.events.clear()
        self.write(steps)
        listeners = (self.events.append, *([listener] if listener else []))
        async with Engine.open(self.folder, home=self.home, heal=heal) as engine:
            return await SkillExecutor(engine, listeners=listeners).run("tried")

    async def failing(self, step: str, **more: Any) -> tuple[RootCause, StepResult]:
        """The root cause of the one step that a skill has, and that step, which failed."""
        result = await self.run(step, **more)
        ended = result.steps[-1]
        assert ended.status == "failed", ended
        assert ended.root_cause is not None, (ended.failure, ended.reason)
        return ended.root_cause, ended

    def explained(self) -> Event:
        """The event of the stage that explains."""
        (event,) = [
            event for event in self.events if event.kind is EventKind.HEAL_STAGE and event.data["stage"] == "explain"
        ]
        return event

    def notices(self) -> list[str]:
        """What people were told beside the steps."""
        return [str(event.data["text"]) for event in self.events if event.kind is EventKind.NOTICE]

    def stop(self) -> None:
        """Ends the platform, for certain."""
        try:
            pid = int(json.loads((self.platform / "endpoint.json").read_text())["pid"])
            os.kill(pid, signal.SIGTERM)
        except (OSError, ValueError):
            return
        until = time.monotonic() + 10
        while time.monotonic() < until and (self.platform / "endpoint.json").exists():
            time.sleep(0.05)
