"""Looks made while a failure is explained: calls of tools that only read, few, and bounded in time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Protocol

import anyio

from engine.heal.calls import Calls
from engine.heal.request import Where
from engine.model.failure import Failure
from engine.model.lazy_dataclass import dataclass
from engine.model.outcome import ToolCall
from tool_registry.tool import Effect, Tool

ALTOGETHER = 6.0
"""Seconds that all looks of one explanation may take: a server that is down is why somebody waits for it."""

EACH = 3.0
"""Seconds a single look may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a look gave, or how it failed; neither when it was not made."""

    value: Any = None
    failure: Failure | None = None

    def get(self, name: str) -> Any:
        """A field of what it gave; None when there is none."""
        return self.value.get(name) if isinstance(self.value, Mapping) else None

    def text(self, name: str) -> str:
        """A field of what it gave, as text; empty when there is none."""
        value = self.get(name)
        return "" if value is None else str(value)


class Looks(Protocol):
    """What a root cause may look with."""

    def can(self, tool: str) -> bool:
        """Whether such a look can be made."""

    async def at(self, tool: str, args: Mapping[str, Any] | None = None, *, domain: str | None = None) -> Seen:
        """What a tool that only reads gives; never raises but for cancellation."""


@dataclass(frozen=True, slots=True)
class NoLooks:
    """Nothing is looked at: what is explained is made of what is known already."""

    def can(self, tool: str) -> bool:  # noqa: ARG002 - it is the same for all
        """No look can be made."""
        return False

    async def at(self, tool: str, args: Mapping[str, Any] | None = None, *, domain: str | None = None) -> Seen:  # noqa: ARG002 - as above
        """Nothing."""
        return Seen()


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolLooks:
    """Looks with registered tools, beside the step that failed, until `until` on anyio's clock; `made` lists them.

    No look is made twice: two causes that ask the same get the same answer.
    """

    calls: Calls
    around: Where
    until: float
    made: dict[str, Seen] = field(default_factory=dict)

    @property
    def told(self) -> tuple[str, ...]:
        """The looks that were made, each with how it went."""
        return tuple(f"{call}: {'it failed' if seen.failure else 'ok'}" for call, seen in self.made.items())

    def can(self, tool: str) -> bool:
        """Whether there is such a tool, and it only reads."""
        return self._reading(tool) is not None

    async def at(self, tool: str, args: Mapping[str, Any] | None = None, *, domain: str | None = None) -> Seen:
        """What the tool gives within 3 s and the time all looks have; nothing where it may not be called."""
        call = ToolCall(tool=tool, args=args or {})
        left = min(EACH, self.until - anyio.current_time())
        if left <= 0 or not self.can(tool):
            return Seen()
        key = f"{call} in {domain}" if domain else str(call)
        if key not in self.made:
            self.made[key] = await self._look(call, domain, left)
        return self.made[key]

    async def _look(self, call: ToolCall, domain: str | None, left: float) -> Seen:
        with anyio.move_on_after(left):
            tried = await self.calls.beside(self.around, call, domain=domain, within=left)
            return Seen(value=tried.value, failure=tried.failure)
        return Seen(failure=Failure(message=f"{call.tool} gave no answer within {left:.1f} s", tool=call.tool))

    def _reading(self, name: str) -> Tool | None:
        """The tool of that name, if it only reads; a definition that is broken is somebody else's failure."""
        try:
            tool = self.calls.registry.get(name)
        except Exception:  # noqa: BLE001 - whatever is wrong with that tool, it must not hide the first failure
            return None
        return tool if tool is not None and tool.effect is Effect.READ else None
