"""The world of the random skills: tools that fail as they were told, a trace of all that happens, and processes that die.

The trace is one file, written by whatever process is at work: the tools' calls and the journal's events, in the order
in which they happened. A process dies, by SIGKILL, once it has written as many times as it may.
"""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Self
from zlib import crc32

import anyio
import anyio.lowlevel

from engine import Engine, Event, EventKind, HealMode, RunResult, SkillExecutor
from engine.errors import RunStateError
from engine.history import History
from engine.model.heal import Notice
from tests.properties.control_flow_skills import Story
from tool_registry.sources.python import tool, tool_of
from tool_registry.tool import Effect, Tool, ToolContext, ToolError

Do = Callable[[SkillExecutor], Awaitable[RunResult]]


@dataclass(slots=True)
class Trace:
    """The trace as far as it came; `fuse` counts the writes this process may still make, None for all it wants.

    `settled` counts, by word, the calls whose outcome history knows: a call that was cut off is none of them, and the
    next one with that word takes its place.
    """

    path: Path
    fuse: int | None = None
    lines: list[str] = field(default_factory=list)
    settled: Counter[str] = field(default_factory=Counter)
    _open: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path, *, fuse: int | None = None) -> Self:
        """The trace in a file."""
        trace = cls(path, fuse=fuse)
        for line in path.read_text().splitlines() if path.exists() else ():
            trace._take(line)
        return trace

    def write(self, *lines: str) -> None:
        """Adds lines in one write, and dies if it was the last."""
        if not lines:
            return
        with self.path.open("a") as file:
            file.write("".join(f"{line}\n" for line in lines))
        for line in lines:
            self._take(line)
        if self.fuse is not None:
            self.fuse -= 1
            if self.fuse == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def happened(self, word: str) -> bool:
        """Whether the newest call with that word had its effect."""
        for line in reversed(self.lines):
            what, *rest = line.split()
            if what in {"call", "try"} and rest[2] == word:
                return what == "call" and rest[4] in {"works", "after"}
        return False

    def _take(self, line: str) -> None:
        self.lines.append(line)
        what, *rest = line.split()
        if what == "call":
            self._open[rest[0]] = rest[2]
        elif what == "settled" and rest[0] in self._open:
            self.settled[self._open.pop(rest[0])] += 1


class TracedHistory(History):
    """A history that traces what it has kept."""

    trace: Trace

    def record(self, *events: Event) -> None:
        """Keeps the events, then traces them."""
        super().record(*events)
        reused = {event.step for event in events if event.data.get("reused")}
        told = (_told(event, reused=event.step in reused) for event in events)
        self.trace.write(*(line for line in told if line))


class TracedEngine(Engine):
    """An engine with such a history."""

    trace: Trace

    @cached_property
    def journal(self) -> History:
        """What happened, in SQLite."""
        history = TracedHistory.open(self.workspace.history, secrets=self.secrets)
        history.trace = self.trace
        return history

    def learn(self, run_id: str) -> tuple[Notice, ...]:  # noqa: ARG002 - it is the engine's own
        """Nothing: what memory makes of failures is not looked at here, and takes longer than the runs."""
        return ()


