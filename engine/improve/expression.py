"""From lines that say the same to one anchored expression that all of them match."""

from __future__ import annotations

import re
from collections.abc import Sequence

from engine.memory import expressions

MOST_GAPS = 3
"""Places where anything may stand; with more of them a search could take long, and the expression says too little."""
LEAST_LETTERS = 10
LEAST_WORDS = 2
LEAST_SHARE = 0.6
"""Fixed letters and fixed words an expression must have, one word more for each gap, and the share of the first line's
words they must be: with less it would speak on errors it has never seen."""
LONGEST = 1_000

CLASSES = {
    "<time>": r"[\w:./,+-]{1,40}(?:[ ][\w:./,+-]{1,20}){0,3}",
    "<id>": r"[\w-]{1,200}",
    "<hash>": r"[\w:]{7,140}",
    "<address>": r"[\w.:@/\[\]%+-]{1,300}",
    "<path>": r"[^\s\"'<>]{1,1000}",
    "<secret>": r"\S{1,1000}",
    "<n>": r"[\w.,]{1,40}",
}
"""What may stand where something was levelled."""
_PLACEHOLDER = re.compile("|".join(CLASSES))
_GAP = r".{0,200}?"
_BLANKS = r"[ \t]{1,20}"
_BEGINNING = r"^[ \t]{0,20}"
_WORD = re.compile(r"[^\W\d_]{2,}")


def expression(lines: Sequence[str], said: Sequence[str]) -> str:
    """An expression, anchored at a line's beginning, that speaks on every text of `said`; empty if none is good.

    `lines` are the normalised lines, the most frequent first. What all of them have in common stays, in order; what
    differs becomes a gap. It has passed what `engine.memory` asks of an expression that a person writes.
    """
    tokens, gaps = _common([line.split() for line in lines])
    for blank in (" ", _BLANKS):
        made = _joined(tokens, gaps, blank)
        if not _tells_enough(made, lines[0]) or expressions.fault(made):
            return ""
        compiled = re.compile(made, re.MULTILINE)
        if all(compiled.search(text) for text in said):
            return made
    return ""


def _common(split: Sequence[Sequence[str]]) -> tuple[list[str], list[bool]]:
    """The tokens of the first line that stand in all others in this order, and for each whether a gap is before it."""
    first = split[0]
    kept, glued = set(range(len(first))), [True] * len(first)
    for other in split[1:]:
        places = _aligned(first, other)
        kept &= set(places)
        glued = [glue and _adjacent(index, places) for index, glue in enumerate(glued)]
    order = sorted(kept)
    gaps = [not glued[index] or (index > 0 and index - 1 not in kept) for index in order]
    return [first[index] for index in order], gaps


def _adjacent(index: int, places: dict[int, int]) -> bool:
    """Whether the token stands directly behind the one before it in the other line, too."""
    if index == 0:
        return places.get(0) == 0
    return index in places and places.get(index - 1) == places[index] - 1


def _aligned(one: Sequence[str], other: Sequence[str]) -> dict[int, int]:
    """For each token of `one` that is in the longest common subsequence, where it stands in `other`."""
    table = [[0] * (len(other) + 1) for _ in range(len(one) + 1)]
    for row in reversed(range(len(one))):
        for column in reversed(range(len(other))):
            same = one[row] == other[column]
            below = max(table[row + 1][column], table[row][column + 1])
            table[row][column] = table[row + 1][column + 1] + 1 if same else below
    places, row, column = {}, 0, 0
    while row < len(one) and column < len(other):
        if one[row] == other[column]:
            places[row] = column
            row, column = row + 1, column + 1
        elif table[row + 1][column] >= table[row][column + 1]:
            row += 1
        else:
            column += 1
    return places


def _joined(tokens: Sequence[str], gaps: Sequence[bool], blank: str) -> str:
    made, used = _BEGINNING, 0
    for place, (token, gap) in enumerate(zip(tokens, gaps, strict=True)):
        used += gap
        piece = (_GAP if gap else blank if place else "") + _escaped(token)
        if used > MOST_GAPS or len(made) + len(piece) > LONGEST:
            break
        made += piece
    return made


def _escaped(token: str) -> str:
    made, end = "", 0
    for found in _PLACEHOLDER.finditer(token):
        made += re.escape(token[end : found.start()]) + CLASSES[found[0]]
        end = found.end()
    return made + re.escape(token[end:])


def _tells_enough(made: str, line: str) -> bool:
    fixed, gaps = made, made.count(_GAP)
    for part in (*CLASSES.values(), _GAP, _BLANKS, _BEGINNING):
        fixed = fixed.replace(part, " ")
    found = _WORD.findall(fixed)
    whole = len(_WORD.findall(_PLACEHOLDER.sub(" ", line)))
    enough = len(found) >= LEAST_WORDS + gaps and len(found) >= LEAST_SHARE * whole
    return enough and sum(map(len, found)) >= LEAST_LETTERS
