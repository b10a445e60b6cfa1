"""The parts of runs that nobody keeps, and nothing heals: those of remedies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field, replace
from typing import Any

from engine.errors import RunNotFoundError
from engine.heal.calls import Calls
from engine.heal.detect import certain
from engine.heal.healer import Healer
from engine.heal.request import HealRequest
from engine.library import SkillLibrary
from engine.model.event import Event
from engine.model.heal import Domain, Healing, HealMode, Notice
from engine.model.lazy_dataclass import dataclass
from engine.model.outcome import Attempt
from engine.model.past import PastRun
from engine.model.secret import Secrets
from engine.run.parts import Parts
from engine.run.under_way import UnderWay
from engine.sandbox import Sandbox


class Unkept:
    """A journal that keeps nothing: what a remedy does is no run of anybody's."""

    def record(self, *events: Event) -> None:
        """Keeps nothing."""

    def claim(self, run_id: str) -> None:
        """Nobody else knows of it."""

    def release(self, run_id: str) -> None:
        """Nobody else knows of it."""

    def leave(self, *events: Event) -> None:
        """Keeps nothing."""

    def past(self, run_id: str) -> PastRun:
        """Nothing is kept."""
        raise RunNotFoundError(f"{run_id} is a remedy, and nothing of it is kept")

    def cancel_requested(self, run_id: str) -> bool:  # noqa: ARG002 - nobody else knows of it
        """Nobody can ask for that."""
        return False


@dataclass(frozen=True, slots=True)
class Unhealed:
    """Names a failed call's failure, and leaves it at that."""

    async def heal(self, request: HealRequest, first: Attempt) -> Healing:  # noqa: ARG002 - nothing is done about it
        """The failure, with its kind where evidence alone says it."""
        failure = first.failure
        meant = certain(failure) if failure else None
        named = replace(failure, kind=meant.kind) if failure and meant else failure
        return Healing(failure=named, attempts=(replace(first, failure=named),), recorded=True)

    async def resume(self, request: HealRequest) -> Healing:
        """Never asked: nothing of a remedy is kept."""
        raise RunNotFoundError(f"{request.run_id} is a remedy, and nothing of it is kept")

    def learn(self, run_id: str) -> tuple[Notice, ...]:  # noqa: ARG002 - nothing of it is kept
        """Nothing is learnt of it."""
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietParts:
    """The parts of a run that nobody keeps, and nothing heals."""

    parts: Parts
    library: SkillLibrary
    journal: Unkept = field(default_factory=Unkept)

    @property
    def sandbox(self) -> Sandbox:
        """Where authors' text is evaluated."""
        return self.parts.sandbox

    @property
    def healer(self) -> Healer:
        """Makes calls, and names their failures."""
        calls: Calls = self.parts.healer.calls
        return Healer(calls=calls, mending=Unhealed)

    @property
    def under_way(self) -> UnderWay:
        """The runs that go on now."""
        return self.parts.under_way

    @property
    def secrets(self) -> Secrets:
        """What is masked."""
        return self.parts.secrets

    @property
    def clock(self) -> Callable[[], float]:
        """Seconds since the epoch."""
        return self.parts.clock

    @property
    def new_run_id(self) -> Callable[[], str]:
        """Makes run ids."""
        return self.parts.new_run_id

    @property
    def config(self) -> Mapping[str, Any]:
        """What skills see as `config`."""
        return self.parts.config

    @property
    def env(self) -> Mapping[str, str]:
        """What skills see as `env`."""
        return self.parts.env

    @property
    def profile(self) -> str:
        """The name of the profile in use."""
        return self.parts.profile

    @property
    def domains(self) -> Mapping[str, Domain]:
        """The domains tools depend on, by name."""
        return self.parts.domains

    @property
    def folder(self) -> str:
        """The workspace's folder, in which tools work."""
        return self.parts.folder

    @property
    def heal_mode(self) -> HealMode | None:
        """What healing may do in the runs that are explained."""
        return self.parts.heal_mode

    def learn(self, run_id: str) -> tuple[Notice, ...]:  # noqa: ARG002 - nothing of it is kept
        """Nothing is learnt of it."""
        return ()
