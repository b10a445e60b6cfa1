"""Questions of prediction: what a call stands in, what looks ahead found before, and what failures and fixes cost."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from engine.history.database import Database, Row
from engine.model.failure import FailureKind
from engine.model.prevention import PredictAction, Prediction, PredictionRecord, Situation

RUNS_BACK = 6
"""Runs among which the calls before a call are looked for."""
TRIES = 3
"""Attempts at one call, at most, that are read over: a call that is tried again is still one call."""

_LAST_LOOK = "SELECT max(at) FROM predictions WHERE domain = ? AND at <= ?"
_CALLS = """
    SELECT body FROM events WHERE kind = 'attempt_finished' AND run > (SELECT max(number) FROM runs) - ?
    ORDER BY run DESC, number DESC LIMIT ?
"""
_FAILED = "SELECT tool, kind FROM steps WHERE failed = 1 ORDER BY finished_at DESC LIMIT ?"
_COMPARED = """
    SELECT came FROM predictions WHERE sequence = ? AND sequence <> '' AND action IN ('shadow', 'noted')
    AND came IS NOT NULL ORDER BY at DESC, run DESC, event DESC LIMIT 1
"""
_FIX_SECONDS = """
    SELECT finished_at - started_at FROM fixes WHERE fix = ? AND domain = ? AND shared = 0
    ORDER BY finished_at DESC LIMIT ?
"""
_FAILURE_SECONDS = """
    SELECT CASE WHEN s.status = 'failed' THEN coalesce(r.duration, s.duration, 0) ELSE
        (SELECT max(a.started_at) - min(a.started_at) FROM attempts a WHERE a.run = p.run AND a.step = p.step) END
    FROM predictions p JOIN steps s ON s.run = p.run AND s.name = p.step JOIN runs r ON r.number = p.run
    WHERE p.domain = ? AND p.action <> 'fix' AND p.came IN ({kinds}) ORDER BY p.at DESC LIMIT ?
"""
_RECORDS = """
    SELECT r.id, p.step, p.tool, p.domain, p.at, p.hour, p.weekday, p.first_call_of_day, p.since_wake, p.token_left,
           p.last_calls, p.last_failure, p.sequence, p.kind, p.probability, p.action, p.fix, p.fix_ok, p.came, p.cost,
           p.first_call_since_wake
    FROM predictions p JOIN runs r ON r.number = p.run WHERE p.at >= ?
    ORDER BY p.at DESC, p.run DESC, p.event DESC LIMIT ?
"""


class ForesightQueries:
    """What prediction asks history; every figure is of what was recorded here."""

    _database: Database

    def last_look(self, domain: str, *, until: float) -> float | None:
        """When a call of the domain was last looked at, in seconds since the epoch; None when none ever was.

        What was seen later than `until` was seen by a clock that has been set back since.
        """
        at = self._database.read(_LAST_LOOK, (domain, until))
        return at[0][0] if at else None

    def last_calls(self, limit: int = 5) -> tuple[str, ...]:
        """The tools of the newest calls that have ended, oldest first."""
        told = [json.loads(body) for (body,) in self._database.read(_CALLS, (RUNS_BACK, TRIES * limit))]
        calls = [str(data.get("tool", "")) for data in told if data.get("number", 1) == 1]
        return tuple(name for name in reversed(calls[:limit]) if name)

    def recent_failures(self, limit: int = 20) -> tuple[tuple[str, str], ...]:
        """Tool and kind of the newest steps that failed an attempt, newest first."""
        return tuple((tool, kind) for tool, kind in self._database.read(_FAILED, (limit,)))

    def last_compared(self, sequence: str) -> str | None:
        """What came of the newest call that the sequence foretold and no fix was run for; None when there is none."""
        rows = self._database.read(_COMPARED, (sequence,))
        return str(rows[0][0]) if rows else None

    def fix_seconds(self, fix: str, domain: str, *, limit: int = 20) -> tuple[float, ...]:
        """How long the newest runs of the fix took in the domain."""
        return tuple(seconds for (seconds,) in self._database.read(_FIX_SECONDS, (fix, domain, limit)))

    def failure_seconds(self, domain: str, kinds: Collection[str], *, limit: int = 20) -> tuple[float, ...]:
        """What the newest failures of these kinds cost: the seconds until the attempt that counted was begun.

        A step that stayed failed cost the run, whose seconds it then is.
        """
        if not kinds:
            return ()
        sql = _FAILURE_SECONDS.format(kinds=", ".join("?" for _ in kinds))
        rows = self._database.read(sql, (domain, *kinds, limit))
        return tuple(max(0.0, seconds) for (seconds,) in rows if seconds is not None)

    def predictions(self, *, since: float = 0.0, limit: int = 20_000) -> tuple[PredictionRecord, ...]:
        """The newest calls that were looked at since then, oldest first."""
        return tuple(_record(row) for row in reversed(self._database.read(_RECORDS, (since, limit))))


def _record(row: Row) -> PredictionRecord:
    situation = Situation(
        tool=row[2],
        domain=row[3],
        at=row[4],
        hour=row[5],
        weekday=row[6],
        first_call_of_day=_flag(row[7]),
        first_call_since_wake=_flag(row[20]),
        since_wake=row[8],
        token_left=row[9],
        last_calls=tuple(json.loads(row[10])),
        last_failure=row[11] or None,
    )
    prediction = Prediction(
        situation=situation,
        sequence=row[12],
        kind=FailureKind(row[13]) if row[13] in set(FailureKind) else FailureKind.UNKNOWN,
        probability=row[14],
        action=PredictAction(row[15]) if row[15] in set(PredictAction) else PredictAction.NONE,
        fix=row[16],
    )
    return PredictionRecord(
        prediction=prediction, run_id=row[0], step=row[1], fix_ok=_flag(row[17]), came=row[18], cost=row[19]
    )


def _flag(value: Any) -> bool | None:
    return None if value is None else bool(value)
