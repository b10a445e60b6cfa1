"""The parts of a document that a formatter may move: entries, what stands around them, and values kept as they are."""

from __future__ import annotations

from collections.abc import Sequence

from engine.documents.document import Path
from engine.model.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Atom:
    """A value kept as it is written: a word, a quoted text, something in brackets, an alias, a block of text.

    `more` are the lines after the first, each with how many columns it stands right of the key or dash it hangs on.
    `above` are comments between that key and a value that begins `below` it; `header` says that a comment beside the
    value follows its first line (`|  # comment`), not its last.
    """

    first: str = ""
    more: tuple[tuple[int, str], ...] = ()
    above: tuple[str, ...] = ()
    below: bool = False
    header: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A key with its value, or an item of a list (`key` empty); `above` are comments and blank lines, as they come.

    `beside` is the comment on its line, with the blanks that set it off. `tied` entries hold an anchor, an alias or a
    block of text that keeps blank lines, and those mean something else in another order.
    """

    name: str | int
    value: Atom | Block
    key: str = ""
    above: tuple[str, ...] = ()
    anchor: str = ""
    beside: str = ""
    tied: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A mapping or a list in lines of its own; `foot` are comments under its last entry that belong to it."""

    path: Path
    entries: tuple[Entry, ...]
    foot: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """A whole document: lines before the first entry up to `---`, the value, lines after it."""

    prologue: tuple[str, ...]
    value: Atom | Block
    epilogue: tuple[str, ...]


def single_spaced(lines: Sequence[str]) -> tuple[str, ...]:
    """The lines with no more than one blank line in a row."""
    return tuple(line for number, line in enumerate(lines) if line or not number or lines[number - 1])
