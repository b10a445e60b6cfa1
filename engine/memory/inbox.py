"""The inbox: notes from the engine to people, in a file they clear when they have read it."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal

from engine.memory.store import Store, unwritable
from engine.model.secret import Secrets
from engine.workspace import make_private

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
        path = self._store.live(FILE)
        try:
            make_private(path.parent)
            # Not blocking: a pipe in the file's place would wait for a reader, for ever.
            file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK, 0o600)
            try:
                header = "" if os.fstat(file).st_size else HEADER
                os.write(file, f"{header}- {when} **{level}** {source}: {line}\n".encode("utf-8", "replace"))
            finally:
                os.close(file)
        except OSError as error:
            raise unwritable(path, error) from error
