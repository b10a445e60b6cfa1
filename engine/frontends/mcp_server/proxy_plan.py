"""What a proxy stands before: servers, their domains, and what the workspace says of their tools."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from engine.errors import InputError
from engine.mcp_servers.reading import read_servers
from engine.mcp_servers.restarting import own_domain
from engine.model.lazy_dataclass import dataclass
from engine.wiring import Engine
from tool_registry.sources.mcp import McpServer

PATIENCE = 3_600.0
"""Seconds a call may take where nobody says: it is the client that knows how long it waits, and cancels."""
RUNNERS = frozenset({"npx", "uvx", "node", "bunx", "deno", "python", "python3", "uv", "pipx", "docker", "podman"})
"""Programs that start another, which is what the server is called after."""
GENERIC = frozenset({"index", "main", "__main__", "server", "cli", "dist", "build", "src", "lib", "bin"})
"""Parts of paths that every server has."""


SECRET = re.compile(r"(TOKEN|SECRET|PASSWORD|PASSWD|API_?KEY|PRIVATE_?KEY|CREDENTIALS?)$", re.IGNORECASE)
"""Variables of the environment whose values are kept out of history."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was asked for on the command line."""

    command: tuple[str, ...] = ()
    config: Path | None = None
    server: str | None = None
    name: str | None = None
    domain: str | None = None
    timeout: float | None = None
    explain: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The servers of one proxy; `prefixes` puts a server's name before those of its tools.

    `domains` are the servers' domains, where one is named; `tools` what the workspace says of theirs, by server.
    """

    servers: tuple[McpServer, ...]
    domains: Mapping[str, str] = field(default_factory=dict)
    tools: Mapping[str, Mapping[str, Mapping[str, Any]]] = field(default_factory=dict)
    prefixes: bool = False
    explains: bool = False

    def domain_of(self, server: str) -> str:
        """The domain of a server's tools."""
        return self.domains.get(server) or own_domain(server)


def planned(asked: Asked, engine: Engine) -> Plan:
    """The plan for what was asked. Raises InputError, and what the settings and `asked.config` are refused with."""
    if bool(asked.command) == bool(asked.config):
        raise InputError(
            "say which server: its command, its address, or --config with a file",
            hint="skill mcp proxy -- COMMAND ARGS..., skill mcp proxy URL, skill mcp proxy --config .mcp.json",
        )
    if asked.server is not None and asked.config is None:
        raise InputError("--server chooses from the file of --config", hint="--name says what a server is called")
    servers = _configured(asked.config, asked, engine) if asked.config else (_given(asked, engine),)
    said = engine.workspace.settings.get("mcp", {}).get("servers", {})
    plan = Plan(
        servers=tuple(_patient(each, said.get(each.name, {}), asked.timeout) for each in servers),
        domains={
            each.name: domain for each in servers if (domain := asked.domain or said.get(each.name, {}).get("domain"))
        },
        tools={each.name: said.get(each.name, {}).get("tools", {}) for each in servers},
        prefixes=len(servers) > 1,
        explains=asked.explain,
    )
    _refuse_unknown(plan, engine)
    return plan


def _patient(server: McpServer, said: Mapping[str, Any], timeout: float | None) -> McpServer:
    """The server with the seconds that calls may take: as asked, else as the workspace says, else very many."""
    within = float(said.get("start_within", server.start_within))
    return replace(server, timeout=float(timeout or said.get("timeout", PATIENCE)), start_within=within)


def _refuse_unknown(plan: Plan, engine: Engine) -> None:
    named = [
        *plan.domains.values(),
        *(own["domain"] for of in plan.tools.values() for own in of.values() if "domain" in own),
    ]
    for domain in named:
        if domain not in engine.loaded_profile.domains:
            known = ", ".join(sorted(engine.loaded_profile.domains)) or "none"
            raise InputError(f"there is no domain called {domain}", hint=f"the profile in use has {known}")


def _given(asked: Asked, engine: Engine) -> McpServer:
    """The server whose command or address was given; the command sees our whole environment, as without us."""
    log = engine.workspace.state / "mcp"
    first, *rest = asked.command
    if re.match(r"https?://", first):
        if rest:
            raise InputError(f"after an address there is nothing: {rest[0]}", hint="options come before it")
        return McpServer(name=_plain(asked.name or named_at(first)), url=first)
    engine.secrets.add([value for name, value in os.environ.items() if SECRET.search(name) and value])
    name = _plain(asked.name or named_after(asked.command))
    return McpServer(
        name=name, command=first, args=tuple(rest), env=dict(os.environ), cwd=Path.cwd(), log=log / f"{name}.log"
    )


def _configured(path: Path, asked: Asked, engine: Engine) -> tuple[McpServer, ...]:
    """The servers that a file names and nobody switched off."""
    settings = engine.workspace.settings.get("mcp", {}).get("servers", {})
    entries = read_servers(path, settings=settings, cache=engine.workspace.valid).entries
    chosen = [each for each in entries.values() if each.name == (asked.server or each.name) and each.enabled]
    if not chosen:
        known = ", ".join(entries) or "none"
        wanted = f"no server called {asked.server}" if asked.server else "no server"
        raise InputError(f"{path} has {wanted} that is enabled", hint=f"it names {known}")
    if asked.name is not None:
        raise InputError("--name is for a server that is not in a file", hint="the file names its servers")
    for each in chosen:
        engine.secrets.add(list(each.secrets()))
    return tuple(each.server(log=engine.workspace.state / "mcp" / f"{each.name}.log") for each in chosen)


def named_after(command: Sequence[str]) -> str:
    """What a server is called that is started so: after the program, or after what a runner is to start."""
    program = _stem(command[0])
    if re.sub(r"[\d.]+$", "", program) not in RUNNERS and program not in RUNNERS:
        return _plain(program)
    rest = list(command[1:])
    if "-m" in rest[:-1]:
        return _plain(rest[rest.index("-m") + 1])
    named = [each for each in rest if not each.startswith("-") and each not in {"run", "exec", "tool", "x"}]
    return _plain(_stem(named[0])) if named else _plain(program)


def named_at(url: str) -> str:
    """What a server behind an address is called."""
    return _plain(urlsplit(url).hostname or "server")


def _stem(path: str) -> str:
    """The last part of a path that says something, without a suffix or version."""
    parts = [re.sub(r"\.(py|js|mjs|cjs|ts|sh|exe)$", "", part) for part in path.split("/") if part]
    telling = [part for part in parts if part not in GENERIC]
    name = (telling or parts or [""])[-1]
    return name.partition("@")[0] or name


def _plain(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-_")[:60] or "server"
