"""A formatter for files people write: one layout, every comment kept, and proof that the file still says the same."""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from yaml.events import AliasEvent, ScalarEvent

from engine.documents import files
from engine.documents.builder import DEFAULT_LIMITS
from engine.documents.document import Document
from engine.documents.events import decode, events
from engine.documents.format_order import Order, as_written, ordered
from engine.documents.format_reading import parts
from engine.documents.format_writing import laid_out
from engine.documents.layout import line_end, newline
from engine.documents.plain import same
from engine.documents.reader import parse, read_bytes
from engine.errors import DocumentError

_COMMENT = re.compile(r"#[^\n]*")


def formatted(text: str, name: str, *, order: Order = as_written) -> str:
    """The text in the formatter's layout; formatting that once more changes nothing.

    DocumentError with the place when it is no document, or when it could not be formatted without changing what it says
    or losing a comment. Lines end as they did.
    """
    ending, text = newline(text), text.replace("\r\n", "\n")
    document = parse(text, name)
    result = laid_out(ordered(parts(document), document.value, order))
    if not _proven(document, result):
        message = "this file cannot be formatted without changing what it says"
        hint = "it was left as it is; please report it, for this is a mistake of the formatter"
        raise DocumentError(message, place=document.place(()), hint=hint)
    return result.replace("\n", ending)


def format_file(path: Path, *, order: Order = as_written, write: bool = True) -> tuple[str, str]:
    """The text of a file before and after formatting; with `write` the file says the latter from now on.

    It keeps its rights, its byte order mark and the ends of its lines; of a link, the target changes. DocumentError,
    with the file untouched, as for `formatted`, and when it cannot be read or written.
    """
    target = files.real(path)
    raw = read_bytes(target, str(path), DEFAULT_LIMITS.size)
    mark = "\ufeff" if raw.startswith(BOM_UTF8) else ""
    before = decode(raw, str(path))
    after = formatted(before, str(path), order=order)
    if write and after != before:
        files.refuse_read_only(target)
        files.exchange(target, mark + after, was=raw)
    return before, after


def _proven(document: Document, result: str) -> bool:
    """Whether the result says the same: every value and its type, every comment, every anchor and alias."""
    try:
        after = parse(result, document.name)
    except DocumentError:
        return False
    return same(after.value, document.value) and _beside_values(after) == _beside_values(document)


def _beside_values(document: Document) -> Counter[str]:
    """What a text holds beside its values, and how often."""
    text, found, at = document.text, Counter[str](), 0
    for event in events(text, document.name):
        if name := getattr(event, "anchor", None):
            found[f"{'*' if isinstance(event, AliasEvent) else '&'}{name}"] += 1
        if isinstance(event, ScalarEvent | AliasEvent):
            start, end = _span(event)
            found.update(_comments(text[at:start]))
            at = end
            if getattr(event, "style", None) in {"|", ">"}:
                found.update(_comments(text[start : line_end(text, start)]))
    found.update(_comments(text[at:]))
    return found


def _span(event: Any) -> tuple[int, int]:
    return event.start_mark.index, event.end_mark.index


def _comments(between: str) -> Iterator[str]:
    """The comments in a stretch of text that holds no value."""
    return (match.group().rstrip() for match in _COMMENT.finditer(between))
