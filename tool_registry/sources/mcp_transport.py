"""The way to an MCP server: the pipes of a program, or requests to an address."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tool_registry.sources.mcp_failure import Life
from tool_registry.sources.mcp_http import http_streams
from tool_registry.sources.mcp_stdio import child_environment, program, stdio_streams


@asynccontextmanager
async def transport(life: Life) -> AsyncIterator[Any]:
    """The streams that the SDK reads and writes, for one life of a server; `life.program` is what was started for it.

    Raises ToolError (`sent=False`) when it cannot be started.
    """
    server = life.server
    if server.url:
        async with http_streams(server.url, server.headers) as streams:
            yield streams
        return
    argv, environment = [server.command, *server.args], child_environment(server.env)
    async with (
        program(argv, environment=environment, folder=server.cwd, log=life.log) as life.program,
        stdio_streams(life.program) as streams,
    ):
        yield streams
