"""How alike two failures are, and which of many is the most like one, in bounded time.

The measure: words in common and in order, 2·L / (|a| + |b|) with L the longest common subsequence of words. It is 1
for equal texts; one word more or less in ten costs about 0.05. Texts with different codes in them (401 and 404, E404
and E500) are not alike at all: that one word is the error.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from math import ceil

LIKENESS = 0.70
"""From here on two failures are of one group (HEALING and the reference: 70 %)."""

COMPARED = 100
"""Groups a text is compared with at most, those that share its rarest words first."""

_WORD = re.compile(r"<\w+>|\w+")
_DIGIT = re.compile(r"\d")
_CODE = re.compile(r"(?!ERROR|EXIT|EXCEPTION)E[A-Z]{3,30}|[A-Z][A-Z0-9]{0,30}_[A-Z0-9_]{1,60}")
MOST_WORDS = 80

Words = tuple[str, ...]


def words(text: str) -> Words:
    """The words of a normalised line, upper and lower case the same but for codes; signs do not matter."""
    found = _WORD.findall(text)[:MOST_WORDS]
    return tuple(word if _CODE.fullmatch(word) else word.casefold() for word in found)


def likeness(one: Sequence[str], other: Sequence[str]) -> float:
    """0 for nothing in common or different codes, 1 for the same words in the same order."""
    if not one and not other:
        return 1.0
    return _in_order(one, other) if codes(one) == codes(other) else 0.0


def _in_order(one: Sequence[str], other: Sequence[str]) -> float:
    return 2 * in_common(one, other) / (len(one) + len(other))


def codes(text: Sequence[str]) -> frozenset[str]:
    """The words that are codes: ECONNRESET, UNIQUE_VIOLATION, and what has digits that were not levelled."""
    return frozenset(word for word in text if _CODE.fullmatch(word) or (not word.isalpha() and _DIGIT.search(word)))


def in_common(one: Sequence[str], other: Sequence[str]) -> int:
    """The length of the longest common subsequence.

    Bit-parallel (H. Hyyrö, "Bit-parallel LCS-length computation revisited", 2004): a row of the table is one number.
    """
    places: dict[str, int] = {}
    for place, word in enumerate(one):
        places[word] = places.get(word, 0) | 1 << place
    whole = (1 << len(one)) - 1
    row = whole
    for word in other:
        found = row & places.get(word, 0)
        row = ((row + found) | (row - found)) & whole
    return len(one) - row.bit_count()


class Likeness:
    """Finds the known text that is most like another.

    Only texts that share one of their rarest words can reach LIKENESS (prefix filter of set similarity joins), so only
    those are compared, COMPARED at most. `rarity` counts in how many texts each word stands.
    """

    def __init__(self, rarity: Counter[str]) -> None:
        self._rarity = rarity
        self._known: list[tuple[Words, frozenset[str]]] = []
        self._having: dict[tuple[str, int], list[int]] = {}

    def add(self, text: Words) -> None:
        """Makes a text known; its number is how many there were before."""
        for sign in self._rarest(text):
            self._having.setdefault(sign, []).append(len(self._known))
        self._known.append((text, codes(text)))

    def nearest(self, text: Words) -> int | None:
        """The number of the known text most like this one, if it is alike enough."""
        best, found = LIKENESS, None
        for number in self._candidates(text):
            reached = _in_order(self._known[number][0], text)
            if reached > best or (found is None and reached >= best):
                best, found = reached, number
        return found

    def _candidates(self, text: Words) -> Iterable[int]:
        found: dict[int, None] = {}
        mine = codes(text)
        for sign in self._rarest(text):
            for number in self._having.get(sign, ()):
                words_of, codes_of = self._known[number]
                if codes_of == mine and _may_be_alike(len(words_of), len(text)):
                    found[number] = None
                if len(found) >= COMPARED:
                    return found
        return found

    def _rarest(self, text: Words) -> list[tuple[str, int]]:
        """So many of its words, the rarest first, that a text with none of them has too little in common with it."""
        counted: Counter[str] = Counter()
        signs = []
        for word in text:
            signs.append((word, counted[word]))
            counted[word] += 1
        signs.sort(key=lambda sign: (self._rarity[sign[0]], sign))
        least = ceil(len(signs) * LIKENESS / (2 - LIKENESS))
        return signs[: len(signs) - least + 1]


def _may_be_alike(one: int, other: int) -> bool:
    return 2 * min(one, other) >= LIKENESS * (one + other)
