"""A workspace of its own for each promise, with a door that must be unlocked: small, real, and able to fail."""

from __future__ import annotations

import textwrap
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from engine import Engine, Event, EventKind, RunResult, SkillExecutor
from engine.model.heal import HealMode
from engine.model.question import Ask
from tool_registry.sources.python import tool, tool_of
from tool_registry.tool import Effect, FixScope, Tool, ToolError

SETTINGS = """
[domains.door]
description = "A door with a lock, at the end of a road."
fixes.login = {call = {tool = "log_in"}, cooldown = 0}
fixes.connect = {call = {tool = "build_road"}, verify = {tool = "road_is_open"}, ready_within = 2, cooldown = 0}
"""


@dataclass(slots=True)
class Door:
    """Something that needs a road and a login; `log` holds every call in order."""

    log: list[str] = field(default_factory=list)
    road: bool = True
    token: bool = True
    login_works: bool = True
    login_helps: bool = True
    entered: int = 0
    answer: Any = "inside"
    failure: Exception | None = None

    def called(self, name: str) -> int:
        """How often a tool was called."""
        return self.log.count(name)

    def check(self) -> None:
        """Fails as a real server would, by evidence."""
        if not self.road:
            raise ToolError("connect: refused", errno="ECONNREFUSED", sent=False)
        if not self.token:
            raise ToolError("the server said 401", http_status=401, output="Unauthorized", sent=True)
        if self.failure is not None:
            raise self.failure

    def tools(self) -> list[Tool]:
        """The door's tools: a read, a write, an idempotent write, two fixes and a check."""

        @tool(effect=Effect.READ, domain="door", timeout=5)
        async def look() -> Any:
            """Looks through the door."""
            self.log.append("look")
            self.check()
            return self.answer

        @tool(effect=Effect.WRITE, domain="door", timeout=5)
        async def enter(name: str = "somebody") -> Any:
            """Goes through the door; twice is not the same as once."""
            self.log.append("enter")
            self.check()
            self.entered += 1
            return {"name": name, "answer": self.answer}

        @tool(effect=Effect.WRITE, idempotent=True, domain="door", timeout=5)
        async def leave(name: str = "somebody") -> str:
            """Goes out again; twice is the same as once."""
            self.log.append(f"leave {name}")
            return f"{name} left"

        @tool(effect=Effect.WRITE, idempotent=True, domain="door", fix=FixScope.CREDENTIALS, timeout=5)
        async def log_in() -> str:
            """Gets a token."""
            self.log.append("log_in")
            if not self.login_works:
                raise ToolError("the login server is closed on Sundays", http_status=503)
            self.token = self.token or self.login_helps
            return "logged in"

        @tool(effect=Effect.WRITE, idempotent=True, domain="door", fix=FixScope.CONNECTIVITY, timeout=5)
        async def build_road() -> str:
            """Builds the road."""
            self.log.append("build_road")
            self.road = True
            return "built"

        @tool(effect=Effect.READ, domain="door", timeout=5)
        async def road_is_open() -> bool:
            """Whether the road can be used."""
            self.log.append("road_is_open")
            if not self.road:
                raise ToolError("still closed", errno="ECONNREFUSED", sent=False)
            return True

        return [tool_of(made) for made in (look, enter, leave, log_in, build_road, road_is_open)]


@dataclass(slots=True)
class Rig:
    """An engine in a folder of its own; `events` are all that its runs sent."""

    engine: Engine
    door: Door
    folder: Path
    events: list[Event] = field(default_factory=list)
    ask: Ask | None = None

    @property
    def executor(self) -> SkillExecutor:
        """An executor that notes its events."""
        return SkillExecutor(self.engine, listeners=(self.events.append,), ask=self.ask)

    def write(self, text: str, name: str = "promise") -> str:
        """Writes a skill into the workspace and gives its name; `text` is everything after the description."""
        (self.folder / "skills").mkdir(exist_ok=True)
        head = f"name: {name}\ndescription: A test.\n"
        (self.folder / "skills" / f"{name}.yaml").write_text(head + textwrap.dedent(text))
        return name

    async def run(self, text: str, inputs: dict[str, Any] | None = None, **options: Any) -> RunResult:
        """Writes a skill and runs it."""
        return await self.executor.run(self.write(text), inputs, **options)

    def stages(self, kind: EventKind) -> list[Event]:
        """The events of one kind."""
        return [event for event in self.events if event.kind is kind]


@pytest.fixture
def door() -> Door:
    """An open door at the end of an open road."""
    return Door()


@pytest.fixture
def make_rig(tmp_path: Path, door: Door) -> Callable[..., Rig]:
    """Makes rigs that share one workspace and one door."""

    def make(*, heal: HealMode | None = None, tools: tuple[Tool, ...] = (), settings: str = SETTINGS) -> Rig:
        (tmp_path / "skill.toml").write_text(settings)
        engine = Engine.open(tmp_path, home=tmp_path / "home", tools=[*door.tools(), *tools], heal=heal)
        return Rig(engine=engine, door=door, folder=tmp_path)

    return make


@pytest.fixture
async def rig(make_rig: Callable[..., Rig]) -> AsyncIterator[Rig]:
    """A rig with the settings of the workspace."""
    made = make_rig()
    yield made
    await made.engine.aclose()
