"""What a look does is journaled as a run of `health` where there is anything to tell; most find all well."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from typing import Any, Protocol

import anyio

from engine.errors import EngineError
from engine.model.event import Event, EventKind, Journal
from engine.model.heal import Notice
from engine.model.health import HealthReport, Part, Wellbeing
from engine.model.lazy_dataclass import dataclass
from engine.model.outcome import RunStatus, StepStatus
from engine.model.secret import Secrets

SKILL = "health"
"""The name these runs go by in history."""

FIX_TIME = 120.0
"""Seconds a fix may take, waiting for another process that runs it included: a look must come to an end."""

QUIET = frozenset({EventKind.STEP_STARTED, EventKind.HEAL_STAGE, EventKind.STEP_FINISHED})
"""Kinds that alone are no reason to keep anything."""

Listener = Callable[[Event], None]


class DiaryParts(Protocol):
    """What a diary needs of the rooms around it; `engine.Engine` has all of it."""

    @property
    def journal(self) -> Journal:
        """Where events are kept."""

    @property
    def secrets(self) -> Secrets:
        """What is masked."""

    @property
    def clock(self) -> Callable[[], float]:
        """Seconds since the epoch."""

    @property
    def profile(self) -> str:
        """The name of the profile in use."""

    @property
    def folder(self) -> str:
        """The workspace's folder."""

    def learn(self, run_id: str) -> tuple[Notice, ...]:
        """Brings the memory files up to date with history, after that run."""


@dataclass(slots=True, kw_only=True)
class Diary:
    """The events of one look; kept back until a fix is about to run, or the end says that something has changed."""

    parts: DiaryParts
    run_id: str
    begun: float
    listeners: tuple[Listener, ...] = ()
    open: bool = False
    _waiting: list[Event] = field(default_factory=list)
    _steps: int = 0

    def at_step(self, step: str) -> Spot:
        """Where the events of one part go, and what a fix of it stands in."""
        return Spot(diary=self, step=step, until=anyio.current_time() + FIX_TIME)

    def begin(self, spot: Spot) -> None:
        """A part is about to be told of."""
        told = {"index": self._steps, "action": "tool", "section": "steps", "foreach": False}
        self._steps += 1
        spot.emit(EventKind.STEP_STARTED, told)

    def end(self, spot: Spot, part: Part, seconds: float) -> None:
        """How a part is now."""
        status = StepStatus.FAILED if part.state is Wellbeing.UNWELL else StepStatus.OK
        told = {
            "status": StepStatus.HEALED if part.fixed else status,
            "duration": seconds,
            "attempts": 0,
            "fixes": [part.fix] if part.fix else [],
            "reason": part.message,
            "failure": None,
            "first_failure": None,
            "remediation": [],
            "value": None,
            "healed_by": [],
            "diagnosis": None,
            "answer_lost": False,
            "reused": False,
        }
        spot.emit(EventKind.STEP_FINISHED, told)

    def send(self, kind: EventKind, data: Mapping[str, Any], step: str) -> None:
        """Keeps an event; raises JournalError for a fix that is about to run, which then must not.

        What has happened already waits for the end, if history cannot take it now.
        """
        event = self._event(kind, data, step)
        self._waiting.append(event)
        try:
            if self.open or kind not in QUIET:
                self._write()
        except EngineError:
            if kind is EventKind.FIX_STARTED:
                self._waiting.remove(event)
                raise
        for listen in self.listeners:
            listen(event)

    def close(self, report: HealthReport, *, changed: bool) -> tuple[Notice, ...]:
        """Ends the run, if there is one or something has changed; returns what people should know of it.

        A history that cannot be written is one of those things; the look itself has been made.
        """
        if not self.open and not (changed and self._waiting):
            return ()
        unwell = [check.name for check in report.checks if check.state is Wellbeing.UNWELL]
        message = f"not well: {', '.join(unwell)}" if unwell else ""
        try:
            self._end(RunStatus.FAILED if unwell else RunStatus.OK, message)
            return self.parts.learn(self.run_id)
        except EngineError as error:
            return (Notice(text=f"this look could not be written into history: {error}"),)

    def broken_off(self) -> None:
        """Ends the run because the look was cancelled; never raises."""
        if self.open:
            try:
                self._end(RunStatus.CANCELLED, "cancelled")
            except EngineError:
                return  # the run stays as one that was interrupted, which is what history says of it then

    def _end(self, status: RunStatus, message: str) -> None:
        told = {
            "status": status,
            "message": message,
            "duration": max(0.0, self.parts.clock() - self.begun),
            "timed_out": False,
            "outputs": {},
            "notes": [],
            "healed": 0,
        }
        self._waiting.append(self._event(EventKind.RUN_FINISHED, told, ""))
        self._write()
        self.parts.journal.release(self.run_id)

    def _write(self) -> None:
        started: Iterable[Event] = ()
        if not self.open:
            self.parts.journal.claim(self.run_id)
            started = (self._started(),)
        waiting = tuple(self._waiting)
        try:
            self.parts.journal.record(*started, *waiting)
        except EngineError:
            if not self.open:
                self.parts.journal.release(self.run_id)
            raise
        self._waiting.clear()
        self.open = True

    def _started(self) -> Event:
        texts = dict.fromkeys(("version", "file", "digest", "text", "reused_from"), "")
        told = {
            **texts,
            "skill": SKILL,
            "inputs": {},
            "profile": self.parts.profile,
            "pid": os.getpid(),
            "folder": self.parts.folder,
        }
        return Event(kind=EventKind.RUN_STARTED, run_id=self.run_id, at=self.begun, data=told)

    def _event(self, kind: EventKind, data: Mapping[str, Any], step: str) -> Event:
        masked = self.parts.secrets.mask_event(data)
        return Event(kind=kind, run_id=self.run_id, at=self.parts.clock(), step=step, data=masked)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """One part in a diary: what a call beside it stands in (`engine.heal.proactive.Around`)."""

    diary: Diary
    step: str
    until: float

    @property
    def run_id(self) -> str:
        """The run of this look."""
        return self.diary.run_id

    @property
    def time_left(self) -> float | None:
        """Seconds its fix may still take."""
        return max(0.0, self.until - anyio.current_time())

    @property
    def emit(self) -> Emitting:
        """Puts an event into the diary."""
        return Emitting(diary=self.diary, step=self.step)


@dataclass(frozen=True, slots=True, kw_only=True)
class Emitting:
    """Puts events of one part into the diary."""

    diary: Diary
    step: str

    def __call__(self, kind: EventKind, data: Mapping[str, Any], *, durable: bool = True) -> None:  # noqa: ARG002 - the door of every emit
        """Sends one event."""
        self.diary.send(kind, data, self.step)
