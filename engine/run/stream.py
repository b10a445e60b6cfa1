"""A run as its events, for a program that watches while it goes on."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

import anyio

from engine.errors import RunStateError
from engine.model.event import Event
from engine.model.outcome import RunResult
from engine.run.broadcast import Listener

Begin = Callable[[Listener, list[anyio.CancelScope]], Awaitable[RunResult]]
"""Runs to the end, with a listener; what cancels the run stands in the list while its steps go on."""


class RunStream:
    """A run under way: an async iterator of its events, and at its end their `result`.

        async with executor.stream("deploy", {"tag": "v1"}) as run:
            async for event in run:
                print(event.kind, event.step)
        print(run.result.status)

    The run begins with the block; what `run` would raise before the first event, entering the block raises. Leaving the
    block before the run has ended cancels it, waits until it is undone and cleaned up, and goes on; so does
    cancellation of the task that is in the block, and an error raised there, which comes out as it is. A run that came
    to wait for answers stays parked.

    The run never waits for its reader, and no event is lost: those not read yet are kept in memory, without a bound.
    Each event is given once; several readers share them. A stream belongs to one event loop (asyncio's, with or without
    anyio) and is entered once.
    """

    def __init__(self, begin: Begin, among: list[RunStream]) -> None:
        self._begin = begin
        self._among = among
        self._scopes: list[anyio.CancelScope] = []
        self._unread: deque[Event] = deque()
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._result: RunResult | None = None
        self._error: Exception | None = None
        self._told = False
        self._run_id = ""

    @property
    def run_id(self) -> str:
        """The run's id, by which it is found in history; empty before the block is entered."""
        return self._run_id

    @property
    def result(self) -> RunResult:
        """How the run ended, or came to wait. Raises RunStateError before that, and what broke the run if it broke."""
        self._refuse()
        if self._result is None:
            raise RunStateError(
                "the run has not ended, and has no result yet",
                hint="read `result` after the last event, or after the block; or `await ended()`",
            )
        return self._result

    @property
    def under_way(self) -> bool:
        """Whether the run has neither ended nor come to wait."""
        return self._task is not None and not self._over

    async def ended(self) -> RunResult:
        """Waits for the end of the run and returns its result; events nobody has read can still be read."""
        while not self._over:
            await self._next_news()
        return self.result

    def cancel(self) -> None:
        """Ends the run: its step is cancelled, then what was done is undone and cleaned up; `cancelled` is its status.

        To be called in the stream's event loop. A run that has ended stays as it is.
        """
        for scope in tuple(self._scopes):
            scope.cancel()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        while not self._unread:
            if self._over:
                self._refuse()
                raise StopAsyncIteration
            await self._next_news()
        return self._unread.popleft()

    async def __aenter__(self) -> Self:
        if self._task is not None:
            raise RunStateError("this stream has been entered before", hint="call `executor.stream(...)` for a new run")
        # A task of its own, not one of a group: whoever reads may be closed in another task than it began in, as the
        # generator of a web response is when its reader has gone.
        self._task = asyncio.create_task(self._through())
        try:
            await self._next_news()
        except BaseException:
            if not self._run_id:
                self._task.cancel()
            await self._leave()
            raise
        if not self._run_id:
            self._refuse()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._leave()
        if error is None and not self._told:
            self._refuse()

    @property
    def _over(self) -> bool:
        return self._result is not None or self._error is not None

    def _refuse(self) -> None:
        """Raises what broke the run, if it broke."""
        if self._error is not None:
            self._told = True
            raise self._error

    async def _through(self) -> None:
        self._among.append(self)
        try:
            self._result = await self._begin(self._hear, self._scopes)
        except asyncio.CancelledError:
            self._error = RunStateError("the event loop of the run was closed", hint="leave the block first")
            raise
        except Exception as error:  # noqa: BLE001 - handed to whoever reads
            self._error = error
        finally:
            self._among.remove(self)
            self._news.set()

    def _hear(self, event: Event) -> None:
        self._run_id = event.run_id
        self._unread.append(event)
        self._news.set()

    async def _next_news(self) -> None:
        self._news.clear()
        await self._news.wait()

    async def _leave(self) -> None:
        """Cancels what still runs, and waits until it is cleaned up, however often the waiting itself is cancelled."""
        self.cancel()
        cancelled: asyncio.CancelledError | None = None
        with anyio.CancelScope(shield=True):
            while self._task is not None and not self._task.done():
                try:
                    await asyncio.wait([self._task])
                except asyncio.CancelledError as error:
                    cancelled = error
        if cancelled is not None:
            raise cancelled
