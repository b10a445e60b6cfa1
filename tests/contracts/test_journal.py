"""What every journal promises to the executor; a new one joins by a line in JOURNALS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import pytest

from engine.errors import JournalError
from engine.history import History
from engine.model.event import Event, EventKind, Journal
from engine.model.secret import Secrets


class Readable(Journal, Protocol):
    """A journal that tells what it kept."""

    def events(self, run_id: str, *, after: int = 0) -> tuple[tuple[int, Event], ...]:
        """The events of a run with their numbers."""

    def close(self) -> None:
        """Lets go of what it holds."""


JOURNALS: dict[str, Callable[[Path, Secrets], Readable]] = {
    "history": lambda folder, secrets: History.open(folder / "history.db", secrets=secrets),
    "history, full": lambda folder, secrets: History.open(folder / "history.db", secrets=secrets, synchronous="full"),
}

RUN = "20261120-1"
START = Event(kind=EventKind.RUN_STARTED, run_id=RUN, at=1.0, data={"skill": "s", "inputs": {"a": [1, None, "ü"]}})
NOTICE = partial(Event, kind=EventKind.NOTICE, run_id=RUN, at=2.0)


@pytest.fixture
def secrets() -> Secrets:
    """The secrets every journal of the test knows."""
    return Secrets()


@pytest.fixture(params=JOURNALS)
def journal(request: pytest.FixtureRequest, tmp_path: Path, secrets: Secrets) -> Iterator[Readable]:
    """Each journal in turn."""
    made = JOURNALS[request.param](tmp_path, secrets)
    yield made
    made.close()


def test_events_are_kept_in_order(journal: Readable) -> None:
    """Numbers count from 1 without gaps, whatever the grouping."""
    journal.record(START)
    journal.record(NOTICE(data={"text": "a"}), NOTICE(data={"text": "b"}))
    journal.record(NOTICE(data={"text": "c"}))
    assert [number for number, _ in journal.events(RUN)] == [1, 2, 3, 4]
    assert [event.data.get("text") for _, event in journal.events(RUN, after=1)] == ["a", "b", "c"]


@pytest.mark.parametrize("kind", EventKind)
def test_every_kind_of_event_is_kept_even_with_nothing_in_it(journal: Readable, kind: EventKind) -> None:
    """A field an older or newer executor does not send is no reason to lose an event."""
    journal.record(START)
    journal.record(Event(kind=kind, run_id=RUN, at=2.0, step="s"))
    assert journal.events(RUN)[-1][1].kind is kind


def test_values_come_back_as_they_were(journal: Readable) -> None:
    """JSON types keep their type."""
    journal.record(START)
    value: dict[str, Any] = {"text": 'ü\n"\\', "list": [1, 2.5, True, None, {"deep": []}]}
    event = NOTICE(step="s", data=value)
    journal.record(event)
    assert journal.events(RUN)[-1][1] == event


def test_what_was_recorded_is_there_for_another_process(
    journal: Readable, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """When `record` returns, the events are kept."""
    journal.record(START)
    other = JOURNALS[request.node.callspec.params["journal"]](tmp_path, Secrets())
    assert len(other.events(RUN)) == 1
    other.close()


def test_all_or_none(journal: Readable) -> None:
    """An event nobody can place takes its companions with it."""
    journal.record(START)
    with pytest.raises(JournalError):
        journal.record(NOTICE(), Event(kind=EventKind.NOTICE, run_id="never began", at=1.0))
    assert len(journal.events(RUN)) == 1


def test_recording_nothing_is_nothing(journal: Readable) -> None:
    """No transaction, no error."""
    journal.record()
    journal.record(START)
    assert len(journal.events(RUN)) == 1


def test_secrets_known_at_the_time_are_masked(journal: Readable, secrets: Secrets) -> None:
    """By value, keys included."""
    secrets.add("correct horse")
    journal.record(START)
    journal.record(NOTICE(data={"correct horse": ["a correct horse b"]}))
    assert journal.events(RUN)[-1][1].data == {"•••": ["a ••• b"]}
