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
    listeners see an event only after the journal has it. `failure` is why the journal broke, None while it works: what
    comes after that only reaches the listeners, for a run whose history broke must still be able to clean up.
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
        self._listeners = list(listeners)
        self._waiting: list[Event] = []
        self._insists = True
        self.failure: JournalError | None = None

    def send(self, kind: EventKind, data: Mapping[str, Any], *, step: str = "", durable: bool = True) -> None:
        """Sends one event; when `durable`, it is kept before this returns.

        Raises JournalError the first time that cannot be done, so that nothing is begun which history does not know of.
        """
        self._waiting.append(Event(kind=kind, run_id=self._run_id, at=self._clock(), step=step, data=data))
        if durable:
            self._flush(insist=self._insists)

    def report(self, kind: EventKind, data: Mapping[str, Any], *, step: str = "") -> None:
        """Sends an event about what has happened already; a journal that breaks cannot undo that, and is only noted."""
        self._waiting.append(Event(kind=kind, run_id=self._run_id, at=self._clock(), step=step, data=data))
        self._flush(insist=False)

    def carry_on(self) -> None:
        """From now on no journal that breaks stops anything: the run is being cleaned up."""
        self._insists = False

    def _flush(self, *, insist: bool) -> None:
        waiting, self._waiting = self._waiting, []
        masked = [replace(event, data=self._secrets.mask(event.data)) for event in waiting]
        if self.failure is None:
            self._keep(masked, insist=insist)
        for event in masked:
            self._tell(event)

    def _keep(self, events: list[Event], *, insist: bool) -> None:
        try:
            self._journal.record(*events)
        except JournalError as error:
            self.failure = error
            if insist:
                raise

    def _tell(self, event: Event) -> None:
        for listen in tuple(self._listeners):
            try:
                listen(event)
            except Exception:  # noqa: BLE001 - who only watches (a closed pipe, say) must not end a run that has to clean up
                self._listeners.remove(listen)
