"""One look at everything: each domain's checks, repaired beforehand where that is allowed, and each health skill."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field, replace

import anyio

from engine.errors import EngineError
from engine.heal.calls import Calls
from engine.heal.preflight.look import checks_of, look
from engine.heal.proactive import Proactive
from engine.health.diary import Diary, Spot
from engine.health.patience import Patience
from engine.health.skills import HealthSkills
from engine.model.event import EventKind
from engine.model.failure import FailureKind
from engine.model.heal import Domain, FixOutcome, Stage
from engine.model.health import HealthCheck, Part, Wellbeing, subject
from engine.model.lazy_dataclass import dataclass
from engine.model.outcome import Attempt, ToolCall
from engine.model.prevention import Check, CheckAction, CheckResult, FixCause

AT_ONCE = 8
"""Domains and skills that are looked at side by side."""

AGAIN = (0.2, 1.0, 3.0)
"""Seconds before each look again after a fix that worked, until one finds all well."""

CUT_OFF = frozenset(
    {FailureKind.NETWORK_UNREACHABLE, FailureKind.CONNECTION_REFUSED, FailureKind.DNS_FAILURE, FailureKind.TIMEOUT}
)
"""Kinds after which nobody need try to log in."""

EARLIER = 0.9
"""Share of a look's time that its tool has: one that ends by itself can say what it was waiting for."""

HALF = 0.5
"""A token that never lives as long as it should is renewed when half of its life is over."""


@dataclass(slots=True, kw_only=True)
class Experience:
    """What one monitor learns while it runs: which fixes are being left alone, and how long each token lives."""

    patience: Patience = field(default_factory=Patience)
    lives: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rounds:
    """Makes looks; `refresh_within` in seconds, `clock` since the epoch, `up` since the machine began.

    `proactive` gives what runs fixes, and is asked only when one is due; None: nothing is repaired.
    """

    domains: Mapping[str, Domain]
    calls: Calls
    proactive: Callable[[], Proactive] | None
    skills: HealthSkills
    refresh_within: float
    clock: Callable[[], float]
    up: Callable[[], float]
    experience: Experience

    async def look(self, diary: Diary) -> tuple[HealthCheck, ...]:
        """What everything is like now, by name; what was repaired is told in the diary."""
        found: dict[str, HealthCheck] = {}
        turns = anyio.CapacityLimiter(AT_ONCE)

        async def one(name: str, act: Callable[[], object]) -> None:
            async with turns:
                found[name] = await act()  # type: ignore[misc] # one of the two kinds of looks below

        async with anyio.create_task_group() as group:
            for domain in self.domains.values():
                if checks_of(domain):
                    group.start_soon(one, domain.name, lambda domain=domain: self._domain(domain, diary))
            for name in self.skills.names():
                group.start_soon(one, name, lambda name=name: self.skills.look(name))
        return tuple(found[name] for name in sorted(found))

    async def _domain(self, domain: Domain, diary: Diary) -> HealthCheck:
        """The domain's checks in their order: without a connection nobody logs in."""
        parts: list[Part] = []
        for check in checks_of(domain):
            cut_off = any(part.state is Wellbeing.UNWELL and part.kind in CUT_OFF for part in parts)
            parts.append(await self._part(domain, check, diary, repairs=not cut_off))
        return HealthCheck(name=domain.name, parts=tuple(parts))

    async def _part(self, domain: Domain, check: Check, diary: Diary, *, repairs: bool) -> Part:
        spot, began = diary.at_step(f"{domain.name}/{check.name}"), anyio.current_time()
        seen = await self._look(domain, check, spot)
        if seen.ok:
            return _part(seen)
        diary.begin(spot)
        part = _part(seen)
        if seen.ok is False and repairs:
            part = await self._repaired(domain, check, seen, spot)
        spot.emit(EventKind.HEAL_STAGE, _stage(seen, part))
        diary.end(spot, part, anyio.current_time() - began)
        return part

    async def _look(self, domain: Domain, check: Check, spot: Spot) -> CheckResult:
        async def call(asked: ToolCall) -> Attempt:
            return await self.calls.look(spot, asked, domain=domain.name, within=EARLIER * check.within)

        return await look(domain, check, call, now=self.clock(), needed=self._needed(domain, check))

    def _needed(self, domain: Domain, check: Check) -> float:
        """The time a token must still hold; of one that never lives so long, half of its life."""
        lives = self.experience.lives.get(subject(domain.name, check.name))
        return self.refresh_within if lives is None else min(self.refresh_within, HALF * lives)

    async def _repaired(self, domain: Domain, check: Check, seen: CheckResult, spot: Spot) -> Part:
        """How the part is after its fix; as it was, with the reason, where none is run."""
        before, patience = _part(seen), self.experience.patience
        key = f"{domain.name}/{seen.role}"
        if self.proactive is None or seen.role is None or seen.role not in domain.fixes:
            return before
        if (rest := patience.rest(key, self.up())) > 0:
            return replace(
                before, message=f"{before.message}; its fix did not help, and is tried again in {rest:.0f} s"
            )
        try:
            outcome = await self.proactive().run(
                spot, domain=domain, role=seen.role, cause=FixCause.HEALTH, kind=seen.kind, since=seen.at
            )
        except EngineError as error:
            return replace(before, message=f"{before.message}; nothing was repaired: {error.message}")
        if not isinstance(outcome, FixOutcome):
            return replace(before, message=f"{before.message}; {outcome.because}")
        if not outcome.ran:
            said = outcome.failure.message if outcome.failure else "its fix ran just now"
            return replace(before, message=f"{before.message}; {said}")
        after = await self._after(domain, check, seen, outcome, spot)
        if outcome.ok and not after.fixed and after.state is Wellbeing.ENDING and after.expires_at is not None:
            # The login works, and there is no newer token yet: it is asked again when half of the time is over.
            patience.wait(key, self.up(), HALF * max(0.0, after.expires_at - self.clock()))
        else:
            patience.after(key, self.up(), helped=bool(after.fixed))
        return after

    async def _after(self, domain: Domain, check: Check, seen: CheckResult, outcome: FixOutcome, spot: Spot) -> Part:
        before, done = _part(seen), str(outcome.call)
        if not outcome.ok:
            said = outcome.failure.message if outcome.failure else "it did not work"
            return replace(before, fix=done, fixed=False, before=before.state, message=f"{before.message}; {said}")
        again = await self._look(domain, check, spot)
        for pause in AGAIN:
            if again.ok or _renewed(seen, again):
                break
            await anyio.sleep(pause)
            again = await self._look(domain, check, spot)
        if again.expires_at is not None and (holds := again.expires_at - self.clock()) > 0:
            self.experience.lives[subject(domain.name, check.name)] = holds
        fixed = bool(again.ok) or _renewed(seen, again)
        part = _part(again)
        well = replace(part, state=Wellbeing.WELL, message="", kind="") if fixed else part
        return replace(well, fix=done, fixed=fixed, before=before.state, trouble=before.message)


