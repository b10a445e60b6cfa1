"""A place in a text that moves forward over comments and blank lines."""

from __future__ import annotations

import re

_BESIDE = re.compile(r"([ \t]*)(#[^\n]*)?(?=\n|\Z)")
_BLANKS = re.compile(r"[ \t]*")
_MARKER = re.compile(r"(?:---|\.\.\.)(?=\s|\Z)")
SET_OFF = 2
"""Spaces before a comment at the end of a line, at least."""


class Lines:
    """What stands between the values of a text; `at` is the index of what has not been taken yet."""

    def __init__(self, text: str) -> None:
        self.at = 0
        self._text = text

    def rest(self) -> str:
        """What is left of the line."""
        return self._text[self.at : self.end(self.at)]

    def end(self, index: int) -> int:
        """Where the line of an index ends."""
        found = self._text.find("\n", index)
        return len(self._text) if found < 0 else found

    def skip_blanks(self) -> None:
        """Takes blanks within the line."""
        found = _BLANKS.match(self._text, self.at)
        self.at = found.end() if found else self.at

    def beside(self) -> str | None:
        """Takes the rest of the line and gives the comment in it with the blanks before it; None if more follows."""
        found = _BESIDE.match(self._text, self.at)
        if found is None:
            return None
        self.at = self._after(found.end())
        if not found[2]:
            return ""
        return " " * max(SET_OFF, len(found[1]) if "\t" not in found[1] else 0) + found[2].rstrip()

    def above(self) -> list[str]:
        """Takes the comments and blank lines (as empty texts) up to the next thing that is neither."""
        found = []
        while self.at < len(self._text):
            line = self.rest().strip()
            if line and not line.startswith("#"):
                break
            found.append(line)
            self.at = self._after(self.end(self.at))
        self.skip_blanks()
        return found

    def foot(self, indent: int) -> tuple[str, ...]:
        """Takes the comments that stand under the last entry of a collection that is indented this far.

        They are indented as far or further, and further than what comes next.
        """
        ahead, following = self._ahead()
        taken = 0
        for number, (line, deep, _) in enumerate(ahead):
            if line and (deep < indent or deep <= following):
                break
            taken = number + 1 if line else taken
        if taken:
            self.at = ahead[taken - 1][2]
        return tuple(line for line, _, _ in ahead[:taken])

    def _ahead(self) -> tuple[list[tuple[str, int, int]], int]:
        """The comments and blank lines up to the next thing, and how far that is indented; -1 for the document's end.

        Each line comes stripped, with how far it is indented and the index of the line after it.
        """
        found, at = list[tuple[str, int, int]](), self.at
        while at < len(self._text):
            line = self._text[at : self.end(at)]
            bare, deep = line.strip(), len(line) - len(line.lstrip())
            if bare and not bare.startswith("#"):
                return found, -1 if _MARKER.match(line) else deep
            at = self._after(self.end(at))
            found.append((bare, deep, at))
        return found, -1

    def _after(self, index: int) -> int:
        return min(index + 1, len(self._text))
