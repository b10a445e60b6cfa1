"""Questions about runs: which there were, what happened in one, and how long they take."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from engine.errors import RunNotFoundError
from engine.history.database import Database, Row, Value
from engine.history.questions import open_questions
from engine.history.records import CheckRecord, RunRecord, StepRecord
from engine.model.event import Event, EventKind
from engine.model.outcome import RunStatus, StepStatus
from engine.model.remediation import root_cause_of

CANDIDATES = 5
"""How many runs are named when a prefix fits several."""
RECENT = 20

_RUN = """
    SELECT r.id, r.skill, r.status, r.started_at, r.version, r.file, r.digest, r.profile, r.message, r.finished_at,
           r.duration, r.healed, r.pid, r.host, b.body, e.body, r.reused_from, r.cancel_requested, v.body
    FROM runs r
    LEFT JOIN events b ON b.run = r.number AND b.number = r.start_event
    LEFT JOIN events e ON e.run = r.number AND e.number = r.end_event
    LEFT JOIN step_values v ON v.run = r.number AND v.step = '' AND v.field = 'outputs'
"""
_STEPS = """
    SELECT s.name, s.status, s.started_at, s.position, s.section, s.action, s.call, s.finished_at, s.duration,
           s.attempts, e.body, s.begun, s.foreach
    FROM steps s
    JOIN runs r ON r.number = s.run
    LEFT JOIN events e ON e.run = s.run AND e.number = s.end_event
    WHERE r.id = ? ORDER BY s.start_event
"""
_EVENTS = """
    SELECT e.number, e.kind, e.at, e.step, e.body FROM events e JOIN runs r ON r.number = e.run
    WHERE r.id = ? AND e.number > ? ORDER BY e.number
"""
_CHECKS = """
    SELECT c.name, c.domain, c.ok, c.action, c.at, c.kind, c.fix, c.step, e.body FROM checks c
    JOIN runs r ON r.number = c.run
    JOIN events e ON e.run = c.run AND e.number = c.event
    WHERE r.id = ? ORDER BY c.event
"""

_AVERAGE = """
    SELECT avg(duration) FROM (
        SELECT r.duration FROM runs r
        WHERE r.skill = ? AND r.status = 'ok' AND NOT EXISTS (
            SELECT 1 FROM events e WHERE e.run = r.number AND e.kind IN ('question_asked', 'question_answered')
        )
        ORDER BY r.number DESC LIMIT ?
    ) AS recent
