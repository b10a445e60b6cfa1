"""`skill mcp config`: what a host's settings need to start this workspace's server, or to reach it."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Any

import click

from engine.frontends.cli.itself import own_program
from engine.frontends.cli.layout import json_text
from engine.frontends.cli.mcp_serve import Surface, http_options, surface_options
from engine.frontends.cli.screen import Screen, screen_options
from engine.frontends.cli.session import Session
from engine.frontends.mcp_server.listening import PATH, TOKEN_FILE, TOKEN_VARIABLE, Listening
from engine.frontends.mcp_server.serving import WAIT
from engine.frontends.mcp_server.tiers import Tier


@click.command("config")
@click.option("--name", default="skills", show_default=True, help="What the host calls the server.")
@http_options
@surface_options
@screen_options
def config_command(session: Session, name: str, listening: Listening | None, surface: Surface, screen: Screen) -> None:
    """Print the `mcpServers` entry that hosts of agents read, for this workspace; takes the options of `serve`.

    Put it into `.mcp.json` of a project, or into the host's own settings.
    """
    workspace = session.workspace()
    folder = workspace.folder
    if listening and not listening.port:
        raise click.BadParameter("an entry needs a port that stays the same", param_hint="--port")
    entry = _reached(listening) if listening else _started(folder, surface)
    told = {"mcpServers": {name: entry}}
    if not screen.is_text:
        screen.result(told)
        return
    for line in json_text(told, indent=2).splitlines():
        screen.text(line)
    if listening:
        words = shlex.join(["skill", "-C", str(folder), *_serve_words(surface), "--http", *_where(listening)])
        token = shlex.quote(str((listening.token_file or workspace.state / TOKEN_FILE).absolute()))
        screen.note(f"start the server first: {words}", dim=True)
        screen.note("then give the host the token, which the server has made unless there was one:", dim=True)
        screen.note(f"  export {TOKEN_VARIABLE}=$(cat {token})", dim=True)


def _started(folder: Path, surface: Surface) -> dict[str, Any]:
    """The entry of a server that the host starts."""
    home = os.environ.get("SKILL_HOME")
    command, *words = own_program()
    entry: dict[str, Any] = {"command": command, "args": [*words, "-C", str(folder), *_serve_words(surface)]}
    return {**entry, "env": {"SKILL_HOME": str(Path(home).expanduser().absolute())}} if home else entry


def _reached(listening: Listening) -> dict[str, Any]:
    """The entry of a server that runs already; the token stays out of the file."""
    host = f"[{listening.host}]" if ":" in listening.host else listening.host
    named = next(iter(listening.names), host)
    return {
        "type": "http",
        "url": f"http://{named}:{listening.port}{PATH}",
        "headers": {"Authorization": f"Bearer ${{{TOKEN_VARIABLE}}}"},
    }


def _serve_words(surface: Surface) -> list[str]:
    words = ["mcp", "serve"]
    words += ["--allow", surface.allow.value] if surface.allow is not Tier.RUN else []
    words += ["--wait", f"{surface.wait:g}"] if surface.wait != WAIT else []
    words += [word for tag in surface.tags for word in ("--tags", tag)]
    return [*words, *(word for glob in surface.skills for word in ("--skills", glob))]


def _where(listening: Listening) -> list[str]:
    words = ["--host", listening.host, "--port", str(listening.port)]
    words += ["--token-file", str(listening.token_file.absolute())] if listening.token_file else []
    words += [word for each in listening.names for word in ("--allowed-host", each)]
    return [*words, "--expose"] if listening.exposed else words
