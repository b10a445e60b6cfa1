"""Agents of both protocol eras: the Python SDK's client, and a server of the workshop's skills in a process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio
import httpx2
from mcp import Client, StdioServerParameters
from mcp.client import ClientRequestContext
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, ElicitRequestParams, ElicitResult

from tests.flow.workshop import Workshop
from tests.mcp_wire import Served
from tests.shell import SKILL

ERAS = ("legacy", "auto")
"""The handshake (2025-11-25 and before), and whatever the SDK likes best, which is the era without (2026-07-28)."""

Answering = Callable[[ElicitRequestParams], ElicitResult | Awaitable[ElicitResult]]


def accepts(answer: Any) -> Answering:
    """A person who fills in every form alike."""
    return lambda _: ElicitResult(action="accept", content={"answer": answer})


def declines(_: ElicitRequestParams) -> ElicitResult:
    """A person who does not want to be asked."""
    return ElicitResult(action="decline")


@dataclass(slots=True)
class Agent:
    """A client, what it was asked, and what it was told of progress."""

    client: Client
    asked: list[str] = field(default_factory=list)
    progress: list[tuple[float, float | None, str | None]] = field(default_factory=list)

    async def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """The structured result of a tool."""
        result = await self.result(tool, **arguments)
        assert isinstance(result.structured_content, dict), result
        return result.structured_content

    async def result(self, tool: str, **arguments: Any) -> CallToolResult:
        """The whole result of a tool."""
        return await self.client.call_tool(tool, arguments, progress_callback=self._progress)

    async def _progress(self, progress: float, total: float | None, message: str | None) -> None:
        self.progress.append((progress, total, message))


@asynccontextmanager
async def agent(shop: Workshop, *options: str, era: str, answering: Answering | None = None) -> AsyncIterator[Agent]:
    """An agent of that era with a server of its own (`skill mcp serve`), whose process id is in `server.pid`."""
    script = 'echo $$ > server.pid; exec "$0" "$@"'
    server = StdioServerParameters(
        command="sh",
        args=["-c", script, str(SKILL), "mcp", "serve", *options],
        env=shop.environment,
        cwd=shop.folder,
    )
    async with connected(server, era, answering) as one:
        yield one


@asynccontextmanager
async def agent_over_http(server: Served, *, era: str, answering: Answering | None = None) -> AsyncIterator[Agent]:
    """An agent of that era at a server that others may use too."""
    headers = {"Authorization": f"Bearer {server.token}"}
    async with httpx2.AsyncClient(headers=headers, timeout=60) as http:
        transport = streamable_http_client(f"http://127.0.0.1:{server.port}/mcp", http_client=http)
        async with connected(transport, era, answering) as one:
            yield one


@asynccontextmanager
async def connected(server: Any, era: str, answering: Answering | None) -> AsyncIterator[Agent]:
    """An agent at whatever the SDK's client takes for a server."""
    made: list[Agent] = []

    async def elicit(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        del context
        made[0].asked.append(params.message)
        await anyio.lowlevel.checkpoint()
        assert answering
        answer = answering(params)
        return await answer if isinstance(answer, Awaitable) else answer

    client = Client(server, mode=era, elicitation_callback=elicit if answering else None)
    made.append(Agent(client))
    async with client:
        yield made[0]


def server_pid(shop: Workshop) -> int:
    """The process of the server that was started last."""
    return int((shop.folder / "server.pid").read_text())


async def until_true(true: Callable[[], Any], *, within: float = 20.0) -> None:
    """Waits until something is true; fails when it never is."""
    with anyio.fail_after(within):
        while not true():  # noqa: ASYNC110 - other processes make it true
            await anyio.sleep(0.02)


async def until_status(one: Agent, run_id: str, *statuses: str) -> dict[str, Any]:
    """The run once it has one of these statuses."""
    with anyio.fail_after(30):
        while True:
            told = await one.call("run_status", run_id=run_id)
            if told["status"] in statuses:
                return told
            await anyio.sleep(0.05)


def events_of(shop: Workshop, run_id: str) -> list[dict[str, Any]]:
    """The run's events, as the command tells them."""
    events: list[dict[str, Any]] = shop.json("logs", run_id)
    return events
