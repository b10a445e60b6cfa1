"""What history could not take: short, the newest kept, and taken up once, by whoever comes first."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from engine.history import History
from engine.history.leftovers import LONGEST, ROOM, packed, unpacked
from engine.model.event import Event, EventKind
from engine.model.outcome import RunStatus, StepStatus

END = Event(kind=EventKind.RUN_FINISHED, run_id="r1", at=9.0, data={"status": "failed", "message": "full", "healed": 0})


def ended(step: str, at: float = 2.0, **data: object) -> Event:
    """The end of a step."""
    return Event(kind=EventKind.STEP_FINISHED, run_id="r1", at=at, step=step, data={"status": "ok", **data})


def test_what_is_left_comes_back_without_values() -> None:
    """Statuses and words are kept; of a value only that there was one, for its reader must know that it is lost."""
    kept = unpacked("r1", packed([ended("one", value={"a": 1}), END]))
    assert kept == (
        Event(kind=EventKind.STEP_FINISHED, run_id="r1", at=2.0, step="one", data={"status": "ok", "lost": ["value"]}),
        END,
    )


@given(st.lists(st.text(max_size=3_000), max_size=100), st.text())
def test_it_has_room_and_ends_with_the_end(steps: list[str], message: str) -> None:
    """However much happened: the oldest is left out, and a long text cut."""
    end = Event(kind=EventKind.RUN_FINISHED, run_id="r1", at=9.0, data={"status": "failed", "message": message})
    text = packed([*(ended(step) for step in steps), end])
    assert len(text) <= ROOM
    found = unpacked("r1", text)
    assert found[-1].data["message"] == message[:LONGEST]
    assert [event.step for event in found[:-1]] == [step[:LONGEST] for step in steps][len(steps) - len(found) + 1 :]


def test_what_is_no_event_is_left_out() -> None:
    """A file that was cut off or scribbled in gives what is whole in it."""
    text = packed([ended("one"), END])
    assert unpacked("r1", b"\x00rubbish\n[1]\n" + text + text[:-9]) == unpacked("r1", text) + unpacked("r1", text)[:1]


def test_whoever_opens_history_next_writes_it_down(history: History, path: Path) -> None:
    """Once: the run has its end, and nothing lies beside the database any more."""
    history.claim("r1")
    history.record(Event(kind=EventKind.RUN_STARTED, run_id="r1", at=1.0, data={"skill": "s"}))
    history.leave(ended("one"), END)
    history.release("r1")
    assert [left.name for left in (path.parent / "runs").iterdir()] == ["r1.end"]
    for _ in range(2):
        history.recover()
        assert not list((path.parent / "runs").iterdir())
        assert history.run("r1").status is RunStatus.FAILED
        assert [event.kind for _, event in history.events("r1")] == ["run_started", "step_finished", "run_finished"]
        assert [step.status for step in history.steps("r1")] == [StepStatus.OK]


def test_what_is_left_of_a_run_that_history_does_not_know_goes(history: History, path: Path) -> None:
    """The database was deleted: nobody will ever ask."""
    history.claim("r1")
    history.leave(END)
    history.release("r1")
    history.recover()
    assert not list((path.parent / "runs").iterdir())


def test_who_has_not_claimed_a_run_leaves_nothing(history: History, path: Path) -> None:
    """It is not his to end."""
    history.leave(END)
    assert not (path.parent / "runs").exists()
