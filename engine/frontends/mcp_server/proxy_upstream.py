"""`Upstream`: a proxied server as messages, whatever carries them: started, asked, started again after its end.

Messages pass as they are. The SDK's own client would read them into its values and write them anew, which loses what it
does not know; the dispatcher below it does not look inside.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import field
from typing import Any, Protocol

import anyio
import anyio.abc
from mcp.shared.dispatcher import DispatchContext
from mcp.shared.exceptions import MCPError
from mcp.shared.jsonrpc_dispatcher import JSONRPCDispatcher
from mcp.shared.transport_context import TransportContext
from mcp_types import CONNECTION_CLOSED

from engine.frontends.mcp_server.proxy_answers import READS, is_gone, said_by
from engine.frontends.mcp_server.proxy_headers import Headers
from engine.model.lazy_dataclass import dataclass
from tool_registry.sources import mcp_failure
from tool_registry.sources.connections import unlogged
from tool_registry.sources.mcp import McpServer
from tool_registry.sources.mcp_http import EXCHANGE, Exchange
from tool_registry.sources.mcp_log import ServerLog
from tool_registry.sources.mcp_stdio import Program
from tool_registry.sources.mcp_transport import transport
from tool_registry.tool import ToolError

Params = Mapping[str, Any]
Result = dict[str, Any]
Context = DispatchContext[TransportContext]


class UpstreamError(Exception):
    """A request has no result: `wire` is what the client is told, `failure` what healing reads."""

    def __init__(self, failure: ToolError, wire: MCPError | None = None) -> None:
        super().__init__(failure.message)
        self.failure = failure
        self.wire = wire or MCPError(code=CONNECTION_CLOSED, message=failure.message)


class Client(Protocol):
    """Who the messages of a proxied server are for."""

    async def asked(self, upstream: Upstream, method: str, params: Params | None) -> Result:
        """The client's answer to a request of the server. Raises MCPError."""

    async def told(self, upstream: Upstream, method: str, params: Params | None) -> None:
        """Takes a notification of the server."""


@dataclass(slots=True, kw_only=True)
class Life:
    """One start of a server, until `is_over`; the rest is what tells why it went away, or did not come up."""

    server: McpServer
    log: ServerLog
    exchange: Exchange | None
    program: Program | None = None
    dispatcher: JSONRPCDispatcher | None = None
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    is_over: bool = False

    @property
    def open(self) -> JSONRPCDispatcher:
        """What carries messages. Raises UpstreamError when the life is over."""
        if self.is_over or self.dispatcher is None:
            raise UpstreamError(mcp_failure.gone(self, sent=False))
        return self.dispatcher


