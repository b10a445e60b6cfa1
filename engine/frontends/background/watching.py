"""Following a run of another process in an event loop, beside many others."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator
from contextlib import suppress
from pathlib import Path

import anyio
import anyio.to_thread

from engine.frontends.background.following import resting
from engine.history import History
from engine.model.event import Event

GLANCE, SELDOM = 0.03, 0.25
"""Seconds between glances at whether anything was written into history: while a run is young, and later."""
YOUNG = 10.0
"""Seconds in which they become so seldom: each write wakes everybody who follows any run of the database."""
AT_LEAST = 0.5
"""Seconds after which history is looked into although nothing was written: whoever had the run may have died."""

Batch = tuple[tuple[int, Event], ...]
"""Events that came at once, with their numbers."""


async def followed(
    history: History, path: Path, run_id: str, *, after: int = 0, beat: float = math.inf
) -> AsyncGenerator[Batch, None]:
    """A run's events from number `after` on, until nobody works on it; `path` is where the database is.

    The last batch may be empty, and so is one that comes after `beat` seconds in which nothing happened. Between looks
    only the times of the database's files are read, so that many can be followed at once.
    """
    began = told = anyio.current_time()
    while True:
        seen = written(path)
        rests, batch = await anyio.to_thread.run_sync(_look, history, run_id, after)
        after = batch[-1][0] if batch else after
        if batch or rests or anyio.current_time() - told >= beat:
            told = anyio.current_time()
            yield batch
        if rests:
            return
        pause = GLANCE + (SELDOM - GLANCE) * min(1.0, (anyio.current_time() - began) / YOUNG)
        await anyio.sleep(pause)
        with anyio.move_on_after(AT_LEAST):
            while written(path) == seen:  # noqa: ASYNC110 - another process writes; there is no event to wait for
                await anyio.sleep(pause)


def written(path: Path) -> tuple[int, ...]:
    """Something that is another whenever anything was written into the database at `path`."""
    told: list[int] = []
    for file in (path, path.with_name(f"{path.name}-wal")):
        with suppress(OSError):
            found = file.stat()
            told += [found.st_mtime_ns, found.st_size]
    return tuple(told)


def _look(history: History, run_id: str, after: int) -> tuple[bool, Batch]:
    # Asked before the events are: what happened until then is among them.
    rests = resting(history.run(run_id))
    return rests, history.events(run_id, after=after)
