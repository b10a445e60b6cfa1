"""What a tool says while it works, as events of its step."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import suppress

from engine.errors import JournalError
from engine.heal.request import Emit
from engine.model.event import EventKind

PAUSE = 0.1
"""Seconds between two lines that are told; what a tool says faster is left out."""
LONGEST = 500
"""Characters of a line."""


class Reporting:
    """Takes lines of progress of one call, from its event loop or from a thread, until the call has ended."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._last = -PAUSE
        self._ended = False

    def __call__(self, text: str) -> None:
        """Tells a line."""
        if threading.get_ident() == self._thread:
            self._tell(text)
        elif not self._ended:
            with suppress(RuntimeError):  # the loop is closed; a thread that was given up still works
                self._loop.call_soon_threadsafe(self._tell, text)

    def end(self) -> None:
        """Nothing is told of the call any more."""
        self._ended = True

    def _tell(self, text: str) -> None:
        now = time.monotonic()
        if self._ended or now - self._last < PAUSE:
            return
        self._last = now
        with suppress(JournalError):  # the next event says what is wrong with history
            self._emit(EventKind.PROGRESS, {"text": str(text)[:LONGEST]})
