"""Where the characters of a string stand in the file, whatever YAML did to them on the way."""

from __future__ import annotations

import re
from dataclasses import field
from typing import Any

from engine.model.lazy_dataclass import dataclass
from engine.model.place import Place, Text

Scalar = Any
"""A parser's scalar event. PyYAML's types call its marks and style optional; the parser always gives them."""
Spots = tuple[tuple[int, int, int], ...]

_ANCHOR = r"&\S+\s+"
_FOLD = r"(?P<fold>[ \t]*(?:\r?\n[ \t]*)+)"
_BETWEEN = {
    "'": _FOLD + r"|(?P<one>'')",
    '"': r"(?P<joined>\\\r?\n[ \t]*(?:\r?\n[ \t]*)*)|" + _FOLD + r"|(?P<one>\\(?:x..|u....|U........|.))",
}
"""In quotes: what does not stand in the text character for character."""


@dataclass(slots=True, kw_only=True)
class _Walk:
    """Steps along a string in the file and beside it in the text; `offset` counts in the text, the rest in the file."""

    offset: int
    line: int
    column: int
    spots: list[tuple[int, int, int]] = field(default_factory=list)

    def plain(self, length: int) -> None:
        self.offset += length
        self.column += length

    def other(self, written: str, length: int) -> None:
        breaks = written.count("\n")
        self.line += breaks
        self.column = len(written) - written.rindex("\n") if breaks else self.column + len(written)
        self.offset += length
        self.spots.append((self.offset, self.line, self.column))


class TextFinder:
    """Makes the `Text` of each string of one file."""

    def __init__(self, text: str, name: str) -> None:
        self._text = text
        self._name = name
        self._lines: list[str] = []

    def text(self, event: Scalar) -> Text:
        """The string with the place of its first character."""
        if event.style in {"|", ">"}:
            return self._block(event)
        start, end = event.start_mark, event.end_mark
        quoted = event.style in {"'", '"'}
        if event.anchor is None and end.index - start.index == len(event.value) + 2 * quoted and start.line == end.line:
            return Text(text=event.value, place=self._place(start.line + 1, start.column + 1 + quoted))
        return self._uneven(event, quoted=quoted)

    def _place(self, line: int, column: int) -> Place:
        return Place(file=self._name, line=line, column=column)

    def _uneven(self, event: Scalar, *, quoted: bool) -> Text:
        start = event.start_mark
        written = self._text[start.index : event.end_mark.index]
        walk = _Walk(offset=0, line=start.line + 1, column=start.column + 1)
        if event.anchor and (anchor := re.match(_ANCHOR, written)):
            walk.other(anchor.group(), 0)
            written = written[anchor.end() :]
        if quoted:
            walk.plain(1)
            walk.offset = 0
            written = written[1:-1]
        place = self._place(walk.line, walk.column)
        walk.spots[:] = [(0, walk.line, walk.column)]
        spots = _along_quoted(written, event, walk) if quoted else _along_lines(written.split("\n"), event.value, walk)
        return Text(text=event.value, place=place, spots=spots)

    def _block(self, event: Scalar) -> Text:
        self._lines = self._lines or self._text.split("\n")
        header = event.start_mark.line
        if event.anchor:
            index = event.start_mark.index
            header += self._text.count("\n", index, index + len(_anchor_of(self._text, index)))
        lines = self._lines[header + 1 : event.end_mark.line + 1]
        indent = _removed(lines, event.value)
        place = self._place(header + 2, indent + 1)
        if event.style == "|":
            return Text(text=event.value, place=place, indent=indent)
        return Text(text=event.value, place=place, spots=_along_folded(lines, event.value, indent, header + 2))


def _anchor_of(text: str, index: int) -> str:
    match = re.match(_ANCHOR, text[index:])
    return match.group() if match else ""


def _removed(lines: list[str], value: str) -> int:
    """How many columns YAML removed: in the file the first written line has that many more."""
    kept = next((line for line in value.split("\n") if line.strip(" ")), "")
    written = next((line for line in lines if line.strip(" \r")), "")
    return (len(written) - len(written.lstrip(" "))) - (len(kept) - len(kept.lstrip(" ")))


def _along_folded(lines: list[str], value: str, indent: int, first_line: int) -> Spots:
    spots = [(0, first_line, indent + 1)]
    offset = 0
    for number, line in enumerate(lines):
        content = line[indent:].rstrip()
        found = value.find(content, offset) if content else -1
        if found >= 0:
            spots.append((found, first_line + number, indent + 1))
            offset = found + len(content)
    return tuple(spots)


def _along_lines(lines: list[str], value: str, walk: _Walk) -> Spots:
    """The spots of an unquoted string over several lines: each line stands in it, without the blanks around."""
    offset = 0
    for number, line in enumerate(lines):
        content = line.strip()
        found = value.find(content, offset) if content else -1
        if number and found >= 0:
            walk.spots.append((found, walk.line + number, line.index(content) + 1))
        offset = max(offset, found + len(content))
    return tuple(walk.spots)


def _along_quoted(written: str, event: Scalar, walk: _Walk) -> Spots:
    position = 0
    for match in re.finditer(_BETWEEN[event.style], written):
        walk.plain(match.start() - position)
        walk.other(match.group(), _length(match))
        position = match.end()
    walk.plain(len(written) - position)
    return tuple(walk.spots) if walk.offset == len(event.value) else ()


def _length(match: re.Match[str]) -> int:
    """How many characters of the text a stretch of the file stands for."""
    breaks = match.group().count("\n")
    match match.lastgroup:
        case "fold":
            return max(1, breaks - 1)
        case "joined":
            return breaks - 1
        case _:
            return 1
