"""`skill mcp list|tools|check`: the MCP servers of this workspace, what tools they have, and whether they work."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from importlib.util import find_spec
from typing import Any

import anyio
import click
from click.shell_completion import CompletionItem

from engine.errors import EngineError, InputError, MissingExtraError
from engine.frontends.cli.layout import beside, one_line, short_path
from engine.frontends.cli.screen import Screen, screen_options
from engine.frontends.cli.session import Session
from engine.frontends.cli.source import show_finding
from engine.library.nearest import did_you_mean
from engine.mcp_servers.listings import Listing
from engine.mcp_servers.reading import Entry, switched_off, why_not
from engine.mcp_servers.tools import ServerTools, counted
from engine.wiring import Engine
from tool_registry.tool import ToolError

ALL_OFF = "no server of `.mcp.json` is switched on; `skill mcp list` shows why"
NO_SERVERS = "no MCP servers here; `.mcp.json` in the workspace names them (docs/mcp-client.md)"


def server_names(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The servers whose names begin like that."""
    try:
        found = _servers(_engine(context.find_object(Session) or Session()))
    except EngineError:
        return []
    names = found.servers.entries if found else ()
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


@click.command("list")
@screen_options
def list_command(session: Session, screen: Screen) -> int:
    """List the MCP servers that `.mcp.json` names; none is started.

    Exit status: 0, also where one cannot be used as it is; 6 the file is broken.
    """
    found = _servers(_engine(session))
    entries = list(found.servers.entries.values()) if found else []
    if not screen.is_text:
        screen.result([_entry_record(found, entry) for entry in entries] if found else [])
        return 0
    if found is None or not entries:
        screen.note(NO_SERVERS)
        return 0
    rows = [[entry.name, entry.kind, _count(found.listing(entry.name)), _state(entry)] for entry in entries]
    screen.table(rows, ["SERVER", "KIND", "TOOLS", "STATE"], lines=4)
    for finding in found.servers.findings:
        show_finding(finding, screen.text, width=screen.width)
    screen.note("`skill mcp tools SERVER` asks one which tools it has", dim=True)
    return 0


@click.command("tools")
@click.argument("server", required=False, shell_complete=server_names)
@click.option("--known", is_flag=True, help="Start nothing: show what was heard last time.")
@screen_options
def tools_command(session: Session, server: str | None, known: bool, screen: Screen) -> int:
    """Ask the MCP servers, or SERVER, which tools they have; what they say is kept.

    Exit status: 0 all answered, 1 one did not, 2 there is no such server, or the extra `mcp` is not installed.
    """
    engine = _engine(session)
    found = _servers(engine)
    names = _named(found, (server,) if server else ())
    if found is None or not names:
        return _nothing(screen, found)
    looks = _looked(engine, found, names, _known(found) if known else found.ask)
    if not screen.is_text:
        screen.result([tool for look in looks for tool in _tool_records(found, look)])
    else:
        for look in looks:
            _show_tools(found, look, screen)
    return int(any(look.why for look in looks))


@click.command("check")
@click.argument("servers", nargs=-1, metavar="[SERVER]...", shell_complete=server_names)
@screen_options
def check_command(session: Session, servers: tuple[str, ...], screen: Screen) -> int:
    """Start the MCP servers, or those named, and see whether they answer.

    Exit status: 0 all do, 1 one does not, 2 there is no such server, or the extra `mcp` is not installed.
    """
    engine = _engine(session)
    found = _servers(engine)
    names = _named(found, servers)
    if found is None or not names:
        return _nothing(screen, found)
    looks = _looked(engine, found, names, found.ask)
    if not screen.is_text:
        screen.result([look.record() for look in looks])
    else:
        for look in looks:
            _show_look(look, screen)
        for finding in found.servers.findings:
            show_finding(finding, screen.text, width=screen.width)
    return int(any(look.why for look in looks))


