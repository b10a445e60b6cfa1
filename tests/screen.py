"""A small terminal: what stands on the screen after everything that was written to it."""

from __future__ import annotations

import re

_SIGNS = re.compile(r"\x1b\[(\?)?([0-9;]*)([A-Za-z])|\r|\n|[^\x1b\r\n]+")


class EmulatedScreen:
    """As much of a terminal as our command uses: text that wraps, returns, the cursor up, erasing; colours are dropped.

    `rows` may be asked at any time; a resize joins what a narrower screen had wrapped and wraps it anew, as most
    terminals do.
    """

    def __init__(self, width: int = 80, height: int = 24) -> None:
        self.width = width
        self.height = height
        self._lines: list[list[str]] = [[]]
        self._row = 0
        self._column = 0
        self._wrapped: set[int] = set()

    @property
    def rows(self) -> list[str]:
        """The rows from the first that was ever written, without blanks at their ends."""
        return ["".join(line).rstrip() for line in self._lines]

    @property
    def text(self) -> list[str]:
        """The rows that are not empty."""
        return [row for row in self.rows if row]

    def write(self, written: str) -> None:
        """Shows what was written."""
        for found in _SIGNS.finditer(written):
            sign, kind = found[0], found[3]
            if sign == "\n":
                self._down(wrapped=False)
            elif sign == "\r":
                self._column = 0
            elif kind == "A":
                top = max(0, len(self._lines) - self.height)
                self._row = max(top, self._row - int(found[2] or 1))
            elif kind == "K":
                self._erase(whole=found[2] == "2")
            elif kind == "J":
                self._erase(whole=False)
                del self._lines[self._row + 1 :]
            elif kind is None:
                self._put(sign)

    def resize(self, width: int, height: int | None = None) -> None:
        """Another width: rows that one line had been wrapped into become as many as it takes now."""
        joined: list[list[str]] = []
        cursor = 0
        for number, line in enumerate(self._lines):
            if number in self._wrapped and joined:
                offset = len(joined[-1])
                joined[-1] = joined[-1] + line
            else:
                offset = 0
                joined.append(list(line))
            if number == self._row:
                cursor, column = len(joined) - 1, offset + self._column
        self.width, self.height = width, height or self.height
        self._lines, self._wrapped = [], set()
        for number, line in enumerate(joined):
            pieces = [line[start : start + width] for start in range(0, len(line), width)] or [[]]
            if number == cursor:
                self._row, self._column = len(self._lines) + min(column // width, len(pieces) - 1), column % width
            self._wrapped |= {len(self._lines) + extra for extra in range(1, len(pieces))}
            self._lines += pieces

    def _put(self, text: str) -> None:
        for sign in text:
            if self._column >= self.width:
                self._down(wrapped=True)
                self._column = 0
            line = self._lines[self._row]
            line += [" "] * (self._column + 1 - len(line))
            line[self._column] = sign
            self._column += 1

    def _down(self, *, wrapped: bool) -> None:
        self._row += 1
        if self._row == len(self._lines):
            self._lines.append([])
        (self._wrapped.add if wrapped else self._wrapped.discard)(self._row)
        if not wrapped:
            self._column = 0

    def _erase(self, *, whole: bool) -> None:
        if whole:
            self._lines[self._row] = []
        else:
            # The sign in the last column goes too when the cursor still stands on it, as on real terminals.
            del self._lines[self._row][min(self._column, self.width - 1) :]
