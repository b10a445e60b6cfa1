"""Builds an `Engine`: the one module that knows everybody, and where clock, ids and environment come from."""

from __future__ import annotations

import os
import secrets as tokens
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from engine import memory_tools
from engine.bundle import bundle
from engine.heal.calls import Calls
from engine.heal.healer import Healer, Mends, Prevents
from engine.history import History
from engine.library import SkillLibrary
from engine.memory import Memory
from engine.model.heal import Domain, HealMode, Notice
from engine.model.secret import Secrets
from engine.profile import Profile, load_profile, load_tools
from engine.sandbox import Sandbox
from engine.workspace import Workspace, find_workspace
from tool_registry.registry import ToolRegistry, default_registry
from tool_registry.tool import Tool, ToolContext

CHILD_ENVIRONMENT = {"LC_ALL": "C.UTF-8", "GIT_TERMINAL_PROMPT": "0"}
"""Set for every program a tool starts: messages the patterns can read, and no prompt that nobody would see."""

SHADOW = 0.1
"""Share of foretold calls that run without the fix, for comparison, where the workspace does not say."""


def uptime() -> float:
    """Seconds since this machine was started, asleep or not; setting its wall clock does not change them."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def suspended() -> float:
    """Seconds this machine has slept since it was started; 0.0 where no clock tells.

    CLOCK_BOOTTIME runs on while a machine sleeps, CLOCK_MONOTONIC does not; on macOS the latter does, and
    CLOCK_UPTIME_RAW does not.
    """
    awake = getattr(time, "CLOCK_UPTIME_RAW", time.CLOCK_MONOTONIC)
    return max(0.0, uptime() - time.clock_gettime(awake))


@dataclass
class Engine:
    """Everything one process needs to run skills in one workspace; close it, or use it with `async with`."""

    workspace: Workspace
    extra_tools: tuple[Tool, ...] = ()
    heal_mode: HealMode | None = None
    clock: Callable[[], float] = time.time
    uptime: Callable[[], float] = uptime
    suspended: Callable[[], float] = suspended
    secrets: Secrets = field(default_factory=Secrets)

    @classmethod
    def open(
        cls,
        folder: Path | str | None = None,
        *,
        home: Path | str | None = None,
        tools: Iterable[Tool] = (),
        heal: HealMode | None = None,
    ) -> Engine:
        """An engine for the workspace seen from `folder`, with `tools` added and `heal` as the policy.

        Raises WorkspaceError and DocumentError when settings, profile or tool definitions cannot be used.
        """
        found = find_workspace(Path(folder) if folder else None, home=Path(home) if home else None)
        return cls(found, extra_tools=tuple(tools), heal_mode=heal)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Stops workers and closes connections and history."""
        opened = vars(self)
        if "sandbox" in opened:
            await self.sandbox.aclose()
        if "registry" in opened:
            await self.registry.aclose()
        if "journal" in opened:
            self.journal.close()

    @cached_property
    def registry(self) -> ToolRegistry:
        """Every tool: shipped families, shipped and own YAML definitions, and those given by the embedding program."""
        registry = default_registry()
        load_tools(registry, self.workspace)
        for name in memory_tools.NAMES:
            registry.add_later(name, f"memory tool {name}", partial(self._memory_tool, name))
        for tool in self.extra_tools:
            registry.add(tool)
        return registry

    def _memory_tool(self, name: str) -> Tool:
        from engine.memory_tools.tools import made  # noqa: PLC0415 - late: few runs call one

        return made(self, name)

    @cached_property
    def loaded_profile(self) -> Profile:
        """The profile in use, with its domains."""
        return load_profile(self.workspace)

    @property
    def profile(self) -> str:
        """The name of the profile in use."""
        return self.loaded_profile.name

    @property
    def domains(self) -> Mapping[str, Domain]:
        """The domains tools depend on, by name."""
        return self.loaded_profile.domains

    @cached_property
    def sandbox(self) -> Sandbox:
        """The room where authors' text is evaluated."""
        return Sandbox(now=lambda: datetime.fromtimestamp(self.clock(), UTC))

    @cached_property
    def library(self) -> SkillLibrary:
        """The skills of the workspace and the shipped ones."""
        workspace = self.workspace
        return SkillLibrary(workspace.skill_folders, sandbox=self.sandbox, tools=self.registry, cache=workspace.valid)

    @cached_property
    def memory(self) -> Memory:
        """The files people read."""
        return Memory(self.workspace.memory, seeds=bundle("memory"), secrets=self.secrets, clock=self.clock)

    @cached_property
    def journal(self) -> History:
        """What happened, in SQLite."""
        synchronous = self.workspace.settings.get("history", {}).get("synchronous", "normal")
        return History.open(self.workspace.history, secrets=self.secrets, synchronous=synchronous)

    @cached_property
    def healer(self) -> Healer:
        """Makes healed calls."""
        calls = Calls(registry=self.registry, contexts=self.context, clock=self.clock, mask=self.secrets.mask)
        return Healer(calls=calls, mending=lambda: self._mending, preventing=lambda: self._preventing)

    @cached_property
    def _mending(self) -> Mends:
        from engine.mending import mending  # noqa: PLC0415 - late: a run in which nothing fails needs none of it
        from engine.run.remedies import RemedySkills, remedy_folders  # noqa: PLC0415 - late, as above

        folders, kept = remedy_folders(self.workspace.skill_folders), self.workspace.valid
        library = SkillLibrary(folders, sandbox=self.sandbox, tools=self.registry, cache=kept)
        remedies = RemedySkills(parts=self, library=library)
        return mending(memory=self.memory, remedies=remedies, looks=self.looks_into_failures, **self._healing_parts())

    @property
    def looks_into_failures(self) -> bool:
        """Whether tools that read are called to explain a failure, and remedy skills asked."""
        return True

    @cached_property
    def _preventing(self) -> Prevents | None:
        """What looks before runs and calls; None where the settings switch all of it off."""
        if not self.looks_ahead and not self.foretells:
            return None
        from engine import preventing as parts  # noqa: PLC0415 - late: only calls that depend on a domain need it
        from engine.heal.predict.awake import Awake  # noqa: PLC0415 - late, as well

        fixes = parts.proactive(**self._healing_parts())
        looks = parts.preflight(fixes, self.journal) if self.looks_ahead else None
        if not self.foretells:
            return parts.Preventing(preflight=looks, predict=None)
        predict = parts.prediction(
            fixes,
            looks,
            history=self.journal,
            memory=self.memory,
            awake=Awake(folder=self.workspace.state, clock=self.clock, asleep=self.suspended),
            shadow=float(self._heal_settings().get("shadow", SHADOW)),
        )
        return parts.Preventing(preflight=looks, predict=predict)

    def _healing_parts(self) -> dict[str, Any]:
        """What everything that runs fixes is made of."""
        return {
            "calls": self.healer.calls,
            "domains": self.domains,
            "mode": self._mode(),
            "killed": self._killed,
            "strict_breaker": self._heal_settings().get("breaker") == "strict",
            "folder": self.workspace.state / "fixes",
            "history": self.journal,
            "secrets": self.secrets,
            "clock": self.clock,
        }

    @property
    def looks_ahead(self) -> bool:
        """Whether checks are made before runs and calls."""
        return bool(self._heal_settings().get("preflight", True))

    @property
    def foretells(self) -> bool:
        """Whether calls are looked at for what history foretells of them."""
        return bool(self._heal_settings().get("predict", True))

    @property
    def folder(self) -> str:
        """The workspace's folder, in which tools work."""
        return str(self.workspace.folder)

    @property
    def config(self) -> Mapping[str, Any]:
        """What skills see as `config`: the workspace's own, and the profile's name and settings."""
        return {**self.loaded_profile.config, **self.workspace.settings.get("config", {}), "profile": self.profile}

    @property
    def env(self) -> Mapping[str, str]:
        """The environment variables skills may see: those the workspace allows by name; the secret ones are masked."""
        named = self.workspace.settings.get("env", {})
        names = (*named.get("allow", ()), *named.get("secret", ()))
        return self.hiding({name: os.environ[name] for name in names if name in os.environ})

    def hiding(self, env: Mapping[str, str]) -> Mapping[str, str]:
        """`env`; the values of the variables that the workspace calls secret are masked from now on."""
        hidden = self.workspace.settings.get("env", {}).get("secret", ())
        self.secrets.add([env[name] for name in hidden if name in env])
        return env

    def new_run_id(self) -> str:
        """A new run id that sorts by time: `20261121-081500-1f3a9c`."""
        return f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime(self.clock()))}-{tokens.token_hex(3)}"

    def context(self, *, domain: str | None, run_id: str, step: str, timeout: float) -> ToolContext:
        """What a tool is called with beside its arguments."""
        known = self.domains.get(domain or "")
        return ToolContext(
            settings=known.settings if known else {},
            folder=self.workspace.folder,
            state=self.workspace.state,
            environment={**os.environ, **CHILD_ENVIRONMENT},
            timeout=timeout,
            run_id=run_id,
            step=step,
            secret=self.secrets.add,
            read_yaml=_read_yaml,
        )

    def healing(self, domain: str | None) -> HealMode:
        """What healing may do on its own in a domain now: nothing when it is switched off, else as configured."""
        known = self.domains.get(domain or "")
        modes = [self._mode(), known.mode if known and known.mode else self._mode()]
        return HealMode.OFF if self._killed() else max(modes, key=list(HealMode).index)

    def learn(self, run_id: str) -> tuple[Notice, ...]:
        """Brings the memory files up to date with history, after that run; returns what people should know."""
        return self._mending.learn(run_id)

    def _heal_settings(self) -> Mapping[str, Any]:
        settings: Mapping[str, Any] = self.workspace.settings.get("heal", {})
        return settings

    def _mode(self) -> HealMode:
        return self.heal_mode or HealMode(self._heal_settings().get("mode", HealMode.AUTO))

    def _killed(self) -> bool:
        """The kill switch: a setting, `SKILL_HEAL=off` in the environment, or a file `heal-off` in the state folder."""
        return (
            bool(self._heal_settings().get("kill_switch", False))
            or os.environ.get("SKILL_HEAL", "").lower() == "off"
            or (self.workspace.state / "heal-off").exists()
        )


def _read_yaml(path: Path) -> Any:
    """What a YAML file holds. Raises DocumentError."""
    from engine.documents import read  # noqa: PLC0415 - late: few tools read YAML

    return read(path).value
