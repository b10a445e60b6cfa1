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
from engine.workspace import make_private

PATIENCE = 5.0
"""Seconds to wait for another process that is writing; waited for twice before giving up."""

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
    """One connection to one file, opened at first use; threads take turns, processes wait for each other."""

    def __init__(
        self, path: Path, *, synchronous: Synchronous = "normal", migrations: tuple[Migration, ...] = MIGRATIONS
    ) -> None:
        self.path = path
        self._synchronous = synchronous
        self._migrations = migrations
        self._turn = threading.RLock()
        self._cursor: Cursor | None = None
        self._close: Callable[[], None] | None = None
        self._error: type[Exception] = JournalError

    def write(self, work: Callable[[Cursor], Answer]) -> Answer:
        """Runs `work` in one transaction: all of it is kept, or none; raises JournalError."""
        with self._turn:
            try:
                return self._patiently(lambda: self._transaction(work))
            except self._error as error:
                raise explained(error, self.path) from error

    def read(self, sql: str, values: Sequence[Value] = ()) -> list[Row]:
        """The rows of a query; none where there is no history yet, which is not created for a question."""
        with self._turn:
            if self._cursor is None and _missing(self.path):
                return []
            try:
                return self._patiently(lambda: self._query(sql, values))
            except self._error as error:
                raise explained(error, self.path) from error

    def close(self) -> None:
        """Lets go of the file; a later use opens it again."""
        with self._turn:
            if self._close is not None:
                self._close()
            self._cursor = self._close = None

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

    def _patiently(self, work: Callable[[], Answer]) -> Answer:
        """`work`, once more when the file was still busy after the first wait."""
        try:
            return work()
        except self._error as error:
            if not _busy(error):
                raise
        return work()

    def _connect(self) -> Cursor:
        import sqlite3  # noqa: PLC0415 - late: commands that touch no history do not pay for it

        self._error = sqlite3.Error
        try:
            _create(self.path)
        except OSError as error:
            raise unusable(self.path, error.strerror or str(error)) from error
        connection = sqlite3.connect(
            self.path, timeout=PATIENCE, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        try:
            cursor = connection.cursor()
            self._prepare(cursor)
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
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                if cursor.execute("PRAGMA journal_mode").fetchone() != ("wal",):
                    cursor.execute("PRAGMA journal_mode = WAL").fetchone()
            except self._error as error:
                if not _busy(error) or time.monotonic() > deadline:
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


def _busy(error: Exception) -> bool:
    return _name(error).startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))


def _name(error: Exception) -> str:
    return str(getattr(error, "sqlite_errorname", ""))


def unusable(path: Path, why: str) -> JournalError:
    """History cannot live at `path`."""
    if path.is_dir():
        return JournalError(f"history cannot be kept in {path}: it is a folder", hint="remove that folder")
    return JournalError(
        f"history cannot be kept in {path}: {why}",
        hint="make its folder writable, or set SKILL_HOME to one that is",
    )


def explained(error: Exception, path: Path) -> JournalError:
    """What a database error means, and the way out."""
    match _name(error).split("_")[1:2]:
        case ["FULL"]:
            return JournalError(
                f"history cannot be written to {path}: the disk is full",
                hint="free some space, or set SKILL_HOME to a folder on another disk",
            )
        case ["READONLY"] | ["CANTOPEN"] | ["PERM"] | ["AUTH"]:
            return unusable(path, "it cannot be opened for writing")
        case ["CORRUPT"] | ["NOTADB"] | ["FORMAT"]:
            return JournalError(
                f"{path} is damaged or not a database: {error}",
                hint=f"move it aside (mv {path} {path}.broken) and a new history begins; memory's files stay",
            )
        case ["BUSY"] | ["LOCKED"]:
            return JournalError(
                f"{path} was kept busy by another process for {2 * PATIENCE:.0f} seconds",
                hint="see who has it open (fuser), and try again",
            )
        case ["IOERR"]:
            return JournalError(
                f"the disk refused {path}: {error}", hint="check the disk, or set SKILL_HOME to a folder on another one"
            )
        case _:
            return JournalError(
                f"history in {path} failed: {error}", hint="this is a defect of skill-engine; please report it"
            )
