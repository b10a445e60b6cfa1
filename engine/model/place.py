"""Where an author wrote something, and what is said about it."""

from __future__ import annotations

from bisect import bisect_right
from enum import StrEnum

from engine.model.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A spot in a file; `line` and `column` count from 1, as editors do."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A string an author wrote, and where its first character stands.

    `indent` is the number of characters YAML removed from each line of a block scalar (`|`); None otherwise.
    `spots` are `(offset, line, column)` of each character of the text from which on the file no longer runs beside it:
    after a folded line or an escape. A string on one line without escapes needs neither.
    """

    text: str
    place: Place
    indent: int | None = None
    spots: tuple[tuple[int, int, int], ...] = ()

    def at(self, line: int, column: int) -> Place:
        """The place in the file of line and column (both from 1) of this text."""
        if self.spots:
            return self._beside_spot(line, column)
        if self.indent is not None:
            return Place(file=self.place.file, line=self.place.line + line - 1, column=self.indent + column)
        if line == 1:
            return Place(file=self.place.file, line=self.place.line, column=self.place.column + column - 1)
        return self.place

    def _beside_spot(self, line: int, column: int) -> Place:
        offset = sum(len(each) + 1 for each in self.text.split("\n")[: line - 1]) + column - 1
        spot = self.spots[max(0, bisect_right(self.spots, offset, key=lambda each: each[0]) - 1)]
        return Place(file=self.place.file, line=spot[1], column=spot[2] + max(0, offset - spot[0]))

    def __str__(self) -> str:
        return self.text


class Severity(StrEnum):
    """How bad a finding is: an error keeps a skill from running."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One mistake in a file: where, a stable code (`unknown-key`), a sentence, and the way out."""

    place: Place
    code: str
    message: str
    hint: str = ""
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        way_out = f" ({self.hint})" if self.hint else ""
        return f"{self.place}: {self.code} {self.message}{way_out}"
