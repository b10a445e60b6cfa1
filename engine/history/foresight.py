"""Rows of what was looked at before a call, of what was foretold, and of what came."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from engine.history.cells import Fields, Spot, calendar, moment, number_of, text_of, whole_of
from engine.history.database import Cursor

_CHECK = """
    INSERT INTO checks (run, step, event, name, domain, ok, kind, action, fix, at, day, week)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_PREDICTION = """
    INSERT INTO predictions (run, step, event, tool, domain, at, hour, weekday, first_call_of_day,
                             first_call_since_wake, since_wake, token_left, last_calls, last_failure, sequence, kind,
                             probability, action, fix, fix_ok, day, week)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_CAME = "UPDATE predictions SET came = ?, cost = ? WHERE run = ? AND step = ? AND came IS NULL"


def looked(cursor: Cursor, spot: Spot, fields: Fields) -> None:
    """Writes the row of a `preflight` stage that tells of a check."""
    if not fields.get("check"):
        return
    texts = [text_of(fields, name) for name in ("kind", "action", "fix")]
    who = (text_of(fields, "check"), text_of(fields, "domain"), flag(fields.get("ok")))
    cursor.execute(_CHECK, (spot.run, spot.step, spot.number, *who, *texts, spot.at, *calendar(spot.at)))


def foretold(cursor: Cursor, spot: Spot, fields: Fields) -> None:
    """Writes the row of a `predict` stage: the situation of a call, and what was foretold of it, if anything was."""
    situation = fields.get("situation")
    if not isinstance(situation, Mapping):
        return
    calls = json.dumps(list(situation.get("last_calls") or ()))
    moments = (moment(situation, "at", spot), whole_of(situation, "hour"), text_of(situation, "weekday"))
    known = (
        flag(situation.get("first_call_of_day")),
        flag(situation.get("first_call_since_wake")),
        *(number_of(situation, one) for one in ("since_wake", "token_left")),
    )
    last = (calls, text_of(situation, "last_failure"))
    what = (text_of(fields, "sequence"), text_of(fields, "kind"), number_of(fields, "probability") or 0.0)
    done = (text_of(fields, "action"), text_of(fields, "fix"), flag(fields.get("ok")))
    who = (text_of(situation, "tool"), text_of(situation, "domain"))
    place = (spot.run, spot.step, spot.number)
    cursor.execute(_PREDICTION, (*place, *who, *moments, *known, *last, *what, *done, *calendar(spot.at)))


def came(cursor: Cursor, spot: Spot, kind: str, seconds: float) -> None:
    """Says of the step's prediction what came: the kind its first call failed with, or nothing; and what it took."""
    cursor.execute(_CAME, (kind, seconds, spot.run, spot.step))


def flag(value: Any) -> int | None:
    """True and False as a database has them; None for anything else."""
    return int(value) if isinstance(value, bool) else None
