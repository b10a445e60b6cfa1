"""Keeps the beginning and the end of a stream, so that what is read is bounded and still tells how it ended."""

from __future__ import annotations


class Capture:
    """The first and last `limit / 2` bytes of what is added; `total` counts all of it."""

    def __init__(self, limit: int) -> None:
        self.total = 0
        self._half = max(limit // 2, 1)
        self._head = bytearray()
        self._tail = bytearray()

    def add(self, chunk: bytes) -> None:
        """Adds the next bytes of the stream."""
        self.total += len(chunk)
        room = self._half - len(self._head)
        if room > 0:
            self._head += chunk[:room]
            chunk = chunk[room:]
        self._tail += chunk
        if len(self._tail) > 4 * self._half + 65_536:  # cut seldom: every cut moves the bytes that stay
            del self._tail[: -self._half]

    @property
    def truncated(self) -> bool:
        """Whether bytes in the middle were left out."""
        return self.total > 2 * self._half

    def text(self) -> str:
        """What was kept, as text; a line in the middle says how much is missing."""
        if not self.truncated:
            return (self._head + self._tail).decode("utf-8", "replace")
        head, tail = self._head.decode("utf-8", "replace"), self._tail[-self._half :].decode("utf-8", "replace")
        return f"{head}\n... {self.total - 2 * self._half:,} bytes left out ...\n{tail}"