def _told(event: Event, *, reused: bool) -> str:
    """An event as a line; empty for those that tell nothing of order and endings."""
    data = event.data
    match event.kind:
        case EventKind.RUN_STARTED:
            return f"run {event.run_id}"
        case EventKind.STEP_STARTED:
            return "" if reused else f"{'begin' if data['section'] == 'steps' else 'clean'} {event.step}"
        case EventKind.STEP_FINISHED:
            return f"{'again' if reused else 'end'} {event.step} {data['status']}"
        case EventKind.ATTEMPT_STARTED:
            return f"try {event.step} {data['tool']} {data['args']['word']} {data['args']['saw']}"
        case EventKind.ATTEMPT_FINISHED if data["tool"] != "compute":
            return f"settled {event.step}"
        case EventKind.QUESTION_ASKED | EventKind.QUESTION_ANSWERED:
            answer = f" {json.dumps(data['answer'])}" if event.kind is EventKind.QUESTION_ANSWERED else ""
            return f"{event.kind.removeprefix('question_')} {event.step} {data['name']}{answer}"
        case EventKind.RUN_ENDING:
            return f"ending {data['status']}" if not event.step else ""
        case EventKind.RUN_WAITING:
            return "waiting"
        case EventKind.RUN_FINISHED:
            return f"finished {data['status']}"
        case _:
            return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a process told of the run it had: how it ended, its steps as the result and as history have them."""

    run: str
    status: str
    outputs: dict[str, Any]
    steps: dict[str, str]
    order: list[str]
    kept: dict[str, str | None]
    questions: list[str]
    refused: str = ""


@dataclass(frozen=True, slots=True)
class World:
    """A workspace with the skills of a story."""

    folder: Path
    story: Story

    def write(self) -> None:
        """Writes the skill files."""
        (self.folder / "skills").mkdir(parents=True)
        (self.folder / "skill.toml").write_text("")
        for name, text in self.story.texts.items():
            (self.folder / "skills" / f"{name}.yaml").write_text(text)

    @property
    def trace(self) -> Trace:
        """All that has happened."""
        return Trace.read(self.folder / "trace")

    def engine(self, trace: Trace) -> Engine:
        """An engine of its own, as every process has; healing is off, so that what is seen is what the language does."""
        engine = TracedEngine.open(
            self.folder, home=self.folder / "home", tools=tools(self.story, trace), heal=HealMode.OFF
        )
        engine.trace = trace
        return engine

    def lives(self, do: Do) -> Told:
        """Does something in this process."""
        return anyio.run(self._act, do, None)

    def child(self, do: Do, *, fuse: int | None) -> Told | None:
        """Does something in a process of its own; None when that died."""
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            self._live(do, fuse, writing)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            told = pipe.read()
        _, status = os.waitpid(pid, 0)
        if os.WIFSIGNALED(status):
            self.trace.write("died")
            return None
        assert status == 0, told
        return Told(**json.loads(told))

    def _live(self, do: Do, fuse: int | None, writing: int) -> None:
        """The child, which never comes back."""
        status = 1
        try:
            told = json.dumps(_fields(anyio.run(self._act, do, fuse)))
            status = 0
        except BaseException as error:  # noqa: BLE001 - the parent reads what went wrong
            told = f"{type(error).__name__}: {error}"
        os.write(writing, told.encode())
        os._exit(status)

    async def _act(self, do: Do, fuse: int | None) -> Told:
        trace = Trace.read(self.folder / "trace", fuse=fuse)
        async with self.engine(trace) as engine:
            try:
                result = await do(SkillExecutor(engine))
            except RunStateError as error:
                return Told(
                    run="", status="", outputs={}, steps={}, order=[], kept={}, questions=[], refused=str(error)
                )
            kept = engine.journal.steps(result.run_id)
            assert engine.journal.run(result.run_id).status is result.status
            return Told(
                run=result.run_id,
                status=result.status.value,
                outputs=dict(result.outputs),
                steps={step.path: step.status.value for step in result.steps},
                order=[step.path for step in result.steps],
                kept={step.name: step.status and step.status.value for step in kept},
                questions=[question.name for question in result.questions],
            )


def _fields(told: Told) -> dict[str, Any]:
    return {name: getattr(told, name) for name in Told.__dataclass_fields__}


def tools(story: Story, trace: Trace) -> list[Tool]:
    """The tools of the story; each call is traced, and takes as many turns of the loop as the story says."""

    async def act(name: str, word: str, saw: str, step: str) -> dict[str, Any]:
        number = trace.settled[word]
        outcomes = story.outcomes.get(word, ())
        outcome = outcomes[number] if number < len(outcomes) else "works"
        trace.write(f"call {step} {name} {word} {saw} {outcome}")
        for _ in range(story.pauses[crc32(word.encode()) % len(story.pauses)]):
            await anyio.lowlevel.checkpoint()
        match outcome:
            case "safe":
                raise ToolError("refused", kind="connection_refused", sent=False)
            case "before" | "after":
                raise ToolError("the answer was lost", kind="server_error", http_status=503, sent=True)
        return {"word": word, "n": number + 1}

    @tool(effect=Effect.READ)
    async def say(word: str, saw: str, context: ToolContext) -> dict[str, Any]:
        """Says a word."""
        return await act("say", word, saw, context.step)

    @tool(effect=Effect.WRITE, idempotent=True)
    async def put(word: str, saw: str, context: ToolContext) -> dict[str, Any]:
        """Puts a word somewhere; twice is the same as once."""
        return await act("put", word, saw, context.step)

    @tool(effect=Effect.WRITE)
    async def make(word: str, saw: str, context: ToolContext) -> dict[str, Any]:
        """Makes something, and nobody can tell afterwards whether it did."""
        return await act("make", word, saw, context.step)

    @tool(effect=Effect.WRITE, verify="created")
    async def create(word: str, saw: str, context: ToolContext) -> dict[str, Any]:
        """Makes something that can be looked for."""
        return await act("create", word, saw, context.step)

    @tool(effect=Effect.READ)
    async def created(word: str, saw: str) -> dict[str, Any]:  # noqa: ARG001 - it is asked what `create` was asked
        """Whether it is there."""
        return {"happened": trace.happened(word), "value": {"word": word, "n": trace.settled[word] + 1}}

    @tool(effect=Effect.WRITE, idempotent=True)
    async def take(word: str, saw: str, context: ToolContext) -> dict[str, Any]:
        """Takes something back."""
        return await act("take", word, saw, context.step)

    return [tool_of(each) for each in (say, put, make, create, created, take)]
