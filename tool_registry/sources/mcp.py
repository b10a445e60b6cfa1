"""Tools of MCP servers, as tools like any other: what they take, what they do to the world, how they fail."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tool_registry.sources.mcp_connection import McpConnection
from tool_registry.sources.mcp_schema import ANYTHING, arguments_of, checkable
from tool_registry.sources.mcp_server import SOURCE, McpServer
from tool_registry.tool import Call, Effect, Needs, Tool, ToolContext, ToolError, ToolOutput

__all__ = ["McpConnection", "McpServer", "calling", "effect_of", "refuse_failed", "text_of", "tool_of_listing"]

TIMEOUT = 60.0
"""Seconds a call may take where nobody says."""

SHOWN = 300


def tool_of_listing(  # noqa: PLR0913 - a tool is made of all of it, and every argument but two is by keyword
    call: Call,
    listing: Mapping[str, Any],
    *,
    name: str,
    domain: str | None,
    settings: Mapping[str, Any] | None = None,
    checked: bool = True,
    needs: Needs | None = None,
    location: str = "",
) -> Tool:
    """The tool that a server's listing describes, under a name of ours; `call` makes its calls.

    `settings` correct what the server says of it: `effect`, `idempotent`, `timeout`, `domain`. Unless they are to be
    `checked` here, arguments and results are left to the server and its client.
    """
    own = dict(settings or {})
    effect, idempotent = effect_of(listing.get("annotations"))
    return Tool(
        name=name,
        call=call,
        description=str(listing.get("description") or listing.get("title") or ""),
        parameters=arguments_of(listing.get("inputSchema")) if checked else ANYTHING,
        result=checkable(listing.get("outputSchema")) if checked else None,
        effect=Effect(own.get("effect", effect)),
        idempotent=bool(own.get("idempotent", idempotent)),
        domain=own.get("domain", domain),
        timeout=float(own.get("timeout", TIMEOUT)),
        needs=needs or Needs(),
        source=SOURCE,
        location=location,
    )


def effect_of(annotations: Any) -> tuple[Effect, bool]:
    """What a tool does to the world, and whether twice is like once, as its annotations say.

    The protocol's own defaults are kept: a tool that says nothing may destroy, and may not be repeated. They are hints
    of the server; what they claim is believed only where it is said.
    """
    said = annotations if isinstance(annotations, Mapping) else {}
    if said.get("readOnlyHint") is True:
        return Effect.READ, True
    effect = Effect.WRITE if said.get("destructiveHint") is False else Effect.DESTRUCTIVE
    return effect, said.get("idempotentHint") is True


def calling(connect: Callable[[], McpConnection], tool: str) -> Call:
    """Calls one tool of one server, whose connection may be made by the first call."""

    async def call(arguments: Mapping[str, Any], context: ToolContext) -> ToolOutput:
        connection = connect()
        if context.connections is not None:
            context.connections.setdefault(("mcp", id(connection)), connection)

        async def progress(done: float, total: float | None, message: str | None) -> None:
            context.report(_progress_line(done, total, message))

        result = await connection.call(
            tool, arguments, timeout=context.timeout, progress=progress, meta=context.trace_headers
        )
        return _output(result, connection.server.name, tool)

    return call


def _output(result: Mapping[str, Any], server: str, tool: str) -> ToolOutput:
    refuse_failed(result, server, tool)
    if result.get("resultType") == "input_required":
        said = f"{server}.{tool} asks a person for more, which no tool call can answer here"
        raise ToolError(said, kind="configuration_error", details={"server": server})
    text = text_of(result)
    if result.get("structuredContent") is not None:
        return ToolOutput(value=result["structuredContent"], text=text)
    return ToolOutput(value={"text": text, "content": result.get("content", [])}, text=text)


def refuse_failed(result: Mapping[str, Any], server: str, tool: str) -> None:
    """Raises ToolError for a result that is an error; its text says which."""
    if result.get("isError") is True:
        text = text_of(result)
        first = next((line.strip() for line in text.splitlines() if line.strip()), "it says nothing")
        raise ToolError(f"{server}.{tool} failed: {first[:SHOWN]}", output=text, details={"server": server})


def text_of(result: Mapping[str, Any]) -> str:
    """The text blocks of a result, one after the other."""
    content = result.get("content")
    blocks = content if isinstance(content, list) else []
    said = [str(each.get("text", "")) for each in blocks if isinstance(each, Mapping) and each.get("type") == "text"]
    return "\n".join(said)


def _progress_line(done: float, total: float | None, message: str | None) -> str:
    share = f"{done:g} of {total:g}" if total else f"{done:g}"
    return f"{share}: {message}" if message else share
