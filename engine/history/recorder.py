"""The recorder: writes a run's events, signed by who has the run, and from them the rows that can be counted."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from engine.errors import JournalError, OwnershipLostError
from engine.history.cells import Spot, text_of, whole_of
from engine.history.database import Cursor, Database
from engine.history.encoding import INPUTS, Encoder, Kept
from engine.history.mishaps import moved
from engine.history.rows import ROWS
from engine.model.event import Event, EventKind
from engine.model.secret import Secrets

SKILL_TEXT = 1_000_000
"""Characters of the largest skill file there can be (the limit of `engine.documents`)."""

_PLACE = """
    SELECT r.number, r.owner, (SELECT coalesce(max(e.number), 0) FROM events e WHERE e.run = r.number)
    FROM runs r WHERE r.id = ?
"""
_EVENT = "INSERT INTO events (run, number, at, kind, step, body) VALUES (?, ?, ?, ?, ?, ?)"
_RUN = """
    INSERT INTO runs (number, id, skill, version, file, digest, profile, status, message, started_at, healed, pid, host,
                      start_event, owner, reused_from)
    VALUES ((SELECT coalesce(max(number), 0) + 1 FROM runs), ?, ?, ?, ?, ?, ?, 'running', '', ?, 0, ?, ?, 1, ?, ?)
    ON CONFLICT (id) DO UPDATE SET status = 'running', pid = excluded.pid, host = excluded.host
"""
_RESUMED = "UPDATE runs SET status = 'running', pid = ?, host = ? WHERE number = ?"
_NEW_VERSION = "UPDATE runs SET digest = ? WHERE number = ?"
_OWNER = """
    UPDATE runs SET owner = ?, pid = ?, host = ?,
        cancel_requested = CASE WHEN cancel_requested > ? AND cancel_requested < ? THEN cancel_requested END
    WHERE id = ?
"""
TAKING = 60.0
"""Seconds between locking a run and signing it, at most."""
_HOLDER = "SELECT pid, host FROM runs WHERE number = ?"
_SKILL_TEXT = "INSERT INTO skill_texts (digest, text) VALUES (?, ?) ON CONFLICT (digest) DO NOTHING"
_VALUE = """
    INSERT INTO step_values (run, step, field, body) VALUES (?, ?, ?, ?)
    ON CONFLICT (run, step, field) DO UPDATE SET body = excluded.body
"""
_SPENT = "DELETE FROM step_values WHERE run = ? AND step = ? AND field = 'attempt'"

NEEDED: Mapping[EventKind, str] = {
    EventKind.RUN_STARTED: INPUTS,
    EventKind.STEP_STARTED: "items",
    EventKind.ATTEMPT_FINISHED: "value",
    EventKind.QUESTION_ANSWERED: "answer",
    EventKind.STEP_FINISHED: "value",
}
"""The field of each kind that a resume reads back, and must have whole."""

BESIDE: Mapping[EventKind, str] = {EventKind.RUN_FINISHED: "outputs"}
"""The field of a kind that nobody goes on with, and that is given to people and agents whole."""

_TELL_A_SKILL = frozenset({EventKind.RUN_STARTED, EventKind.RUN_RESUMED, EventKind.STEP_STARTED})
"""Kinds whose `text` is a skill file, which has a table of its own."""


_Prepared = tuple[Event, str, Kept, str]
"""An event, its step's name without secrets, what is kept of its fields, and the skill's text it brings."""


class _Place:
    """The run's row, and the number of its last event."""

    __slots__ = ("last", "run")

    def __init__(self, run: int, last: int) -> None:
        self.run = run
        self.last = last


def value_key(kind: str, fields: Mapping[str, Any]) -> str:
    """The name under which a whole value is kept beside its event; of a step's attempts, the last counts."""
    match kind:
        case EventKind.ATTEMPT_FINISHED:
            return "attempt"
        case EventKind.QUESTION_ANSWERED:
            return f"answer {fields.get('name', '')}"
        case _:
            return {**NEEDED, **BESIDE}[EventKind(kind)]


