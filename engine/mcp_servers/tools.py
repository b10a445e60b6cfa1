"""The tools of MCP servers in the registry, the domains they depend on, and the repair when one is gone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol, cast

from engine.errors import DocumentError, EngineError, MissingExtraError
from engine.mcp_servers.listings import Listing, Listings
from engine.mcp_servers.reading import Entry, Servers, read_servers, switched_off, why_not
from engine.mcp_servers.restarting import RESTART, forget_restarts, own_domain, restart_tool, with_restarts
from engine.model.heal import Domain
from engine.model.place import Finding
from engine.model.secret import Secrets
from engine.workspace import Workspace
from tool_registry.registry import ToolRegistry
from tool_registry.sources.mcp_server import LACKING, UNLISTED
from tool_registry.tool import Needs, Tool, ToolError

CALLED = re.compile(r"""\btool["']?\s*:\s*["']?([A-Za-z0-9][A-Za-z0-9_-]*)\.""")
"""How a step names a server."""


class Connection(Protocol):
    """A server in use: `McpConnection` is what there is, and costs 25 ms to import."""

    async def list_tools(self) -> tuple[dict[str, Any], ...]:
        """Every tool it has, as it tells it."""

    async def call(self, name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Calls a tool; the whole result as it came."""

    async def about(self) -> dict[str, Any]:
        """What it says of itself."""

    async def restart(self) -> None:
        """Ends it and starts it anew."""

    async def aclose(self) -> None:
        """Ends it."""


class ServerTools:
    """The enabled servers of a workspace, none of which is started before it is needed."""

    def __init__(self, servers: Servers, workspace: Workspace, secrets: Secrets) -> None:
        self.servers = servers
        self.listings = Listings(workspace.state)
        self._state = workspace.state
        self.settings: Mapping[str, Any] = workspace.settings
        self._remembers = workspace.remembers
        self._secrets = secrets
        self._connections: dict[str, Connection] = {}
        self._wanted: dict[str, str] = {}
        self._listed: dict[str, Listing] = {}
        self._registry: ToolRegistry | None = None

    @classmethod
    def of(cls, path: Path, workspace: Workspace, secrets: Secrets) -> ServerTools:
        """The servers of that file. Raises DocumentError when it is broken."""
        settings = workspace.settings.get("mcp", {}).get("servers", {})
        return cls(read_servers(path, settings=settings, cache=workspace.valid), workspace, secrets)

    @property
    def enabled(self) -> Mapping[str, Entry]:
        """The servers whose tools can be called."""
        return {name: entry for name, entry in self.servers.entries.items() if entry.enabled}

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Warnings about the file that names them."""
        return self.servers.findings

    @property
    def unasked(self) -> tuple[str, ...]:
        """The tools that were wanted of servers that have not said which they have."""
        return tuple(name for name, server in self._wanted.items() if self.listing(server) is None)

    def looks(self) -> Iterator[tuple[str, str, str]]:
        """Each server, what is known of it, and why it cannot be used; the last is empty where it can."""
        for name, entry in self.servers.entries.items():
            listing = self.listing(name)
            known = "not asked yet" if listing is None else counted(len(listing))
            yield name, known if entry.enabled else switched_off(entry), why_not(entry) if entry.enabled else ""

    def register(self, registry: ToolRegistry) -> None:
        """Adds the tools whose names are known, stands ready for those that are not, and adds the repair."""
        self._registry = registry
        for name in self.enabled:
            registry.add_unlisted(f"{name}.", self._unlisted)
            self._add(name, self.listing(name) or ())
        if self.enabled:
            registry.add_later(RESTART, f"tool {RESTART}", self._restart_tool)
            registry.prepare_by(self.prepare)

    def domains(self, known: Mapping[str, Domain]) -> dict[str, Domain]:
        """The domains, with one for every server that is given none; each can restart it, unless it says otherwise."""
        return with_restarts(known, {name: self.domain_of(entry) for name, entry in self.enabled.items()})

    def domain_of(self, entry: Entry) -> str:
        """What the tools of a server depend on: `mcp:NAME`, unless the settings name a domain."""
        return str(entry.settings.get("domain", own_domain(entry.name)))

    def listing(self, name: str) -> Listing | None:
        """The tools that server is known to have; None if nobody knows."""
        if name not in self._listed:
            kept = self.listings.known(self.servers.entries[name])
            if kept is None:
                return None
            self._listed[name] = kept
        return self._listed[name]

    def registered(self, name: str) -> list[Tool]:
        """The tools of that server as skills have them; none while nobody has asked it."""
        return self._made(name, self.listing(name) or ())

    def connection(self, name: str) -> Connection:
        """The server in use. Raises WorkspaceError for a variable nobody set, and MissingExtraError without the SDK."""
        if name not in self._connections:
            entry = self.servers.entries[name]
            if find_spec("mcp") is None:
                raise MissingExtraError("mcp", f"the MCP server {name}")
            from tool_registry.sources.mcp_connection import McpConnection  # noqa: PLC0415 - late: only calls need it

            server = entry.server(log=self.listings.log(name) if self._remembers else None)
            self._secrets.add(list(entry.secrets()))
            self._connections[name] = McpConnection(
                server, mask=self._secrets.mask, listed=lambda tools: self._learn(entry, tools)
            )
        return self._connections[name]

    async def ask(self, name: str) -> Listing:
        """The tools a server has, from itself. Raises ToolError when it gives no answer."""
        return await self.connection(name).list_tools()

    async def prepare(self, text: str) -> None:
        """Asks servers for the tools that were wanted of them and that nobody knows, before a run of that skill begins.

        Raises WorkspaceError and MissingExtraError when a server that the skill names cannot be used as it is
        configured, and DocumentError for a tool that a server turns out not to have. A server that does not answer is
        left to the step that needs it.
        """
        wanted = dict(self._wanted)
        self._wanted.clear()
        for server in dict.fromkeys([*self._named_in(text), *wanted.values()]):
            self.connection(server)
        for server in dict.fromkeys(wanted.values()):
            asked = [tool for tool, of in wanted.items() if of == server]
            if not self._has(server, asked):
                try:
                    await self.ask(server)
                except ToolError:
                    continue
            self._refuse_absent(asked, server)

    def _named_in(self, text: str) -> list[str]:
        """The servers whose tools the steps of a skill call; those of skills it runs tell when they are called."""
        called = set(CALLED.findall(text))
        return [name for name in self.enabled if name in called]

    async def aclose(self) -> None:
        """Ends every server that was started."""
        while self._connections:
            _, connection = self._connections.popitem()
            await connection.aclose()
        forget_restarts(self._state)

    def _has(self, server: str, tools: Iterable[str]) -> bool:
        there = {f"{server}.{tool['name']}" for tool in self.listing(server) or ()}
        return there.issuperset(tools)

    def _refuse_absent(self, tools: list[str], server: str) -> None:
        there = {f"{server}.{tool['name']}" for tool in self.listing(server) or ()}
        for tool in tools:
            if tool not in there:
                raise DocumentError(
                    f"the MCP server {server} has no tool called {tool.partition('.')[2]}",
                    hint=f"`skill mcp tools {server}` lists what it has",
                )

    def _learn(self, entry: Entry, tools: Listing) -> None:
        """Takes over what a server says it has, which may be something else than last time."""
        before, self._listed[entry.name] = self._listed.get(entry.name), tools
        if before == tools:
            return
        if self._remembers:
            self.listings.keep(entry, tools)
        if self._registry is not None:
            self._registry.forget(f"{entry.name}.")
            self._add(entry.name, tools)

    def _add(self, name: str, listing: Listing) -> None:
        if self._registry is None:
            return
        names = frozenset(f"{name}.{tool['name']}" for tool in listing)
        self._registry.add_all_later(names, f"{name}.", lambda: self._made(name, listing))

    def _made(self, name: str, listing: Listing) -> list[Tool]:
        entry = self.servers.entries[name]
        own = entry.settings.get("tools", {})
        distinct = {tool["name"]: tool for tool in listing}
        return [self._tool(entry, tool, own.get(called, {})) for called, tool in distinct.items()]

    def _tool(self, entry: Entry, listing: Mapping[str, Any], settings: Mapping[str, Any]) -> Tool:
        from tool_registry.sources.mcp import calling, tool_of_listing  # noqa: PLC0415 - late: most runs use no such tool

        given = {**({"timeout": entry.settings["timeout"]} if "timeout" in entry.settings else {}), **settings}
        return tool_of_listing(
            calling(cast("Callable[[], Any]", partial(self._connection_for_call, entry.name)), str(listing["name"])),
            listing,
            name=f"{entry.name}.{listing['name']}",
            domain=self.domain_of(entry),
            settings=given,
            needs=needs(entry),
            location=str(entry.place),
        )

    def _unlisted(self, name: str) -> Tool:
        """A tool its server is not known to have: it may do anything, and the server is asked before a run begins."""
        server, _, tool = name.partition(".")
        self._wanted[name] = server
        entry = self.servers.entries[server]
        made = self._tool(entry, {"name": tool}, entry.settings.get("tools", {}).get(tool, {}))
        if self.listing(server) is None:
            return replace(made, source=UNLISTED, description=f"A tool of {server}, which was not asked yet.")
        return replace(made, source=LACKING, description=f"Nothing that {server} had when it was last asked.")

    def _connection_for_call(self, name: str) -> Connection:
        try:
            return self.connection(name)
        except EngineError as error:
            missing = isinstance(error, MissingExtraError)
            kind = "dependency_missing" if missing else "environment_variable"
            raise ToolError(str(error), kind=kind, sent=False, details={"server": name}) from error

    def _restart_tool(self) -> Tool:
        starts = {name: float(entry.settings.get("start_within", 30.0)) for name, entry in self.enabled.items()}

        async def restart(name: str) -> None:
            await self.connection(name).restart()

        return restart_tool(starts, restart)


def counted(tools: int) -> str:
    """How many tools, in words."""
    return f"{tools:,} tool{'' if tools == 1 else 's'}"


def needs(entry: Entry) -> Needs:
    """What a server needs on this machine: the SDK, and its program where it is sought on the PATH."""
    return Needs(modules=("mcp",), programs=(entry.program,) if entry.program else ())
