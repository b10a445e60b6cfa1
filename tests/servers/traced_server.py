"""An MCP server with one tool, which says of which trace its call was a part."""

from __future__ import annotations

from typing import Any

import anyio
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp_types import CallToolResult, ListToolsResult, TextContent, Tool, ToolAnnotations

TRACE = Tool(
    name="trace",
    description="Says of which trace the call is a part.",
    input_schema={"type": "object", "properties": {}},
    annotations=ToolAnnotations(read_only_hint=True),
)


async def _list(*_: Any) -> ListToolsResult:
    return ListToolsResult(tools=[TRACE])


async def _call(ctx: Any, _: Any) -> CallToolResult:
    said = str(dict(ctx.meta or {}).get("traceparent", ""))
    return CallToolResult(content=[TextContent(type="text", text=said)])


async def main() -> None:
    """Serves over standard input and output."""
    server: Server[Any] = Server("traced", on_list_tools=_list, on_call_tool=_call)
    async with stdio_server() as (incoming, outgoing):
        await server.run(incoming, outgoing, server.create_initialization_options())


if __name__ == "__main__":
    anyio.run(main)
