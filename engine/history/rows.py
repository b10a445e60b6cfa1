"""The rows that can be counted: what each kind of event means for the tables of runs, steps, attempts and fixes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from engine.history.database import Cursor, Value
from engine.model.event import EventKind

SNIPPET = 500
"""Characters of an error kept where errors are listed; the event has more."""

_STEP = """
    INSERT INTO steps (run, name, start_event, position, section, action, call, status, started_at, foreach)
    VALUES (?, ?, ?, ?, ?, ?, ?, 'running', ?, ?)
    ON CONFLICT (run, name) DO UPDATE SET status = 'running', started_at = excluded.started_at, begun = steps.begun + 1
"""
_STEP_END = """
    INSERT INTO steps (run, name, start_event, position, section, action, call, status, started_at, finished_at,
                       duration, attempts, end_event, begun)
    VALUES (?, ?, ?, 0, '', '', '', ?, ?, ?, ?, ?, ?, 0)
    ON CONFLICT (run, name) DO UPDATE SET status = excluded.status, finished_at = excluded.finished_at,
        duration = excluded.duration, attempts = excluded.attempts, end_event = excluded.end_event
"""
_STEP_FAILED = """
    UPDATE steps SET failed = 1, auto_fixed = ?, tool = ?, kind = ?, error = ?, fix = ?, day = ?, week = ?
    WHERE run = ? AND name = ?
