"""The registries that podman, docker and skopeo keep logins for on a machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from engine.model.outcome import ToolCall
from engine.surroundings.found import Asking, Find, Rung
from engine.surroundings.machine import Machine, address, json_of, mapping
from tool_registry.sources.connections import is_loopback

DOCKER_HUB = ("index.docker.io", "docker.io")
MOST = 8
"""Registries that are told of and asked."""


def registries(machine: Machine) -> Iterator[Find]:
    """Each registry with a kept login, once, in the order in which podman looks; nothing is asked."""
    found: dict[str, Path] = {}
    for path in login_files(machine):
        for host in _hosts(path):
            found.setdefault(host, path)
    for host, path in list(found.items())[:MOST]:
        url = f"{'http' if is_loopback(urlsplit(f'//{host}').hostname or '') else 'https'}://{host}"
        call = ToolCall(tool="registry_login_state", args={"registry": url, "auth_file": str(path)})
        usual = path in _usual(machine)
        told = {"url": url, **({} if usual else {"auth_file": machine.spoken(path)})}
        yield Find(
            rung=Rung.REGISTRY,
            told=f"{host}, a login of {machine.spoken(path)}",
            lines={"services": {"registry": told}},
            asking=Asking(call=call),
        )


def login_files(machine: Machine) -> tuple[Path, ...]:
    """The files of logins that are there (containers-auth.json(5)), in their order."""
    named = machine.environment.get("REGISTRY_AUTH_FILE")
    paths = [*([Path(named)] if named else []), *_usual(machine)]
    return tuple(path for path in dict.fromkeys(paths) if path.is_file())


def _usual(machine: Machine) -> list[Path]:
    runtime = machine.environment.get("XDG_RUNTIME_DIR")
    return [
        *([Path(runtime) / "containers" / "auth.json"] if runtime else []),
        machine.settings / "containers" / "auth.json",
        Path(machine.environment.get("DOCKER_CONFIG") or machine.home / ".docker") / "config.json",
    ]


def _hosts(path: Path) -> list[str]:
    """The registries a file has logins or programs for; a login may be for a part of one (`quay.io/team`)."""
    kept = json_of(path)
    named = [*mapping(kept.get("auths")), *mapping(kept.get("credHelpers"))]
    hosts = [urlsplit(address(str(name))).netloc for name in named]
    return list(dict.fromkeys("registry-1.docker.io" if host in DOCKER_HUB else host for host in hosts if host))
