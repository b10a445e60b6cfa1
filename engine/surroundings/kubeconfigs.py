"""The contexts of the kubeconfigs on a machine, the current one first."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from engine.configuration import SERVICES
from engine.model.lazy_dataclass import dataclass
from engine.model.outcome import ToolCall
from engine.surroundings.found import Asking, Find, Rung
from engine.surroundings.machine import Machine, address, mapping, rows, yaml_of

SHIPPED = ("ephemeral", "forge")
"""Domains of the local profile, which no cluster replaces because it happens to be called like one."""
MOST = 8
"""Contexts that are told of and asked; who has more knows which are meant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """A context that leads to a server; `program` is what its login runs, empty where it runs none."""

    name: str
    server: str
    path: Path
    program: str = ""


def contexts(machine: Machine, names: Collection[str] = ()) -> Iterator[Find]:
    """What each context leads to, at most `MOST` of them; nothing is asked. `names` are those that domains have.

    One whose login runs a program will not be asked either: many of them open a browser.
    """
    found = [each for path in kubeconfigs(machine) for each in _contexts(path)]
    taken = {*names, *SERVICES, *SHIPPED}
    for context in found[:MOST]:
        name = _free(cluster_name(context.name), taken)
        told = {"kubeconfig": machine.spoken(context.path), "context": context.name}
        asking = Asking(call=ToolCall(tool="kube_whoami", args={}), domain="ephemeral", settings=told)
        unasked = f"; not asked, since its login runs {context.program}" if context.program else ""
        yield Find(
            rung=Rung.KUBECONFIG,
            told=f"{context.name} of {told['kubeconfig']}, {context.server}{unasked}",
            lines={"clusters": {name: told}},
            asking=None if context.program else asking,
        )
    if len(found) > MOST:
        yield Find(rung=Rung.KUBECONFIG, told=f"and {len(found) - MOST} more contexts, which were not asked")


def kubeconfigs(machine: Machine) -> tuple[Path, ...]:
    """The files that kubectl reads: those of KUBECONFIG, else the usual one."""
    named = [each for each in machine.environment.get("KUBECONFIG", "").split(":") if each]
    paths = [machine.folder / each for each in named] or [machine.home / ".kube" / "config"]
    return tuple(path for path in dict.fromkeys(paths) if path.is_file())


def cluster_name(context: str) -> str:
    """A context's name as that of a cluster: `default/api-stage:6443/ann` is `api-stage` to people."""
    parts = context.split("/")
    told = parts[1] if len(parts) == 3 and ":" in parts[1] else context  # noqa: PLR2004 - as `oc login` names them
    words = re.sub(r"[^A-Za-z0-9_-]+", "-", told.partition(":")[0]).strip("-_")[:60]
    return words if words[:1].isalpha() else f"cluster-{words}".rstrip("-")


def _free(name: str, taken: set[str]) -> str:
    """The name, or the first that is like it and nobody has."""
    choices = (name, *(f"{name}-{number}" for number in range(2, len(taken) + 3)))
    chosen = next(each for each in choices if each not in taken)
    taken.add(chosen)
    return chosen


def _contexts(path: Path) -> list[Context]:
    """Each context that leads to a server; the current one first."""
    config = yaml_of(path)
    current = str(config.get("current-context") or "")
    servers = {
        str(each.get("name")): address(str(mapping(each.get("cluster")).get("server") or ""))
        for each in _of(config, "clusters")
    }
    programs = {str(each.get("name")): _program(mapping(each.get("user"))) for each in _of(config, "users")}
    found = []
    for each in _of(config, "contexts"):
        said, name = mapping(each.get("context")), str(each.get("name") or "")
        server, program = servers.get(str(said.get("cluster")), ""), programs.get(str(said.get("user")), "")
        found.append(Context(name=name, server=server, path=path, program=program))
    return sorted((each for each in found if each.name and each.server), key=lambda each: each.name != current)


def _of(config: Mapping[str, Any], section: str) -> list[Mapping[str, Any]]:
    return rows(config.get(section))


def _program(user: Mapping[str, Any]) -> str:
    """What a user's login runs, where there is no token or certificate that kubectl would prefer."""
    kept = ("token", "tokenFile", "client-certificate", "client-certificate-data")
    command = str(mapping(user.get("exec")).get("command") or "")
    return "" if any(user.get(key) for key in kept) else Path(command).name
