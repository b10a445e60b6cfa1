"""The database: the one door to SQLite, where every mishap becomes a JournalError with a way out."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

from engine.errors import JournalError
from engine.history.migrations import BOOKKEEPING, MIGRATIONS, Migration
from engine.history.mishaps import PATIENCE, explained, is_busy, moved, unusable
from engine.workspace import make_private

Synchronous = Literal["normal", "full"]
Value = str | int | float | None
Row = tuple[Any, ...]
Answer = TypeVar("Answer")


class Cursor(Protocol):
    """What is used of a database cursor."""

    def execute(self, sql: str, values: Sequence[Value] = (), /) -> Any:
        """Runs one statement."""

    def fetchall(self) -> list[Row]:
        """The rows the last statement gave."""

    def fetchone(self) -> Row | None:
        """The next row the last statement gave."""


class Database:
    """One connection to one file, opened at first use; threads take turns, processes wait for each other.

    `patience` is in seconds; it is waited for twice.
    """

    def __init__(
        self,
        path: Path,
        *,
        synchronous: Synchronous = "normal",
        migrations: tuple[Migration, ...] = MIGRATIONS,
        patience: float = PATIENCE,
    ) -> None:
        self.path = path
        self._name = str(path)
        self._synchronous = synchronous
        self._migrations = migrations
        self._patience = patience
        self._turn = threading.RLock()
        self._cursor: Cursor | None = None
        self._close: Callable[[], None] | None = None
        self._file: os.stat_result | None = None
        self._error: type[Exception] = JournalError

    def write(self, work: Callable[[Cursor], Answer]) -> Answer:
        """Runs `work` in one transaction: all of it is kept, or none; raises JournalError.

        A file that was deleted or replaced under an open connection would take everything silently: nothing is kept
        then, and the next use opens what is there.
        """
        with self._turn:
            try:
                answer: Answer = self._patiently(self._transaction, work)
            except self._error as error:
                raise (moved(self.path) if self._left_behind() else self._explained(error)) from error
            if self._left_behind():
                raise moved(self.path)
            return answer

    def read(self, sql: str, values: Sequence[Value] = ()) -> list[Row]:
        """The rows of a query; none where there is no history yet, which is not created for a question."""
        with self._turn:
            self._left_behind()
            if self.missing:
                return []
            try:
                return self._patiently(self._query, sql, values)
            except self._error as error:
                raise self._explained(error) from error

    @property
    def missing(self) -> bool:
        """Whether there is no file, and none is open."""
        return self._cursor is None and _missing(self.path)

    def close(self) -> None:
        """Lets go of the file; a later use opens it again."""
        with self._turn:
            if self._close is not None:
                self._close()
            self._cursor = self._close = self._file = None

    def _explained(self, error: Exception) -> JournalError:
        return explained(error, self.path, self._patience)

    def _left_behind(self) -> bool:
        """Whether the open file is no longer the one at `path`; it is let go of then."""
        if self._file is None:
            return False
        try:
            now = os.stat(self._name)  # noqa: PTH116 - asked at every event, and a path object costs a fifth more
        except OSError:
            now = None
        if now is not None and os.path.samestat(self._file, now):
            return False
        self.close()
        return True

    def _transaction(self, work: Callable[[Cursor], Answer]) -> Answer:
        cursor = self._cursor or self._connect()
        cursor.execute("BEGIN IMMEDIATE")
        try:
            answer = work(cursor)
            cursor.execute("COMMIT")
        except BaseException:
            self._roll_back(cursor)
            raise
        return answer

    def _roll_back(self, cursor: Cursor) -> None:
        # A full disk or a failing one has rolled back by itself; the first error is the one worth telling.
        try:
            cursor.execute("ROLLBACK")
        except self._error:
            return

    def _query(self, sql: str, values: Sequence[Value]) -> list[Row]:
        cursor = self._cursor or self._connect()
        cursor.execute(sql, values)
        return cursor.fetchall()

    def _patiently(self, work: Callable[..., Answer], *values: Any) -> Answer:
        """`work`, once more when the file was still busy after the first wait."""
        try:
            return work(*values)
        except self._error as error:
            if not is_busy(error):
                raise
        return work(*values)

    def _connect(self) -> Cursor:
        import sqlite3  # noqa: PLC0415 - late: commands that touch no history do not pay for it

        self._error = sqlite3.Error
        try:
            _create(self.path)
        except OSError as error:
            raise unusable(self.path, error.strerror or str(error)) from error
        connection = sqlite3.connect(
            self.path, timeout=self._patience, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        try:
            cursor = connection.cursor()
            self._prepare(cursor)
            self._file = self.path.stat()
        except BaseException:
            connection.close()
            raise
        self._cursor, self._close = cursor, connection.close
        return cursor

    def _prepare(self, cursor: Cursor) -> None:
        self._ensure_wal(cursor)
        cursor.execute(f"PRAGMA synchronous = {'FULL' if self._synchronous == 'full' else 'NORMAL'}")
        self._migrate(cursor)

    def _ensure_wal(self, cursor: Cursor) -> None:
        """Turns on write-ahead logging; SQLite does not wait by itself when two processes do so at once."""
        deadline = time.monotonic() + self._patience
        while True:
            try:
                if cursor.execute("PRAGMA journal_mode").fetchone() != ("wal",):
                    cursor.execute("PRAGMA journal_mode = WAL").fetchone()
            except self._error as error:
                if not is_busy(error) or time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
            else:
                return

    def _migrate(self, cursor: Cursor) -> None:
        newest = self._migrations[-1].number
        if self._schema(cursor) == newest:
            return
        cursor.execute("BEGIN IMMEDIATE")
        try:
            self._apply(cursor, self._schema(cursor), newest)
            cursor.execute("COMMIT")
        except BaseException:
            self._roll_back(cursor)
            raise

    def _apply(self, cursor: Cursor, present: int, newest: int) -> None:
        if present > newest:
            raise JournalError(
                f"{self.path} was written by a newer skill-engine (tables number {present}, this one knows {newest})",
                hint="update skill-engine, or set SKILL_HOME to another folder",
            )
        cursor.execute(BOOKKEEPING)
        for migration in self._migrations:
            if migration.number > present:
                for statement in migration.statements:
                    cursor.execute(statement)
                cursor.execute(
                    "INSERT INTO migrations (number, name) VALUES (?, ?)", (migration.number, migration.name)
                )

    def _schema(self, cursor: Cursor) -> int:
        """The number of the last migration applied; 0 for an empty file."""
        names = {name for (name,) in cursor.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()}
        if "migrations" in names:
            return int(cursor.execute("SELECT coalesce(max(number), 0) FROM migrations").fetchall()[0][0])
        if names:
            raise JournalError(
                f"{self.path} is a database of another program",
                hint="set SKILL_HOME to another folder, or move that file away",
            )
        return 0


def _missing(path: Path) -> bool:
    try:
        path.stat()
    except FileNotFoundError:
        return True
    except OSError:
        return False  # opening it will say what is wrong
    return False


def _create(path: Path) -> None:
    """Makes the file and its folder, for this user only: a run's arguments and answers are private."""
    if path.exists():
        return
    make_private(path.parent)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
