"""The order of keys, and where comments go when the entry below them moves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from engine.documents.document import Path
from engine.documents.format_parts import Block, Entry, Parts, single_spaced

Order = Callable[[Any, Path], Sequence[str]]
"""Which keys come first in the mapping at a path of a document's value; empty to leave it as it is."""


def as_written(_: Any, __: Path) -> Sequence[str]:
    """Leaves every mapping in its order."""
    return ()


def ordered(parts: Parts, value: Any, order: Order) -> Parts:
    """The parts of a document that says `value`, every mapping in order; keys beside one that is tied stay."""
    wanted = partial(order, value)
    return replace(parts, value=_block(parts.value, wanted)) if isinstance(parts.value, Block) else parts


def _block(block: Block, order: Callable[[Path], Sequence[str]]) -> Block:
    entries = [_entry(entry, order) for entry in block.entries]
    wanted = order(block.path) if isinstance(entries[0].name, str) else ()
    if wanted and not any(entry.tied for entry in entries):
        entries = _sorted(entries, wanted)
    return replace(block, entries=tuple(entries))


def _sorted(entries: Sequence[Entry], wanted: Sequence[str]) -> list[Entry]:
    """The entries in the wanted order; one that is not on the list stays behind the one it follows."""
    ranks, rank = list[int](), -1
    for entry in entries:
        rank = wanted.index(str(entry.name)) if entry.name in wanted else rank
        ranks.append(rank)
    return [entries[number] for number in sorted(range(len(entries)), key=lambda number: ranks[number])]


def _entry(entry: Entry, order: Callable[[Path], Sequence[str]]) -> Entry:
    if not isinstance(entry.value, Block):
        return entry
    inner = _block(entry.value, order)
    return replace(entry, value=inner) if entry.key else _lifted(entry, inner)


def _lifted(item: Entry, value: Block) -> Entry:
    """The item with the comments above its first entry put above its dash, unless something beside the dash keeps them.

    Blank lines there go.
    """
    first, *others = value.entries
    comments = [line for line in first.above if line]
    kept = bool(item.beside or item.anchor)
    above = single_spaced([*item.above, *comments]) if not kept else item.above
    first = replace(first, above=tuple(comments) if kept else ())
    return replace(item, value=replace(value, entries=(first, *others)), above=above)
