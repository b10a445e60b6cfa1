"""From a file or a text to a document."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

from engine.documents.builder import DEFAULT_LIMITS, Builder, Limits
from engine.documents.document import Document
from engine.documents.events import decode, events, refuse
from engine.errors import DocumentError
from engine.model.place import Place


def read(path: Path, *, name: str | None = None, limits: Limits = DEFAULT_LIMITS, tolerant: bool = False) -> Document:
    """The document in a file; DocumentError naming every mistake in it, or why it cannot be read.

    With `tolerant`, mistakes that leave the rest readable (a key given twice) are kept in `document.mistakes`.
    """
    called = name or str(path)
    raw = read_bytes(path, called, limits.size)
    return parse(decode(raw, called), called, limits=limits, tolerant=tolerant)


def parse(
    text: str, name: str, *, limits: Limits = DEFAULT_LIMITS, tolerant: bool = False, pure: bool = False
) -> Document:
    """The document in a text; `pure` takes the parser that needs no libyaml. Errors as for `read`."""
    if len(text) > limits.size:
        _refuse_size(name, limits.size)
    builder = Builder(events(text, name, pure=pure), name, limits)
    root, value = builder.document()
    mistakes = tuple(builder.mistakes)
    if mistakes and not tolerant:
        more = f" (and {len(mistakes) - 1} more)" if len(mistakes) > 1 else ""
        raise DocumentError(mistakes[0].message + more, findings=mistakes, hint=mistakes[0].hint)
    return Document(value=value, name=name, text=text, root=root, mistakes=mistakes)


def read_bytes(path: Path, name: str, limit: int) -> bytes:
    """The bytes of a regular file, at most `limit`; DocumentError with the reason otherwise."""
    place = Place(file=name, line=1, column=1)
    if path.exists() and not path.is_file():
        raise DocumentError("this is not a file", place=place, hint="give the path of a YAML file")
    try:
        with path.open("rb") as file:
            raw = file.read(limit + 1)
    except OSError as error:
        reason = error.strerror or str(error)
        raise DocumentError(
            f"this file cannot be read: {reason}", place=place, hint="check the path and its rights"
        ) from None
    if len(raw) > limit:
        _refuse_size(name, limit)
    return raw


def _refuse_size(name: str, limit: int) -> NoReturn:
    message = f"this file is larger than {limit:,} bytes"
    refuse(Place(file=name, line=1, column=1), "too-large", message, hint="split it, or remove what is not needed")
