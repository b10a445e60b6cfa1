"""A small MCP server that misbehaves as it is told: `python odd_server.py WAY FOLDER`.

Tools: `look` (reads) and `push` (writes) note each call in `FOLDER/calls`, and with `die` end the server in mid-call,
unless `FOLDER/spared` is there, which is made then; `slow` reports progress and notes a cancellation; `fail` ends in an
error; `big` gives as many characters as it is told. `FOLDER/pids` has a line for every start.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import anyio
import mcp_types as types
import uvicorn
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server

WAY, FOLDER = sys.argv[1], Path(sys.argv[2])
READS = types.ToolAnnotations(read_only_hint=True)
ADDS = types.ToolAnnotations(destructive_hint=False)
TEXT = {"type": "object", "properties": {"text": {"type": "string"}, "die": {"type": "boolean"}}}
SIZE = {"type": "object", "properties": {"size": {"type": "integer"}}, "required": ["size"]}
HEARD = {"type": "object", "properties": {"heard": {"type": "string"}}, "required": ["heard"]}


def note(name: str, line: str) -> None:
    """Adds a line to a file in the folder."""
    with (FOLDER / name).open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")


def tool(name: str, schema: dict[str, Any], annotations: types.ToolAnnotations | None, **more: Any) -> types.Tool:
    """One tool."""
    return types.Tool(name=name, description=f"It can {name}.", input_schema=schema, annotations=annotations, **more)


def tools() -> list[types.Tool]:
    """What there is."""
    if WAY == "thousand":
        return [tool(f"number-{number}", TEXT, READS) for number in range(1000)]
    found = [
        tool("look", TEXT, READS, output_schema=HEARD),
        tool("push", TEXT, ADDS),
        tool("fell", TEXT, None),
        tool("slow", TEXT, READS),
        tool("fail", TEXT, READS),
        tool("big", SIZE, READS),
        tool("environment", TEXT, READS),
    ]
    return [*found, tool("late", TEXT, READS)] if (FOLDER / "more").exists() else found


async def list_tools(_: Any, params: Any) -> types.ListToolsResult:
    """The tools, in pages of a hundred."""
    every, start = tools(), int(params.cursor) if params is not None and params.cursor else 0
    after = start + 100
    following = str(after) if after < len(every) else None
    return types.ListToolsResult(tools=every[start:after], next_cursor=following)


async def call_tool(ctx: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
    """Does as it is told."""
    given = params.arguments or {}
    note("calls", f"{params.name} {given.get('text', '')}".strip())
    if given.get("die") and not (FOLDER / "spared").exists():
        (FOLDER / "spared").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    match params.name:
        case "look":
            heard = {"heard": given.get("text", "")}
            return types.CallToolResult(content=[text("seen")], structured_content=heard)
        case "slow":
            return await slow(ctx)
        case "fail":
            said = "error: 401 Unauthorized: the token has expired"
            return types.CallToolResult(content=[text(said)], is_error=True)
        case "big":
            return types.CallToolResult(content=[text("x" * given["size"])])
        case "environment":
            return types.CallToolResult(
                content=[text("\n".join(f"{key}={value}" for key, value in os.environ.items()))]
            )
        case "lasting":
            (FOLDER / "more").touch()
    return types.CallToolResult(content=[text(f"{params.name}: {given.get('text', '')}")])


async def slow(ctx: Any) -> types.CallToolResult:
    """Takes a minute, and says how far it is."""
    try:
        for step in range(600):
            await ctx.session.report_progress(step, 600, f"at {step}")
            await anyio.sleep(0.1)
    except anyio.get_cancelled_exc_class():
        note("calls", "cancelled")
        raise
    return types.CallToolResult(content=[text("done")])


def text(said: str) -> types.TextContent:
    """A block of text."""
    return types.TextContent(type="text", text=said)


def odd() -> Server[Any]:
    """The server."""
    return Server("odd", on_list_tools=list_tools, on_call_tool=call_tool)


async def serve() -> None:
    """Serves until its input ends."""
    server = odd()
    async with stdio_server() as (reading, writing):
        await server.run(reading, writing, server.create_initialization_options())


def listen() -> None:
    """Serves over HTTP at the port that is its third argument; refuses while `locked` or `busy` is in the folder."""
    app = odd().streamable_http_app(json_response=WAY == "http-json")

    async def guarded(scope: Any, receive: Any, send: Any) -> None:
        status = next((code for name, code in REFUSALS.items() if (FOLDER / name).exists()), 0)
        if scope["type"] != "http" or not status:
            await app(scope, receive, send)
            return
        headers = [(b"content-type", b"text/plain"), (b"retry-after", b"1")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"go away: the token has expired"})

    uvicorn.run(guarded, port=int(sys.argv[3]), log_level="error")


REFUSALS = {"locked": 401, "busy": 429}


def main() -> None:
    """Misbehaves at the start, or serves."""
    note("pids", str(os.getpid()))
    sys.stderr.write(f"starting as {WAY} with {os.environ.get('API_TOKEN', 'no token')}\n")
    sys.stderr.flush()
    match WAY:
        case "silent":
            time.sleep(600)
        case "exits":
            raise SystemExit(3)
        case "rubbish":
            sys.stdout.write("Welcome to the server!\n{not json\n")
            sys.stdout.flush()
        case "http" | "http-json":
            listen()
            return
        case "stubborn":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            with subprocess.Popen(["sleep", "600"]) as child:
                note("pids", str(child.pid))
                anyio.run(serve)
                time.sleep(600)
    anyio.run(serve)


main()
