"""What comes out of a server that is a program, kept small: its lines, and what it writes to standard error."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

LONGEST_LINE = 32_000_000
"""Bytes that one message may have; a longer one is dropped, and its call fails."""
LOG_LIMIT = 1_000_000
"""Bytes of standard error that one start of a server adds to its log, and that a log may have before it begins anew."""
TAIL = 4_000
"""Characters of standard error that are quoted when a server cannot be used."""
LONGEST_LOG_LINE = 8_000
HEAD = 400
TOO_LONG = b"\0too long\0"


class ServerLog:
    """What a server writes to standard error: in a file that stays small, and its end at hand.

    `mask` takes secrets out of every line before it is kept.
    """

    def __init__(self, path: Path | None, mask: Callable[[str], Any]) -> None:
        self._path, self._mask = path, mask
        self._unfinished = b""
        self._tail = ""
        self._room = LOG_LIMIT

    def add(self, chunk: bytes) -> None:
        """Keeps the next bytes; a line is kept when it is complete, so that no secret is cut in two."""
        *lines, self._unfinished = (self._unfinished + chunk).split(b"\n")
        if len(self._unfinished) > LONGEST_LOG_LINE:
            lines, self._unfinished = [*lines, self._unfinished], b""
        for line in lines:
            self.note(line[:LONGEST_LOG_LINE].decode("utf-8", "replace"))

    def note(self, line: str) -> None:
        """Keeps a line."""
        text: str = f"{self._mask(line)}\n"
        self._tail = (self._tail + text)[-TAIL:]
        self._write(text)

    def tail(self) -> str:
        """The end of what was written."""
        rest: str = self._mask(self._unfinished.decode("utf-8", "replace"))
        return (self._tail + rest).strip()[-TAIL:]

    def _write(self, text: str) -> None:
        if self._path is None or self._room <= 0:
            return
        self._room -= len(text)
        # A log that cannot be written is no reason to do without the server.
        with suppress(OSError):
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            full = self._path.is_file() and self._path.stat().st_size > LOG_LIMIT
            with self._path.open("w" if full else "a", encoding="utf-8") as file:
                file.write(text)


class Lines:
    """Splits a stream into lines; of one that is too long only its beginning is kept, marked by `TOO_LONG`."""

    def __init__(self, longest: int = LONGEST_LINE) -> None:
        self._parts: list[bytes] = []
        self._size = 0
        self._longest = longest

    def add(self, chunk: bytes) -> list[bytes]:
        """The lines that are complete now."""
        *complete, rest = chunk.split(b"\n")
        found = []
        for piece in complete:
            self._keep(piece)
            found.append(self._taken())
        self._keep(rest)
        return found

    def _keep(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size <= self._longest:
            self._parts.append(piece)
        elif len(self._parts) > 1:
            self._parts = [b"".join(self._parts)[:HEAD]]

    def _taken(self) -> bytes:
        line = b"".join(self._parts)
        if self._size > self._longest:
            line = TOO_LONG + line[:HEAD]
        self._parts, self._size = [], 0
        return line


_ID = re.compile(rb'"id"\s*:\s*(\d{1,15})')


def answered_by(line: bytes) -> int | None:
    """The number of the request that a line which was too long answers; None if its beginning does not tell."""
    found = _ID.search(line)
    return int(found[1]) if found else None
