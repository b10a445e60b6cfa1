"""`skill mcp proxy`: a healing proxy before MCP servers, for one client on standard input and output."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from engine.errors import MissingExtraError
from engine.frontends.cli.session import Session


@click.command(name="proxy", context_settings={"allow_interspersed_args": False})
@click.option("--name", metavar="NAME", help="What the server is called; without, after its program or host.")
@click.option("--domain", metavar="DOMAIN", help="The domain whose fixes repair what its tools fail at.")
@click.option(
    "--config", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="The servers of this file."
)
@click.option("--server", metavar="NAME", help="Of --config, only this server.")
@click.option("--timeout", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", help="What a call may take.")
@click.option(
    "--explain", is_flag=True, help="Add to results that are errors why, and what to do, where that is known."
)
@click.argument("command", nargs=-1, type=click.UNPROCESSED, metavar="[-- COMMAND ARGS... | URL]")
@click.pass_obj
def proxy_command(session: Session, /, command: tuple[str, ...], **options: Any) -> int:
    """Stand before an MCP server, and heal what calls of its tools fail at.

    The client sees the server as it is: its tools, results, errors and all else that it offers. Each call of a tool is
    a run of one step, healed with the fixes of its domain and kept in history. Runs until the client leaves (standard
    input ends) or SIGTERM; each healed call is a line on standard error.

    Exit status: 0 ended, 2 wrong usage, or the extra `mcp` is not installed.
    """
    import anyio  # noqa: PLC0415 - late: `--help` needs none of this

    try:
        from engine.frontends.mcp_server.proxy import serve_proxy  # noqa: PLC0415 - late: the extra `mcp`
        from engine.frontends.mcp_server.proxy_engine import ProxyEngine  # noqa: PLC0415 - late, as above
        from engine.frontends.mcp_server.proxy_plan import Asked, planned  # noqa: PLC0415 - late, as above
        from engine.frontends.mcp_server.wire import claimed  # noqa: PLC0415 - late, as above
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0].startswith("mcp"):
            raise MissingExtraError("mcp", "a proxy before MCP servers") from error
        raise
    engine = ProxyEngine(session.workspace(), secrets=session.secrets)
    plan = planned(Asked(command=command, **options), engine)
    if sys.stdin.isatty():
        names = ", ".join(server.name for server in plan.servers)
        _say(f"before {names}: waits for what a client says on standard input, a line each")
    with claimed() as wire:
        anyio.run(serve_proxy, engine, plan, wire, _say)
    return 0


def _say(line: str) -> None:
    click.echo(line, err=True)
