"""How often each mistake that memory knows was prevented, counted from history."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping

from engine.memory.fixes import FixEntry, levelled
from engine.model.tally import Prevention


def times_prevented(entries: Iterable[FixEntry], preventions: Iterable[Prevention]) -> Mapping[tuple[str, str], int]:
    """By an entry's key, how often its mistake was stopped before the call, or healed by the fix that the entry names.

    A fix that ran because history foretold a failure is not counted: nobody knows whether that call would have failed,
    and what prediction prevents is measured as a difference (docs/prediction.md).
    """
    known = [(entry, levelled(entry.error_pattern)) for entry in entries]
    counts: Counter[tuple[str, str]] = Counter()
    for prevention in preventions:
        said = levelled(prevention.text)
        for entry, words in known:
            if entry.is_for(prevention.tool) and _prevented(entry, prevention, spoken=not said or words in said):
                counts[entry.key] += prevention.count
    return counts


def _prevented(entry: FixEntry, prevention: Prevention, *, spoken: bool) -> bool:
    if prevention.fix:
        return spoken and names(entry.fix, prevention.fix)
    return spoken or bool(entry.cause and entry.cause == prevention.cause)


def names(fix: str, tool: str) -> bool:
    """Whether what helped names the tool, as a word of its own."""
    return re.search(rf"(?<![\w.-]){re.escape(tool)}(?![\w-])", fix) is not None
