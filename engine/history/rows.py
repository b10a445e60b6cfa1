"""The rows that can be counted: what each kind of event means for the tables of runs, steps, attempts and fixes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from engine.history.cells import Fields, Spot, calendar, moment, number_of, text_of, whole_of
from engine.history.database import Cursor
from engine.history.foresight import came, foretold, looked
from engine.model.event import EventKind

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
    UPDATE steps SET failed = 1, auto_fixed = ?, tool = ?, domain = ?, kind = ?, error = ?, fix = ?, day = ?, week = ?,
        root_cause = ?
    WHERE run = ? AND name = ?
"""
_STEP_PATTERN = "UPDATE steps SET pattern = ?, pattern_right = ? WHERE run = ? AND name = ?"
_FAILED_ATTEMPT = (
    "SELECT tool, domain, kind FROM attempts WHERE run = ? AND step = ? AND ok = 0 ORDER BY event DESC LIMIT 1"
)
_ATTEMPT = """
    INSERT INTO attempts (run, step, event, number, tool, domain, ok, kind, started_at, finished_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_STAGE = "INSERT INTO heal_stages (run, step, event, stage, answer) VALUES (?, ?, ?, ?, ?)"
_FIX = """
    INSERT INTO fixes (run, step, event, fix, domain, ok, shared, signature, kind, pattern, cause, started_at,
                       finished_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_FIX_HELPED = """
    UPDATE fixes SET helped = ?
    WHERE run = ? AND step = ? AND fix = ? AND domain = ? AND cause = 'failure' AND helped IS NULL
        AND started_at = coalesce(?, started_at)
"""
_RUN_WAITING = "UPDATE runs SET status = 'waiting' WHERE number = ?"
_RUN_END = """
    UPDATE runs SET status = ?, message = ?, duration = ?, healed = ?, finished_at = ?, end_event = ? WHERE number = ?
"""


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
            text_of(fields, "domain"),
            int(bool(fields.get("ok"))),
            text_of(failure, "kind"),
            moment(fields, "started_at", spot),
            moment(fields, "finished_at", spot),
        ),
    )


def _heal_stage(cursor: Cursor, spot: Spot, fields: Fields) -> None:
    stage = text_of(fields, "stage")
    cursor.execute(_STAGE, (spot.run, spot.step, spot.number, stage, text_of(fields, "answer")))
    match stage:
        case "preflight":
            looked(cursor, spot, fields)
        case "predict":
            foretold(cursor, spot, fields)


def _fix_finished(cursor: Cursor, spot: Spot, fields: Fields) -> None:
    flags = (int(bool(fields.get("ok"))), int(bool(fields.get("shared"))))
    texts = (text_of(fields, name) for name in ("signature", "kind", "pattern"))
    times = (moment(fields, "started_at", spot), moment(fields, "finished_at", spot))
    who = (text_of(fields, "fix"), text_of(fields, "domain"))
    cause = text_of(fields, "cause") or "failure"
    cursor.execute(_FIX, (spot.run, spot.step, spot.number, *who, *flags, *texts, cause, *times))


def _step_finished(cursor: Cursor, spot: Spot, fields: Fields) -> None:
    duration = number_of(fields, "duration")
    status, attempts = text_of(fields, "status"), whole_of(fields, "attempts")
    started = spot.at - (duration or 0.0)
    cursor.execute(
        _STEP_END, (spot.run, spot.step, spot.number, status, started, spot.at, duration, attempts, spot.number)
    )
    if fields.get("reused"):  # it was counted in the run that did it
        return
    failed = attempts > 1 or bool(fields.get("failure") or fields.get("first_failure"))
    if failed:
        _count_failure(cursor, spot, fields)
    if attempts:
        came(cursor, spot, _first_kind(fields) if failed else "", duration or 0.0)
    for fix in fields.get("healed_by") or ():
        if fix.get("helped") is not None:
            which = (text_of(fix, "fix"), text_of(fix, "domain"), number_of(fix, "started_at"))
            cursor.execute(_FIX_HELPED, (int(fix["helped"]), spot.run, spot.step, *which))
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
    kind = _first_kind(fields) or attempt[2]
    fixes = fields.get("healed_by") or ()
    helped = [fix for fix in fixes if fix.get("helped")]
    fixed = bool(helped) and text_of(fields, "status") == "healed"
    name = text_of((helped or fixes)[-1], "fix") if fixes else ""
    texts = (*attempt[:2], kind, text_of(failure, "message"), name, *calendar(spot.at))
    cause = text_of(fields.get("root_cause") or {}, "id")
    cursor.execute(_STEP_FAILED, (int(fixed), *texts, cause, spot.run, spot.step))


def _first_kind(fields: Fields) -> str:
    """The kind of a step's first failure."""
    failure = fields.get("first_failure") or fields.get("failure") or {}
    return text_of(fields.get("diagnosis") or {}, "kind") or text_of(failure, "kind")


def _run_waiting(cursor: Cursor, spot: Spot, _fields: Fields) -> None:
    cursor.execute(_RUN_WAITING, (spot.run,))


def _run_finished(cursor: Cursor, spot: Spot, fields: Fields) -> None:
    texts = (text_of(fields, "status"), text_of(fields, "message"))
    cursor.execute(
        _RUN_END, (*texts, number_of(fields, "duration"), whole_of(fields, "healed"), spot.at, spot.number, spot.run)
    )


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
