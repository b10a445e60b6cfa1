"""`skill mcp`: serving agents, and using the tools of other servers."""

from __future__ import annotations

from importlib import import_module

import click

from engine.frontends.cli.commands import NearestGroup

ELSEWHERE = {
    "serve": "mcp_serve",
    "config": "mcp_config",
    "proxy": "mcp_proxy",
    "list": "mcp_servers",
    "tools": "mcp_servers",
    "check": "mcp_servers",
}
"""The module of each command, imported when it is asked for."""


class McpGroup(NearestGroup):
    """The group; the modules of its commands are imported late."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The commands in the order people meet them."""
        return list(ELSEWHERE)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's
        """The command; None if there is none."""
        if cmd_name not in ELSEWHERE:
            return None
        module = import_module(f"engine.frontends.cli.{ELSEWHERE[cmd_name]}")
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return command


@click.group(name="mcp", cls=McpGroup)
def mcp_command() -> None:
    """Serves agents by MCP, and uses and heals the tools of MCP servers."""
