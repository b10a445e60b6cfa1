"""The runs of an engine that go on now: all in one event loop, and ended before the engine is closed."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import anyio

from engine.errors import EngineError

INSIDE: ContextVar[frozenset[UnderWay]] = ContextVar("engines a run is of", default=frozenset())


class UnderWay:
    """The runs of one engine. They share its connections, its workers and its claims in history."""

    def __init__(self) -> None:
        self.closed = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._runs: dict[anyio.Event, list[anyio.CancelScope]] = {}
        self._guard = threading.Lock()

    @contextmanager
    def one(self, scopes: list[anyio.CancelScope]) -> Iterator[None]:
        """Another run, until the context is left; what cancels its steps stands in `scopes` while they go on.

        Raises EngineError when the engine is closed, or has runs in another event loop.
        """
        ended = anyio.Event()
        with self._guard:
            self.refuse_closed()
            self._refuse_elsewhere()
            self._loop = asyncio.get_running_loop()
            self._runs[ended] = scopes
        inside = INSIDE.set(INSIDE.get() | {self})
        try:
            yield
        finally:
            INSIDE.reset(inside)
            self._runs.pop(ended, None)
            ended.set()

    async def end(self) -> None:
        """Refuses runs from now on, cancels those there are, and returns once they are undone and cleaned up.

        Raises EngineError when a run of this engine asks for it, or when its runs are in another event loop.
        """
        if self in INSIDE.get():
            raise EngineError("a run cannot close the engine it is in", hint="close it where it was opened")
        with self._guard:
            self._refuse_elsewhere()
            self.closed = True
            runs = dict(self._runs)
        for scopes in runs.values():
            for scope in tuple(scopes):
                scope.cancel()
        with anyio.CancelScope(shield=True):
            for ended in runs:
                await ended.wait()

    def refuse_closed(self) -> None:
        """Raises EngineError when the engine is closed."""
        if self.closed:
            raise EngineError("this engine has been closed", hint="open another, and run inside its `async with`")

    def _refuse_elsewhere(self) -> None:
        if self._loop is not None and self._loop.is_closed():
            self._runs.clear()
        if self._runs and self._loop is not asyncio.get_running_loop():
            raise EngineError(
                "runs of this engine go on in another event loop, and it serves one at a time",
                hint="open an engine for each; a thread without a loop hands its call over by `anyio.from_thread.run`",
            )
