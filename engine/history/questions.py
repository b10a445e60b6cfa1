"""The questions of a run that nobody has answered yet."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, cast, get_args

from engine.history.database import Database
from engine.model.event import EventKind
from engine.model.question import About, Question
from engine.model.skill import InputType

_QUESTIONS = """
    SELECT e.kind, e.step, e.body, s.status FROM runs r
    JOIN events e ON e.run = r.number
    LEFT JOIN steps s ON s.run = e.run AND s.name = e.step
    WHERE r.id = ? AND e.kind IN ('question_asked', 'question_answered') ORDER BY e.number
"""


def open_questions(database: Database, run_id: str) -> tuple[Question, ...]:
    """What the run with that whole id asked last, and nobody answered, in steps that have not ended without it."""
    asked: dict[str, Question] = {}
    for kind, step, body, status in database.read(_QUESTIONS, (run_id,)):
        fields = json.loads(body)
        name = str(fields.get("name", ""))
        if kind == EventKind.QUESTION_ASKED and status in {"running", None}:
            asked[name] = _question(name, step, fields)
        elif not fields.get("lost"):  # an answer that could not be kept is asked for again
            asked.pop(name, None)
    return tuple(asked.values())


def _question(name: str, step: str, fields: Mapping[str, Any]) -> Question:
    kind, about, choices = InputType.STRING, fields.get("about"), fields.get("choices")
    with suppress(ValueError):
        kind = InputType(fields.get("type", kind))
    return Question(
        name=name,
        text=str(fields.get("question", "")),
        type=kind,
        choices=tuple(choices) if isinstance(choices, list) else (),
        default=fields.get("default"),
        about=cast("About", about) if about in get_args(About) else "ask",
        step=step,
        secret=bool(fields.get("secret")),
    )
