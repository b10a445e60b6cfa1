"""The monitor: looks, repairs, writes down what it found, and tells people what changed; once or again and again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import field
from typing import Any, Literal

import anyio

from engine.errors import DocumentError
from engine.health.changes import settled
from engine.health.diary import Diary
from engine.health.forecast import AHEAD, attention_at, expiries
from engine.health.pace import TICK, Moment, Pace, Why
from engine.health.plain import plain
from engine.health.rounds import Rounds
from engine.health.telling import Teller
from engine.memory.health import HealthBook
from engine.model.heal import Domain
from engine.model.health import HealthCheck, HealthNotice, HealthReport, PredictedIssue, Remembered, subject
from engine.model.lazy_dataclass import dataclass

Foresee = Callable[[Iterable[HealthCheck]], tuple[PredictedIssue, ...]]
"""What history foretells besides tokens that end, given what was found just now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """Something a monitor does or finds, for whoever watches it; `about` says which of the fields holds it."""

    about: Literal["look", "found", "notice", "trouble"]
    at: float
    why: Why | None = None
    report: HealthReport | None = None
    notice: HealthNotice | None = None
    text: str = ""
    seconds: float = 0.0


Watching = Callable[[Happening], None]


def foresee_nothing(_: Iterable[HealthCheck]) -> tuple[PredictedIssue, ...]:
    """History foretells nothing."""
    return ()


def nothing_before() -> None:
    """Nothing is to be done before the first look."""


@dataclass(slots=True, kw_only=True)
class Monitor:
    """Looks at everything; `reading` gives both clocks, `new_diary` begins the diary of one look.

    What cannot be written (memory, history) is told once and looked at all the same; it is told again when it is
    another thing. `sleep` waits between two glances at the clocks; `before_first` is done before the first look.
    """

    rounds: Rounds
    domains: Mapping[str, Domain]
    book: HealthBook
    teller: Teller
    reading: Callable[[], Moment]
    new_diary: Callable[[], Diary]
    watching: Watching
    interval: float
    refresh_within: float
    foresee: Foresee = foresee_nothing
    sleep: Callable[[float], Awaitable[Any]] = anyio.sleep
    before_first: Callable[[], None] = nothing_before
    _begun: bool = False
    _remembered: dict[str, Remembered] | None = None
    _complained: frozenset[str] = frozenset()
    _complaints: list[str] = field(default_factory=list)

    async def watch(self) -> None:
        """Looks until it is cancelled: at the interval, sooner when a token ends, and at once after sleep."""
        pace = Pace(interval=self.interval)
        while True:
            now = self.reading()
            why = pace.due(now)
            if why is None:
                pace = pace.after_glance(now)
            else:
                report = await self.look(why)
                least = attention_at(report.checks, self.refresh_within)
                pace = pace.after_look(self.reading(), attention_at=least)
            await self.sleep(min(TICK, self.interval))

    async def look(self, why: Why = Why.BEGIN) -> HealthReport:
        """Looks at everything once, and gives what was found, after all repairs."""
        began = self.reading()
        self.watching(Happening(about="look", at=began.wall, why=why))
        if why in {Why.WOKE, Why.CLOCK}:
            self.rounds.experience.patience.forget()
        self._recall()
        diary = self.new_diary()
        try:
            seen = await self.rounds.look(diary)
        except BaseException:
            diary.broken_off()
            raise
        checks = tuple(plain(check, self.teller.secrets.mask) for check in seen)
        now = self.reading().wall
        issues = (*expiries(checks, self.domains, now=now, ahead=AHEAD * self.refresh_within), *self.foresee(checks))
        report, notices = self._kept(HealthReport(at=now, checks=checks, issues=issues))
        self._complaints += [notice.text for notice in diary.close(report, changed=bool(notices))]
        seconds = self.reading().up - began.up
        self.watching(Happening(about="found", at=now, why=why, report=report, seconds=seconds))
        for notice in notices:
            self.watching(Happening(about="notice", at=now, notice=notice, text=notice.text))
        self._complaints += await self.teller.deliver()
        self._tell_complaints()
        return report

    def _recall(self) -> None:
        """Before the first look: how the skills were at the one before, which another process may have made."""
        states = self.rounds.skills.states
        if not self._begun:
            self._begun = True
            self.before_first()
            states.update({name: known.state for name, known in self.book.remembered().items()})

    def _kept(self, report: HealthReport) -> tuple[HealthReport, tuple[HealthNotice, ...]]:
        """Writes the report down and tells people; while the file cannot be written, this process remembers."""
        done: list[tuple[HealthReport, tuple[HealthNotice, ...]]] = []

        def settle(known: Mapping[str, Remembered]) -> HealthReport:
            done.append(settled(report, known if self._remembered is None else self._remembered))
            self._complaints += self.teller.write(done[0][1])
            return done[0][0]

        unwritten = False
        try:
            self.book.update(settle)
        except DocumentError as error:
            self._complaints.append(f"what was found is not written down: {error}")
            unwritten = True
        if not done:
            settle({})
        self._remembered = _remember(done[0][0]) if unwritten else None
        return done[0]

    def _tell_complaints(self) -> None:
        """Tells what the look before did not complain of: what lasts is not repeated every few minutes."""
        said, self._complaints = tuple(dict.fromkeys(self._complaints)), []
        for text in said:
            if text not in self._complained:
                self.watching(Happening(about="trouble", at=self.reading().wall, text=text))
        self._complained = frozenset(said)


def _remember(report: HealthReport) -> dict[str, Remembered]:
    return {
        subject(check.name, part.name): Remembered(state=part.state, since=part.since, told=part.told)
        for check in report.checks
        for part in check.parts
    }
