"""Puts the parts of a document together again, each two columns right of what it belongs to."""

from __future__ import annotations

from engine.documents.format_parts import Atom, Block, Entry, Parts, single_spaced
from engine.documents.written import STEP


def laid_out(parts: Parts) -> str:
    """The text of the document; its lines end with line feeds."""
    value, epilogue = parts.value, list(single_spaced(parts.epilogue))
    body = _block(value, 0) if isinstance(value, Block) else _alone(value)
    while epilogue and not epilogue[-1]:
        epilogue.pop()
    lines = [*single_spaced(parts.prologue), *body, *epilogue]
    first = next((number for number, line in enumerate(lines) if line), 0)
    return "".join(f"{line}\n" for line in lines[first:])


def _alone(value: Atom) -> list[str]:
    """A document that is no collection."""
    written = [value.first, *(line for _, line in value.more)] if value.first else []
    return [*single_spaced(value.above), *written]


def _block(block: Block, column: int) -> list[str]:
    """The lines of a mapping or list that begins in this column."""
    lines = [line for entry in block.entries for line in _entry(entry, column)]
    return lines + [_at(column, line) for line in block.foot]


def _entry(entry: Entry, column: int) -> list[str]:
    head = (f"{entry.key}:" if entry.key else "-") + (f" {entry.anchor}" if entry.anchor else "")
    value = entry.value
    lines = _nested(head, entry, value, column) if isinstance(value, Block) else _atom(head, entry, value, column)
    return [*(_at(column, line) for line in entry.above), *lines]


def _nested(head: str, entry: Entry, value: Block, column: int) -> list[str]:
    inner = _block(value, column + STEP)
    if head == "-" and not entry.beside:
        first, *rest = inner
        return [_at(column, f"- {first.lstrip(' ')}"), *rest]
    return [_at(column, head + entry.beside), *inner]


def _atom(head: str, entry: Entry, value: Atom, column: int) -> list[str]:
    first = value.first + (entry.beside if value.header else "")
    lines = [_at(column + deep, line) for deep, line in value.more]
    if value.below:
        above = [_at(column + STEP, line) for line in value.above]
        lines = [_at(column, head), *above, _at(column + STEP, first), *lines]
    else:
        lines = [_at(column, f"{head} {first}" if first else head), *lines]
    if not value.header:
        lines[-1] += entry.beside
    return lines if value.below else [*lines, *(_at(column + STEP, line) for line in value.above)]


def _at(column: int, line: str) -> str:
    return " " * max(0, column) + line if line else line
