"""What is left of a secret where a longer text was cut: by the marks of cutting, and at the ends of any long text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property

from engine.model.spelling import GRAM, Span, Spelling

LONG = 200
"""Characters from which on a text may be what is left of a longer one, without a mark that says so."""

_MARK = re.compile(r"\.{3}(?: [\d,]+ (?:bytes|characters) left out \.{3}| \([\d,]+ characters more\))?|…")
_SIDE = 4
"""Blanks beside a mark that may belong to it."""


class Halves:
    """Finds beginnings and ends of secret texts at cuts."""

    def __init__(self, known: Sequence[Spelling]) -> None:
        self._known = [each for each in known if each.least]

    def with_spellings(self, more: Sequence[Spelling]) -> Halves:
        """One that finds these, too."""
        return Halves((*self._known, *more))

    def suspects(self, text: str) -> bool:
        """False only if there is nothing to be found in the text; a quick look."""
        return any(self._edges(text))

    def spans(self, text: str) -> Iterator[Span]:
        """Where they stand."""
        befores, afters = self._edges(text)
        for spelling in self._known if befores or afters else ():
            for edge in befores:
                if _may_be_of(spelling.grams, spelling.signs, _left(text, edge), -1):
                    yield from spelling.before(text, edge)
            for edge in afters:
                if _may_be_of(spelling.grams, spelling.signs, _right(text, edge), 0):
                    yield from spelling.after(text, edge)

    def _edges(self, text: str) -> tuple[list[int], list[int]]:
        """The places before which, and those behind which a part of a secret may stand."""
        befores, afters = cuts(text)
        return (
            [edge for edge in befores if _may_be_of(self._grams, self._signs, _left(text, edge), -1)],
            [edge for edge in afters if _may_be_of(self._grams, self._signs, _right(text, edge), 0)],
        )

    @cached_property
    def _grams(self) -> frozenset[str]:
        return frozenset().union(*(each.grams for each in self._known))

    @cached_property
    def _signs(self) -> frozenset[str]:
        return frozenset().union(*(each.signs for each in self._known))


def cuts(text: str) -> tuple[list[int], list[int]]:
    """Where something is missing behind, and where before."""
    befores, afters = ([len(text)], [0]) if len(text) >= LONG else ([], [])
    if "..." in text or "…" in text:
        for mark in _MARK.finditer(text):
            left, right = text[max(0, mark.start() - _SIDE) : mark.start()], text[mark.end() : mark.end() + _SIDE]
            befores.append(mark.start() - len(left) + len(left.rstrip()))
            afters.append(mark.end() + len(right) - len(right.lstrip()))
    return befores, afters


def _left(text: str, edge: int) -> str:
    return text[max(0, edge - GRAM) : edge]


def _right(text: str, edge: int) -> str:
    return text[edge : edge + GRAM]


def _may_be_of(grams: frozenset[str], signs: frozenset[str], beside: str, nearest: int) -> bool:
    """Whether what stands beside a cut may be a part of a secret: such letters, or a sign that may be of an escape."""
    return beside in grams or (not (beside.isascii() and beside.isalnum()) and beside[nearest:][:1] in signs)
