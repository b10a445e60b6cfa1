"""The two ways a file is changed: a few values in a file people edit, or all of a file only the engine writes."""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from engine.documents import files
from engine.documents.builder import DEFAULT_LIMITS
from engine.documents.document import Document
from engine.documents.editing import Editing
from engine.documents.events import decode
from engine.documents.findings import findings
from engine.documents.plain import plain, same
from engine.documents.reader import parse, read_bytes
from engine.documents.written import dump
from engine.errors import DocumentError


@contextmanager
def edit(path: Path, schema_name: str | None = None, *, start: str | None = None) -> Iterator[Editing]:
    """Holds the file, gives it for changing, and replaces it when the block ends well and something changed.

    `start` is the text of a file that does not exist yet. DocumentError, with the file untouched, when it cannot be
    read or breaks its schema before or after the change, when it cannot be written, or when its text would not say
    exactly what was asked for.
    """
    target = files.real(path)
    with files.locked(target):
        mark, text = _current(target, path, start)
        document = parse(text, str(path))
        _refuse_invalid(document, schema_name)
        editing = Editing(document)
        yield editing
        _store(target, mark, editing.finished(), schema_name)


def write_whole(path: Path, value: Mapping[str, Any], *, header: str = "", schema_name: str | None = None) -> None:
    """Makes the file say `value`; a new file begins with `header` as a comment.

    Comments at the top, between and beside the top keys stay; those inside a value that changes go with it.
    DocumentError, with the file untouched, as for `edit`.
    """
    target, wanted = files.real(path), plain(value)
    with files.locked(target):
        mark, text = _current(target, path, _new(wanted, header))
        editing = Editing(parse(text, str(path)))
        _change_top(editing, wanted)
        _store(target, mark, editing.finished(), schema_name)


def _change_top(editing: Editing, wanted: dict[str, Any]) -> None:
    current = editing.value
    if not isinstance(current, dict) or not current or not wanted:
        editing.set((), wanted)
        return
    for key, inner in wanted.items():
        if key not in current:
            editing.set((key,), inner)
        elif not same(current[key], inner):
            editing.replace((key,), inner)
    for key in [key for key in current if key not in wanted]:
        editing.remove((key,))


def _new(value: dict[str, Any], header: str) -> str:
    comment = "".join(f"# {line}".rstrip() + "\n" for line in header.splitlines())
    return comment + ("\n" if comment else "") + dump(value)


def _current(target: Path, path: Path, start: str | None) -> tuple[str, str]:
    """The byte order mark, if the file has one, and its text."""
    if start is not None and not target.exists():
        return "", start
    raw = read_bytes(target, str(path), DEFAULT_LIMITS.size)
    return "\ufeff" if raw.startswith(BOM_UTF8) else "", decode(raw, str(path))


def _store(target: Path, mark: str, document: Document, schema_name: str | None) -> None:
    text = mark + document.text
    if target.exists() and target.read_bytes() == text.encode():
        return
    _refuse_invalid(document, schema_name)
    files.refuse_read_only(target)
    files.replace(target, text)


def _refuse_invalid(document: Document, schema_name: str | None) -> None:
    found = findings(document, schema_name) if schema_name else ()
    if found:
        raise DocumentError(found[0].message, findings=found, hint=found[0].hint)
