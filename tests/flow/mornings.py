"""Days that pass at once: a workspace whose clock and sleep are told, and a door whose token ends over night."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from engine import Engine, Event, EventKind, RunResult, SkillExecutor
from engine.improve.sequences import Learnt, learn_sequences
from engine.workspace import find_workspace
from tool_registry.tool import Tool

MONDAY = datetime(2026, 11, 2, 8, 15)  # noqa: DTZ001 - local time, wherever the tests run
TICK = 0.25
"""Seconds that pass whenever somebody looks at the clock."""

SKILL = """
name: visit
description: Looks through the door.
steps:
  - name: look
    tool: look
"""


@dataclass(slots=True)
class Calendar:
    """A clock that is set, and how long the machine has slept in all."""

    now: float = 0.0
    slept: float = 0.0

    def __call__(self) -> float:
        """Seconds since the epoch; a little later each time."""
        self.now += TICK
        return self.now

    def goto(self, moment: datetime) -> None:
        """Sets the clock."""
        self.now = moment.timestamp()


@dataclass(slots=True)
class Life:
    """One workspace over many days; `events` are those of the newest run."""

    folder: Path
    tools: Callable[[], list[Tool]]
    calendar: Calendar = field(default_factory=Calendar)
    settings: str = ""
    events: list[Event] = field(default_factory=list)

    @contextmanager
    def opened(self) -> Iterator[Engine]:
        """An engine as one process has it."""
        (self.folder / "skill.toml").write_text(self.settings)
        (self.folder / "skills").mkdir(exist_ok=True)
        workspace = find_workspace(self.folder, home=self.folder / "home")
        engine = Engine(
            workspace,
            extra_tools=tuple(self.tools()),
            clock=self.calendar,
            suspended=lambda: self.calendar.slept,
        )
        yield engine
        engine.journal.close()

    async def run(self, skill: str = SKILL) -> RunResult:
        """Runs a skill in a process of its own."""
        self.events = []
        with self.opened() as engine:
            name = textwrap.dedent(skill).split("name: ")[1].split("\n")[0]
            (self.folder / "skills" / f"{name}.yaml").write_text(textwrap.dedent(skill))
            return await SkillExecutor(engine, listeners=(self.events.append,)).run(name)

    async def morning(self, day: int, before: Callable[[], None], *, at: datetime = MONDAY) -> RunResult:
        """The first run of a working day, counted from 0; `before` is what the night has done."""
        week, weekday = divmod(day, 5)
        self.calendar.goto(at + timedelta(days=7 * week + weekday))
        before()
        return await self.run()

    def learn(self) -> Learnt:
        """The nightly job."""
        with self.opened() as engine:
            return learn_sequences(engine.journal, engine.memory, self.calendar())

    @property
    def contexts(self) -> Path:
        """The file of the sequences."""
        return self.folder / "home" / "memory" / "learned" / "failure_contexts.yaml"

    def foretold(self) -> list[dict[str, object]]:
        """What the looks ahead of the newest run told."""
        return [
            dict(event.data)
            for event in self.events
            if event.kind is EventKind.HEAL_STAGE and event.data["stage"] == "predict"
        ]