def _renewed(seen: CheckResult, again: CheckResult) -> bool:
    """Whether a token is a new one that lives shorter than is asked for: there is no better one."""
    new = again.expires_at is not None and (seen.expires_at is None or again.expires_at > seen.expires_at + 1.0)
    return new and again.expires_at is not None and again.expires_at > again.at


def _part(seen: CheckResult) -> Part:
    return Part(
        name=seen.check,
        state=_state(seen),
        at=seen.at,
        message="" if seen.ok else _said(seen),
        kind="" if seen.ok else seen.kind,
        expires_at=seen.expires_at,
        user=seen.user,
    )


def _said(seen: CheckResult) -> str:
    """What is wrong, without the name of the check, which stands beside it everywhere."""
    return seen.message.removeprefix(f"{seen.check} of {seen.domain}: ")


def _state(seen: CheckResult) -> Wellbeing:
    match seen.ok:
        case True:
            return Wellbeing.WELL
        case None:
            return Wellbeing.UNKNOWN
        case _ if seen.expires_at is not None and seen.expires_at > seen.at:
            return Wellbeing.ENDING
    return Wellbeing.UNWELL


def _stage(seen: CheckResult, part: Part) -> dict[str, object]:
    """What was found and done about it, as the `preflight` stage tells it."""
    answer = f"{_said(seen)}: {part.fix} repaired it" if part.fixed else part.message or _said(seen)
    return {
        "stage": Stage.PREFLIGHT,
        "answer": answer,
        "check": seen.check,
        "domain": seen.domain,
        "ok": seen.ok,
        "kind": seen.kind,
        "action": CheckAction.FIXED if part.fixed else CheckAction.NOTED,
        "fix": part.fix,
    }
