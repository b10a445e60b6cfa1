"""What happens in a run, as it happens; the one stream that history stores and terminals and agents watch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from typing import Any, Protocol

from engine.model.lazy_dataclass import dataclass
from engine.model.past import PastRun


class EventKind(StrEnum):
    """The kinds of events; `docs/events.md` gives the fields of `data` for each."""

    RUN_STARTED = "run_started"
    RUN_RESUMED = "run_resumed"
    STEP_STARTED = "step_started"
    ATTEMPT_STARTED = "attempt_started"
    ATTEMPT_FINISHED = "attempt_finished"
    HEAL_STAGE = "heal_stage"
    FIX_STARTED = "fix_started"
    FIX_FINISHED = "fix_finished"
    QUESTION_ASKED = "question_asked"
    QUESTION_ANSWERED = "question_answered"
    STEP_FINISHED = "step_finished"
    PROGRESS = "progress"
    NOTICE = "notice"
    RUN_WAITING = "run_waiting"
    RUN_ENDING = "run_ending"
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
        """Keeps the events, all or none, before it returns; raises JournalError.

        Raises OwnershipLostError when another process has taken the run over.
        """

    def claim(self, run_id: str) -> None:
        """Makes this journal the only one that writes to the run, until `release`.

        Raises RunBusyError when another has it.
        """

    def release(self, run_id: str) -> None:
        """Lets go of the run, which another process may then claim."""

    def leave(self, *events: Event) -> None:
        """Keeps beside itself the end of a run that it could not record, until it can; never raises."""

    def past(self, run_id: str) -> PastRun:
        """What is kept of a run, to go on with; raises RunNotFoundError."""

    def cancel_requested(self, run_id: str) -> bool:
        """Whether somebody has asked, from anywhere, that the run be cancelled.

        Raises OwnershipLostError when this journal had claimed the run, and another process has taken it over.
        """