class Asked:
    """How asking one server went: what it has, and what it is, or `why` nothing is known."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.tools: Listing = ()
        self.about: Mapping[str, Any] = {}
        self.why = ""
        self.said = ""
        self.seconds = 0.0

    def record(self) -> dict[str, Any]:
        """As JSON-like data."""
        return {
            "name": self.name,
            "ok": not self.why,
            "message": self.why,
            "said": self.said,
            "duration": round(self.seconds, 3),
            "protocol": self.about.get("protocolVersion"),
            "server": self.about.get("serverInfo"),
            "tools": None if self.why else len(self.tools),
        }


def _engine(session: Session) -> Engine:
    return Engine(session.workspace(), secrets=session.secrets)


def _servers(engine: Engine) -> ServerTools | None:
    found = engine.mcp
    return found if isinstance(found, ServerTools) else None


def _nothing(screen: Screen, found: ServerTools | None) -> int:
    if screen.is_text:
        screen.note(ALL_OFF if found and found.servers.entries else NO_SERVERS)
    else:
        screen.result([])
    return 0


def _named(found: ServerTools | None, names: Sequence[str]) -> list[str]:
    """The servers that are meant: those named, else all enabled ones. Raises InputError where there is none such."""
    there = found.servers.entries if found else {}
    for name in names:
        if name not in there:
            hint = did_you_mean(name, there) or f"there are: {', '.join(there) or 'none'}"
            raise InputError(f"there is no MCP server called {name}", hint=hint)
    return list(names) or (list(found.enabled) if found else [])


def _known(found: ServerTools) -> Callable[[str], Awaitable[Listing]]:
    async def known(name: str) -> Listing:
        listing = found.listing(name)
        if listing is None:
            raise ToolError(f"{name} was not asked yet")
        return listing

    return known


def _looked(
    engine: Engine, found: ServerTools, names: Sequence[str], ask: Callable[[str], Awaitable[Listing]]
) -> list[Asked]:
    """Asks the servers, all at once. Raises MissingExtraError where none can be, for want of the SDK."""
    if ask == found.ask and find_spec("mcp") is None:
        raise MissingExtraError("mcp", "asking MCP servers")
    looks = [Asked(name) for name in names]

    async def one(look: Asked) -> None:
        began = time.monotonic()
        try:
            look.tools = await ask(look.name)
            if ask == found.ask:
                look.about = await found.connection(look.name).about()
        except ToolError as error:
            look.why, look.said = engine.secrets.mask(error.message), engine.secrets.mask(error.output)
        except EngineError as error:
            look.why = engine.secrets.mask(str(error))
        look.seconds = time.monotonic() - began

    async def every() -> None:
        async with engine, anyio.create_task_group() as tasks:
            for look in looks:
                tasks.start_soon(one, look)

    anyio.run(every)
    return looks


def _entry_record(found: ServerTools, entry: Entry) -> dict[str, Any]:
    listing = found.listing(entry.name)
    return {
        "name": entry.name,
        "kind": entry.kind,
        "enabled": entry.enabled,
        "usable": not why_not(entry),
        "message": why_not(entry),
        "unset": list(entry.unset),
        "domain": found.domain_of(entry),
        "command": entry.raw.get("command"),
        "url": entry.raw["url"].partition("?")[0] if "url" in entry.raw else None,
        "tools": None if listing is None else len(listing),
        "place": str(entry.place),
        "log": str(found.listings.log(entry.name)),
    }


def _count(listing: Listing | None) -> str:
    return "?" if listing is None else str(len(listing))


def _state(entry: Entry) -> str:
    if not entry.enabled:
        return switched_off(entry)
    if entry.unset:
        return f"needs {', '.join(entry.unset)}, not set"
    return _from_here(why_not(entry)) or "ready"


def _from_here(why: str) -> str:
    """A sentence that begins with a place in a file, the path as people read it."""
    place, found, rest = why.partition(".json:")
    return f"{short_path(f'{place}.json')}:{rest}" if found and " " not in place else why


def _tool_records(found: ServerTools, look: Asked) -> list[dict[str, Any]]:
    registry = found.registered(look.name)
    return [
        {
            "name": tool.name,
            "server": look.name,
            "description": tool.description,
            "effect": tool.effect.value,
            "idempotent": tool.idempotent,
            "domain": tool.domain,
            "timeout": tool.timeout,
            "parameters": dict(tool.parameters),
            "result": dict(tool.result) if tool.result else None,
        }
        for tool in registry
    ]


def _show_tools(found: ServerTools, look: Asked, screen: Screen) -> None:
    if look.why:
        _show_look(look, screen)
        return
    rows = [[tool.name, tool.effect.value, one_line(tool.description)] for tool in found.registered(look.name)]
    screen.table(rows, ["TOOL", "EFFECT", "WHAT IT DOES"], lines=2)
    silent = [tool["name"] for tool in look.tools if not tool.get("annotations")]
    if silent:
        what = f"{len(silent)} say nothing of what they do and count as destructive; [mcp.servers.{look.name}.tools]"
        screen.note(f"{what} in skill.toml can say more", dim=True)


def _show_look(look: Asked, screen: Screen) -> None:
    sign, colour = ("✗", "red") if look.why else ("✓", "green")
    info = look.about.get("serverInfo") or {}
    told = _from_here(look.why) or (
        f"{counted(len(look.tools))}, {info.get('name', 'unnamed')} {info.get('version', '')}".rstrip()
        + f", protocol {look.about.get('protocolVersion', '?')}, {look.seconds:.1f} s"
    )
    for line in beside(f"  {sign} {look.name:<16} ", told, screen.width, lines=10):
        screen.text(line, fg=colour)
    if look.why and look.said:
        for line in look.said.splitlines()[-5:]:
            screen.text(f"      {line}", dim=True)
