"""How the domains of a workspace are doing: each is asked what can be asked of it, side by side, in bounded time."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio

from engine.configuration import SERVICES, references
from engine.errors import DocumentError
from engine.heal.calls import Calls
from engine.heal.preflight.look import CONNECT, LOGIN, checks_of, look
from engine.heal.request import Where
from engine.model.failure import FailureKind
from engine.model.heal import Domain
from engine.model.lazy_dataclass import dataclass
from engine.model.outcome import Attempt, ToolCall
from engine.model.prevention import Check, CheckResult
from tool_registry.registry import ToolRegistry
from tool_registry.sources.plain_file import named_path
from tool_registry.tool import Effect, ToolContext

WITHIN = 4.0
"""Seconds one look may take; a domain with all its looks may take twice that, whatever they are waiting for."""

LOOKS = 2
ADDRESS = "address"
"""The look at a domain of which nothing but its address is known."""

EARLIER = 0.9
"""Share of a look's time that its tool has: one that ends by itself can say what it was waiting for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How one domain is doing. `ok` None: not known; `asked` False: nothing was there to ask, or nobody was to be.

    `fix` is the call that healing makes for what was found, None where there is none; `without` the program that it
    would run and that is not here. `reached`: nobody can be asked there who we are, and all that is known is that it
    can be reached.
    """

    domain: Domain
    ok: bool | None = None
    asked: bool = False
    message: str = ""
    kind: FailureKind = FailureKind.UNKNOWN
    user: str = ""
    expires_at: float | None = None
    fix: ToolCall | None = None
    without: str = ""
    reached: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where these looks are made: in no run."""

    run_id: str
    step: str = ""


async def standings(
    domains: Mapping[str, Domain], calls: Calls, *, place: Where, offline: bool = False, within: float = WITHIN
) -> tuple[Standing, ...]:
    """How each of the domains is doing, in their order; never raises but for cancellation.

    A look takes at most `within` seconds, and all of it twice that.
    """
    found: dict[str, Standing] = {}

    async def one(domain: Domain) -> None:
        context = calls.contexts(domain=domain.name, run_id=place.run_id, step="", timeout=within)
        if missing := unkept(domain, context):
            kind = FailureKind.ENVIRONMENT_VARIABLE
            found[domain.name] = Standing(domain=domain, ok=False, asked=True, message=missing, kind=kind)
            return
        looks = [replace(each, within=within) for each in looks_at(domain, calls.registry, offline=offline)]
        seen = await _standing(domain, looks, calls, place)
        found[domain.name] = replace(seen, without=_without(seen, context)) if seen.fix else seen

    async with anyio.create_task_group() as group:
        for domain in domains.values():
            group.start_soon(one, domain)
    return tuple(found[name] for name in domains)


def looks_at(domain: Domain, registry: ToolRegistry, *, offline: bool = False) -> Iterator[Check]:
    """What can be asked of a domain: its checks, what its fixes are verified by, who we are; else its address.

    Each tool is asked once; with `offline`, only those that look at this machine.
    """
    checks = list(checks_of(domain))
    for role, plan in domain.fixes.items():
        if plan.verify is not None:
            checks.append(Check(name=role, call=plan.verify, role=role, kind=_failing(role)))
    if who := _who(domain):
        checks.append(Check(name=LOGIN, call=who, role=LOGIN, kind=FailureKind.AUTH_EXPIRED))
    if not checks and (address := _address(domain)):
        checks.append(Check(name=ADDRESS, call=address, role=CONNECT, kind=FailureKind.CONNECTION_REFUSED))
    made: list[ToolCall] = []
    for check in checks:
        if _reads(check.call, registry) and check.call not in made and (check.offline or not offline):
            made.append(check.call)
            yield check


def _reads(call: ToolCall, registry: ToolRegistry) -> bool:
    """Whether it is a call that only looks; one that cannot be made is told of where the domain is checked."""
    try:
        return call.tool in registry and registry[call.tool].effect is Effect.READ
    except (DocumentError, ImportError):
        return False


async def _standing(domain: Domain, looks: Sequence[Check], calls: Calls, place: Where) -> Standing:
    """What the looks find together, one after the other; the first that finds it unwell is the last."""
    known = Standing(domain=domain)
    with anyio.move_on_after(LOOKS * max((each.within for each in looks), default=0.0)):
        for check in looks:
            seen = await _seen(domain, check, calls, place)
            known = replace(_with(known, seen), reached=check.name == ADDRESS)
            if seen.ok is False:
                return replace(known, fix=_fix(domain, seen, calls.registry))
    return known


