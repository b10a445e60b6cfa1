"""Waiting for one's turn, and no longer than there is time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio


@asynccontextmanager
async def turn(lock: anyio.Lock, *, within: float | None) -> AsyncIterator[bool]:
    """Holds the lock, and tells whether it does: not when it was taken for so many seconds (None: waits for ever).

    Only the waiting is limited: what is done meanwhile must itself see to its end, and tell of it.
    """
    held = False
    with anyio.move_on_after(within):
        await lock.acquire()
        held = True
    try:
        yield held
    finally:
        if held:
            lock.release()
