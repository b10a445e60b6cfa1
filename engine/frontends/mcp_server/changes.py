"""Telling clients that the list of tools has changed: those of the older protocol by connection, others by stream."""

from __future__ import annotations

from dataclasses import field
from weakref import WeakSet

import anyio
from mcp.server.connection import Connection
from mcp.server.context import CallNext, HandlerResult
from mcp.server.subscriptions import InMemorySubscriptionBus, ToolsListChanged
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from engine.frontends.mcp_server.catalogue import Catalogue
from engine.frontends.mcp_server.offers import Context
from engine.model.lazy_dataclass import dataclass

TICK = 1.0
"""Seconds between two looks at the names, sizes and times of the skill files."""


@dataclass(slots=True, kw_only=True)
class Audience:
    """Everybody who is to hear that the tools have changed."""

    catalogue: Catalogue
    bus: InMemorySubscriptionBus
    _connections: WeakSet[Connection] = field(default_factory=WeakSet)

    async def noticing(self, ctx: Context, call_next: CallNext) -> HandlerResult:
        """Middleware that remembers the connections of the older protocol, which have no streams of their own."""
        if ctx.protocol_version not in MODERN_PROTOCOL_VERSIONS:
            self._connections.add(ctx.session._connection)  # noqa: SLF001 - a session is of one request only
        return await call_next(ctx)

    async def watch(self) -> None:
        """Looks again and again, until it is cancelled."""
        seen = self.catalogue.looked()
        while True:
            await anyio.sleep(TICK)
            now = self.catalogue.looked()
            if now != seen:
                seen = now
                await self.tell()

    async def tell(self) -> None:
        """Tells everybody."""
        await self.bus.publish(ToolsListChanged())
        for connection in tuple(self._connections):
            await connection.send_tool_list_changed()
