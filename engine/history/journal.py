"""History: where runs are written down as they happen, and asked about afterwards."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from engine.errors import EngineError, RunStateError
from engine.history.claims import Claims
from engine.history.database import Database, Synchronous
from engine.history.foresight_queries import ForesightQueries
from engine.history.leftovers import packed, unpacked
from engine.history.lessons import LessonQueries
from engine.history.past import PastQueries
from engine.history.recorder import Recorder, lost
from engine.history.statistics import StatisticQueries
from engine.model.event import Event
from engine.model.secret import Secrets

CLAIMS = "runs"
"""The folder of lock files, beside the database."""

_ASK_TO_CANCEL = """
    UPDATE runs SET cancel_requested = coalesce(cancel_requested, ?)
    WHERE id = ? AND status IN ('running', 'waiting')
"""
_KNOWN = "SELECT 1 FROM runs WHERE id = ?"
_CANCEL_ASKED = "SELECT cancel_requested IS NOT NULL, owner, pid, host FROM runs WHERE id = ?"


class History(PastQueries, StatisticQueries, ForesightQueries, LessonQueries):
    """The history of one machine (or one SKILL_HOME): the journal runs write to, and every question about them.

    Safe to use from several threads, and from many processes on one file. Every method raises JournalError.
    """

    def __init__(
        self, database: Database, *, secrets: Secrets, host: str, clock: Callable[[], float] = time.time
    ) -> None:
        self._claims = Claims(database.path.parent / CLAIMS, host=host, clock=clock)
        PastQueries.__init__(self, database, host=host, taken=self._claims.taken)
        self._clock = clock
        self._recorder = Recorder(database, secrets=secrets, host=host, token=self._claims.token)

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        secrets: Secrets,
        synchronous: Synchronous = "normal",
        host: str | None = None,
        clock: Callable[[], float] = time.time,
    ) -> History:
        """History kept in the file `path`, which is opened (and made) at first use.

        `synchronous` "normal" survives a killed process, "full" also a power cut, at 1.5 ms a commit (STACK.md).
        """
        database = Database(path, synchronous=synchronous)
        return cls(database, secrets=secrets, host=os.uname().nodename if host is None else host, clock=clock)

    def record(self, *events: Event) -> None:
        """Keeps the events in one transaction, all or none, secrets masked, before it returns.

        Raises OwnershipLostError when another journal has claimed one of their runs.
        """
        self._recorder.record(*events)

    def claim(self, run_id: str) -> None:
        """Makes this journal the only one that writes to the run, begun or not, until `release` or the process's end.

        Raises RunBusyError, which names who has it.
        """
        since = self._clock()
        self._claims.take(run_id)
        try:
            self._recorder.take_over(run_id, since=since)
            self._take_up(run_id)
        except BaseException:
            self._claims.release(run_id)
            raise

    def release(self, run_id: str) -> None:
        """Lets go of the run if this journal has it; never raises."""
        self._claims.release(run_id)
        self._recorder.forget(run_id)

    def leave(self, *events: Event) -> None:
        """Keeps the end of a run beside the database, which cannot be written to; never raises.

        Whoever claims the run, or calls `recover`, has it written down then, if the run is in the database.
        """
        self._claims.leave(events[-1].run_id, packed(events))

    def recover(self) -> None:
        """Writes down how runs ended that broke off because history could not be written; what cannot be, stays."""
        for run_id in self._claims.leaving():
            with suppress(EngineError):
                self.claim(run_id)
                self.release(run_id)

    def _take_up(self, run_id: str) -> None:
        left = self._claims.left(run_id)
        if left is None:
            return
        if self._database.read(_KNOWN, (run_id,)):
            self._recorder.record(*unpacked(run_id, left))
        self._claims.taken_up(run_id)

    def request_cancel(self, run_id: str) -> None:
        """Asks whoever has the run to cancel it. Raises RunNotFoundError, and RunStateError when it has ended."""
        full = self._full_id(run_id)
        asked = self._database.write(lambda cursor: cursor.execute(_ASK_TO_CANCEL, (self._clock(), full)).rowcount)
        if not asked:
            raise RunStateError(
                f"run {full} has ended already: {self.run(full).status}",
                hint=f"`skill status {full}` shows how",
            )

    def cancel_requested(self, run_id: str) -> bool:
        """Whether somebody has asked, since it was claimed, that the run be cancelled.

        Raises OwnershipLostError when this journal had claimed the run, and another has taken it over.
        """
        for asked, owner, pid, host in self._database.read(_CANCEL_ASKED, (run_id,)):
            if self._claims.token(run_id) not in {"", owner}:
                raise lost(run_id, pid, host)
            return bool(asked)
        return False

    def close(self) -> None:
        """Lets go of every run and of the file."""
        self._claims.release_all()
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
