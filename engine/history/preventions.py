"""What was stopped before a call, and what a fix healed: by these, prevented mistakes are counted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from engine.history.database import Database
from engine.model.tally import Prevention

_HEALED = "SELECT tool, error, fix, count(*) FROM steps WHERE failed = 1 AND auto_fixed = 1 GROUP BY tool, error, fix"
_STOPPED = """
    SELECT c.run, c.step, e.body FROM checks c JOIN events e ON e.run = c.run AND e.number = c.event
    WHERE c.action IN ('blocked', 'fixed') AND e.body LIKE ?
"""
_OF_A_TOOL = '%"tool":%'
"""What every one about a tool says; most are about a domain, and reading them all would take longer every day."""


def preventions(database: Database) -> tuple[Prevention, ...]:
    """All there are in history; a call that was looked at twice is one."""
    healed = (
        Prevention(tool=tool, text=error, fix=fix, count=count)
        for tool, error, fix, count in database.read(_HEALED)
        if fix
    )
    stopped = {(run, step, each.tool): each for run, step, each in _stopped(database)}
    return (*healed, *stopped.values())


def _stopped(database: Database) -> Iterator[tuple[Any, Any, Prevention]]:
    for run, step, body in database.read(_STOPPED, (_OF_A_TOOL,)):
        fields = json.loads(body)
        tool = fields.get("tool")
        if isinstance(tool, str):
            given = fields.get("cause")
            cause = given if isinstance(given, dict) else {}
            text = f"{fields.get('answer', '')}\n{cause.get('because', '')}"
            yield run, step, Prevention(tool=tool, text=text, cause=str(cause.get("id", "")))
