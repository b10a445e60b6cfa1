"""Which words a pattern cannot speak without: read from its expression, as Python's own parser takes it apart.

`memory/learned/pattern_words.json` keeps them, so that a process whose call fails compiles only the expressions that
have a chance. `python bench/classify.py --write` writes that file; a test compares it.
"""

from __future__ import annotations

import json
import re._parser as parser  # type: ignore[import-not-found]  # the parser of the standard library, which has no stubs
from collections.abc import Iterable, Sequence
from functools import cache
from re import _constants as signs  # type: ignore[attr-defined]
from typing import Any

from bench.texts import ROOT, failures
from engine.memory.words import FILE, key
from engine.model.failure import Pattern

WORDS = ROOT / "memory" / FILE
SHORTEST = 3
"""Characters of a word that is worth looking for."""
MOST = 80
"""Words of one pattern; looking for more takes as long as compiling."""
Words = frozenset[str]


def written(patterns: Iterable[Pattern]) -> str:
    """The content of the file: under each expression's key its words, of which one must stand in the text."""
    found = {key(each.expression): sorted(_words(parser.parse(each.expression))) for each in patterns}
    rows = (f"{json.dumps(name)}: {json.dumps(words)}" for name, words in sorted(found.items()) if words)
    return "{\n" + ",\n".join(rows) + "\n}\n"


def _words(items: Sequence[Any]) -> Words:
    """The best choice of words that a sequence offers; empty where it can match without any word of use."""
    choices: list[Words] = []
    run = ""
    for sort, given in items:
        letter = _letter(sort, given)
        if letter:
            run += letter
        elif sort is not signs.AT:
            choices, run = [*choices, frozenset({run}), _choice(sort, given)], ""
    good = [each for each in (*choices, frozenset({run})) if each and min(map(len, each)) >= SHORTEST]
    return min((each for each in good if len(each) <= MOST), key=_share, default=frozenset())


@cache
def _share(words: Words) -> tuple[float, int]:
    """In how many of the texts one of them stands, and how many they are: the less, the better."""
    return sum(any(word in text for word in words) for text in _texts()), len(words)


@cache
def _texts() -> tuple[str, ...]:
    """Some of the labelled texts: words that stand everywhere spare nothing."""
    return tuple(each.text.casefold() for each in failures()[::12])


def _letter(sort: Any, given: Any) -> str:
    """The one character that stands there, whatever its case; empty where it may be several, or is not plain."""
    if sort is signs.LITERAL:
        found = {chr(given).casefold()}
    elif sort is signs.IN and all(each is signs.LITERAL for each, _ in given):
        found = {chr(each).casefold() for _, each in given}
    else:
        return ""
    letter = found.pop()
    return letter if not found and letter.isascii() else ""


def _choice(sort: Any, given: Any) -> Words:
    match sort:
        case signs.SUBPATTERN:
            return _words(given[3])
        case signs.ATOMIC_GROUP:
            return _words(given)
        case signs.MAX_REPEAT | signs.MIN_REPEAT | signs.POSSESSIVE_REPEAT if given[0] > 0:
            return _words(given[2])
        case signs.BRANCH:
            parts = [_words(each) for each in given[1]]
            return frozenset().union(*parts) if all(parts) else frozenset()
    return frozenset()
