"""An event loop whose time stands still while something happens, and jumps to the next timer when all wait.

A rehearsal of retries, polls and deadlines takes no longer than its computing, and every run of it sees the same times.
Work in threads (compute blocks) is waited for as long as it takes, and takes no time on this loop's clock.
"""

from __future__ import annotations

import asyncio
import selectors
import threading
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, TypeVar

import anyio
import anyio.to_thread

Result = TypeVar("Result")


class _JumpingSelector(selectors.DefaultSelector):
    """Waits for files as any selector does, but instead of waiting for a timer it jumps to it."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.threads_at_work: Callable[[], bool] = lambda: False

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """The files that are ready; `timeout` is what asyncio allows until its next timer."""
        if timeout is None or timeout <= 0:
            return super().select(timeout)
        if self.threads_at_work():
            return super().select(None)
        ready = super().select(0)
        if not ready:
            self.now += timeout
        return ready


class _JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop with a time of its own, which begins at 0."""

    def __init__(self) -> None:
        self.jumping = _JumpingSelector()
        super().__init__(self.jumping)

    def time(self) -> float:
        return self.jumping.now


class TookTooLongError(Exception):
    """What ran in virtual time did not end within its real seconds."""


def run_in_virtual_time(function: Callable[[], Awaitable[Result]], *, within: float) -> Result:
    """What the async function returns; its sleeps and deadlines take no real time.

    Raises TookTooLongError when it has not ended after `within` real seconds, with everything in it cancelled.
    """
    return anyio.run(_watched, function, within, backend_options={"loop_factory": _JumpingLoop})


async def _watched(function: Callable[[], Awaitable[Result]], within: float) -> Result:
    loop: Any = asyncio.get_running_loop()
    limiter = anyio.to_thread.current_default_thread_limiter()
    loop.jumping.threads_at_work = lambda: limiter.borrowed_tokens > 0
    with anyio.CancelScope() as scope:
        alarm = threading.Timer(within, loop.call_soon_threadsafe, [scope.cancel])
        alarm.daemon = True
        alarm.start()
        try:
            return await function()
        finally:
            alarm.cancel()
    raise TookTooLongError(f"it did not end within {within:g} real seconds")


def virtual_clock(start: datetime) -> Callable[[], float]:
    """Seconds since the epoch on the clock of the running loop, which began at `start`; any thread may ask."""
    loop, first = asyncio.get_running_loop(), start.timestamp()
    return lambda: first + loop.time()
