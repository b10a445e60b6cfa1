"""Looks whose process died: nobody can go on with one, so the next look writes down that they have ended."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from engine.errors import EngineError
from engine.health.diary import SKILL
from engine.history import History
from engine.model.event import Event, EventKind
from engine.model.outcome import RunStatus

MOST = 50
"""Runs that are looked through; a monitor that is killed leaves one at most."""


def end_leftovers(history: Callable[[], History], database: Path, clock: Callable[[], float]) -> None:
    """Ends the runs of `health` that no process has any more; never raises, for the look itself matters more."""
    if not database.exists():
        return
    with suppress(EngineError):
        for run in history().runs(limit=MOST, skill=SKILL, status=RunStatus.RUNNING):
            if run.interrupted:
                _end(history(), run.id, clock())


def _end(history: History, run_id: str, now: float) -> None:
    told: dict[str, Any] = {
        "status": RunStatus.CANCELLED,
        "message": "its process ended in the middle of a look",
        "duration": None,
        "timed_out": False,
        "outputs": {},
        "notes": [],
        "healed": 0,
    }
    history.claim(run_id)
    try:
        history.record(Event(kind=EventKind.RUN_FINISHED, run_id=run_id, at=now, data=told))
    finally:
        history.release(run_id)
