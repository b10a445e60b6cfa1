"""What `skill doctor` asks others: what the ladder found, and the domains of this workspace."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

import anyio

from engine.configuration import references
from engine.errors import EngineError
from engine.frontends.cli.doctor_looks import Look, Section, State, at_home
from engine.heal.calls import Calls
from engine.heal.preflight.spans import spoken
from engine.heal.request import Contexts
from engine.model.failure import FailureKind
from engine.model.heal import Domain
from engine.model.lazy_dataclass import dataclass
from engine.model.outcome import Attempt
from engine.model.remediation import typed
from engine.surroundings.found import Asked, Asking, Rung
from engine.surroundings.ladder import WITHIN, Ask, Written, asked, climbed, missing
from engine.surroundings.lines import lines_of, toml
from engine.surroundings.machine import Machine
from engine.surroundings.standing import Place, Standing, standings
from engine.wiring import Engine
from tool_registry.sources.http import spoken as address_shown
from tool_registry.tool import ToolContext

UNREACHED = {
    FailureKind.CONNECTION_REFUSED,
    FailureKind.NETWORK_UNREACHABLE,
    FailureKind.DNS_FAILURE,
    FailureKind.TIMEOUT,
}
_REQUEST = re.compile(r"^(GET|POST) \S+?:? (?=\S)")
PLATFORM = "local_platform_start"
"""The fix of domains that need nobody's care: their server is ours, and is started when it is needed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What was found and asked: the ladder, and each domain."""

    ladder: tuple[Asked, ...]
    domains: tuple[Standing, ...]


async def answers(engine: Engine, *, domains: Mapping[str, Domain], ladder: bool, offline: bool) -> Answers:
    """The ladder's and the domains' answers, all asked side by side."""
    finds = climbed(machine_of(engine), written(engine)) if ladder else ()
    climb: list[tuple[Asked, ...]] = []

    async def up() -> None:
        climb.append(await asked(finds, _asker(engine), offline=offline))

    async with anyio.create_task_group() as group:
        group.start_soon(up)
        standing = await standings(
            domains, _calls(engine, engine.context), place=Place(run_id="doctor"), offline=offline
        )
    return Answers(ladder=climb[0], domains=standing)


def machine_of(engine: Engine) -> Machine:
    """This machine, seen from the workspace."""
    return Machine.of(os.environ, engine.workspace.folder)


def written(engine: Engine) -> Written:
    """What the workspace says itself; nothing where its settings cannot be read."""
    try:
        domains = {name: domain.settings for name, domain in engine.domains.items()}
    except EngineError:
        return Written(domains={}, profile="")
    own = {name: said for name, said in domains.items() if said.get("profile") != "local"}
    kept = [each for name in own for each in references(engine.domains[name]) if each.form == "env"]
    return Written(domains=own, variables={str(each.where): each.domain for each in kept}, profile=engine.profile)


def _calls(engine: Engine, contexts: Contexts) -> Calls:
    """Calls that nobody traces: what the engine's own would trace them by may be what is missing."""
    return Calls(registry=engine.registry, contexts=contexts, clock=engine.clock, mask=engine.secrets.mask)


def _asker(engine: Engine) -> Ask:
    """Asks with the settings that the lines would give; the tools' own secrets are masked as everywhere."""

    async def ask(asking: Asking) -> Attempt:
        def context(*, domain: str | None, run_id: str, step: str, timeout: float) -> ToolContext:
            made = engine.context(domain=None, run_id=run_id, step=step, timeout=timeout)
            return replace(made, settings=asking.settings if domain == asking.domain else {})

        calls = _calls(engine, context)
        place = Place(run_id="doctor")
        return await calls.look(place, asking.call, domain=asking.domain or "", within=0.9 * WITHIN)

    return ask


def ladder(found: tuple[Asked, ...]) -> Iterator[Look]:
    """A line for each rung and what stands on it, the lowest first."""
    looks = [_found(each) for each in found]
    looks += [
        Look(section=Section.LADDER, name=rung.value, found=told, state=State.IDLE)
        for rung, told in missing(tuple(each.find for each in found))
    ]
    order = [rung.value for rung in Rung]
    yield from sorted(looks, key=lambda look: order.index(look.name))


