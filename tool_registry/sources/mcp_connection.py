"""One MCP server in use: started when first needed, shared by everybody, one owner task in every event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from typing import Any

import anyio

from tool_registry.sources import mcp_failure
from tool_registry.sources.connections import unlogged
from tool_registry.sources.mcp_http import EXCHANGE, Exchange
from tool_registry.sources.mcp_life import Progress, ServerLife
from tool_registry.sources.mcp_server import McpServer
from tool_registry.tool import ToolError

Listed = Callable[[tuple[dict[str, Any], ...]], None]
PAGES = 200
"""Pages of a listing that are asked for; a server that always names another page has an end all the same."""
MOST_TOOLS = 10_000


class McpConnection:
    """A server that is started when it is first asked, and stays until `aclose`, or until its event loop ends.

    Any number of calls, from several tasks and event loops, may use it; each loop has a process or session of its own.
    A server that went away stays away until `restart`: starting it again is a repair, and somebody should know of it.
    `mask` takes secrets out of the server's log. `listed` is told which tools it has whenever they were listed; they
    are after every start then, and when the server says that they have changed.
    """

    def __init__(
        self,
        server: McpServer,
        *,
        mask: Callable[[str], Any] = str,
        listed: Listed | None = None,
    ) -> None:
        self.server = server
        self._mask, self._listed = mask, listed
        self._lives: dict[asyncio.AbstractEventLoop, ServerLife] = {}
        self._guard = threading.Lock()

    async def list_tools(self) -> tuple[dict[str, Any], ...]:
        """Every tool the server has, as it tells it; all pages. Fails by ToolError."""
        tools = await self._all_pages()
        if self._listed is not None:
            self._listed(tools)
        return tools

    async def _all_pages(self) -> tuple[dict[str, Any], ...]:
        found: list[dict[str, Any]] = []
        cursor: str | None = None
        for _ in range(PAGES):
            page = await self.request("tools/list", {"cursor": cursor} if cursor else None)
            found += page.get("tools", ())
            cursor = page.get("nextCursor")
            if not cursor or len(found) > MOST_TOOLS:
                break
        return tuple(found[:MOST_TOOLS])

    async def call(
        self,
        name: str,
        arguments: Mapping[str, Any],
        *,
        timeout: float | None = None,
        progress: Progress | None = None,
        meta: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Calls a tool; the whole result as it came, `isError` or not.

        Fails by ToolError when there is no result: the server is gone, refuses the request, or is late. The server is
        told when the caller is cancelled, or stops waiting.
        """
        params: dict[str, Any] = {"name": name, "arguments": dict(arguments)}
        if meta:
            params["_meta"] = dict(meta)
        return await self.request("tools/call", params, timeout=timeout, progress=progress)

    async def request(
        self,
        method: str,
        params: Mapping[str, Any] | None = None,
        *,
        timeout: float | None = None,
        progress: Progress | None = None,
    ) -> dict[str, Any]:
        """Any request of the protocol, and the result as it came. Fails by ToolError."""
        life, seconds = await self._started_within(timeout)
        if life.is_over:
            await life.settle()
            raise mcp_failure.gone(life, sent=False)
        exchange = Exchange()
        noted = EXCHANGE.set(exchange)
        try:
            with unlogged():
                return await life.ask(method, params, seconds, progress)
        except Exception as error:
            await life.settle()
            raise mcp_failure.of(error, life, exchange, method, seconds) from error
        finally:
            EXCHANGE.reset(noted)

    async def about(self) -> dict[str, Any]:
        """What the server says of itself: `protocolVersion`, `capabilities`, `serverInfo`, `instructions`."""
        return (await self._started()).about

    async def restart(self) -> None:
        """Ends the server and starts it anew; whoever waits for an answer learns that it will not come."""
        loop = asyncio.get_running_loop()
        with self._guard:
            old, new = self._lives.get(loop), self._life()
            self._lives[loop] = new
        try:
            if old is not None:
                await old.stop()
        finally:
            new.begin()
        await self._ready(new)

    async def aclose(self) -> None:
        """Ends the server in every event loop that still runs."""
        with self._guard:
            lives, self._lives = self._lives, {}
        for loop, life in lives.items():
            await life.stop_from(loop)

    async def _started_within(self, timeout: float | None) -> tuple[ServerLife, float]:
        """The server, and the seconds that are left for a request; starting it is part of the time a caller gives."""
        if timeout is None:
            return await self._started(), self.server.timeout
        began = anyio.current_time()
        with anyio.move_on_after(timeout):
            return await self._started(), max(0.001, timeout - (anyio.current_time() - began))
        raise ToolError(
            f"the MCP server {self.server.name} was still starting after {timeout:g} s",
            kind="timeout",
            sent=False,
            details={"server": self.server.name},
        )

    async def _started(self) -> ServerLife:
        loop = asyncio.get_running_loop()
        with self._guard:
            life = self._lives.get(loop)
            if life is None:
                self._lives = {one: it for one, it in self._lives.items() if not one.is_closed()}
                life = self._lives[loop] = self._life()
                life.begin()
        return await self._ready(life)

    def _life(self) -> ServerLife:
        return ServerLife(self.server, self._mask, self.list_tools if self._listed is not None else None)

    async def _ready(self, life: ServerLife) -> ServerLife:
        await life.ready.wait()
        if life.failed_to_start is not None:
            with self._guard:
                if self._lives.get(asyncio.get_running_loop()) is life:
                    del self._lives[asyncio.get_running_loop()]
            raise life.failed_to_start.again()
        return life
