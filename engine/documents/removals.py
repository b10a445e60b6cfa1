"""Which characters to take out of a text for one key of a mapping or one item of a list."""

from __future__ import annotations

from engine.documents.document import Document, Path
from engine.documents.layout import (
    Splice,
    dash_of,
    end_of,
    in_flow,
    is_flow,
    line_end,
    line_start,
    next_line,
    node_at,
    skip_blanks,
    start_of,
)
from engine.documents.nodes import MappingNode, SequenceNode


def removed(document: Document, path: Path) -> list[Splice]:
    """The changes that take out the value at `path`, which has neighbours; comments of its own lines go with it."""
    entries = _entries(document, path[:-1])
    position = _position(document, path)
    parent = node_at(document, path[:-1])
    if is_flow(parent) or in_flow(document, path[:-1]):
        return _from_flow(document.text, entries, position)
    return [_from_block(document.text, entries, position)]


def _entries(document: Document, path: Path) -> list[tuple[int, int]]:
    """Where each entry of a collection begins (its key, its dash, its item in brackets) and ends."""
    node, text = node_at(document, path), document.text
    flow = is_flow(node) or in_flow(document, path)
    match node:
        case MappingNode(keys=keys, values=values):
            return [(_index(keys[key].start_mark), end_of(text, inner)) for key, inner in values.items()]
        case SequenceNode(items=items):
            starts = [start_of(inner) if flow else dash_of(document, path, at) for at, inner in enumerate(items)]
            return list(zip(starts, (end_of(text, inner) for inner in items), strict=True))
        case _:
            raise KeyError(path)


def _position(document: Document, path: Path) -> int:
    parent = node_at(document, path[:-1])
    if isinstance(parent, MappingNode):
        return list(parent.keys).index(str(path[-1]))
    return int(path[-1])


def _from_block(text: str, entries: list[tuple[int, int]], position: int) -> Splice:
    start, end = entries[position]
    if text[line_start(text, start) : start].strip():
        return _behind_dash(text, entries)
    last = next_line(text, end)
    first = line_start(text, start)
    if last == len(text) and not text.endswith("\n"):
        first = line_end(text, max(0, first - 1))
    return Splice(start=first, end=last, text="")


def _behind_dash(text: str, entries: list[tuple[int, int]]) -> Splice:
    """The first entry, on the line of a dash: the second takes its place, unless a comment stands between them."""
    (start, end), (following, _) = entries[:2]
    comment = "#" in text[end:following]
    return Splice(start=start, end=end if comment else following, text="")


def _from_flow(text: str, entries: list[tuple[int, int]], position: int) -> list[Splice]:
    start, end = entries[position]
    if position + 1 < len(entries):
        comma = skip_blanks(text, end, len(text))
        return _without_comma(text, start, end, comma, comma + 1)
    comma = skip_blanks(text, entries[position - 1][1], len(text))
    return _without_comma(text, start, end, comma, comma)


def _without_comma(text: str, start: int, end: int, comma: int, after: int) -> list[Splice]:
    """Takes out the entry and one comma; with a comment or a line's end between, the two apart."""
    between = text[min(end, comma) : max(start, comma)]
    if "\n" in between:
        return [Splice(start=comma, end=comma + 1, text=""), Splice(start=start, end=end, text="")]
    if comma < start:
        return [Splice(start=comma, end=end, text="")]
    blanks = len(text[after:]) - len(text[after:].lstrip(" "))
    return [Splice(start=start, end=after + blanks, text="")]


def _index(mark: object) -> int:
    return int(getattr(mark, "index", 0))
