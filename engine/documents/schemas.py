"""The JSON Schemas that ship with the engine, and the memory of which documents fit them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from engine.bundle import bundle
from engine.documents.document import Document
from engine.errors import DocumentError
from engine.workspace import make_private

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
_REFERENCE = re.compile(r'"\$ref"\s*:\s*"(?:[^"#]*/)?([a-z0-9][a-z0-9_-]*)\.schema\.json')
_RULES = "1"
"""Raise it when `findings` learns to see more, so that documents found valid before are looked at again."""
_MOST_MARKERS = 1000


def schema(name: str, *, folder: Path | None = None) -> Mapping[str, Any]:
    """The JSON Schema called `name`; DocumentError if there is none."""
    loaded: Mapping[str, Any] = json.loads(schema_text(name, folder or bundle("schemas")))
    return loaded


@cache
def schema_text(name: str, folder: Path) -> str:
    """The text of `folder/NAME.schema.json`, read once in a process."""
    path = folder / f"{name}.schema.json"
    if not _NAME.fullmatch(name) or not path.is_file():
        known = ", ".join(sorted(each.name.removesuffix(".schema.json") for each in folder.glob("*.schema.json")))
        raise DocumentError(f"there is no schema called {name!r}", hint=f"there are: {known}")
    return path.read_text(encoding="utf-8")


def schema_digest(name: str, folder: Path) -> str:
    """The SHA-256 of the schema and of every schema file it refers to."""
    pending, texts = [name], dict[str, str]()
    while pending:
        current = pending.pop()
        if current not in texts:
            texts[current] = schema_text(current, folder)
            pending.extend(_REFERENCE.findall(texts[current]))
    return sha256("\0".join(_RULES + key + texts[key] for key in sorted(texts)).encode()).hexdigest()


def known_valid(marker: Path) -> bool:
    """Whether the document of this marker was found valid before."""
    try:
        return marker.is_file()
    except OSError:
        return False


def marker(cache_folder: Path, document: Document, name: str, folder: Path) -> Path:
    """The empty file that stands for "this text fits this schema"."""
    return cache_folder / f"{name}-{document.digest[:32]}-{schema_digest(name, folder)[:16]}.valid"


def remember_valid(path: Path) -> None:
    """Keeps that a document is valid; does nothing where that cannot be written, for it only saves time."""
    with suppress(OSError):
        make_private(path.parent)
        _forget_oldest(path.parent)
        path.touch()


def _forget_oldest(folder: Path) -> None:
    markers = list(folder.glob("*.valid"))
    if len(markers) >= _MOST_MARKERS:
        for each in sorted(markers, key=lambda found: found.stat().st_mtime)[: _MOST_MARKERS // 2]:
            each.unlink(missing_ok=True)
