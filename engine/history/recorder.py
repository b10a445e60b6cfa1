"""The recorder: writes a run's events, and from them the rows that can be counted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from engine.errors import JournalError
from engine.history.database import Cursor, Database, Value
from engine.history.encoding import Encoder
from engine.model.event import Event, EventKind
from engine.model.secret import Secrets

SNIPPET = 500
"""Characters of an error kept where errors are listed; the event has more."""
SKILL_TEXT = 1_000_000

_NEXT_EVENT = "SELECT coalesce(max(number), 0) + 1 FROM events WHERE run = ?"
_EVENT = "INSERT INTO events (run, number, at, kind, step, body) VALUES (?, ?, ?, ?, ?, ?)"
_RUN = """
    INSERT INTO runs (number, id, skill, version, file, digest, profile, status, message, started_at, healed, pid, host,
                      start_event)
    VALUES ((SELECT coalesce(max(number), 0) + 1 FROM runs), ?, ?, ?, ?, ?, ?, 'running', '', ?, 0, ?, ?, 1)
    ON CONFLICT (id) DO UPDATE SET status = 'running', pid = excluded.pid, host = excluded.host
"""
_SKILL_TEXT = "INSERT INTO skill_texts (digest, text) VALUES (?, ?) ON CONFLICT (digest) DO NOTHING"
_RUN_END = """
    UPDATE runs SET status = ?, message = ?, duration = ?, healed = ?, finished_at = ?, end_event = ? WHERE number = ?
"""
_STEP = """
    INSERT INTO steps (run, name, start_event, position, section, action, call, status, started_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, 'running', ?)
    ON CONFLICT (run, name) DO UPDATE SET status = 'running', started_at = excluded.started_at
"""
_STEP_END = """
    INSERT INTO steps (run, name, start_event, position, section, action, call, status, started_at, finished_at,
                       duration, attempts, end_event)
    VALUES (?, ?, ?, 0, '', '', '', ?, ?, ?, ?, ?, ?)
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

Fields = Mapping[str, Any]
_Prepared = tuple[Event, str, Fields, str]
"""An event, its step's name and fields without secrets, and those fields as JSON."""


class _Spot:
    """Where one event goes: the run's number, the event's number in it, its step and time."""

    __slots__ = ("at", "number", "run", "step")

    def __init__(self, run: int, number: int, step: str, at: float) -> None:
        self.run = run
        self.number = number
        self.step = step
        self.at = at


class Recorder:
    """Writes events; the numbers of the runs it has written to are the only thing it remembers."""

    def __init__(self, database: Database, *, secrets: Secrets, host: str) -> None:
        self._database = database
        self._secrets = secrets
        self._host = host
        self._encoder = Encoder(secrets)
        self._runs: dict[str, int] = {}
        self._rows: dict[EventKind, Callable[[Cursor, _Spot, Fields], None]] = {
            EventKind.STEP_STARTED: _step_started,
            EventKind.ATTEMPT_FINISHED: _attempt_finished,
            EventKind.HEAL_STAGE: _heal_stage,
            EventKind.FIX_FINISHED: _fix_finished,
            EventKind.STEP_FINISHED: _step_finished,
            EventKind.RUN_FINISHED: _run_finished,
        }

    def record(self, *events: Event) -> None:
        """Keeps the events, all or none, before it returns; raises JournalError."""
        if not events:
            return
        prepared = [self._prepared(event) for event in events]
        self._runs.update(self._database.write(lambda cursor: self._write(cursor, prepared)))

    def _prepared(self, event: Event) -> _Prepared:
        fields, body = self._encoder.kept(event.data)
        if event.kind is EventKind.RUN_STARTED:  # the skill's text has a table of its own
            body = self._encoder.kept({**fields, "text": ""})[1]
        return event, str(self._secrets.mask(event.step)), fields, body

    def _write(self, cursor: Cursor, prepared: list[_Prepared]) -> dict[str, int]:
        """Inserts the events; gives the numbers of their runs, to be remembered once they are committed."""
        runs: dict[str, int] = {}
        for event, step, fields, body in prepared:
            if event.kind is EventKind.RUN_STARTED:
                self._run_started(cursor, event, fields)
            run = runs[event.run_id] = self._runs.get(event.run_id) or _run_number(cursor, event.run_id)
            # Asked each time: another process (a resume, a cancel) may have written to the same run.
            number = cursor.execute(_NEXT_EVENT, (run,)).fetchone()[0]
            cursor.execute(_EVENT, (run, number, event.at, event.kind.value, step, body))
            row = self._rows.get(event.kind)
            if row is not None:
                row(cursor, _Spot(run, number, step, event.at), fields)
        return runs

    def _run_started(self, cursor: Cursor, event: Event, fields: Fields) -> None:
        texts = [_text(fields, name) for name in ("skill", "version", "file", "digest", "profile")]
        cursor.execute(_RUN, (event.run_id, *texts, event.at, _whole(fields, "pid"), self._host))
        if fields.get("digest") and fields.get("text"):
            cursor.execute(_SKILL_TEXT, (_text(fields, "digest"), _text(fields, "text", SKILL_TEXT)))


