"""Following a run in an event loop: every event once, in order, until nobody works on it."""

from __future__ import annotations

from pathlib import Path

import anyio

from engine.frontends.background.watching import followed, written
from engine.history import History
from engine.model.event import Event, EventKind
from engine.model.secret import Secrets

BEGIN = {"skill": "s", "inputs": {}, "pid": 1}


def event(kind: EventKind, **data: object) -> Event:
    """An event of the run."""
    return Event(kind=kind, run_id="run-1", at=1.0, data=data)


def opened(path: Path) -> History:
    """History with a run that this process has."""
    history = History.open(path, secrets=Secrets())
    history.claim("run-1")
    history.record(event(EventKind.RUN_STARTED, **BEGIN))
    return history


async def test_events_come_as_they_are_written_and_then_it_ends(tmp_path: Path) -> None:
    """Those of before `after` are left out."""
    path, heard = tmp_path / "history.db", list[int]()

    async def listen(reader: History) -> None:
        async for batch in followed(reader, path, "run-1", after=1):
            heard.extend(number for number, _ in batch)

    with opened(path) as writer, History.open(path, secrets=Secrets()) as reader, anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(listen, reader)
            for text in ("one", "two"):
                writer.record(event(EventKind.NOTICE, text=text, level="note"))
                await anyio.sleep(0.1)
            writer.record(event(EventKind.RUN_FINISHED, status="ok", message="", outputs={}))
    assert heard == [2, 3, 4]


async def test_a_process_that_died_without_a_word_ends_it_too(tmp_path: Path) -> None:
    """Nothing is written then, and it is noticed all the same."""
    path = tmp_path / "history.db"
    with opened(path) as writer, History.open(path, secrets=Secrets()) as reader, anyio.fail_after(20):
        batches = followed(reader, path, "run-1", after=1)
        async with anyio.create_task_group() as tasks:

            async def die() -> None:
                await anyio.sleep(0.1)
                writer.release("run-1")

            tasks.start_soon(die)
            assert [batch async for batch in batches] == [()]


def test_what_is_written_shows_in_the_times_of_the_files(tmp_path: Path) -> None:
    """And where there is no database there is nothing to see."""
    path = tmp_path / "history.db"
    assert written(path) == ()
    with opened(path) as writer:
        before = written(path)
        writer.record(event(EventKind.NOTICE, text="x" * 5_000, level="note"))
        assert written(path) != before
