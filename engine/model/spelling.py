"""How programs write a text that must not be shown: as it is, escaped, or as base64.

Escaping leaves ASCII letters and digits alone, and so does base64 of the same bytes. The longest run of them is the
text's anchor: where that does not stand, no spelling of the text does. Looking for it is cheap; the expression that
knows every spelling is made when the anchor has been seen.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property

from engine.model.escapes import Piece, pieces_of, signs_of

LEAST_SIGNS = 6
"""Signs of base64 that must be sure before they are taken for a secret."""
WRAPPED = 16
"""Signs of base64 from which on programs may break it into lines."""
HALF = 4
"""Characters of a text, counted from its beginning or its end, that give it away where the rest was cut off."""
LONG_TEXT, LONG_HALF = 12, 6
"""From so many characters on it takes so many."""
HALF_SIGNS = 8
"""The same in signs of base64."""
GRAM = 4
"""Letters and digits by which the end of a text is told to be no part of any secret."""
LONGEST_SIGN = 14
"""Characters of one sign, however it is escaped; what a cut left of one is shorter."""

ESCAPING = frozenset("\\%&;#'\"+-_ \n\t")
"""Signs that escapes are made of, beside letters and digits."""

_BREAK = r"(?:\s|\\{1,7}[rn]|%(?:25)?0[aAdD]){0,40}"
_REST = re.compile(rf"[0-9A-Za-z#%\\]{{0,{LONGEST_SIGN - 1}}};?")
"""What may be left of a sign behind a cut."""
_PLAIN = re.compile(r"[A-Za-z0-9_.-]+")
_ALIKE = re.compile(r"[A-Za-z0-9]+")

Span = tuple[int, int]


class Spelling:
    """One text in one family of spellings.

    `anchors` are texts of which one stands wherever it does. At a cut, `least` of its first or last signs are secret as
    well (0: only the whole is).
    """

    def __init__(
        self,
        text: str,
        make: Callable[[str], list[Piece]],
        *,
        anchors: tuple[str, ...],
        least: int,
        tail: str = "",
        between: str = "",
    ) -> None:
        self.text = text
        self.anchors = anchors
        self.least = least if least < len(text) else 0
        self._make = make
        self._tail = tail
        self._between = between

    @cached_property
    def expression(self) -> re.Pattern[str]:
        """Finds the whole text, and the `tail` that it has when nothing follows."""
        tail = f"(?:{_joined(self._make(self._tail))})?" if self._tail else ""
        return re.compile(_joined(self._pieces, self._between) + tail)

    @cached_property
    def grams(self) -> frozenset[str]:
        """Every few letters and digits that stand beside each other in it."""
        found = _ALIKE.findall(self.text)
        return frozenset(run[at : at + GRAM] for run in found for at in range(len(run) - GRAM + 1))

    @cached_property
    def signs(self) -> frozenset[str]:
        """Every sign that may stand in it."""
        return frozenset(self.text) if self.text.isalnum() and self.text.isascii() else ESCAPING.union(self.text)

    @cached_property
    def _pieces(self) -> Sequence[Piece]:
        return self._make(self.text)

    @cached_property
    def _first(self) -> re.Pattern[str]:
        return re.compile(_joined(self._pieces[: self.least]))

    @cached_property
    def _last(self) -> re.Pattern[str]:
        return re.compile(_joined(self._pieces[-self.least :]))

    @cached_property
    def _reach(self) -> int:
        return LONGEST_SIGN * len(self._pieces)

    def before(self, text: str, edge: int) -> Iterator[Span]:
        """Where the beginning of the text stands just before `edge`, at which a longer text was cut."""
        for begun in self._first.finditer(text, max(0, edge - self._reach), edge):
            spot, _ = _walked(self._pieces, text, begun.start(), edge)
            if spot == edge or (edge - spot < LONGEST_SIGN and text[spot] in "\\%&"):
                yield begun.start(), edge
                return

    def after(self, text: str, edge: int) -> Iterator[Span]:
        """Where the end of the text stands just after `edge`, from which on a longer text was kept."""
        if self._last.search(text, edge, min(len(text), edge + self._reach)) is None:
            return
        for left in range(LONGEST_SIGN):
            if _REST.fullmatch(text, edge, edge + left):
                for missing in range(1, len(self._pieces) - self.least + 1):
                    spot, whole = _walked(self._pieces[missing:], text, edge + left, len(text))
                    if whole:
                        yield edge, spot
                        return


def _joined(pieces: Sequence[Piece], between: str = "") -> str:
    return between.join(piece.expression for piece in pieces)


def _walked(pieces: Sequence[Piece], text: str, spot: int, end: int) -> tuple[int, bool]:
    """How far the pieces stand in the text one behind the other, and whether all do."""
    for piece in pieces:
        if text.startswith(piece.raw, spot, end):
            spot += len(piece.raw)
            continue
        found = re.compile(piece.expression).match(text, spot, end)
        if found is None:
            return spot, False
        spot = found.end()
    return spot, True


def spellings(text: str) -> Iterator[Spelling]:
    """Every family of spellings of a text. Of one with several lines, halves are the business of its lines."""
    least = HALF if len(text) < LONG_TEXT else LONG_HALF
    lines = len(text.splitlines())
    yield Spelling(text, pieces_of, anchors=(_longest(text, _PLAIN),), least=least if lines == 1 else 0)
    escaped = (json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]) if not _PLAIN.fullmatch(text) else ()
    for signs, tail in dict.fromkeys(each for raw in (text, *escaped) for each in _in_base64(raw)):
        # Lines of base64 are longer than two such parts together: a line's end falls into one of them at most.
        part = min(len(signs) // 2, WRAPPED) if len(signs) >= WRAPPED else 0
        parts = (signs[:part], signs[part : 2 * part]) if part else (signs,)
        yield Spelling(
            signs,
            signs_of,
            anchors=tuple(_longest(each, _ALIKE) for each in parts),
            least=HALF_SIGNS if lines == 1 else 0,
            tail=tail,
            between=_BREAK if part else "",
        )


def _in_base64(text: str) -> Iterator[tuple[str, str]]:
    """The signs that every base64 of something with the text inside shows, and those behind when nothing follows.

    Once for each of the three ways the text can fall: `Authorization: Basic` writes user and password so. The first
    sign may depend on what stands before, and is left out.
    """
    raw = text.encode("utf-8", "surrogatepass")
    for before, first in enumerate((0, 2, 3)):
        encoded = base64.b64encode(b"\0" * before + raw).decode()
        sure = (before + len(raw)) * 8 // 6
        signs, tail = encoded[first:sure], encoded[sure:]
        if len(signs) >= LEAST_SIGNS:
            yield signs, tail
        elif before == 0 and len(encoded) > LEAST_SIGNS:
            yield encoded.rstrip("="), "=" * encoded.count("=")


def _longest(text: str, alike: re.Pattern[str]) -> str:
    return max(alike.findall(text), key=len, default="")
