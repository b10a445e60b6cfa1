"""Questions for learning: the calls that failed, with all they left behind, and the calls that worked afterwards."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from engine.history.database import Database, Row

_FAILED = """
    SELECT r.id, r.skill, s.name, s.tool, s.kind, s.error, s.pattern, s.status, s.auto_fixed, s.finished_at, e.body
    FROM steps s JOIN runs r ON r.number = s.run
    LEFT JOIN events e ON e.run = s.run AND e.number = s.end_event
    WHERE s.failed = 1 AND s.finished_at >= ?
    ORDER BY s.finished_at DESC, s.run DESC, s.start_event DESC LIMIT ?
"""
_CALLS = """
    SELECT r.id, r.skill, a.step, a.tool, a.ok, a.started_at, a.finished_at, a.run, a.event
    FROM attempts a JOIN runs r ON r.number = a.run
    WHERE a.finished_at >= ? ORDER BY a.finished_at DESC, a.run DESC, a.event DESC LIMIT ?
"""
_BODY = "SELECT body FROM events WHERE run = ? AND number = ?"
_LAST_SEEN = """
    SELECT pattern, max(finished_at) FROM steps WHERE pattern <> '' AND pattern_right IS NOT NULL GROUP BY pattern
"""


class FailedCall(NamedTuple):
    """A step that failed at least one attempt: its first failure as the event gave it, and how the step ended.

    `kind` and `pattern` say what it was taken for; `at` is when the step ended, in seconds since the epoch. No
    dataclass, because every run pays for making the class.
    """

    run_id: str
    skill: str
    step: str
    tool: str
    kind: str
    message: str
    pattern: str
    status: str
    auto_fixed: bool
    at: float
    failure: Mapping[str, Any]


class PastCall(NamedTuple):
    """One attempt at a call; times in seconds since the epoch, `place` where its event stands."""

    run_id: str
    skill: str
    step: str
    tool: str
    ok: bool
    started_at: float
    finished_at: float
    place: tuple[int, int]


class LessonQueries:
    """What learning asks of history."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def failed_calls(self, *, since: float = 0.0, limit: int = 10_000) -> tuple[FailedCall, ...]:
        """The newest steps that failed an attempt, newest first."""
        return tuple(_failed(row) for row in self._database.read(_FAILED, (since, limit)))

    def calls(self, *, since: float = 0.0, limit: int = 100_000) -> tuple[PastCall, ...]:
        """The newest attempts at calls, oldest first."""
        return tuple(_call(row) for row in reversed(self._database.read(_CALLS, (since, limit))))

    def arguments(self, call: PastCall) -> Mapping[str, Any]:
        """What a call was called with, secrets masked; empty when it is not kept."""
        rows = self._database.read(_BODY, call.place)
        args = json.loads(rows[0][0]).get("args") if rows else None
        return args if isinstance(args, dict) else {}

    def patterns_last_seen(self) -> dict[str, float]:
        """When each pattern last spoke on a failure whose truth came out, in seconds since the epoch."""
        return {pattern: float(at) for pattern, at in self._database.read(_LAST_SEEN)}


def _failed(row: Row) -> FailedCall:
    body = json.loads(row[10]) if row[10] else {}
    failure = body.get("first_failure") or body.get("failure")
    return FailedCall(
        run_id=row[0],
        skill=row[1],
        step=row[2],
        tool=row[3],
        kind=row[4],
        message=row[5],
        pattern=row[6] or _pattern(body),
        status=row[7],
        auto_fixed=bool(row[8]),
        at=row[9],
        failure=failure if isinstance(failure, dict) else {},
    )


def _pattern(body: Mapping[str, Any]) -> str:
    """What spoke on it, where nothing came out about whether that was right."""
    diagnosis = body.get("diagnosis")
    return str(diagnosis.get("pattern") or "") if isinstance(diagnosis, dict) else ""


def _call(row: Row) -> PastCall:
    return PastCall(
        run_id=row[0],
        skill=row[1],
        step=row[2],
        tool=row[3],
        ok=bool(row[4]),
        started_at=row[5],
        finished_at=row[6],
        place=(row[7], row[8]),
    )
