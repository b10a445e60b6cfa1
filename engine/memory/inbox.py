"""The inbox: notes from the engine to people, in a file they clear when they have read it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal

from engine.memory.notes import add_line
from engine.memory.store import Store
from engine.model.secret import Secrets

FILE = "inbox.md"
HEADER = "# Inbox\n\nNotes from the engine, newest last. Delete what you have read.\n\n"
LONGEST = 2_000

Level = Literal["note", "warning", "error"]


class Inbox:
    """Adds to `inbox.md`; `clock` gives seconds since the epoch."""

    def __init__(self, store: Store, *, secrets: Secrets, clock: Callable[[], float]) -> None:
        self._store = store
        self._secrets = secrets
        self._clock = clock

    def add(self, source: str, text: str, level: Level = "note") -> None:
        """Adds one note; DocumentError when the file cannot be written.

        One write at the end of the file: nothing there is touched, and notes of several processes do not mix.
        """
        when = datetime.fromtimestamp(self._clock(), UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        line = " ".join(str(self._secrets.mask(text)).split())[:LONGEST]
        add_line(self._store.live(FILE), f"- {when} **{level}** {source}: {line}", header=HEADER)
