"""A journal that holds a run's events back until it is known whether anybody will want them."""

from __future__ import annotations

from collections.abc import Callable

from engine.model.event import Event, EventKind, Journal
from engine.model.past import PastRun

AT_ONCE = frozenset({EventKind.FIX_STARTED, EventKind.QUESTION_ASKED, EventKind.RUN_WAITING, EventKind.RUN_RESUMED})
"""Kinds that history must know before what they tell of is done."""


class HeldJournal:
    """Holds the events of one run; `writes` says whether a tool may change something.

    What changes something is kept before it is done, with all that came before it; of a run that only reads, nothing is
    written until `keep`.
    """

    def __init__(self, journal: Journal, *, writes: Callable[[str], bool]) -> None:
        self._journal = journal
        self._writes = writes
        self._waiting: list[Event] = []
        self.held = True

    def record(self, *events: Event) -> None:
        """Keeps the events, here or in history."""
        self._waiting += events
        if not self.held or any(self._must(event) for event in events):
            self.keep()

    def keep(self) -> None:
        """Writes everything into history, and what comes from now on at once; raises JournalError."""
        if not self._waiting:
            return
        run_id, claimed = self._waiting[0].run_id, not self.held
        waiting, self._waiting = self._waiting, []
        if not claimed:
            self._journal.claim(run_id)
            self.held = False
        self._journal.record(*waiting)

    def claim(self, run_id: str) -> None:
        """Nobody else knows of the run yet."""

    def release(self, run_id: str) -> None:
        """Lets go of the run, if history has it; one that is still held may be kept later."""
        if not self.held:
            self._journal.release(run_id)

    def leave(self, *events: Event) -> None:
        """Leaves the end of a run that history could not take beside it."""
        if not self.held:
            self._journal.leave(*events)

    def past(self, run_id: str) -> PastRun:
        """What is kept of a run."""
        return self._journal.past(run_id)

    def cancel_requested(self, run_id: str) -> bool:
        """Whether somebody has asked for it, who can only know of a run that history has."""
        return False if self.held else self._journal.cancel_requested(run_id)

    def _must(self, event: Event) -> bool:
        if event.kind is EventKind.ATTEMPT_STARTED:
            return self._writes(str(event.data.get("tool", "")))
        return event.kind in AT_ONCE