def _run_number(cursor: Cursor, run_id: str) -> int:
    row = cursor.execute("SELECT number FROM runs WHERE id = ?", (run_id,)).fetchone()
    if row is None:
        raise JournalError(
            f"events of run {run_id} came before its start", hint="this is a defect of skill-engine; please report it"
        )
    return int(row[0])


def _step_started(cursor: Cursor, spot: _Spot, fields: Fields) -> None:
    texts = (_text(fields, name) for name in ("section", "action", "call"))
    cursor.execute(_STEP, (spot.run, spot.step, spot.number, _whole(fields, "index"), *texts, spot.at))


def _attempt_finished(cursor: Cursor, spot: _Spot, fields: Fields) -> None:
    failure = fields.get("failure") or {}
    cursor.execute(
        _ATTEMPT,
        (
            spot.run,
            spot.step,
            spot.number,
            _whole(fields, "number"),
            _text(fields, "tool"),
            int(bool(fields.get("ok"))),
            _text(failure, "kind"),
            _moment(fields, "started_at", spot),
            _moment(fields, "finished_at", spot),
        ),
    )


def _heal_stage(cursor: Cursor, spot: _Spot, fields: Fields) -> None:
    cursor.execute(_STAGE, (spot.run, spot.step, spot.number, _text(fields, "stage"), _text(fields, "answer")))


def _fix_finished(cursor: Cursor, spot: _Spot, fields: Fields) -> None:
    flags = (int(bool(fields.get("ok"))), int(bool(fields.get("shared"))))
    texts = (_text(fields, name) for name in ("signature", "kind", "pattern"))
    times = (_moment(fields, "started_at", spot), _moment(fields, "finished_at", spot))
    who = (_text(fields, "fix"), _text(fields, "domain"))
    cursor.execute(_FIX, (spot.run, spot.step, spot.number, *who, *flags, *texts, *times))


def _step_finished(cursor: Cursor, spot: _Spot, fields: Fields) -> None:
    duration = _number(fields, "duration")
    status, attempts = _text(fields, "status"), _whole(fields, "attempts")
    started = spot.at - (duration or 0.0)
    cursor.execute(
        _STEP_END, (spot.run, spot.step, spot.number, status, started, spot.at, duration, attempts, spot.number)
    )
    if attempts > 1 or fields.get("failure") or fields.get("first_failure"):
        _count_failure(cursor, spot, fields)
    for fix in fields.get("healed_by") or ():
        if fix.get("helped") is not None:
            helped = (int(fix["helped"]), spot.run, spot.step, _text(fix, "fix"), _text(fix, "domain"))
            cursor.execute(_FIX_HELPED, helped)
    diagnosis = fields.get("diagnosis")
    if diagnosis and diagnosis.get("pattern") and diagnosis.get("right") is not None:
        cursor.execute(_STEP_PATTERN, (_text(diagnosis, "pattern"), int(diagnosis["right"]), spot.run, spot.step))


def _count_failure(cursor: Cursor, spot: _Spot, fields: Fields) -> None:
    """Marks the step as one that failed an attempt; a step refused before its first attempt is not one."""
    cursor.execute(_FAILED_ATTEMPT, (spot.run, spot.step))
    attempt = cursor.fetchone()
    if attempt is None:
        return
    failure = fields.get("first_failure") or fields.get("failure") or {}
    kind = _text(fields.get("diagnosis") or {}, "kind") or _text(failure, "kind") or attempt[1]
    fixes = fields.get("healed_by") or ()
    helped = [fix for fix in fixes if fix.get("helped")]
    fixed = bool(helped) and _text(fields, "status") == "healed"
    name = _text((helped or fixes)[-1], "fix") if fixes else ""
    day = datetime.fromtimestamp(spot.at, UTC)
    year, week, _ = day.isocalendar()
    texts = (attempt[0], kind, _text(failure, "message"), name, f"{day:%Y-%m-%d}", f"{year}-W{week:02}")
    cursor.execute(_STEP_FAILED, (int(fixed), *texts, spot.run, spot.step))


def _run_finished(cursor: Cursor, spot: _Spot, fields: Fields) -> None:
    texts = (_text(fields, "status"), _text(fields, "message"))
    cursor.execute(
        _RUN_END, (*texts, _number(fields, "duration"), _whole(fields, "healed"), spot.at, spot.number, spot.run)
    )


def _text(fields: Fields, name: str, limit: int = SNIPPET) -> str:
    # Only what the mask has seen: turning another object into text here would show the secrets inside it.
    value = fields.get(name)
    if not isinstance(value, str | int | float):
        return ""
    text = str(value)[:limit]
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _whole(fields: Fields, name: str) -> int:
    value = fields.get(name)
    return int(value) if isinstance(value, int | float) else 0


def _number(fields: Fields, name: str) -> float | None:
    value = fields.get(name)
    return float(value) if isinstance(value, int | float) else None


def _moment(fields: Fields, name: str, spot: _Spot) -> Value:
    value = _number(fields, name)
    return spot.at if value is None else value
