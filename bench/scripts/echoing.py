"""An MCP server with one tool that reads; `python echoing.py` on standard input and output, `... PORT` on HTTP."""

from __future__ import annotations

import sys
from typing import Any

import anyio
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp_types import CallToolRequestParams, CallToolResult, ListToolsResult, TextContent, Tool, ToolAnnotations

ECHO = Tool(
    name="echo",
    description="Says it again.",
    input_schema={"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]},
    annotations=ToolAnnotations(read_only_hint=True),
)


async def tools(*_: Any) -> ListToolsResult:
    """The one tool."""
    return ListToolsResult(tools=[ECHO])


async def call(_: Any, params: CallToolRequestParams) -> CallToolResult:
    """What was said."""
    return CallToolResult(content=[TextContent(type="text", text=str((params.arguments or {})["text"]))])


SERVER: Any = Server("echoing", version="1", on_list_tools=tools, on_call_tool=call)


async def over_pipes() -> None:
    """Serves the one client that started it."""
    async with stdio_server() as (reading, writing):
        await SERVER.run(reading, writing, SERVER.create_initialization_options())


def over_http(port: int) -> None:
    """Serves whoever comes."""
    import uvicorn  # noqa: PLC0415 - late: over pipes there is none

    uvicorn.run(SERVER.streamable_http_app(json_response=True), port=port, log_level="warning")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        over_http(int(sys.argv[1]))
    else:
        anyio.run(over_pipes)
