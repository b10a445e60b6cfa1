"""Joins what only a failure needs: the pipeline, the figures it decides by, and what is learnt afterwards.

`engine.wiring` imports this module when the first call of a process fails; others never pay for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from engine.errors import JournalError
from engine.heal.calls import Calls
from engine.heal.explain import Remedies, no_remedies
from engine.heal.fix import FixRunner
from engine.heal.learn import HistoryFacts, breaker_changes, learn, tell
from engine.heal.pipeline import Pipeline
from engine.heal.policy import HealPolicy
from engine.heal.request import HealRequest
from engine.heal.settings import HealSettings
from engine.history import History
from engine.memory import Memory
from engine.model.heal import Domain, Healing, Notice
from engine.model.lazy_dataclass import dataclass
from engine.model.outcome import Attempt
from engine.model.secret import Secrets


@dataclass(frozen=True, slots=True, kw_only=True)
class Mending:
    """Heals failed calls, and learns from them."""

    memory: Memory
    pipeline: Pipeline
    facts: HistoryFacts

    async def heal(self, request: HealRequest, first: Attempt) -> Healing:
        """What becomes of a call whose first attempt failed."""
        return await self.pipeline.heal(request, first)

    async def resume(self, request: HealRequest) -> Healing:
        """What becomes of a call that an earlier process had begun."""
        from engine.heal.resume import resume  # noqa: PLC0415 - late: most failures happen in runs without a past

        return await resume(self.pipeline, request)

    def learn(self, run_id: str) -> tuple[Notice, ...]:
        """Brings the memory files up to date with history, after that run; returns what people should know."""
        complaints = learn(self.memory, self.facts.history)
        try:
            changes = breaker_changes(self.facts, run_id)
        except JournalError as error:
            changes, complaints = (), (*complaints, f"the circuit breakers could not be looked at: {error}")
        complaints = (*complaints, *tell(self.memory, changes))
        return (*changes, *(Notice(text=text) for text in dict.fromkeys(complaints)))


def mending(  # noqa: PLR0913 - joins rooms, and every argument is by keyword
    *,
    calls: Calls,
    domains: Mapping[str, Domain],
    settings: HealSettings,
    folder: Path,
    history: History,
    memory: Memory,
    secrets: Secrets,
    clock: Callable[[], float],
    remedies: Remedies = no_remedies,
    looks: bool = True,
) -> Mending:
    """What heals in one workspace; `folder` holds the records of fixes, `clock` gives seconds since the epoch.

    The `settings` are asked before every decision, for runs under way must stop healing, too, when the kill switch is
    thrown. `remedies` asks the remedy skills; without `looks` nothing is called to explain a failure.
    """
    facts = HistoryFacts(history=history, clock=clock, strict=settings.strict_breaker)
    pipeline = Pipeline(
        calls=calls,
        domains=domains,
        policy=lambda: HealPolicy(mode=settings.mode, kill_switch=settings.killed),
        fixes=FixRunner(folder=folder, clock=clock, secrets=secrets),
        facts=facts,
        patterns=memory.patterns.all,
        known_fixes=memory.fixes,
        remedies=remedies,
        looks=looks,
    )
    return Mending(memory=memory, pipeline=pipeline, facts=facts)