"""
_STEP_PATTERN = "UPDATE steps SET pattern = ?, pattern_right = ? WHERE run = ? AND name = ?"
_FAILED_ATTEMPT = "SELECT tool, kind FROM attempts WHERE run = ? AND step = ? AND ok = 0 ORDER BY event DESC LIMIT 1"
_ATTEMPT = """
    INSERT INTO attempts (run, step, event, number, tool, ok, kind, started_at, finished_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_STAGE = "INSERT INTO heal_stages (run, step, event, stage, answer) VALUES (?, ?, ?, ?, ?)"
_FIX = """
    INSERT INTO fixes (run, step, event, fix, domain, ok, shared, signature, kind, pattern, started_at, finished_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_FIX_HELPED = """
    UPDATE fixes SET helped = ? WHERE run = ? AND step = ? AND fix = ? AND domain = ? AND helped IS NULL
"""
_RUN_WAITING = "UPDATE runs SET status = 'waiting' WHERE number = ?"
_RUN_END = """
    UPDATE runs SET status = ?, message = ?, duration = ?, healed = ?, finished_at = ?, end_event = ? WHERE number = ?
"""

Fields = Mapping[str, Any]


class Spot:
    """Where one event goes: the run's number, the event's number in it, its step and time."""

    __slots__ = ("at", "number", "run", "step")

    def __init__(self, run: int, number: int, step: str, at: float) -> None:
        self.run = run
        self.number = number
        self.step = step
        self.at = at


def _step_started(cursor: Cursor, spot: Spot, fields: Fields) -> None:
    texts = (text_of(fields, name) for name in ("section", "action", "call"))
    begun = (spot.at, int(bool(fields.get("foreach"))))
    cursor.execute(_STEP, (spot.run, spot.step, spot.number, whole_of(fields, "index"), *texts, *begun))


def _attempt_finished(cursor: Cursor, spot: Spot, fields: Fields) -> None:
    failure = fields.get("failure") or {}
    cursor.execute(
        _ATTEMPT,
        (
            spot.run,
            spot.step,
            spot.number,
            whole_of(fields, "number"),
            text_of(fields, "tool"),
            int(bool(fields.get("ok"))),
            text_of(failure, "kind"),
            _moment(fields, "started_at", spot),
            _moment(fields, "finished_at", spot),
        ),
    )


def _heal_stage(cursor: Cursor, spot: Spot, fields: Fields) -> None:
    cursor.execute(_STAGE, (spot.run, spot.step, spot.number, text_of(fields, "stage"), text_of(fields, "answer")))


def _fix_finished(cursor: Cursor, spot: Spot, fields: Fields) -> None:
    flags = (int(bool(fields.get("ok"))), int(bool(fields.get("shared"))))
    texts = (text_of(fields, name) for name in ("signature", "kind", "pattern"))
    times = (_moment(fields, "started_at", spot), _moment(fields, "finished_at", spot))
    who = (text_of(fields, "fix"), text_of(fields, "domain"))
    cursor.execute(_FIX, (spot.run, spot.step, spot.number, *who, *flags, *texts, *times))


def _step_finished(cursor: Cursor, spot: Spot, fields: Fields) -> None:
    duration = _number(fields, "duration")
    status, attempts = text_of(fields, "status"), whole_of(fields, "attempts")
    started = spot.at - (duration or 0.0)
    cursor.execute(
        _STEP_END, (spot.run, spot.step, spot.number, status, started, spot.at, duration, attempts, spot.number)
    )
    if attempts > 1 or fields.get("failure") or fields.get("first_failure"):
        _count_failure(cursor, spot, fields)
    for fix in fields.get("healed_by") or ():
        if fix.get("helped") is not None:
            helped = (int(fix["helped"]), spot.run, spot.step, text_of(fix, "fix"), text_of(fix, "domain"))
            cursor.execute(_FIX_HELPED, helped)
    diagnosis = fields.get("diagnosis")
    if diagnosis and diagnosis.get("pattern") and diagnosis.get("right") is not None:
        cursor.execute(_STEP_PATTERN, (text_of(diagnosis, "pattern"), int(diagnosis["right"]), spot.run, spot.step))


def _count_failure(cursor: Cursor, spot: Spot, fields: Fields) -> None:
    """Marks the step as one that failed an attempt; a step refused before its first attempt is not one."""
    cursor.execute(_FAILED_ATTEMPT, (spot.run, spot.step))
    attempt = cursor.fetchone()
    if attempt is None:
        return
    failure = fields.get("first_failure") or fields.get("failure") or {}
    kind = text_of(fields.get("diagnosis") or {}, "kind") or text_of(failure, "kind") or attempt[1]
    fixes = fields.get("healed_by") or ()
    helped = [fix for fix in fixes if fix.get("helped")]
    fixed = bool(helped) and text_of(fields, "status") == "healed"
    name = text_of((helped or fixes)[-1], "fix") if fixes else ""
    day = datetime.fromtimestamp(spot.at, UTC)
    year, week, _ = day.isocalendar()
    texts = (attempt[0], kind, text_of(failure, "message"), name, f"{day:%Y-%m-%d}", f"{year}-W{week:02}")
    cursor.execute(_STEP_FAILED, (int(fixed), *texts, spot.run, spot.step))


def _run_waiting(cursor: Cursor, spot: Spot, _fields: Fields) -> None:
    cursor.execute(_RUN_WAITING, (spot.run,))


def _run_finished(cursor: Cursor, spot: Spot, fields: Fields) -> None:
    texts = (text_of(fields, "status"), text_of(fields, "message"))
    cursor.execute(
        _RUN_END, (*texts, _number(fields, "duration"), whole_of(fields, "healed"), spot.at, spot.number, spot.run)
    )


def text_of(fields: Fields, name: str, limit: int = SNIPPET) -> str:
    """A field as text of at most `limit` characters; empty when it is no text or number."""
    # Only what the mask has seen: turning another object into text here would show the secrets inside it.
    value = fields.get(name)
    if not isinstance(value, str | int | float):
        return ""
    text = str(value)[:limit]
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def whole_of(fields: Fields, name: str) -> int:
    """A field as a whole number; 0 when it is none."""
    value = fields.get(name)
    return int(value) if isinstance(value, int | float) else 0


def _number(fields: Fields, name: str) -> float | None:
    value = fields.get(name)
    return float(value) if isinstance(value, int | float) else None


def _moment(fields: Fields, name: str, spot: Spot) -> Value:
    value = _number(fields, name)
    return spot.at if value is None else value


ROWS: Mapping[EventKind, Callable[[Cursor, Spot, Fields], None]] = {
    EventKind.STEP_STARTED: _step_started,
    EventKind.ATTEMPT_FINISHED: _attempt_finished,
    EventKind.HEAL_STAGE: _heal_stage,
    EventKind.FIX_FINISHED: _fix_finished,
    EventKind.STEP_FINISHED: _step_finished,
    EventKind.RUN_WAITING: _run_waiting,
    EventKind.RUN_FINISHED: _run_finished,
}
"""What writes the row of an event, once the event itself is kept; kinds that touch no table are not here."""