class Upstream:
    """A proxied server. Its lives belong to `tasks`; `mask` takes secrets out of what it writes to standard error."""

    def __init__(
        self, server: McpServer, client: Client, tasks: anyio.abc.TaskGroup, mask: Callable[[str], Any]
    ) -> None:
        self.server = server
        self.starts = 0
        self._client = client
        self._tasks = tasks
        self._mask = mask
        self._life: Life | None = None
        self._turn = anyio.Lock()
        self._hello: Params | None = None
        self._greeted = False
        self._level: Params | None = None
        self._watched: dict[str, Params] = {}
        self._headers = Headers()

    @property
    def name(self) -> str:
        """What the server is called."""
        return self.server.name

    @property
    def is_there(self) -> bool:
        """Whether it runs, or is connected to."""
        return self._life is not None and not self._life.is_over

    async def request(self, method: str, params: Params | None, *, number: str | None = None) -> Result:
        """The server's answer, as it came; a server that is not there is started first. Raises UpstreamError.

        One that went away meanwhile is asked once more, where it was not reached or the request only reads.
        """
        life = await self.started()
        try:
            return await self._ask(life, method, params, number=number)
        except UpstreamError as error:
            gone = error.failure.kind == "connection_refused"
            if not gone or (error.failure.sent is not False and method not in READS):
                raise
        async with self._turn:
            if self._life is life:
                self._stop()
        return await self._ask(await self.started(), method, params, number=number)

    async def call(self, params: Params) -> Result:
        """The answer to a `tools/call`, of a server that has to be there. Raises UpstreamError."""
        life = self._life or await self.started()
        return await self._ask(life, "tools/call", params)

    async def hello(self, params: Params) -> Result:
        """The server's answer to `initialize`, which is said again whenever it is started anew."""
        async with self._turn:
            self._stop()
            self._hello, self._greeted, self._level, self._watched = None, False, None, {}
            result = await self._greet(await self._start(), params)
            self._hello = params
            return result

    async def notify(self, method: str, params: Params | None) -> None:
        """Tells a server that is there."""
        if method == "notifications/initialized":
            self._greeted = True
        if self._life is not None and not self._life.is_over:
            await self._life.open.notify(method, params, self._headers.of(method, params))

    async def started(self) -> Life:
        """A life of the server, begun now if there is none. Raises UpstreamError."""
        if self._life is not None and not self._life.is_over:
            return self._life
        async with self._turn:
            if self._life is not None and not self._life.is_over:
                return self._life
            return await self._anew()

    async def restart(self) -> None:
        """Ends what there is, and begins anew with what the client had said. Raises UpstreamError."""
        async with self._turn:
            self._stop()
            await self._anew()

    async def _anew(self) -> Life:
        life = await self._start()
        if self._hello is None:
            return life
        await self._greet(life, self._hello)
        if self._greeted:
            await life.open.notify("notifications/initialized", None, self._headers.of("", None))
        await self._say_again(life)
        return life

    async def _say_again(self, life: Life) -> None:
        """What the client had asked of the life before: a level of logging, resources to watch."""
        said = [("logging/setLevel", self._level)] if self._level else []
        for method, params in [*said, *(("resources/subscribe", each) for each in self._watched.values())]:
            with suppress(UpstreamError):  # what it does not do any more, nobody can have
                await self._ask(life, method, params)

    async def _greet(self, life: Life, params: Params) -> Result:
        try:
            with anyio.fail_after(self.server.start_within):
                result = await self._ask(life, "initialize", params)
        except (UpstreamError, TimeoutError) as error:
            came_up = not life.is_over
            self._stop()
            if isinstance(error, UpstreamError) and came_up and error.wire.error.code != CONNECTION_CLOSED:
                raise  # it is there, and refuses
            raise UpstreamError(mcp_failure.not_started(life, error).again()) from error
        self._headers.negotiated(result)
        return result

    async def _start(self) -> Life:
        log, exchange = ServerLog(self.server.log, self._mask), Exchange()
        life = Life(server=self.server, log=log, exchange=exchange)
        self.starts += 1
        try:
            await self._tasks.start(self._live, life)
        except Exception as error:
            raise UpstreamError(mcp_failure.not_started(life, error).again()) from error
        self._life = life
        return life

    def _stop(self) -> None:
        if self._life is not None:
            self._life.is_over = True
            self._life.scope.cancel()

    async def _live(self, life: Life, *, task_status: anyio.abc.TaskStatus[None]) -> None:
        """One life, from its start to its end, in a task of its own: scopes are left where they were entered."""
        try:
            with life.scope, unlogged():
                async with transport(life) as (reading, writing):
                    life.dispatcher = JSONRPCDispatcher(reading, writing)
                    await life.dispatcher.run(self._asked, self._told, task_status=task_status)
                    life.is_over = True  # ending the program takes a while, and nothing more is asked of it
        except Exception:
            if life.dispatcher is None:
                raise  # it did not come up; later, whoever waits for an answer is told that it went away
        finally:
            life.is_over = True

    async def _ask(self, life: Life, method: str, params: Params | None, *, number: str | None = None) -> Result:
        options = self._headers.of(method, params)
        if method == "initialize":
            options["cancel_on_abandon"] = False
        if number is not None:
            options["request_id"] = number
        carrier = life.open
        exchange = (life.exchange if method == "initialize" else None) or Exchange()
        token = EXCHANGE.set(exchange)
        try:
            result = await carrier.send_raw_request(method, params, options)
        except MCPError as error:
            if is_gone(error):
                life.is_over = True
                raise UpstreamError(mcp_failure.gone(life, sent=True)) from error
            failure = mcp_failure.of(error, life, exchange, method, 0.0)
            raise UpstreamError(failure, said_by(error, failure, exchange)) from error
        finally:
            EXCHANGE.reset(token)
        self._noted(method, params)
        return result

    def _noted(self, method: str, params: Params | None) -> None:
        """Remembers what has to be said again to another life."""
        match method:
            case "logging/setLevel":
                self._level = params
            case "resources/subscribe" if params:
                self._watched[str(params.get("uri"))] = params
            case "resources/unsubscribe" if params:
                self._watched.pop(str(params.get("uri")), None)

    def listed(self, tools: Sequence[Mapping[str, Any]]) -> None:
        """Takes note of what the server says of its tools: some of their arguments travel as headers, too."""
        if self.server.url:
            self._headers.listed(tools)

    async def _asked(self, _: Context, method: str, params: Params | None) -> Result:
        return await self._client.asked(self, method, params)

    async def _told(self, _: Context, method: str, params: Params | None) -> None:
        if method != "notifications/cancelled":  # the dispatcher has ended what it names
            await self._client.told(self, method, params)
