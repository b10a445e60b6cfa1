"""The nightly job: learns from history what failures have in common, brings confidence up to date, and proposes.

Each part stands for itself: one that cannot be done is told of, and the others go on. Files are written whole, so a
job that is killed leaves each as it was or as it should be.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from engine.errors import DocumentError, EngineError, JobBusyError, WorkspaceError
from engine.heal.learn import learn
from engine.history import History
from engine.improve import offers, proposals, repairs
from engine.improve.groups import Group, Sighting, group, sighting
from engine.improve.repairs import Repair, Surroundings, Timeline
from engine.improve.stale import STALE_AFTER, weights
from engine.memory import Memory
from engine.model.improvement import About, Proposal
from engine.model.lazy_dataclass import dataclass
from engine.model.secret import Secrets
from engine.workspace import make_private

LOCK = "learn.lock"
MOST = 10_000
"""Failures that are looked at, the newest first."""

More = Callable[[], str]
"""A further part of the job, which returns what it did in a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What became of one part of the job; `told` is a sentence, `ok` False when it could not be done."""

    name: str
    told: str
    ok: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What history says: how many failures there were, their groups, repairs by hand, and what could be proposed."""

    failures: int
    groups: tuple[Group, ...]
    repairs: tuple[Repair, ...]
    candidates: tuple[Proposal, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What one job did; `offered` are the proposals that are new, `waiting` how many a person has to decide about."""

    found: Found
    parts: tuple[Part, ...]
    offered: tuple[Proposal, ...] = ()
    waiting: int = 0

    @property
    def ok(self) -> bool:
        """Whether every part could be done."""
        return all(part.ok for part in self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Nightly:
    """The job of one workspace; `more` are its further parts by name, `stale_after` is in seconds."""

    memory: Memory
    history: History
    around: Surroundings
    secrets: Secrets
    stale_after: float = STALE_AFTER

    def look(self, *, since: float = 0.0) -> Found:
        """What can be learnt from failures since then (seconds since the epoch), the newest 10,000; writes nothing.

        Raises JournalError.
        """
        calls = self.history.failed_calls(since=since, limit=MOST)
        sightings = tuple(seen for seen in map(sighting, calls) if seen is not None)
        groups = group(sightings)
        done = self._repairs(sightings)
        named = proposals.proposals(
            groups, patterns=self.memory.patterns.all(), outcomes=repairs.outcomes(done, self.around)
        )
        offered = offers.offers(done, self.around, self.history, mask=self.secrets.mask, known=self.memory.fixes.known)
        return Found(failures=len(calls), groups=groups, repairs=done, candidates=(*named, *offered))

    def fresh(self, found: Found, now: float) -> tuple[Proposal, ...]:
        """What would be proposed anew. Raises DocumentError when the file of proposals is broken."""
        standing = self.memory.proposals.standing()
        known = {each.id for each in standing}
        return tuple(each for each in proposals.undecided(self._recent(found, now), standing) if each.id not in known)

    def work(self, now: float, *, since: float = 0.0, more: Mapping[str, More] | None = None) -> Report:
        """Learns, and writes what was learnt; `now` in seconds since the epoch. Raises JournalError.

        The caller holds the job (`alone`).
        """
        found = self.look(since=since)
        parts = [Part(name="failures", told=_looked(found)), self._statistics(), self._weights(now)]
        offered: list[Proposal] = []

        def propose() -> str:
            recent = self._recent(found, now)
            new, dropped = self.memory.proposals.offer(
                lambda standing: proposals.undecided(recent, standing), stale_before=now - self.stale_after
            )
            offered.extend(new)
            gone = f", {len(dropped)} dropped that were not seen for long" if dropped else ""
            return f"{_count(len(new), 'new proposal')}{gone}"

        parts += [_part("proposals", propose), *(_part(name, act) for name, act in (more or {}).items())]
        waiting = len(self.memory.proposals.open())
        parts += [_part("inbox", lambda: self._tell(offered, waiting))] if offered else []
        return Report(found=found, parts=tuple(parts), offered=tuple(offered), waiting=waiting)

    def _recent(self, found: Found, now: float) -> list[Proposal]:
        return [each for each in found.candidates if each.last_seen >= now - self.stale_after]

    def _repairs(self, sightings: tuple[Sighting, ...]) -> tuple[Repair, ...]:
        first = min((each.call.at for each in sightings), default=0.0)
        timeline = Timeline(self.history.calls(since=first)) if sightings else Timeline(())
        return repairs.repairs(sightings, timeline, self.around, self.history)

    def _statistics(self) -> Part:
        complaints = learn(self.memory, self.history)
        told = "; ".join(dict.fromkeys(complaints)) or "counts and confidence are those of history"
        return Part(name="statistics", told=told, ok=not complaints)

    def _weights(self, now: float) -> Part:
        def weigh() -> str:
            last_seen = self.history.patterns_last_seen()
            changed = self.memory.patterns.weigh(
                lambda standing: weights(standing, last_seen, now, stale_after=self.stale_after)
            )
            return f"weight changed of {', '.join(changed)}" if changed else "nothing changed its weight"

        return _part("stale", weigh)

    def _tell(self, offered: list[Proposal], waiting: int) -> str:
        kinds = [each.about for each in offered]
        named = f"{_count(kinds.count(About.PATTERN), 'pattern')} and {_count(kinds.count(About.REPAIR), 'repair')}"
        text = f"{named} proposed, {waiting} in all wait for you: `skill memory patterns review`"
        self.memory.inbox.add("learn", text)
        return "a note was left"


@contextmanager
def alone(state: Path, now: float) -> Iterator[None]:
    """Holds the job of a workspace, whose state folder this is; JobBusyError when another process has it.

    The system lets go of it when the process ends in any way.
    """
    path = state / LOCK
    try:
        make_private(state)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        hint = "make it writable, or set SKILL_HOME to a folder that is"
        raise WorkspaceError(f"{path} cannot be opened: {error.strerror or error}", hint=hint) from error
    try:
        _hold(descriptor)
        _sign(descriptor, now)
        yield
    finally:
        os.close(descriptor)


def _hold(descriptor: int) -> None:
    import fcntl  # noqa: PLC0415 - late: other systems than POSIX can still look

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        who = os.pread(descriptor, 200, 0).decode("utf-8", "replace").strip() or "another process"
        raise JobBusyError(f"{who} is learning from history already", hint="let it finish, then try again") from None


def _sign(descriptor: int, now: float) -> None:
    since = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    with suppress(OSError):  # a disk that is full: who holds the lock is a courtesy, and the parts tell of the disk
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()} (since {since})\n".encode(), 0)


def _part(name: str, act: Callable[[], str]) -> Part:
    try:
        return Part(name=name, told=act())
    except (EngineError, OSError) as error:
        return Part(name=name, told=_complaint(error), ok=False)


def _complaint(error: Exception) -> str:
    return "; ".join(map(str, error.findings)) if isinstance(error, DocumentError) and error.findings else str(error)


def _looked(found: Found) -> str:
    told = f"{_count(found.failures, 'failure')} in {_count(len(found.groups), 'group')}"
    return f"{told}, {_count(len(found.repairs), 'call')} worked later without a fix of the engine's"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
