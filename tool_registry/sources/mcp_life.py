"""From one start of an MCP server to its end, all of it in one task."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

import anyio

from tool_registry.sources import mcp_failure
from tool_registry.sources.connections import unlogged
from tool_registry.sources.mcp_http import EXCHANGE, Exchange
from tool_registry.sources.mcp_log import ServerLog
from tool_registry.sources.mcp_server import McpServer
from tool_registry.sources.mcp_stdio import Program
from tool_registry.sources.mcp_transport import transport
from tool_registry.tool import ToolError

Progress = Callable[[float, float | None, str | None], Awaitable[None]]
SETTLING = 0.3
"""Seconds in which a program whose output has ended is expected to end itself."""


class ServerLife:
    """From one start of a server to its end; a task of its own enters and leaves everything it needs."""

    def __init__(
        self,
        server: McpServer,
        mask: Callable[[str], Any],
        relist: Callable[[], Awaitable[Any]] | None,
    ) -> None:
        self.server = server
        self.ready = anyio.Event()
        self.failed_to_start: mcp_failure.Told | None = None
        self.about: dict[str, Any] = {}
        self.log = ServerLog(server.log, mask)
        self.program: Program | None = None
        self.exchange: Exchange | None = None
        self._relist = relist
        self._changed = anyio.Event()
        self._listings = 0
        self._stopping = anyio.Event()
        self._opening = anyio.CancelScope()
        self._over = False
        self._client: Any = None
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Starts the owner task."""
        self._task = asyncio.get_running_loop().create_task(self._own(), name=f"mcp server {self.server.name}")

    @property
    def is_over(self) -> bool:
        """Whether nothing can be asked any more."""
        return self._over or self._stopping.is_set() or (self.program is not None and self.program.ended.is_set())

    async def stop(self) -> None:
        """Ends the server; returns when nothing of it is left."""
        self._stopping.set()
        if not self.ready.is_set():
            self._opening.cancel()
        if self._task is not None:
            with anyio.CancelScope(shield=True):
                await asyncio.wait([self._task])

    async def stop_from(self, loop: asyncio.AbstractEventLoop) -> None:
        """Ends the server, which belongs to that loop; one whose loop has ended has been ended with it."""
        if loop is asyncio.get_running_loop():
            await self.stop()
        elif not loop.is_closed() and loop.is_running():
            with anyio.CancelScope(shield=True):
                await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self.stop(), loop))

    async def ask(
        self, method: str, params: Mapping[str, Any] | None, seconds: float, progress: Progress | None
    ) -> dict[str, Any]:
        """Sends a request and waits for its result."""
        from mcp_types import Request  # noqa: PLC0415 - late: costs a second, and most runs start no server

        # As a plain mapping: the SDK's own types leave out what they do not know.
        self._listings += method == "tools/list"
        request: Any = Request[dict[str, Any] | None, str](method=method, params=None if params is None else {**params})
        result: dict[str, Any] = await self._client.session.send_request(
            request, _as_it_came(), request_read_timeout_seconds=seconds, progress_callback=progress
        )
        return result

    async def settle(self) -> None:
        """Waits a moment for the end of a server whose output has ended, so that it can be told how it ended."""
        if self.program is not None and self.program.ended.is_set():
            await self.program.wait(SETTLING)

    async def _own(self) -> None:
        try:
            with unlogged():
                async with transport(self) as streams:
                    await self._serve(streams)
        except Exception as error:  # noqa: BLE001 - the task's outermost line: whatever it was, the callers are told
            if not self.ready.is_set():
                self.failed_to_start = mcp_failure.not_started(self, error)
        finally:
            self._over = True
            self.ready.set()

    async def _serve(self, streams: Any) -> None:
        from mcp.client.client import Client  # noqa: PLC0415 - late, as above
        from mcp_types import Implementation  # noqa: PLC0415 - late, as above

        logging.getLogger("mcp").addHandler(_SILENT)
        exchange = self.exchange = Exchange()
        EXCHANGE.set(exchange)
        client = Client(
            _Given(streams),
            cache=None,
            client_info=Implementation(name="skill-engine", version="0"),
            message_handler=self._heard,
        )
        with self._opening as opening:
            opening.deadline = anyio.current_time() + self.server.start_within
            async with client:
                opening.deadline = float("inf")
                self._client, self.about = client, _about(client)
                self.ready.set()
                await self._until_the_end()
        if opening.cancelled_caught:
            raise TimeoutError

    async def _until_the_end(self) -> None:
        async with anyio.create_task_group() as tasks:

            async def either(event: anyio.Event) -> None:
                await event.wait()
                tasks.cancel_scope.cancel()

            tasks.start_soon(either, self._stopping)
            if self.program is not None:
                tasks.start_soon(either, self.program.ended)
            if self._relist is not None:
                tasks.start_soon(self._keep_listed, self._relist)

    async def _keep_listed(self, relist: Callable[[], Awaitable[Any]]) -> None:
        """Lists the tools now, and whenever the server says that they have changed."""
        await anyio.sleep(SETTLING / 10)
        if self._listings:
            await self._changed.wait()  # whoever started the server did so to list them
        while not self.is_over:
            self._changed = anyio.Event()
            with suppress(ToolError):
                await relist()
            await self._changed.wait()

    async def _heard(self, message: Any) -> None:
        if getattr(message, "method", "") == "notifications/tools/list_changed":
            self._changed.set()


class _Given:
    """Streams that somebody else opens and closes, as the SDK's client wants a transport."""

    def __init__(self, streams: Any) -> None:
        self._streams = streams

    async def __aenter__(self) -> Any:
        return self._streams

    async def __aexit__(self, *exception: object) -> None:
        return None


_SILENT = logging.NullHandler()


def _as_it_came() -> Any:
    from pydantic import TypeAdapter  # noqa: PLC0415 - late: comes with the SDK

    return TypeAdapter(dict[str, Any])


def _about(client: Any) -> dict[str, Any]:
    session = client.session
    told = session.initialize_result or session.discover_result
    info = session.server_info
    return {
        "protocolVersion": session.protocol_version,
        "capabilities": told.capabilities.model_dump(by_alias=True, mode="json", exclude_none=True),
        "serverInfo": info.model_dump(by_alias=True, mode="json", exclude_none=True) if info else None,
        "instructions": session.instructions,
    }