def _found(each: Asked) -> Look:
    find = each.find
    answer = f"as {each.user}" if each.user else _brief(each.message)
    use = f"used as {find.used}" if find.used else "not used yet" if find.lines else ""
    return Look(
        section=Section.LADDER,
        name=find.rung.value,
        found="; ".join(filter(None, (find.told, answer, use))),
        state=_state(each),
        way_out="" if find.used else find.hint,
        more={"used": bool(find.used), "lines": find.lines, "user": each.user},
    )


def _state(each: Asked) -> State:
    """A refused login is only lacking: nobody has said that it is needed."""
    if each.ok is None and not each.find.used:
        return State.UNKNOWN if each.message or each.find.hint else State.IDLE
    return State.LACKING if each.ok is False else State.WELL


def _brief(message: str) -> str:
    """What a server or the way to it said, without the request: the line says already who was asked."""
    return _REQUEST.sub("", message)


def unused(found: tuple[Asked, ...]) -> str:
    """The lines of `skill.toml` that would use what works and is not used yet; empty where there are none."""
    return toml(lines_of(found))


def domains(found: tuple[Standing, ...], *, now: float, offline: bool) -> Iterator[Look]:
    """A line for each domain: who one is there and how long, or what is wrong and what to do."""
    for each in found:
        state, told, way_out = _told(each, now, offline=offline)
        more = {"kind": each.kind.value if each.ok is False else "", "user": each.user, "expires_at": each.expires_at}
        yield Look(section=Section.DOMAINS, name=each.domain.name, found=told, state=state, way_out=way_out, more=more)


def _told(each: Standing, now: float, *, offline: bool) -> tuple[State, str, str]:
    where = _where(each.domain)
    if not each.asked:
        why = "not asked" if offline else "nothing to ask"
        return State.IDLE, "; ".join(filter(None, (where, why))), ""
    if each.ok:
        ends = f"holds {spoken(each.expires_at - now)}" if each.expires_at is not None else ""
        who = f"as {each.user}" if each.user else "it can be reached" if each.reached else ""
        return State.WELL, "; ".join(filter(None, (where, who, ends))) or "it answers", ""
    if each.ok is None:
        return State.UNKNOWN, "; ".join(filter(None, (where, _brief(each.message)))), ""
    said = "; ".join(filter(None, (where, _brief(each.message))))
    if each.fix and each.fix.tool == PLATFORM:
        return State.IDLE, "the embedded platform, which is started when it is needed", ""
    repaired = each.fix is not None and not each.without
    return State.LACKING if repaired else State.WRONG, said, _way_out(each)


def _where(domain: Domain) -> str:
    settings = domain.settings
    if settings.get("kubeconfig") and settings.get("context"):
        return f"{settings['context']} of {at_home(str(settings['kubeconfig']))}"
    url = str(settings.get("url") or "")
    return address_shown(url) if url else at_home(str(settings.get("kubeconfig") or ""))


def _way_out(each: Standing) -> str:
    """What repairs it, or what a person does where nothing here can."""
    if each.fix and each.without:
        return f"{each.fix.tool} would repair it, and runs {each.without}, which is not on the PATH"
    if each.fix:
        return f"{each.fix.tool} repairs it when it is needed; `{typed(each.fix, each.domain.name)}` does so now"
    name = each.domain.name
    told = {
        FailureKind.AUTH_EXPIRED: _renewing(each.domain),
        FailureKind.PERMISSION_DENIED: "ask for more rights there, or use another credential",
        FailureKind.ENVIRONMENT_VARIABLE: "put it there, or say in skill.toml where it is kept",
        **dict.fromkeys(
            UNREACHED, f"see whether it is up; where it takes a VPN, `network` under {name} in skill.toml connects it"
        ),
    }
    return told.get(each.kind, f"see what skill.toml says of {name}: docs/configuration.md")


def _renewing(domain: Domain) -> str:
    kept = ", ".join(reference.words for reference in references(domain))
    itself = f"`login` under {domain.name} in skill.toml has it done by itself"
    if domain.kind == "cluster":
        return f"log in there again; {itself}"
    return f"renew {kept}; {itself}" if kept else f"say under {domain.name} in skill.toml where its credential is kept"
