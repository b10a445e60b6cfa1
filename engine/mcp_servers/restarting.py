"""The repair of an MCP server that is gone: the tool `mcp_restart`, and the fix that calls it."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.model.heal import Domain, FixPlan
from engine.model.outcome import ToolCall
from tool_registry.tool import Effect, FixScope, Tool, ToolContext, ToolError, ToolOutput

RESTART = "mcp_restart"
ROLE = "connect"
"""What the fix is called in the domain of a server's tools."""
ENDING = 15.0
"""Seconds that ending a server may take, beside those it has to start."""


def restart_tool(servers: Mapping[str, float], restart: Callable[[str], Awaitable[None]]) -> Tool:
    """The tool that restarts one of `servers`, which are known by the seconds they have to start."""

    async def call(arguments: Mapping[str, Any], context: ToolContext) -> ToolOutput:
        name = str(arguments["server"])
        if name not in servers:
            raise ToolError(f"there is no MCP server called {name} here", kind="usage_error", sent=False)
        context.report(f"starting the MCP server {name}")
        await restart(name)
        return ToolOutput(value={"server": name, "restarted": True})

    return Tool(
        name=RESTART,
        call=call,
        description="Ends an MCP server of this workspace, and starts it anew.",
        parameters={
            "type": "object",
            "properties": {"server": {"type": "string", "description": "Its name in .mcp.json."}},
            "required": ["server"],
            "additionalProperties": False,
        },
        effect=Effect.WRITE,
        idempotent=True,
        timeout=max(servers.values()) + ENDING,
        fix=FixScope.CONNECTIVITY,
        examples=({"server": next(iter(servers))},),
        source="mcp",
    )


def with_restarts(known: Mapping[str, Domain], domains: Mapping[str, str]) -> dict[str, Domain]:
    """The domains, with those of servers (`domains`, by server); each can restart its server, unless it says otherwise.

    A server that is given none has one of its own, `mcp:NAME`.
    """
    found = dict(known)
    for server, name in domains.items():
        if name == own_domain(server):
            found.setdefault(name, Domain(name=name, description=f"The MCP server {server}."))
        if name in found:
            plan = FixPlan(call=ToolCall(tool=RESTART, args={"server": server}), cooldown=0.0, of_process=True)
            found[name] = replace(found[name], fixes={ROLE: plan, **found[name].fixes})
    return found


def own_domain(server: str) -> str:
    """What the tools of a server depend on, where nobody names a domain."""
    return f"mcp:{server}"


def forget_restarts(state: Path) -> None:
    """Removes what this process kept of its restarts: nobody else has its servers."""
    for kept in (state / "fixes").glob(f"{RESTART}--*.{os.getpid()}.json"):
        kept.unlink(missing_ok=True)
