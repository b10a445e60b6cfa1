"""The healing proxy: stands between a client and MCP servers, and changes nothing but what would have failed."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import anyio
from mcp.shared.exceptions import MCPError
from mcp.shared.jsonrpc_dispatcher import JSONRPCDispatcher
from mcp.shared.subscriptions import SUBSCRIPTION_ID_META_KEY
from mcp_types import CONNECTION_CLOSED

from engine.frontends.mcp_server.proxy_calls import HealedCalls
from engine.frontends.mcp_server.proxy_engine import ProxyEngine
from engine.frontends.mcp_server.proxy_one import One
from engine.frontends.mcp_server.proxy_plan import Plan
from engine.frontends.mcp_server.proxy_several import Several
from engine.frontends.mcp_server.proxy_upstream import Context, Params, Result, Upstream, UpstreamError
from engine.frontends.mcp_server.stdio import streams
from engine.frontends.mcp_server.wire import Wire
from engine.mcp_servers.restarting import forget_restarts

LISTEN = "subscriptions/listen"


class Behind(Protocol):
    """What answers behind the proxy: one server, or several."""

    async def answer(self, method: str, params: Params | None, *, number: str | None) -> Result:
        """The answer to a request. Raises MCPError, UpstreamError."""

    async def tell(self, method: str, params: Params | None) -> None:
        """Takes a notification of the client."""

    def changed(self, upstream: Upstream) -> None:
        """The list of a server's tools has changed."""


class Proxy:
    """Stands between one client and the servers of a plan."""

    def __init__(self, engine: ProxyEngine, plan: Plan, tasks: anyio.abc.TaskGroup, say: Callable[[str], None]) -> None:
        mask = engine.secrets.mask
        upstreams = {server.name: Upstream(server, self, tasks, mask) for server in plan.servers}
        engine.stand_before(plan, upstreams)
        calls = HealedCalls(
            engine=engine,
            say=lambda line: say(mask(line)),
            domains={server.name: plan.domain_of(server.name) for server in plan.servers},
            settings=plan.tools,
            explains=plan.explains,
        )
        only = next(iter(upstreams.values()))
        self._behind: Behind = Several(tuple(upstreams.values()), calls) if plan.prefixes else One(only, calls)
        self._client: JSONRPCDispatcher | None = None
        self._listening: dict[str, str | int] = {}

    async def serve(self, reading: Any, writing: Any) -> None:
        """Answers until the client leaves."""
        self._client = JSONRPCDispatcher(reading, writing, inline_methods=frozenset({"initialize"}))
        await self._client.run(self._answer, self._tell)

    async def _answer(self, context: Context, method: str, params: Params | None) -> Result:
        if method == "ping":
            return {}
        number = f"{LISTEN}-{context.request_id}" if method == LISTEN else None
        if number is not None and context.request_id is not None:
            self._listening[number] = context.request_id
        try:
            result = await self._behind.answer(method, params, number=number)
        except UpstreamError as error:
            raise error.wire from error
        finally:
            self._listening.pop(number or "", None)
        return result if number is None else self._named(result, {number: context.request_id})

    async def _tell(self, _: Context, method: str, params: Params | None) -> None:
        if method != "notifications/cancelled":  # the dispatcher has cancelled what it names
            await self._behind.tell(method, params)

    async def asked(self, _: Upstream, method: str, params: Params | None) -> Result:
        """The client's answer to a request of a server. Raises MCPError."""
        if method == "ping":
            return {}
        if self._client is None:
            raise MCPError(code=CONNECTION_CLOSED, message="there is no client")
        return await self._client.send_raw_request(method, params)

    async def told(self, upstream: Upstream, method: str, params: Params | None) -> None:
        """Hands a notification of a server to the client."""
        if method == "notifications/tools/list_changed":
            self._behind.changed(upstream)
        if self._client is not None:
            await self._client.notify(method, self._named(params, self._listening) if params else params)

    def _named(self, said: Mapping[str, Any], numbers: Mapping[str, Any]) -> dict[str, Any]:
        """What a server says on a stream the client listens to, under the number the client gave it."""
        meta = said.get("_meta")
        mine = meta.get(SUBSCRIPTION_ID_META_KEY) if isinstance(meta, Mapping) else None
        if not isinstance(mine, str) or mine not in numbers or not isinstance(meta, Mapping):
            return dict(said)
        return {**said, "_meta": {**meta, SUBSCRIPTION_ID_META_KEY: numbers[mine]}}


async def serve_proxy(engine: ProxyEngine, plan: Plan, wire: Wire, say: Callable[[str], None]) -> None:
    """Serves one client over a wire until it leaves, or the process is asked to end."""
    async with engine, anyio.create_task_group() as tasks:
        tasks.start_soon(_end_when_asked, tasks.cancel_scope)
        proxy = Proxy(engine, plan, tasks, say)
        async with streams(wire) as (reading, writing):
            await proxy.serve(reading, writing)
        tasks.cancel_scope.cancel()
    forget_restarts(engine.workspace.state)


async def _end_when_asked(scope: anyio.CancelScope) -> None:
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT, signal.SIGHUP) as asked:
        async for _ in asked:
            scope.cancel()
            return
