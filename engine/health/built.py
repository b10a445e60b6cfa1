"""A monitor for a workspace, built from an engine."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from engine.errors import WorkspaceError
from engine.heal.predict.awake import Awake
from engine.heal.proactive import Proactive
from engine.health.diary import Diary
from engine.health.forecast import Foresight
from engine.health.leftovers import end_leftovers
from engine.health.monitor import Monitor, Watching
from engine.health.pace import Moment
from engine.health.rounds import Experience, Rounds
from engine.health.skills import HealthSkills, SkillParts
from engine.health.telling import Channel, Teller, by_command, by_request
from engine.history import History
from engine.memory import Memory
from engine.mending import Mending
from engine.model.heal import Domain
from engine.model.lazy_dataclass import dataclass
from engine.run.broadcast import Listener
from engine.workspace import Workspace
from tool_registry.registry import ToolRegistry
from tool_registry.sources.http import spoken
from tool_registry.tool import ToolContext

INTERVAL = "5m"
REFRESH_WITHIN = "10m"
"""The reference's figures: a look every five minutes, and a token with less than ten minutes left is renewed."""

_UNITS = {"s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}


class Surroundings(SkillParts, Protocol):
    """What a monitor needs of the rooms around it; `engine.Engine` has all of it."""

    @property
    def workspace(self) -> Workspace:
        """Where things are."""

    @property
    def domains(self) -> Mapping[str, Domain]:
        """The domains tools depend on."""

    @property
    def memory(self) -> Memory:
        """The files people read."""

    @property
    def uptime(self) -> Callable[[], float]:
        """Seconds since the machine began."""

    @property
    def suspended(self) -> Callable[[], float]:
        """Seconds the machine has slept since it began."""

    @property
    def registry(self) -> ToolRegistry:
        """Every tool."""

    @property
    def journal(self) -> History:
        """What happened."""

    def context(self, *, domain: str | None, run_id: str, step: str, timeout: float) -> ToolContext:
        """What a tool is called with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthSettings:
    """How to watch: seconds, and who is told besides the inbox."""

    interval: float
    refresh_within: float
    notify_command: tuple[str, ...] = ()
    notify_url: str = ""

    @classmethod
    def of(cls, workspace: Workspace) -> HealthSettings:
        """The settings of a workspace (`[health]` in skill.toml). Raises WorkspaceError."""
        said: Mapping[str, Any] = workspace.settings.get("health", {})
        return cls(
            interval=seconds_of(str(said.get("interval", INTERVAL))),
            refresh_within=seconds_of(str(said.get("refresh_within", REFRESH_WITHIN))),
            notify_command=tuple(map(str, said.get("notify_command", ()))),
            notify_url=str(said.get("notify_url", "")),
        )


def seconds_of(text: str) -> float:
    """The seconds in `90s`, `5m`, `1h` or `1d`; WorkspaceError for anything else."""
    found = re.fullmatch(r"([1-9][0-9]{0,5})([smhd])", text.strip())
    if found is None:
        raise WorkspaceError(f"{text} is not a length of time", hint="write it as 30s, 5m, 1h or 1d")
    return int(found[1]) * _UNITS[found[2]]


def monitor_of(
    parts: Surroundings,
    settings: HealthSettings,
    *,
    repairs: bool,
    watching: Watching,
    listeners: tuple[Listener, ...] = (),
) -> Monitor:
    """A monitor of the workspace; unless it `repairs`, it only looks. `listeners` get the events of what is run."""
    skills = HealthSkills(parts=parts, folders=parts.workspace.skill_folders, listeners=listeners)
    rounds = Rounds(
        domains=parts.domains,
        calls=parts.healer.calls,
        proactive=(lambda: _proactive(parts)) if repairs else None,
        skills=skills,
        refresh_within=settings.refresh_within,
        clock=parts.clock,
        up=parts.uptime,
        experience=Experience(),
    )
    return Monitor(
        rounds=rounds,
        domains=parts.domains,
        book=parts.memory.health,
        teller=_teller(parts, settings),
        reading=lambda: Moment(wall=parts.clock(), up=parts.uptime()),
        new_diary=lambda: Diary(parts=parts, run_id=parts.new_run_id(), begun=parts.clock(), listeners=listeners),
        watching=watching,
        interval=settings.interval,
        refresh_within=settings.refresh_within,
        foresee=_foresight(parts),
        before_first=lambda: end_leftovers(lambda: parts.journal, parts.workspace.history, parts.clock),
    )


def _foresight(parts: Surroundings) -> Foresight:
    awake = Awake(folder=parts.workspace.state, clock=parts.clock, asleep=parts.suspended)
    return Foresight(
        domains=parts.domains,
        sequences=parts.memory.contexts.live,
        before=parts.journal,
        registry=parts.registry,
        clock=parts.clock,
        awake=awake.since,
    )


def _proactive(parts: Surroundings) -> Proactive:
    mends = parts.healer.mending()
    if not isinstance(mends, Mending):
        raise TypeError("this engine heals in a way of its own, and the monitor cannot repair with it")
    pipeline = mends.pipeline
    return Proactive(
        calls=pipeline.calls,
        domains=pipeline.domains,
        policy=pipeline.policy,
        fixes=pipeline.fixes,
        facts=pipeline.facts,
    )


def _teller(parts: Surroundings, settings: HealthSettings) -> Teller:
    channels: list[Channel] = []
    context = parts.context(domain=None, run_id="", step="", timeout=10.0)
    if settings.notify_command:
        channels.append(by_command(settings.notify_command, folder=parts.folder, environment=dict(os.environ)))
    if settings.notify_url:
        # The address of a webhook often is its credential.
        parts.secrets.add([settings.notify_url, spoken(settings.notify_url)])
        channels.append(by_request(settings.notify_url, context=context))
    return Teller(
        inbox=parts.memory.inbox,
        secrets=parts.secrets,
        workspace=parts.folder,
        host=os.uname().nodename,
        channels=tuple(channels),
    )
