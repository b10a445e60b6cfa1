"""An MCP server with one tool, which ends as a JSON file says: `python probe_server.py OUTCOME CALLS`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import anyio
import mcp_types as types
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server

OUTCOME: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))


async def list_tools(_: Any, _params: Any) -> types.ListToolsResult:
    """The one tool."""
    return types.ListToolsResult(tools=[types.Tool(name="probe", input_schema={"type": "object"})])


def note(line: str) -> None:
    """Keeps that a call came."""
    with Path(sys.argv[2]).open("a", encoding="utf-8") as file:
        file.write(line)


async def call_tool(_: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
    """Ends as it is told."""
    note(f"{params.arguments}\n")
    await anyio.sleep(OUTCOME.get("delay", 0))
    if "failure" in OUTCOME:
        said = OUTCOME.get("says", "")
        return types.CallToolResult(content=[types.TextContent(type="text", text=said)] if said else [], is_error=True)
    return types.CallToolResult(content=[], structured_content=OUTCOME.get("value"))


async def serve() -> None:
    """Serves until its input ends."""
    server: Server[Any] = Server("probe", on_list_tools=list_tools, on_call_tool=call_tool)
    async with stdio_server() as (reading, writing):
        await server.run(reading, writing, server.create_initialization_options())


anyio.run(serve)
