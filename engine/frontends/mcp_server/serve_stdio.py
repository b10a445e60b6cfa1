"""Serving one client over standard input and output."""

from __future__ import annotations

from engine.frontends.mcp_server.log import take_over_logging
from engine.frontends.mcp_server.server import build_server
from engine.frontends.mcp_server.serving import Serving
from engine.frontends.mcp_server.stdio import streams
from engine.frontends.mcp_server.stopping import leave_for_certain, until_a_signal
from engine.frontends.mcp_server.wire import Wire


async def serve_stdio(serving: Serving, wire: Wire) -> None:
    """Serves until the client has gone, or a signal ends it."""
    take_over_logging(serving)
    server = build_server(serving)
    serving.note(f"serving {serving.engine.workspace.folder} on stdio ({serving.allow.value})")

    async def serve() -> None:
        async with streams(wire, ended=leave_for_certain) as (incoming, outgoing):
            await server.run(incoming, outgoing, server.create_initialization_options())

    async with serving.engine:
        await until_a_signal(serving, serve)
