"""Joins what looks ahead: checks before a run and before a call, and what history foretells of a call.

`engine.wiring` imports this module when the first call that depends on a domain is made; others never pay for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Protocol

from engine.errors import JournalError
from engine.heal.calls import Calls
from engine.heal.fix import FixRunner
from engine.heal.learn import HistoryFacts
from engine.heal.policy import HealPolicy
from engine.heal.predict.awake import Awake
from engine.heal.predict.predictor import Predictor
from engine.heal.predict.situations import Situations
from engine.heal.preflight.look import TOKEN
from engine.heal.preflight.preflight import Preflight
from engine.heal.preflight.repair import Repairs
from engine.heal.proactive import Proactive
from engine.heal.request import Ahead, HealRequest
from engine.heal.settings import HealSettings
from engine.history import History
from engine.memory import Memory
from engine.model.heal import Domain, Healing
from engine.model.lazy_dataclass import dataclass
from engine.model.prevention import CheckResult
from engine.model.secret import Secrets


class Looks(Protocol):
    """Makes the checks of domains (`engine.heal.preflight`)."""

    async def before_run(self, ahead: Ahead) -> tuple[CheckResult, ...]:
        """What was found and repaired; a result that is `blocked` says that the run must not begin."""

    async def before_call(self, request: HealRequest) -> Healing | None:
        """None: the call may be made. A Healing without attempts: a check blocks it, and that is how it ended."""


class Foretells(Protocol):
    """Says what history foretells of a call, and repairs beforehand (`engine.heal.predict`)."""

    async def before_call(self, request: HealRequest) -> None:
        """Looks at the situation of the call, once, and runs the fix of what is foretold if that is worth it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preventing:
    """What is done before a call, in HEALING's order; either part is None where it is switched off."""

    preflight: Looks | None
    predict: Foretells | None

    async def before_run(self, ahead: Ahead) -> tuple[CheckResult, ...]:
        """What was found and repaired before the first step; nothing where nothing is looked at."""
        return await self.preflight.before_run(ahead) if self.preflight else ()

    async def before_call(self, request: HealRequest) -> Healing | None:
        """None: the call may be made; else how it ended without being made."""
        stopped = await self.preflight.before_call(request) if self.preflight else None
        if stopped is None and self.predict is not None and not request.attempts_before:
            await self.predict.before_call(request)
        return stopped


def proactive(
    *,
    calls: Calls,
    domains: Mapping[str, Domain],
    settings: HealSettings,
    folder: Path,
    history: History,
    secrets: Secrets,
    clock: Callable[[], float],
) -> Proactive:
    """What runs fixes beforehand in one workspace; the arguments are those of `engine.mending.mending`."""
    return Proactive(
        calls=calls,
        domains=domains,
        policy=lambda: HealPolicy(mode=settings.mode, kill_switch=settings.killed),
        fixes=FixRunner(folder=folder, clock=clock, secrets=secrets),
        facts=HistoryFacts(history=history, clock=clock, strict=settings.strict_breaker),
    )


def preflight(fixes: Proactive, history: History) -> Preflight:
    """What looks before runs and calls, and repairs by `fixes`."""
    repairs = Repairs(calls=fixes.calls, proactive=fixes, last_fix=partial(_last, history))
    return Preflight(repairs=repairs, domains=fixes.domains, average=partial(_average, history))


def prediction(
    fixes: Proactive,
    looks: Preflight | None,
    *,
    history: History,
    memory: Memory,
    state: Path,
    asleep: Callable[[], float],
    shadow: float,
) -> Predictor:
    """What foretells, and repairs by `fixes`; tokens are known by what `looks` has seen."""
    clock = fixes.calls.clock
    situations = Situations(
        before=history,
        registry=fixes.calls.registry,
        clock=clock,
        awake=Awake(folder=state, clock=clock, asleep=asleep).since,
        token_left=partial(_token_left, looks, clock),
    )
    return Predictor(
        proactive=fixes,
        domains=fixes.domains,
        sequences=memory.contexts.live,
        situations=situations,
        measured=history,
        shadow=shadow,
    )


def _token_left(looks: Preflight | None, clock: Callable[[], float], run_id: str, domain: str) -> float | None:
    """How long the domain's token holds, as the run's own look has seen it; None when nobody looked."""
    seen = looks.runs.of(run_id).result(domain, TOKEN) if looks is not None else None
    return seen.expires_at - clock() if seen is not None and seen.expires_at is not None else None


def _last(history: History, fix: str, domain: str) -> float | None:
    found = history.last_fix(fix, domain)
    return found.finished_at if found is not None and found.ok else None


def _average(history: History, skill: str) -> float | None:
    """How long the skill takes; a history that cannot be read keeps nobody from looking."""
    try:
        return history.average_duration(skill)
    except JournalError:
        return None
