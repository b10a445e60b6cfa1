"""Builds the engine of a rehearsed run: the workspace's own, with tools, history and world that are not real."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from engine.heal.settings import HealSettings
from engine.model.rehearsal import Rehearsal
from engine.run.rehearsal.playing import Build
from engine.run.rehearsal.script import Script
from engine.run.rehearsal.stage import RehearsalHistory, Stage
from engine.run.rehearsal.virtual_time import virtual_clock
from engine.wiring import Engine
from engine.workspace import Workspace


@dataclass
class StagedEngine(Engine):
    """An engine on a stage: nothing that it does leaves the folder it was given."""

    rehearsal: Rehearsal = field(kw_only=True)
    script: Script = field(kw_only=True)

    @cached_property
    def registry(self) -> Stage:
        """The tools, with canned answers in place of what they do."""
        return Stage(super().registry, self.script, listed=frozenset(self.rehearsal.tools))

    @cached_property
    def journal(self) -> RehearsalHistory:
        """History, which ends where the process is meant to die."""
        return RehearsalHistory.staged(self.workspace.history, secrets=self.secrets, script=self.script)

    @property
    def env(self) -> Mapping[str, str]:
        """The environment as the rehearsal says; the real one would make it another test on every machine."""
        return self.hiding(self.rehearsal.env)

    @property
    def looks_ahead(self) -> bool:
        """False: a rehearsal says itself what fails, and when."""
        return False

    @property
    def looks_into_failures(self) -> bool:
        """False: the tools of a rehearsal answer what it lists, and a look would use up what is meant for a step."""
        return False

    @property
    def heal_settings(self) -> HealSettings:
        """The workspace's, but for the kill switch of the real world: nothing real can happen here."""
        return replace(super().heal_settings, real=False)


def builder(workspace: Workspace, rehearsal: Rehearsal, home: Path) -> Callable[[Script], Build]:
    """What builds the engines of a rehearsal, whose live files go to `home`."""
    staged = replace(workspace, home=home, settings=_settings(workspace, rehearsal))

    def for_script(script: Script) -> Build:
        def build() -> StagedEngine:
            clock = virtual_clock(rehearsal.clock)
            return StagedEngine(
                staged,
                heal_mode=rehearsal.heal,
                clock=clock,
                rehearsal=rehearsal,
                script=script,
                telemetry=False,  # what is only played is no figure of anything
            )

        return build

    return for_script


def _settings(workspace: Workspace, rehearsal: Rehearsal) -> dict[str, Any]:
    """The workspace's settings with what the rehearsal lays over them."""
    settings = dict(workspace.settings)
    for part in ("domains", "config"):
        settings[part] = {**settings.get(part, {}), **getattr(rehearsal, part)}
    return settings | ({"profile": rehearsal.profile} if rehearsal.profile else {})