async def _seen(domain: Domain, check: Check, calls: Calls, place: Where) -> CheckResult:
    declared = any(each.call == check.call for each in checks_of(domain))
    wrong: list[FailureKind] = []

    async def call(asked: ToolCall) -> Attempt:
        tried = await calls.look(place, asked, domain=domain.name, within=EARLIER * check.within)
        if tried.failure is not None and tried.failure.evidence.declared == FailureKind.CONFIGURATION_ERROR:
            wrong.append(FailureKind.CONFIGURATION_ERROR)
        return tried if declared else replace(tried, value=_who_it_is(tried.value))

    seen = await look(domain, check, call, now=calls.clock(), needed=0.0)
    # a look that the settings make impossible says nothing of a server, and all of the settings
    return replace(seen, ok=False, kind=wrong[0]) if wrong and seen.ok is None else seen


def _who_it_is(value: Any) -> Any:
    """The answer of a look that was not declared for its expiry: an end that it does not tell is nothing missing."""
    if isinstance(value, Mapping) and value.get("expires_at", 0) is None:
        return {**{name: said for name, said in value.items() if name != "expires_at"}, "ok": value.get("ok", True)}
    return value


def unkept(domain: Domain, context: ToolContext) -> str:
    """Which credential is not where the domain says, as far as this machine alone can tell; empty: none.

    What a login of the domain would put there may be missing; the keyring is not asked.
    """
    for each in references(domain):
        match each.form:
            case "env" if not each.usual and not context.environment.get(str(each.where)):
                return f"the environment variable {each.where} is not set"
            case "file" if not domain.fixes and not _file(str(each.where), context).is_file():
                return f"there is no file {each.where}"
            case "command" if shutil.which(str(each.where[0]), path=context.environment.get("PATH")) is None:
                return f"the program {each.where[0]} is not on the PATH"
    return ""


def _file(named: str, context: ToolContext) -> Path:
    return named_path(named, context.folder, context.environment)


def _with(known: Standing, seen: CheckResult) -> Standing:
    """What is known with one more look; a look that could not be made hides that others were good."""
    ends = [each for each in (known.expires_at, seen.expires_at) if each is not None]
    unwell = seen.ok is not True
    return replace(
        known,
        ok=seen.ok if unwell or not known.asked else known.ok,
        asked=True,
        message=(known.message if known.asked and known.ok is not True else _said(seen)) if unwell else known.message,
        kind=seen.kind if unwell else known.kind,
        user=seen.user or known.user,
        expires_at=min(ends, default=None),
    )


def _said(seen: CheckResult) -> str:
    """What is wrong, without the name of the check: the line begins with that of the domain."""
    return seen.message.partition(f" of {seen.domain}: ")[2] or seen.message


def _fix(domain: Domain, seen: CheckResult, registry: ToolRegistry) -> ToolCall | None:
    """What repairs it; None for a fix that is no tool, which the look at the fixes tells."""
    plan = domain.fixes.get(seen.role or "")
    return plan.call if plan is not None and plan.call.tool in registry else None


def _without(known: Standing, context: ToolContext) -> str:
    """The program that the fix runs and that is not here: that of the cluster's login, or of the network."""
    settings = known.domain.settings
    said = {"kube_login": "login", "vpn_connect": "network"}.get(known.fix.tool if known.fix else "", "")
    told = settings.get(said)
    command = told.get("command") if isinstance(told, Mapping) else None
    program = str(command[0]) if isinstance(command, list | tuple) and command else ""
    if "/" in program:
        return "" if _file(program, context).is_file() else program
    return "" if shutil.which(program or "sh", path=context.environment.get("PATH")) else program


def _failing(role: str) -> FailureKind:
    """What is wrong when the look behind a fix of that role finds something."""
    return {LOGIN: FailureKind.AUTH_EXPIRED, CONNECT: FailureKind.CONNECTION_REFUSED}.get(role, FailureKind.UNKNOWN)


def _who(domain: Domain) -> ToolCall | None:
    """What says whether the domain's login counts: its own look, or the one that is known of services of its name."""
    known = SERVICES.get(domain.name)
    told = known.look_at(domain.settings) if known is not None and domain.look is None else {}
    return ToolCall(tool=told["tool"], args=told.get("args", {})) if told else domain.look


def _address(domain: Domain) -> ToolCall | None:
    """A look whether the domain's server can be reached at all; None where it names none."""
    try:
        parts = urlsplit(str(domain.settings.get("url") or ""))
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    except ValueError:
        return None
    if not parts.hostname or port is None:
        return None
    return ToolCall(tool="network_reachable", args={"host": parts.hostname, "port": port})
