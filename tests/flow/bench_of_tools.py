"""Tools for tests of control flow: each call is noted in order, and fails when it is told to."""

from __future__ import annotations

from dataclasses import dataclass, field

import anyio

from tool_registry.sources.python import tool, tool_of
from tool_registry.tool import Effect, Tool, ToolError


@dataclass(slots=True)
class Tools:
    """What was called, in order; `fails` counts how often a call with that word still fails."""

    log: list[str] = field(default_factory=list)
    fails: dict[str, int] = field(default_factory=dict)
    running: int = 0
    most: int = 0

    def all(self) -> list[Tool]:
        """The tools."""

        @tool(effect=Effect.READ, timeout=5)
        async def say(word: str, seconds: float = 0.0) -> str:
            """Notes a word and gives it back in capitals."""
            await self._note(word, seconds)
            return word.upper()

        @tool(effect=Effect.WRITE, timeout=5)
        async def make(word: str, seconds: float = 0.0) -> dict[str, str]:
            """Makes something; twice is not the same as once."""
            await self._note(f"make {word}", seconds)
            return {"made": word}

        @tool(effect=Effect.WRITE, idempotent=True, timeout=5)
        async def unmake(word: str) -> str:
            """Takes it back."""
            await self._note(f"unmake {word}", 0.0)
            return word

        @tool(effect=Effect.READ, timeout=5)
        async def count() -> int:
            """How often it was asked."""
            await self._note("count", 0.0)
            return self.log.count("count")

        return [tool_of(made) for made in (say, make, unmake, count)]

    async def _note(self, word: str, seconds: float) -> None:
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            self.log.append(word)
            await anyio.sleep(seconds)
            left = self.fails.get(word, 0)
            if left:
                self.fails[word] = left - 1
                raise ToolError(f"{word} went wrong", kind="server_error", http_status=503, sent=True)
        finally:
            self.running -= 1
