"""What runs need of the rooms around them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from engine.heal.healer import Healer
from engine.library import SkillLibrary
from engine.model.event import Journal
from engine.model.heal import Domain, HealMode, Notice
from engine.model.secret import Secrets
from engine.run.under_way import UnderWay
from engine.sandbox import Sandbox


class Parts(Protocol):
    """What an executor needs; `engine.Engine` has all of it."""

    @property
    def library(self) -> SkillLibrary:
        """The skills."""

    @property
    def sandbox(self) -> Sandbox:
        """Where authors' text is evaluated."""

    @property
    def healer(self) -> Healer:
        """Makes healed calls."""

    @property
    def journal(self) -> Journal:
        """Where events are kept."""

    @property
    def under_way(self) -> UnderWay:
        """The runs that go on now."""

    @property
    def secrets(self) -> Secrets:
        """What is masked."""

    @property
    def clock(self) -> Callable[[], float]:
        """Seconds since the epoch."""

    @property
    def new_run_id(self) -> Callable[[], str]:
        """Makes run ids."""

    @property
    def config(self) -> Mapping[str, Any]:
        """What skills see as `config`."""

    @property
    def env(self) -> Mapping[str, str]:
        """What skills see as `env`."""

    @property
    def profile(self) -> str:
        """The name of the profile in use."""

    @property
    def domains(self) -> Mapping[str, Domain]:
        """The domains tools depend on, by name."""

    @property
    def heal_mode(self) -> HealMode | None:
        """What healing may do on its own, where somebody chose that for these runs."""

    @property
    def folder(self) -> str:
        """The workspace's folder, in which tools work."""

    def learn(self, run_id: str) -> tuple[Notice, ...]:
        """Brings the memory files up to date with history, after that run; returns what people should know."""
