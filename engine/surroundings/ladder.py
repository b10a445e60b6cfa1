"""The ladder: local profile, podman, a kubeconfig, a registry, a GitLab token; found out, never assumed, never used.

What is found is asked whether it works, all of it side by side and in bounded time, and told with the lines that would
use it. Nothing is used until somebody has written these lines down.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import field, replace
from pathlib import Path
from typing import Any

import anyio

from engine.errors import DocumentError
from engine.model.failure import FailureKind
from engine.model.lazy_dataclass import dataclass
from engine.model.outcome import Attempt, ToolCall
from engine.surroundings.found import Asked, Asking, Find, Rung
from engine.surroundings.gitlabs import gitlabs
from engine.surroundings.kubeconfigs import contexts
from engine.surroundings.machine import Machine, mapping
from engine.surroundings.registries import registries
from tool_registry.tool import ToolError

WITHIN = 4.0
"""Seconds each of those that are found has to answer."""

REFUSED = (401, 403)
LOCAL = "local"
"""The profile of the embedded platform."""

Ask = Callable[[Asking], Awaitable[Attempt]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What a workspace says already: its domains' settings, and which of them reads which environment variable.

    The shipped local profile says nothing. `profile` is the one in use; empty where none can be.
    """

    domains: Mapping[str, Mapping[str, Any]]
    variables: Mapping[str, str] = field(default_factory=dict)
    profile: str = LOCAL


def climbed(machine: Machine, written: Written) -> tuple[Find, ...]:
    """What is on each rung, the lowest first; reads files, and asks nobody."""
    found = [
        _local(machine, written),
        *_podman(machine),
        *contexts(machine, written.domains),
        *registries(machine),
        *gitlabs(machine),
    ]
    return tuple(_compared(each, written) for each in found)


def missing(finds: tuple[Find, ...]) -> Iterator[tuple[Rung, str]]:
    """The rungs on which nothing stands, each with what would."""
    there = {each.rung for each in finds}
    wanted = {
        Rung.PODMAN: "not found",
        Rung.KUBECONFIG: "none: neither KUBECONFIG nor ~/.kube/config",
        Rung.REGISTRY: "no login: `podman login HOST` keeps one",
        Rung.GITLAB: "no token: neither GITLAB_TOKEN nor a login of glab",
    }
    yield from ((rung, told) for rung, told in wanted.items() if rung not in there)


async def asked(
    finds: tuple[Find, ...], ask: Ask, *, offline: bool = False, within: float = WITHIN
) -> tuple[Asked, ...]:
    """The finds, each with the answer of whom it leads to; all are asked side by side, for `within` seconds.

    What is used already is not asked here: its domain is.
    """
    answers: dict[int, Asked] = {}

    async def one(number: int, find: Find, asking: Asking) -> None:
        answers[number] = await _answer(find, asking, ask, within)

    async with anyio.create_task_group() as group:
        for number, find in enumerate(finds):
            if find.asking is not None and not find.used and (find.asking.offline or not offline):
                group.start_soon(one, number, find, find.asking)
    return tuple(answers.get(number, Asked(find=find, ok=find.ok)) for number, find in enumerate(finds))


async def _answer(find: Find, asking: Asking, ask: Ask, within: float) -> Asked:
    tried: Attempt | None = None
    try:
        with anyio.move_on_after(within):
            tried = await ask(asking)
    except (ToolError, DocumentError) as error:
        return Asked(find=find, ok=None, message=error.message)
    if tried is None:
        return Asked(find=find, ok=None, message=f"no answer within {within:g} s")
    if tried.failure is not None:
        evidence = tried.failure.evidence
        refused = evidence.http_status in REFUSED or evidence.declared == FailureKind.AUTH_EXPIRED
        said = "its login is not accepted any more" if refused else tried.failure.message
        return Asked(find=find, ok=False if refused else None, message=said)
    told = mapping(tried.value)
    ok = told.get("ok", True)
    message = str(told.get("message") or told.get("version") or "")
    return Asked(find=find, ok=ok if ok is None else bool(ok), user=str(told.get("user") or ""), message=message)


def _local(machine: Machine, written: Written) -> Find:
    if written.profile != LOCAL:
        why = f"the profile is {written.profile}" if written.profile else "no profile can be read"
        return Find(rung=Rung.LOCAL, told=f"the embedded platform, which is not used: {why}")
    if machine.program("git"):
        return Find(rung=Rung.LOCAL, told="the embedded platform: nothing to set up, and nothing leaves it", ok=True)
    return Find(rung=Rung.LOCAL, told="the embedded platform, which needs git", ok=False, hint="install git")


def _podman(machine: Machine) -> Iterator[Find]:
    if path := machine.program("podman"):
        call = ToolCall(tool="program_version", args={"program": "podman"})
        yield Find(rung=Rung.PODMAN, told=machine.spoken(Path(path)), asking=Asking(call=call, offline=True))


def _compared(find: Find, written: Written) -> Find:
    """The find with who uses it already; of a service that is another one, nothing can be written."""
    for section, named in find.lines.items():
        for name, wanted in named.items():
            if used := next((each for each, said in written.domains.items() if _agrees(said, wanted, section)), ""):
                return replace(find, used=used)
            if section == "services" and name in written.domains:
                return replace(find, told=f"{find.told}; {name} is another one", lines={}, asking=None)
    used = written.variables.get(find.variable, "")
    return replace(find, used=used, told=f"a token in {find.variable}") if used else find


def _agrees(said: Mapping[str, Any], wanted: Mapping[str, Any], section: str) -> bool:
    """Whether a domain's settings lead to the same place."""
    keys = ("kubeconfig", "context") if section == "clusters" else ("url",)
    return all(str(said.get(key, "")).rstrip("/") == str(wanted.get(key, "")).rstrip("/") for key in keys)