"""


class RunQueries:
    """What can be asked about runs; `run_id` may be a prefix, or `last`.

    `taken` says of a run of this machine whether a living process has claimed it.
    """

    def __init__(self, database: Database, *, host: str, taken: Callable[[str], bool | None]) -> None:
        self._database = database
        self._host = host
        self._taken = taken

    def runs(
        self, *, limit: int = RECENT, skill: str | None = None, status: RunStatus | str | None = None
    ) -> tuple[RunRecord, ...]:
        """The newest runs, newest first."""
        wanted: list[tuple[str, Value]] = []
        if skill is not None:
            wanted.append(("r.skill = ?", skill))
        if status is not None:
            wanted.append(("r.status = ?", str(status)))
        where = f"WHERE {' AND '.join(clause for clause, _ in wanted)}" if wanted else ""
        rows = self._database.read(
            f"{_RUN} {where} ORDER BY r.number DESC LIMIT ?", (*(value for _, value in wanted), limit)
        )
        return tuple(self._run(row) for row in rows)

    def run(self, run_id: str) -> RunRecord:
        """One run; RunNotFoundError when there is none, or when the prefix fits several."""
        row = self._database.read(f"{_RUN} WHERE r.id = ?", (self._full_id(run_id),))[0]
        return self._run(row)

    def steps(self, run_id: str) -> tuple[StepRecord, ...]:
        """The steps of a run that have started, in that order."""
        return tuple(_step(row) for row in self._database.read(_STEPS, (self._full_id(run_id),)))

    def events(self, run_id: str, *, after: int = 0) -> tuple[tuple[int, Event], ...]:
        """The events of a run with their numbers, from the one after number `after` on."""
        full = self._full_id(run_id)
        return tuple(
            (number, Event(kind=EventKind(kind), run_id=full, at=at, step=step, data=json.loads(body)))
            for number, kind, at, step, body in self._database.read(_EVENTS, (full, after))
        )

    def checks(self, run_id: str) -> tuple[CheckRecord, ...]:
        """What was looked at before the run and before its calls, in order."""
        return tuple(_check(row) for row in self._database.read(_CHECKS, (self._full_id(run_id),)))

    def skill_text(self, run_id: str) -> str:
        """The skill file as it was when the run began, secrets masked; empty when it was not kept."""
        rows = self._database.read(
            "SELECT t.text FROM skill_texts t JOIN runs r ON r.digest = t.digest WHERE r.id = ?",
            (self._full_id(run_id),),
        )
        return str(rows[0][0]) if rows else ""

    def average_duration(self, skill: str) -> float | None:
        """Mean seconds of the last runs of `skill` that ended ok; None when there is none.

        Those that asked somebody are left out: how long people take says nothing of the skill.
        """
        rows = self._database.read(_AVERAGE, (skill, RECENT))
        return rows[0][0] if rows else None

    def _full_id(self, run_id: str) -> str:
        if run_id == "last":
            return self._last()
        if not run_id or not _storable(run_id):
            raise RunNotFoundError(f"there is no run {run_id!r}", hint="`skill history` lists the runs")
        if self._database.read("SELECT 1 FROM runs WHERE id = ?", (run_id,)):
            return run_id
        rows = self._database.read(
            "SELECT id FROM runs WHERE substr(id, 1, ?) = ? ORDER BY number DESC LIMIT ?",
            (len(run_id), run_id, CANDIDATES + 1),
        )
        if not rows:
            raise RunNotFoundError(f"there is no run {run_id}", hint="`skill history` lists the runs")
        if len(rows) > 1:
            names = ", ".join(name for (name,) in rows[:CANDIDATES])
            more = ", ..." if len(rows) > CANDIDATES else ""
            raise RunNotFoundError(f"{run_id!r} fits several runs: {names}{more}", hint="give more of its id")
        return str(rows[0][0])

    def _last(self) -> str:
        rows = self._database.read("SELECT id FROM runs ORDER BY number DESC LIMIT 1")
        if not rows:
            raise RunNotFoundError("there is no run yet", hint="`skill run NAME` starts one")
        return str(rows[0][0])

    def _run(self, row: Row) -> RunRecord:
        begin, end = _fields(row[14]), _fields(row[15])
        status, host = RunStatus(row[2]), row[13]
        here = status is RunStatus.RUNNING and host == self._host
        return RunRecord(
            id=row[0],
            skill=row[1],
            status=status,
            started_at=row[3],
            version=row[4],
            file=row[5],
            digest=row[6],
            profile=row[7],
            message=row[8],
            finished_at=row[9],
            duration=row[10],
            healed=row[11],
            pid=row[12] or 0,
            host=host,
            inputs=_mapping(begin, "inputs"),
            outputs=_fields(row[18]) or _mapping(end, "outputs"),
            notes=_texts(end, "notes"),
            alive=self._taken(row[0]) if here else None,
            reused_from=row[16],
            cancel_requested=row[17] is not None,
            questions=open_questions(self._database, row[0]) if status is RunStatus.WAITING else (),
        )


def _check(row: Row) -> CheckRecord:
    name, domain, ok, action, at, kind, fix, step, body = row
    return CheckRecord(
        check=str(name),
        domain=str(domain),
        ok=None if ok is None else bool(ok),
        action=str(action),
        at=at,
        kind=str(kind),
        fix=str(fix),
        step=str(step),
        message=str(json.loads(body).get("answer", "")),
    )


def _step(row: Row) -> StepRecord:
    end = _fields(row[10])
    return StepRecord(
        name=row[0],
        status=None if row[1] == "running" else StepStatus(row[1]),
        started_at=row[2],
        position=row[3],
        section=row[4],
        action=row[5],
        call=row[6],
        finished_at=row[7],
        duration=row[8],
        attempts=row[9],
        fixes=_texts(end, "fixes"),
        reason=str(end.get("reason") or ""),
        failure=end.get("failure"),
        first_failure=end.get("first_failure"),
        remediation=_texts(end, "remediation"),
        root_cause=root_cause_of(end.get("root_cause")),
        value=end.get("value"),
        begun=row[11],
        foreach=bool(row[12]),
        reused=bool(end.get("reused")),
    )


def _storable(text: str) -> bool:
    """Whether a database could have it: bytes that are no UTF-8 come from the command line as halves of pairs."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _fields(body: str | None) -> dict[str, Any]:
    return json.loads(body) if body else {}


def _mapping(fields: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = fields.get(name)
    return value if isinstance(value, dict) else {}


def _texts(fields: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = fields.get(name)
    return tuple(str(text) for text in value) if isinstance(value, list) else ()
