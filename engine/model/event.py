"""What happens in a run, as it happens; the one stream that history stores and terminals and agents watch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol


class EventKind(StrEnum):
    """The kinds of events; `docs/events.md` gives the fields of `data` for each."""

    RUN_STARTED = "run_started"
    STEP_STARTED = "step_started"
    ATTEMPT_FINISHED = "attempt_finished"
    HEAL_STAGE = "heal_stage"
    FIX_STARTED = "fix_started"
    FIX_FINISHED = "fix_finished"
    STEP_FINISHED = "step_finished"
    PROGRESS = "progress"
    NOTICE = "notice"
    RUN_FINISHED = "run_finished"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened; `at` in seconds since the epoch, `data` JSON-like values only."""

    kind: EventKind
    run_id: str
    at: float
    step: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


class Journal(Protocol):
    """Where a run's events go to be kept; the only seam between running and storing."""

    def record(self, *events: Event) -> None:
        """Keeps the events, all or none, before it returns; raises JournalError."""
