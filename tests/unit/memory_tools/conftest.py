"""An engine in a folder of its own, with a door that can fail."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from engine import Engine
from engine.bundle import bundle
from engine.memory import Memory
from engine.model.secret import Secrets
from tool_registry.sources.python import tool, tool_of
from tool_registry.tool import Effect, FixScope, Tool, ToolError

SETTINGS = """
[domains.door]
description = "A door with a lock."
fixes.login = {call = {tool = "log_in"}, cooldown = 0}
"""


class Door:
    """Opens for whoever is logged in."""

    def __init__(self) -> None:
        self.token = False
        self.opened: list[int] = []

    def tools(self) -> tuple[Tool, ...]:
        """Its tools: a write and the fix."""

        @tool(effect=Effect.WRITE, domain="door", timeout=5)
        async def enter(times: int = 1, words: str = "") -> dict[str, object]:
            """Goes through the door."""
            if words:
                raise ToolError(words)
            if not self.token:
                raise ToolError("the server said 401", http_status=401, sent=True)
            self.opened.append(times)
            return {"times": times}

        @tool(effect=Effect.WRITE, idempotent=True, domain="door", fix=FixScope.CREDENTIALS, timeout=5)
        async def log_in() -> str:
            """Gets a token."""
            self.token = True
            return "logged in"

        return tuple(tool_of(made) for made in (enter, log_in))


@pytest.fixture
def door() -> Door:
    """A door nobody is logged in at."""
    return Door()


@pytest.fixture
async def engine(tmp_path: Path, door: Door) -> AsyncIterator[Engine]:
    """An engine that knows the door."""
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "skill.toml").write_text(SETTINGS)
    async with Engine.open(tmp_path / "work", home=tmp_path / "home", tools=door.tools()) as opened:
        yield opened


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    """A memory over what is shipped."""
    return Memory(tmp_path / "home" / "memory", seeds=bundle("memory"), secrets=Secrets())
