"""`build_server`: the tools of a workspace as an MCP server, for any transport and both protocol eras."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

import anyio
from mcp.server.lowlevel import Server
from mcp.server.lowlevel.server import NotificationOptions
from mcp.server.models import InitializationOptions
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    CallToolRequestParams,
    ListToolsResult,
    PaginatedRequestParams,
)

from engine.frontends.mcp_server.answering import answered, naming_mistakes
from engine.frontends.mcp_server.catalogue import Catalogue
from engine.frontends.mcp_server.changes import Audience
from engine.frontends.mcp_server.guarding import boundary
from engine.frontends.mcp_server.instructions import instructions
from engine.frontends.mcp_server.log import logging_requests
from engine.frontends.mcp_server.offers import Context, Reply
from engine.frontends.mcp_server.serving import Serving
from engine.frontends.mcp_server.withdrawing import noticing_withdrawals

NAME = "skill-engine"
PAGE = 200
"""Tools of one answer to `tools/list`."""


class SkillServer(Server[Any]):
    """A server whose list of tools changes with the skill files."""

    def create_initialization_options(
        self, notification_options: NotificationOptions | None = None, *rest: Any, **named: Any
    ) -> InitializationOptions:
        """As the SDK does, and says that the list changes."""
        told = notification_options or NotificationOptions(tools_changed=True)
        return super().create_initialization_options(told, *rest, **named)


def build_server(serving: Serving) -> SkillServer:
    """The server; whoever runs it gives it a transport.

    Raises WorkspaceError when the state folder cannot be used, DocumentError when tools or profile are broken.
    """
    catalogue = Catalogue(serving=serving)
    catalogue.listed()
    audience = Audience(catalogue=catalogue, bus=InMemorySubscriptionBus())
    listening = ListenHandler(audience.bus)

    async def list_tools(_: Context, params: PaginatedRequestParams | None) -> ListToolsResult:
        return page(catalogue, params.cursor if params else None)

    async def call_tool(ctx: Context, params: CallToolRequestParams) -> Reply:
        return await answered(ctx, catalogue, params)

    @asynccontextmanager
    async def lifespan(_: Server[Any]) -> AsyncIterator[dict[str, Any]]:
        async with anyio.create_task_group() as group:
            group.start_soon(audience.watch)
            yield {}
            listening.close()
            group.cancel_scope.cancel()

    server = SkillServer(
        NAME,
        version=version("skill-engine"),
        title="Skills that heal themselves",
        instructions=instructions(serving),
        lifespan=lifespan,
        get_tool_input_schema=lambda name: _schema(catalogue, name),
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        on_subscriptions_listen=listening,
    )
    server.middleware += [
        noticing_withdrawals(serving),
        logging_requests(serving),
        naming_mistakes,
        audience.noticing,
        boundary(serving),
    ]
    return server


def page(catalogue: Catalogue, cursor: str | None, *, size: int = PAGE) -> ListToolsResult:
    """One page of the tools, beginning behind the one `cursor` names. Raises MCPError for a cursor nobody gave."""
    offers = catalogue.allowed()
    names = [each.name for each in offers]
    if cursor is not None and cursor not in names:
        raise MCPError(INVALID_PARAMS, "the cursor is of no list there is now; list from the beginning")
    begin = names.index(cursor) + 1 if cursor is not None else 0
    shown = offers[begin : begin + size]
    more = shown[-1].name if begin + size < len(offers) else None
    return ListToolsResult(tools=[each.listing() for each in shown], next_cursor=more)


def _schema(catalogue: Catalogue, name: str) -> dict[str, Any] | None:
    offer = catalogue.listed().offers.get(name)
    return dict(offer.parameters) if offer else None
