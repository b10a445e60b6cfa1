"""One stream of events: masked, kept by the journal, then handed to everybody who watches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from engine.errors import JournalError, OwnershipLostError
from engine.model.event import Event, EventKind, Journal
from engine.model.secret import Secrets

Listener = Callable[[Event], None]
BEGINNINGS = frozenset({EventKind.ATTEMPT_STARTED, EventKind.FIX_STARTED, EventKind.QUESTION_ASKED})
"""Kinds that are kept before what they tell of is done: one that is refused tells of nothing."""


class Broadcast:
    """The events of one run.

    An event that need not be durable at once waits for the next one that must, so that both share one transaction;
    listeners see an event only after the journal has it. `failure` is why the journal broke, None while it works: what
    comes after that only reaches the listeners, for a run whose history broke must still be able to clean up; `end`
    offers it to the journal once more.
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
        self._unkept: list[Event] = []
        self._cleaning = 0
        self.failure: JournalError | None = None

    def send(self, kind: EventKind, data: Mapping[str, Any], *, step: str = "", durable: bool = True) -> None:
        """Sends one event; when `durable`, it is kept before this returns.

        Raises JournalError when that cannot be done, so that nothing is begun which history does not know of.
        """
        self._waiting.append(Event(kind=kind, run_id=self._run_id, at=self._clock(), step=step, data=data))
        if durable:
            self._flush(insist=self.insists)

    def report(self, kind: EventKind, data: Mapping[str, Any], *, step: str = "") -> None:
        """Sends an event about what has happened already; a journal that breaks cannot undo that, and is only noted."""
        self._waiting.append(Event(kind=kind, run_id=self._run_id, at=self._clock(), step=step, data=data))
        self._flush(insist=False)

    @property
    def insists(self) -> bool:
        """Whether a journal that breaks ends what is under way."""
        return self._cleaning == 0

    @contextmanager
    def carrying_on(self) -> Iterator[None]:
        """Meanwhile no journal that breaks stops anything: something is being cleaned up, in one branch or several.

        Raises OwnershipLostError: when another process has the run, not even that is this one's business any more.
        """
        self.refuse_lost()
        self._cleaning += 1
        try:
            yield
        finally:
            self._cleaning -= 1

    def lose(self, error: OwnershipLostError) -> None:
        """Another process has the run: from now on every event is refused."""
        self.failure = error

    def refuse_lost(self) -> None:
        """Raises OwnershipLostError when another process is known to have the run."""
        if isinstance(self.failure, OwnershipLostError):
            raise self.failure

    def end(self, data: Mapping[str, Any]) -> None:
        """Sends the end of the run; a journal that had broken gets all it does not have once more, or a note of it.

        Without, history would take a run that was undone for one that is to be gone on with.
        """
        self.report(EventKind.RUN_FINISHED, data)
        if self.failure is None:
            return
        try:
            self._journal.record(*self._unkept)
            self.failure = None
        except JournalError:
            self._journal.leave(*self._unkept)

    def _flush(self, *, insist: bool) -> None:
        waiting, self._waiting = self._waiting, []
        masked = [replace(event, data=self._secrets.mask_event(event.data)) for event in waiting]
        self.refuse_lost()
        if self.failure is None:
            self._keep(masked)
        if self.failure is not None:
            refused = insist and masked[-1].kind in BEGINNINGS
            self._unkept += masked[:-1] if refused else masked
            if insist:
                raise self.failure
        for event in masked:
            self._tell(event)

    def _keep(self, events: list[Event]) -> None:
        try:
            self._journal.record(*events)
        except OwnershipLostError as error:
            self.lose(error)
            raise
        except JournalError as error:
            self.failure = error

    def _tell(self, event: Event) -> None:
        for listen in tuple(self._listeners):
            try:
                listen(event)
            except Exception:  # who only watches (a closed pipe, say) must not end a run that has to clean up
                import logging  # noqa: PLC0415 - late: few listeners break

                told = "a listener broke at %s of run %s, and hears no more of it"
                logging.getLogger("engine").warning(told, event.kind.value, event.run_id, exc_info=True)
                self._listeners.remove(listen)
