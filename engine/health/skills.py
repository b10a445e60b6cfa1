"""Skills as checks: every skill in `skills/health/` is run, and how it ends says whether all is well."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from pathlib import Path
from typing import Any, Protocol

from engine.errors import EngineError
from engine.heal.healer import Healer
from engine.heal.preflight.spans import NO_YEAR
from engine.health.held_journal import HeldJournal
from engine.library import SkillLibrary
from engine.library.shelf import Shelf, refusal
from engine.model.heal import Domain, HealMode, Notice
from engine.model.health import HealthCheck, Part, Wellbeing
from engine.model.lazy_dataclass import dataclass
from engine.model.outcome import RunResult, RunStatus, StepStatus
from engine.model.secret import Secrets
from engine.run.broadcast import Listener
from engine.run.executor import SkillExecutor
from engine.run.parts import Parts
from engine.run.under_way import UnderWay
from engine.sandbox import Sandbox
from tool_registry.tool import Effect, Tool

FOLDER = "health"
"""The folder below `skills/`."""

TIME = 60.0
"""Seconds a health skill has."""


class SkillParts(Parts, Protocol):
    """What running a health skill needs: the parts of any run, and the tools."""

    @property
    def registry(self) -> Mapping[str, Tool]:
        """Every tool."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthSkills:
    """The health skills of some folders of skills; `states` is how each was when it was looked at last.

    One that ends as it did before, without anything healed, leaves no run in history: it is run every few minutes.
    """

    parts: SkillParts
    folders: tuple[Path, ...]
    listeners: tuple[Listener, ...] = ()
    states: dict[str, Wellbeing] = field(default_factory=dict)
    time: float = TIME

    def names(self) -> tuple[str, ...]:
        """Their names among all checks (`health/free_space`), in order."""
        return tuple(f"{FOLDER}/{name}" for name in sorted(self._files()))

    async def look(self, name: str) -> HealthCheck:
        """Runs one; whatever is wrong with it is what is found."""
        path, clock = self._files().get(name.removeprefix(f"{FOLDER}/")), self.parts.clock
        if path is None or (why := refusal(path)):
            said = "the skill is gone" if path is None else f"{path}: {why}"
            return _check(name, Wellbeing.UNKNOWN, said, clock())
        journal = HeldJournal(self.parts.journal, writes=self._writes)
        executor = SkillExecutor(_held(self.parts, journal), listeners=self.listeners, parks=False)
        try:
            result = await executor.run(str(path), timeout=self.time)
            return self._ended(name, result, journal)
        except EngineError as error:
            return _check(name, Wellbeing.UNKNOWN, str(error), clock())

    def _ended(self, name: str, result: RunResult, journal: HeldJournal) -> HealthCheck:
        found = _of(name, result, self.parts.clock())
        before = self.states.get(name, Wellbeing.WELL)
        self.states[name] = found.state
        if found.state is not before or result.healed:
            journal.keep()
            journal.release(result.run_id)
        return found

    def _files(self) -> dict[str, Path]:
        shelf = Shelf(folders=tuple(folder / FOLDER for folder in self.folders))
        return {name: paths[0] for name, paths in shelf.files().items()}

    def _writes(self, tool: str) -> bool:
        """Whether a tool may change something, so that history must know of the call before it is made."""
        known = self.parts.registry.get(tool)
        return known is None or known.effect is not Effect.READ


def _of(name: str, result: RunResult, now: float) -> HealthCheck:
    outputs = result.outputs
    failed = (step.failure for step in result.steps if step.status is StepStatus.FAILED)
    first = next((failure.message for failure in failed if failure), "")
    said = result.message if result.status is RunStatus.BLOCKED or not first else first
    match result.status:
        case RunStatus.OK:
            state, said = Wellbeing.WELL, str(outputs.get("message") or "")
        case _ if result.timed_out or result.status is RunStatus.CANCELLED:
            state = Wellbeing.UNKNOWN
        case _:
            state = Wellbeing.UNWELL
    return _check(name, state, said, now, user=str(outputs.get("user") or ""), expires_at=_number(outputs))


def _number(outputs: Mapping[str, Any]) -> float | None:
    match outputs.get("expires_at"):
        case bool():
            return None
        case int() | float() as moment if abs(moment) < NO_YEAR:
            return float(moment)
    return None


def _check(
    name: str, state: Wellbeing, message: str, at: float, *, user: str = "", expires_at: float | None = None
) -> HealthCheck:
    said = " ".join(message.split())
    part = Part(name="", state=state, at=at, message=said, user=user, expires_at=expires_at)
    return HealthCheck(name=name, parts=(part,))


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldParts:
    """The parts of a run whose events are held back."""

    library: SkillLibrary
    sandbox: Sandbox
    healer: Healer
    journal: HeldJournal
    under_way: UnderWay
    secrets: Secrets
    clock: Callable[[], float]
    new_run_id: Callable[[], str]
    config: Mapping[str, Any]
    env: Mapping[str, str]
    profile: str
    domains: Mapping[str, Domain]
    folder: str
    heal_mode: HealMode | None
    learning: Callable[[str], tuple[Notice, ...]]

    def learn(self, run_id: str) -> tuple[Notice, ...]:
        """Nothing is learnt from a run that is held back; the next one that is kept brings memory up to date."""
        return () if self.journal.held else self.learning(run_id)


def _held(parts: SkillParts, journal: HeldJournal) -> HeldParts:
    return HeldParts(
        library=parts.library,
        sandbox=parts.sandbox,
        healer=parts.healer,
        journal=journal,
        under_way=parts.under_way,
        secrets=parts.secrets,
        clock=parts.clock,
        new_run_id=parts.new_run_id,
        config=parts.config,
        env=parts.env,
        profile=parts.profile,
        domains=parts.domains,
        folder=parts.folder,
        heal_mode=parts.heal_mode,
        learning=parts.learn,
    )
