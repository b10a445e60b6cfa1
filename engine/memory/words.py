"""Words without which a shipped pattern cannot speak, so that its expression need not even be compiled.

To compile all of them costs a process whose first call fails 60 ms; a few have a chance with any one text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from zlib import crc32

FILE = "learned/pattern_words.json"
Words = Mapping[str, tuple[str, ...]]


def known_words(seeds: Path) -> Words:
    """The words of the shipped expressions, by `key`; none where the file is not there or not whole."""
    try:
        found = json.loads((seeds / FILE).read_text(encoding="utf-8"))
        return {str(name): tuple(words) for name, words in found.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def key(expression: str) -> str:
    """What an expression is called there: another one, as a person writes it, has words that nobody knows."""
    return f"{len(expression)}-{crc32(expression.encode()):08x}"
