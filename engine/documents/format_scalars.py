"""Values of several lines: which of their lines may be indented anew, and by how much."""

from __future__ import annotations

import re
from typing import Any

from engine.documents.document import Document
from engine.documents.events import place_of
from engine.documents.format_lines import Lines
from engine.documents.format_parts import Atom
from engine.documents.written import STEP
from engine.errors import DocumentError

_HEADER = re.compile(r"(?P<anchor>&\S+[ \t]+)?(?P<style>[|>])(?P<signs>[-+0-9]*)")


def line_atom(written: str, indent: int, *, flow: bool) -> Atom:
    """A word, a quoted text or brackets as written; the lines after the first move with the key they hang on.

    Brackets may close in any column. Lines of a text are kept right of its key, where every reader wants them.
    """
    first, *rest = written.split("\n")
    if not rest:
        return Atom(first=first)
    return Atom(first=_bare(first), more=tuple(_moved(line, indent, flow=flow) for line in rest))


def block_atom(document: Document, event: Any, indent: int) -> tuple[Atom, str, int]:
    """A block of text (`|`, `>`), the comment beside its header, and the index after it."""
    text, start = document.text, event.start_mark.index
    header = _HEADER.match(text, start)
    if header is None:
        place, hint = place_of(text, start, document.name), "write `|` on the line of its key"
        raise DocumentError("this block of text cannot be moved", place=place, hint=hint)
    lines = Lines(text)
    lines.at = header.end()
    beside = lines.beside() or ""
    signs = header["signs"]
    digit = signs.strip("+-")
    removed, content = _content(text, lines, indent + int(digit) if digit else indent + 1, exact=bool(digit))
    if "+" not in signs:
        content = _without_blank_end(content, removed)
    if event.value and not event.value.endswith("\n") and "-" not in signs:
        signs = signs.replace("+", "") + "-"  # the file ended in mid-line; the line's end that comes now is not meant
    deep = int(digit or STEP)
    more = tuple((deep, line[removed:]) if len(line) > removed else (0, "") for line, _ in content)
    written = f"{header['anchor'] or ''}{header['style']}{signs}"
    return Atom(first=written, more=more, header=True), beside, content[-1][1] if content else lines.at


def _content(text: str, lines: Lines, least: int, *, exact: bool) -> tuple[int, list[tuple[str, int]]]:
    """How far the text is indented, and its lines, each with the index of the line after it."""
    removed, found, at = least if exact else 0, list[tuple[str, int]](), lines.at
    while at < len(text):
        line, after = text[at : lines.end(at)], min(lines.end(at) + 1, len(text))
        if line.strip(" "):
            deep = len(line) - len(line.lstrip(" "))
            if deep < (removed or least):
                break
            removed = removed or deep
        if after > at + len(line) or line.strip(" ") or (removed and len(line) > removed):
            found.append((line, after))
        at = after
    return removed or max((len(line) for line, _ in found), default=0), found


def _without_blank_end(content: list[tuple[str, int]], removed: int) -> list[tuple[str, int]]:
    """The lines up to the last that is more than blanks to be removed; the others only set off what comes next."""
    while content and not content[-1][0].strip(" ") and len(content[-1][0]) <= removed:
        content.pop()
    return content


def _moved(line: str, indent: int, *, flow: bool) -> tuple[int, str]:
    bare = line.lstrip(" ") if flow else line.lstrip()
    if not bare.strip():
        return 0, ""
    deep = len(line) - len(bare) - indent
    return deep if flow or deep > 0 else STEP, _bare(bare)


def _bare(line: str) -> str:
    """Without blanks at the end, which mean nothing, unless a backslash before them says otherwise."""
    bare = line.rstrip()
    return line if bare.endswith("\\") else bare
