"""What every journal promises to the executor; a new one joins by a line in JOURNALS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import pytest

from engine.errors import JournalError, OwnershipLostError, RunBusyError, RunNotFoundError, RunStateError
from engine.history import History
from engine.model.event import Event, EventKind, Journal
from engine.model.outcome import StepStatus
from engine.model.secret import Secrets


class Readable(Journal, Protocol):
    """A journal that tells what it kept."""

    def events(self, run_id: str, *, after: int = 0) -> tuple[tuple[int, Event], ...]:
        """The events of a run with their numbers."""

    def request_cancel(self, run_id: str) -> None:
        """Asks whoever has the run to cancel it."""

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


def steal(folder: Path) -> None:
    """Takes away what keeps others from a run that somebody has, as a careless hand or another machine might."""
    for lock in folder.glob("runs/*.lock"):
        lock.unlink()


@pytest.fixture
def other(request: pytest.FixtureRequest, journal: Readable, tmp_path: Path) -> Iterator[Readable]:
    """A second journal over the same storage, as another process has it."""
    assert journal
    made = JOURNALS[request.node.callspec.params["journal"]](tmp_path, Secrets())
    yield made
    made.close()


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


def test_what_was_recorded_is_there_for_another_process(journal: Readable, other: Readable) -> None:
    """When `record` returns, the events are kept."""
    journal.record(START)
    assert len(other.events(RUN)) == 1


def test_a_run_is_claimed_before_it_begins_and_is_nobody_elses(journal: Readable, other: Readable) -> None:
    """The claim holds from before its first event until it is let go."""
    journal.claim(RUN)
    with pytest.raises(RunBusyError) as caught:
        other.claim(RUN)
    assert caught.value.hint
    journal.record(START)
    with pytest.raises(RunBusyError):
        other.claim(RUN)
    journal.record(NOTICE())
    journal.release(RUN)
    other.claim(RUN)
    other.record(NOTICE())
    assert len(journal.events(RUN)) == 3


def test_letting_go_twice_or_of_nothing_is_nothing(journal: Readable) -> None:
    """It stands in a `finally`, whatever happened before."""
    journal.release(RUN)
    journal.claim(RUN)
    journal.release(RUN)
    journal.release(RUN)
    journal.claim(RUN)


def test_who_never_claimed_a_run_cannot_write_to_one_that_is_claimed(journal: Readable, other: Readable) -> None:
    """Not while its owner lives, nor afterwards: an owner writes its last word before it lets go."""
    journal.claim(RUN)
    journal.record(START)
    for _ in range(2):
        with pytest.raises(OwnershipLostError):
            other.record(NOTICE())
        journal.release(RUN)
    with pytest.raises(OwnershipLostError):
        journal.record(NOTICE())
    assert len(journal.events(RUN)) == 1


def test_of_two_that_think_they_have_a_run_only_the_last_writes(
    journal: Readable, other: Readable, tmp_path: Path
) -> None:
    """Whatever became of the lock: the first is told, and keeps nothing."""
    journal.claim(RUN)
    journal.record(START)
    steal(tmp_path)
    other.claim(RUN)
    with pytest.raises(OwnershipLostError):
        journal.record(NOTICE(), NOTICE())
    journal.release(RUN)
    other.record(NOTICE())
    assert len(other.events(RUN)) == 2


def test_a_cancel_asked_for_from_elsewhere_is_seen_by_the_owner(journal: Readable, other: Readable) -> None:
    """It needs no claim; asking twice is asking once."""
    journal.claim(RUN)
    assert not journal.cancel_requested(RUN)
    journal.record(START)
    assert not journal.cancel_requested(RUN)
    for _ in range(2):
        other.request_cancel(RUN)
        assert journal.cancel_requested(RUN)
    journal.record(NOTICE())


def test_a_run_that_waits_can_be_cancelled_and_one_that_has_ended_cannot(journal: Readable, other: Readable) -> None:
    """What is over cannot be called off, and what never was cannot either."""
    journal.record(START, NOTICE(kind=EventKind.RUN_WAITING))
    other.request_cancel(RUN)
    assert journal.cancel_requested(RUN)
    journal.record(NOTICE(kind=EventKind.RUN_FINISHED, data={"status": "cancelled"}))
    with pytest.raises(RunStateError, match="ended already: cancelled") as caught:
        other.request_cancel(RUN)
    assert caught.value.hint
    with pytest.raises(RunNotFoundError):
        other.request_cancel("never-began")


def test_who_looks_for_a_cancel_learns_that_the_run_is_lost(journal: Readable, other: Readable, tmp_path: Path) -> None:
    """A process that only waits would not find out otherwise."""
    journal.claim(RUN)
    journal.record(START)
    steal(tmp_path)
    other.claim(RUN)
    with pytest.raises(OwnershipLostError):
        journal.cancel_requested(RUN)
    assert not other.cancel_requested(RUN)


def test_what_a_journal_could_not_take_is_taken_with_the_next_claim(journal: Readable, other: Readable) -> None:
    """The end of a run whose journal broke; whoever would go on with the run finds that it has ended."""
    journal.claim(RUN)
    journal.record(START)
    journal.leave(NOTICE(kind=EventKind.RUN_FINISHED, data={"status": "failed"}))
    journal.release(RUN)
    assert not journal.past(RUN).finished
    other.claim(RUN)
    assert other.past(RUN).finished
    other.release(RUN)
    journal.claim(RUN)
    assert len(journal.events(RUN)) == 2


def test_the_past_of_a_run_is_what_was_recorded(journal: Readable, other: Readable) -> None:
    """By whichever journal; a run that never was has none."""
    end = {"status": "ok", "value": {"a": [1]}}
    journal.record(START, NOTICE(kind=EventKind.STEP_FINISHED, step="s", data=end))
    past = other.past(RUN)
    assert (past.run_id, past.skill, past.inputs, past.finished) == (RUN, "s", {"a": [1, None, "ü"]}, False)
    assert (past.steps["s"].status, past.steps["s"].value) == (StepStatus.OK, {"a": [1]})
    with pytest.raises(RunNotFoundError):
        other.past("never-began")


@pytest.mark.parametrize("kind", EventKind)
def test_the_past_can_be_read_whatever_was_left_out(journal: Readable, kind: EventKind) -> None:
    """Another version may send less."""
    journal.record(START, Event(kind=kind, run_id=RUN, at=2.0, step="s"))
    assert journal.past(RUN).run_id == RUN


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
