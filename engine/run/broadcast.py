"""One stream of events: masked, kept by the journal, then handed to everybody who watches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from engine.errors import JournalError
from engine.model.event import Event, EventKind, Journal
from engine.model.secret import Secrets

Listener = Callable[[Event], None]


class Broadcast:
    """The events of one run.

    An event that need not be durable at once waits for the next one that must, so that both share one transaction;
    listeners see an event only after the journal has it.
    """

    def __init__(
        self,
        run_id: str,
        journal: Journal,
        *,
        clock: Callable[[], float],
        secrets: Secrets,
        listeners: tuple[Listener, ...],
    ) -> None:
        self._run_id = run_id
        self._journal = journal
        self._clock = clock
        self._secrets = secrets
        self._listeners = listeners
        self._waiting: list[Event] = []
        self._journal_broken = False

    def send(self, kind: EventKind, data: Mapping[str, Any], *, step: str = "", durable: bool = True) -> None:
        """Sends one event; when `durable`, it is kept before this returns. Raises JournalError."""
        self._waiting.append(Event(kind=kind, run_id=self._run_id, at=self._clock(), step=step, data=data))
        if durable:
            self.flush()

    def flush(self) -> None:
        """Keeps what is waiting. Raises JournalError the first time it cannot.

        From then on events only reach the listeners: a run whose history broke must still be able to clean up.
        """
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        masked = [replace(event, data=self._secrets.mask(event.data)) for event in waiting]
        if not self._journal_broken:
            self._keep(masked)
        for event in masked:
            for listen in self._listeners:
                listen(event)

    def _keep(self, events: list[Event]) -> None:
        try:
            self._journal.record(*events)
        except JournalError:
            self._journal_broken = True
            raise