class Recorder:
    """Writes events; `token` gives what this journal signs a run's events with, empty for a run it has not claimed."""

    def __init__(self, database: Database, *, secrets: Secrets, host: str, token: Callable[[str], str]) -> None:
        self._database = database
        self._secrets = secrets
        self._host = host
        self._token = token
        self._encoder = Encoder(secrets)
        self._begun: set[str] = set()

    def record(self, *events: Event) -> None:
        """Keeps the events, all or none, before it returns; raises JournalError, OwnershipLostError among them."""
        if not events:
            return
        if self._database.missing and all(event.run_id in self._begun for event in events):
            raise moved(self._database.path)  # and no new file is made for a run that was in the old one
        prepared = [self._prepared(event) for event in events]
        self._database.write(lambda cursor: self._write(cursor, prepared))
        for event in events:
            self._begun.add(event.run_id)

    def take_over(self, run_id: str, *, since: float) -> None:
        """Signs the run, if there is one already, with this journal's token: nobody else's events are kept any more.

        What was asked of the process before, to cancel, is not asked of this one, which has the run `since` then.
        """
        if self._database.read("SELECT 1 FROM runs WHERE id = ?", (run_id,)):
            signed = (self._token(run_id), os.getpid(), self._host, since, since + TAKING, run_id)
            self._database.write(lambda cursor: cursor.execute(_OWNER, signed))
            self._begun.add(run_id)

    def forget(self, run_id: str) -> None:
        """Nothing more of the run will come."""
        self._begun.discard(run_id)

    def _prepared(self, event: Event) -> _Prepared:
        data, text = event.data, ""
        if event.kind in _TELL_A_SKILL and data.get("text"):
            text = str(self._secrets.mask(data["text"]))
            data = {**data, "text": ""}
        kept = self._encoder.kept(data, NEEDED.get(event.kind, ""), beside=BESIDE.get(event.kind, ""))
        return (event, self._secrets.mask_name(event.step), kept, text)

    def _write(self, cursor: Cursor, prepared: list[_Prepared]) -> None:
        places: dict[str, _Place] = {}
        for event, step, kept, text in prepared:
            fields = kept.fields
            if event.kind is EventKind.RUN_STARTED:
                self._run_started(cursor, event, fields)
            place = places.get(event.run_id)
            if place is None:
                place = places[event.run_id] = self._place(cursor, event.run_id)
            place.last += 1
            cursor.execute(_EVENT, (place.run, place.last, event.at, event.kind.value, step, kept.body))
            spot = Spot(place.run, place.last, step, event.at)
            if text or kept.whole:
                _keep_beside(cursor, spot, event.kind, kept, text)
            if event.kind is EventKind.RUN_RESUMED:
                self._run_resumed(cursor, spot, fields)
            elif (row := ROWS.get(event.kind)) is not None:
                row(cursor, spot, fields)

    def _place(self, cursor: Cursor, run_id: str) -> _Place:
        """Where the run's next event goes; asked in every transaction, for another process may have written since."""
        row = cursor.execute(_PLACE, (run_id,)).fetchone()
        if row is None:
            raise self._unknown(run_id)
        run, owner, last = row
        if owner != self._token(run_id):
            cursor.execute(_HOLDER, (run,))
            raise lost(run_id, *(cursor.fetchone() or (0, "")))
        return _Place(run, last)

    def _unknown(self, run_id: str) -> JournalError:
        if run_id in self._begun:
            return moved(self._database.path)
        return JournalError(
            f"events of run {run_id} came before its start", hint="this is a defect of skill-engine; please report it"
        )

    def _run_started(self, cursor: Cursor, event: Event, fields: Mapping[str, Any]) -> None:
        texts = [text_of(fields, name) for name in ("skill", "version", "file", "digest", "profile")]
        who = (whole_of(fields, "pid"), self._host, self._token(event.run_id))
        cursor.execute(_RUN, (event.run_id, *texts, event.at, *who, text_of(fields, "reused_from")))

    def _run_resumed(self, cursor: Cursor, spot: Spot, fields: Mapping[str, Any]) -> None:
        cursor.execute(_RESUMED, (whole_of(fields, "pid") or os.getpid(), self._host, spot.run))


def _keep_beside(cursor: Cursor, spot: Spot, kind: EventKind, kept: Kept, text: str) -> None:
    """Keeps what has no room in the event: the text of a skill, once for all, and a value that is needed whole."""
    digest = text_of(kept.fields, "digest")
    if text and digest:
        cursor.execute(_SKILL_TEXT, (digest, text_of({"text": text}, "text", SKILL_TEXT)))
        if kind is EventKind.RUN_RESUMED:
            cursor.execute(_NEW_VERSION, (digest, spot.run))
    if kept.whole:
        cursor.execute(_VALUE, (spot.run, spot.step, value_key(kind, kept.fields), kept.whole))
        if kind is EventKind.STEP_FINISHED:
            cursor.execute(_SPENT, (spot.run, spot.step))


def lost(run_id: str, pid: int | None, host: str) -> OwnershipLostError:
    """The error of a journal that another has taken the run from."""
    return OwnershipLostError(
        f"run {run_id} has been taken over by process {pid or 0} on {host}; this one keeps and does nothing more of it",
        hint=f"`skill watch {run_id}` follows it",
    )
