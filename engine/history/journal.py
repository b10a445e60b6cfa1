"""History: where runs are written down as they happen, and asked about afterwards."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Self

from engine.history.database import Database, Synchronous
from engine.history.query import RunQueries
from engine.history.recorder import Recorder
from engine.history.statistics import StatisticQueries
from engine.model.event import Event
from engine.model.secret import Secrets


class History(RunQueries, StatisticQueries):
    """The history of one machine (or one SKILL_HOME): the journal runs write to, and every question about them.

    Safe to use from several threads, and from many processes on one file. Every method raises JournalError.
    """

    def __init__(self, database: Database, *, secrets: Secrets, host: str) -> None:
        RunQueries.__init__(self, database, host=host)
        self._recorder = Recorder(database, secrets=secrets, host=host)

    @classmethod
    def open(
        cls, path: Path, *, secrets: Secrets, synchronous: Synchronous = "normal", host: str | None = None
    ) -> History:
        """History kept in the file `path`, which is opened (and made) at first use.

        `synchronous` "normal" survives a killed process, "full" also a power cut, at 1.5 ms a commit (STACK.md).
        """
        database = Database(path, synchronous=synchronous)
        return cls(database, secrets=secrets, host=os.uname().nodename if host is None else host)

    def record(self, *events: Event) -> None:
        """Keeps the events in one transaction, all or none, secrets masked, before it returns."""
        self._recorder.record(*events)

    def close(self) -> None:
        """Lets go of the file."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
