"""`pre_flight_check`: what is looked at before a function is called, and repaired or refused in time."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from engine.decorators.healing import healed_by
from engine.decorators.hiding import hide
from engine.decorators.lone import STEP, Diary, Lone
from engine.decorators.surroundings import surroundings
from engine.decorators.wrapping import Action, Function, bound, name_and_place, never_called, wrapped
from engine.errors import EngineError, PreflightError
from engine.heal.calls import LOOKED_AT
from engine.heal.preflight.arguments import refusal
from engine.heal.preflight.look import CONNECT, LOGIN, checks_of
from engine.heal.preflight.preflight import ARGUMENTS
from engine.heal.preflight.repair import Repairs, tell
from engine.heal.proactive import Proactive
from engine.heal.request import Emit
from engine.mending import Mending
from engine.model.failure import Failure, FailureKind
from engine.model.heal import Domain, Healing
from engine.model.lazy_dataclass import dataclass
from engine.model.outcome import RunStatus
from engine.model.prevention import Check, CheckAction, CheckResult
from engine.model.remediation import RootCause
from engine.model.skill import HealOption
from engine.wiring import Engine
from tool_registry.sources.python import MARK
from tool_registry.tool import Tool

ROLES: Mapping[str, str] = {"auth": LOGIN, "login": LOGIN, "vpn": CONNECT, "network": CONNECT}
"""Names that stand for all checks of a domain with that role."""

FORMATS: Mapping[str, str] = {
    "image_tag": "^(?:[0-9a-f]{40}|[0-9a-f]{64})$",
    "image_digest": "^sha256:[0-9a-f]{64}$",
    "commit_sha": "^[0-9a-f]{40}$",
}
"""Names that stand for the format of the argument of that name."""

NEEDED = 300.0
"""Seconds a token must still hold (the reference's five minutes)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """The call that a look stands before."""

    run_id: str
    emit: Emit
    step: str = STEP
    time_left: float | None = None


def pre_flight_check(
    *,
    checks: Iterable[str],
    domain: str | None = None,
    needed: float = NEEDED,
    formats: Mapping[str, str] | None = None,
    engine: Engine | None = None,
) -> Callable[[Function], Function]:
    """Looks before each call of a function; what is not good is repaired if that is allowed, else PreflightError.

        @pre_flight_check(checks=["vpn", "auth", "image_tag"], domain="ephemeral")
        async def deploy(image_tag: str) -> str: ...

    `checks` names checks that the domain declares; `auth` or `vpn`, all of them that a login or a connection repairs;
    or an argument whose format is known (`image_tag`, `image_digest`, `commit_sha`, and those of `formats`: regular
    expressions by argument). `domain` is the one that `auto_heal` or `@tool` names unless it is given; a token must
    hold `needed` seconds more. Stands in either order with `@tool` and `auto_heal`; in a skill, the run has looked at
    the domain already, and only formats are. Raises PreflightError, which says what is not good and, in its notes, what
    to do; ValueError when a name in `checks` means nothing in the domain.
    """
    names, known = tuple(checks), {**FORMATS, **(formats or {})}

    def decorate(function: Function) -> Function:
        where = domain or _domain_of(function)

        async def conduct(lone: Lone, action: Action) -> Any:
            async with surroundings(engine) as opened:
                await _look(opened, lone, names, known, needed)
            return await action()

        return wrapped(function, functools.partial(_prepared, function, where), conduct, domain=where)

    return decorate


def _domain_of(function: Callable[..., Any]) -> str | None:
    healed, declared = healed_by(function), getattr(function, MARK, None)
    if healed is not None and healed.domain:
        return healed.domain
    return declared.domain if isinstance(declared, Tool) else None


def _prepared(
    function: Callable[..., Any], domain: str | None, given: tuple[Any, ...], named: Mapping[str, Any]
) -> Lone:
    """The call that is looked at."""
    arguments = bound(function, given, named)
    name, location = name_and_place(function)
    tool = Tool(name=name, call=never_called, domain=domain, location=location)
    return Lone(tool=tool, args=arguments, narrowing=HealOption(domain=domain), limit=None)


async def _look(engine: Engine, lone: Lone, names: tuple[str, ...], formats: Mapping[str, str], needed: float) -> None:
    hide(engine.secrets, lone.args)
    domain = engine.domains.get(lone.tool.domain or "")
    wanted = [(name, formats[name]) for name in names if name in formats]
    if lone.tool.domain in LOOKED_AT.get():
        names = ()
    checks = _checks(domain, [name for name in names if name not in formats], lone.tool.domain)
    diary = Diary(engine=engine, lone=_nameless(lone), run_id=engine.new_run_id(), begun=engine.clock())
    for name, pattern in wanted:
        _refuse_format(diary, lone, name, pattern)
    repairs, around = _repairs(engine), Around(run_id=diary.run_id, emit=diary.emit)
    for check in checks:
        try:
            found = await repairs.settle(around, domain or Domain(name=""), check, needed=needed)
        except BaseException:
            diary.broken_off()
            raise
        if found.action is CheckAction.BLOCKED:
            raise _blocked(diary, found.message, found.kind, found.cause)
    diary.close(Healing())


def _refuse_format(diary: Diary, lone: Lone, name: str, pattern: str) -> None:
    """Raises PreflightError where the argument is not of that form."""
    schema = {"type": "object", "properties": {name: {"type": "string", "pattern": pattern}}}
    tool = Tool(name=lone.tool.name, call=never_called, parameters=schema)
    refused = refusal(tool, {name: lone.args.get(name)})
    if refused is not None:
        found = CheckResult(
            check=ARGUMENTS,
            domain=lone.tool.domain or "",
            ok=False,
            at=diary.engine.clock(),
            message=refused.cause.because if refused.cause else refused.message,
            kind=refused.kind,
            action=CheckAction.BLOCKED,
            cause=refused.cause,
            tool=lone.tool.name,
        )
        tell(Around(run_id=diary.run_id, emit=diary.emit), found)
        raise _blocked(diary, found.message, found.kind, found.cause)


def _blocked(diary: Diary, message: str, kind: FailureKind, cause: RootCause | None) -> PreflightError:
    secrets = diary.engine.secrets
    message = str(secrets.mask(message))
    steps = tuple(str(secrets.mask(step)) for step in (cause.sentences[1:] if cause else ()))
    failure = Failure(message=message, tool=diary.lone.tool.name, kind=kind)
    ended = Healing(failure=failure, remediation=steps, root_cause=cause)
    error = PreflightError(message, kind=kind)
    for note in (*steps, _kept(diary, ended)):
        if note:
            error.add_note(note)
    return error


def _kept(diary: Diary, ended: Healing) -> str:
    """Writes that the function was not called; gives what is wrong, if that cannot be written."""
    try:
        diary.begin()
        diary.close(ended, status=RunStatus.BLOCKED)
    except EngineError as error:
        return f"This could not be written down: {error}"
    return ""


def _checks(domain: Domain | None, names: list[str], called: str | None) -> list[Check]:
    """The checks these names stand for, in the order they are made. Raises ValueError for a name that means nothing."""
    if not names:
        return []
    declared = checks_of(domain) if domain is not None else ()
    meant = {
        name: [check for check in declared if name in {check.name, check.role} or ROLES.get(name) == check.role]
        for name in names
    }
    nothing = [name for name, found in meant.items() if not found and name not in ROLES]
    if nothing:
        there = ", ".join([*(check.name for check in declared), *ROLES, *FORMATS])
        whose = f"the domain {called} has no check" if called else "no domain is given, and there is no check"
        raise ValueError(f"{whose} called {nothing[0]}; there are: {there}")
    return [check for check in declared if any(check in found for found in meant.values())]


def _repairs(engine: Engine) -> Repairs:
    """What looks and repairs in this workspace, by the policy, breaker and locks of every other fix."""
    mends = engine.healer.mending()
    if not isinstance(mends, Mending):
        raise TypeError(f"{type(mends).__name__} does not say how fixes are run")
    parts = mends.pipeline
    proactive = Proactive(
        calls=parts.calls, domains=parts.domains, policy=parts.policy, fixes=parts.fixes, facts=parts.facts
    )

    def last_fix(fix: str, domain: str) -> float | None:
        record = engine.journal.last_fix(fix, domain)
        return record.finished_at if record else None

    return Repairs(calls=parts.calls, proactive=proactive, last_fix=last_fix)


def _nameless(lone: Lone) -> Lone:
    """The call without its arguments: a look tells of none but those it refuses."""
    return Lone(tool=lone.tool, args={}, narrowing=lone.narrowing, limit=None)
