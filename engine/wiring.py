"""Builds an `Engine`: the one module that knows everybody, and where clock, ids and environment come from."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from engine import memory as memories
from engine import memory_tools
from engine.bundle import bundle
from engine.clocks import suspended, uptime
from engine.documents import parse, read
from engine.heal.calls import Calls
from engine.heal.healer import Healer, Mends, Prevents
from engine.heal.settings import HealSettings
from engine.history import History
from engine.library import SkillLibrary
from engine.mcp_servers import OtherTools, open_servers
from engine.model.heal import Domain, HealMode, Notice
from engine.model.lazy_dataclass import once
from engine.model.secret import Secrets
from engine.model.tracing import NO_TRACING, Providers, Tracing, is_untraced
from engine.profile import Profile, load_profile, load_tools
from engine.run.under_way import UnderWay
from engine.sandbox import Sandbox
from engine.workspace import Workspace, place_of
from tool_registry.registry import ToolRegistry, as_tool, default_registry
from tool_registry.tool import Tool, ToolContext

CHILD_ENVIRONMENT = {"LC_ALL": "C.UTF-8", "GIT_TERMINAL_PROMPT": "0"}
"""Set for every program a tool starts: messages the patterns can read, and no prompt that nobody would see."""


@dataclass
class Engine:
    """Everything needed to run skills in one workspace; close it, or use it with `async with`.

    A process may have any number of them, on one workspace too. One engine serves one event loop (in one thread) at a
    time, and any number of runs side by side there; threads and loops of their own open engines of their own.
    """

    workspace: Workspace
    extra_tools: tuple[Tool, ...] = ()
    heal_mode: HealMode | None = None
    clock: Callable[[], float] = time.time
    uptime: Callable[[], float] = uptime
    suspended: Callable[[], float] = suspended
    secrets: Secrets = field(default_factory=Secrets)
    telemetry: bool | Providers | None = None
    under_way: UnderWay = field(default_factory=UnderWay, init=False, repr=False)

    @classmethod
    def open(
        cls,
        place: Path | str | Workspace | None = None,
        *,
        home: Path | str | None = None,
        tools: Iterable[Tool | Callable[..., Any]] = (),
        heal: HealMode | None = None,
        telemetry: bool | Providers | None = None,
    ) -> Engine:
        """An engine for a workspace, or the one seen from a folder (the current one), without touching anything yet.

        `home` is where live files go, `tools` are added to the workspace's (`Tool`s, or functions decorated with
        `@tool`), and `heal` says what healing may do, whatever the settings say; so does `telemetry`, whether runs
        are traced, or what they are told to. Raises WorkspaceError when the workspace cannot be used, and TypeError
        for a function that is no tool; DocumentError comes when settings, profile or tool definitions are first needed.
        """
        found = place_of(place, home=home)
        return cls(found, extra_tools=tuple(map(as_tool, tools)), heal_mode=heal, telemetry=telemetry)

    async def __aenter__(self) -> Self:
        self.under_way.closed = False
        _ = self.tracing  # from here on, and not from the first run: whoever serves is traced beside its runs
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Ends the runs there are, stops workers and closes connections and history; closing twice is as closing once.

        A run that still goes on is cancelled, undone and cleaned up first; runs are refused from then on. Raises
        EngineError, and closes nothing, when it is awaited in such a run or in another event loop than theirs.
        """
        await self.under_way.end()
        opened = vars(self)
        for part in ("sandbox", "mcp", "registry", "tracing"):
            if opened.get(part) is not None:
                await opened[part].aclose()
        if "journal" in opened:
            self.journal.close()

    @once
    def registry(self) -> ToolRegistry:
        """Every tool: shipped families, shipped and own YAML definitions, and those given by the embedding program."""
        registry = default_registry()
        load_tools(registry, self.workspace)
        for name in memory_tools.NAMES:
            registry.add_later(name, f"memory tool {name}", partial(self._memory_tool, name))
        for tool in self.extra_tools:
            registry.add(tool)
        if self.mcp is not None:
            self.mcp.register(registry)
        return registry

    @once
    def mcp(self) -> OtherTools | None:
        """The MCP servers of the workspace, none of them started; None where it names none."""
        return open_servers(self.workspace, self.secrets)

    def _memory_tool(self, name: str) -> Tool:
        from engine.memory_tools.tools import made  # noqa: PLC0415 - late: few runs call one

        return made(self, name)

    @once
    def loaded_profile(self) -> Profile:
        """The profile in use, with its domains."""
        return load_profile(self.workspace)

    @property
    def profile(self) -> str:
        """The name of the profile in use."""
        return self.loaded_profile.name

    @once
    def domains(self) -> Mapping[str, Domain]:
        """The domains tools depend on, by name."""
        known = self.loaded_profile.domains
        return known if self.mcp is None else self.mcp.domains(known)

    @once
    def sandbox(self) -> Sandbox:
        """The room where authors' text is evaluated."""
        return Sandbox(now=lambda: datetime.fromtimestamp(self.clock(), UTC))

    @once
    def library(self) -> SkillLibrary:
        """The skills of the workspace and the shipped ones."""
        folders, kept = self.workspace.skill_folders, self.workspace.valid
        known = partial(getattr, self, "domains")
        return SkillLibrary(folders, sandbox=self.sandbox, tools=self.registry, cache=kept, domains=known)

    @once
    def memory(self) -> memories.Memory:
        """The files people read."""
        return memories.Memory(self.workspace.memory, seeds=bundle("memory"), secrets=self.secrets, clock=self.clock)

    @once
    def journal(self) -> History:
        """What happened, in SQLite."""
        synchronous = self.workspace.settings.get("history", {}).get("synchronous", "normal")
        return History.open(self.workspace.history, secrets=self.secrets, synchronous=synchronous)

    @once
    def tracing(self) -> Tracing:
        """What is told of runs, steps and calls. Raises MissingExtraError."""
        if is_untraced(self.telemetry, self.workspace.settings, os.environ):
            return NO_TRACING
        from engine.telemetry.opening import opened  # noqa: PLC0415 - late: few runs are traced

        return opened(self)

    @once
    def healer(self) -> Healer:
        """Makes healed calls."""
        mask = self.secrets.mask
        calls = Calls(registry=self.registry, contexts=self.context, clock=self.clock, mask=mask, tracing=self.tracing)
        return Healer(calls=calls, mending=lambda: self._mending, preventing=lambda: self._preventing)

    @once
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

    @once
    def _preventing(self) -> Prevents | None:
        """What looks before runs and calls; None where the settings switch all of it off."""
        if not self.looks_ahead and not self.foretells:
            return None
        from engine import preventing  # noqa: PLC0415 - late: only calls that depend on a domain need it

        fixes = preventing.proactive(**self._healing_parts())
        looks = preventing.preflight(fixes, self.journal) if self.looks_ahead else None
        if not self.foretells:
            return preventing.Preventing(preflight=looks, predict=None)
        predict = preventing.prediction(
            fixes,
            looks,
            history=self.journal,
            memory=self.memory,
            state=self.workspace.state,
            asleep=self.suspended,
            shadow=self.heal_settings.shadow,
        )
        return preventing.Preventing(preflight=looks, predict=predict)

    def _healing_parts(self) -> dict[str, Any]:
        """What everything that runs fixes is made of."""
        return {
            "calls": self.healer.calls,
            "domains": self.domains,
            "settings": self.heal_settings,
            "folder": self.workspace.state / "fixes",
            "history": self.journal,
            "secrets": self.secrets,
            "clock": self.clock,
        }

    @property
    def heal_settings(self) -> HealSettings:
        """How much healing the workspace wants."""
        return HealSettings(workspace=self.workspace, chosen=self.heal_mode)

    @property
    def looks_ahead(self) -> bool:
        """Whether checks are made before runs and calls."""
        return self.heal_settings.looks_ahead

    @property
    def foretells(self) -> bool:
        """Whether calls are looked at for what history foretells of them."""
        return self.heal_settings.foretells

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
        """A new run id that sorts by time: `20261121-081500-1f3a9c`. Raises EngineError once the engine is closed."""
        self.under_way.refuse_closed()
        return f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime(self.clock()))}-{os.urandom(3).hex()}"

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
            read_yaml=lambda path: read(path).value,
            parse_yaml=lambda text, name: parse(text, name).value,
        )

    def healing(self, domain: str | None) -> HealMode:
        """What healing may do on its own in a domain now: nothing when it is switched off, else as configured."""
        known = self.domains.get(domain or "")
        mode = self.heal_settings.mode
        modes = [mode, known.mode if known and known.mode else mode]
        return HealMode.OFF if self.heal_settings.killed else max(modes, key=list(HealMode).index)

    def learn(self, run_id: str) -> tuple[Notice, ...]:
        """Brings the memory files up to date with history, after that run; returns what people should know."""
        return self._mending.learn(run_id)
