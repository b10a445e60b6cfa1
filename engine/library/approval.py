"""Remembers which skill files were found right, so that a run does not check the same file again.

What was found holds for a text, a schema and the tools it calls; when one of them changes, the file is checked anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path, PurePath
from typing import Any

from engine.bundle import bundle
from engine.documents import Document
from engine.documents.schemas import schema_digest
from engine.workspace import make_private
from tool_registry.tool import Tool

_RULES = "2"
"""Raise it when `check` or the sandbox learns to see more, so that files found right before are looked at again."""


def approved(document: Document, tools: Mapping[str, Tool], cache: Path | None) -> bool:
    """Whether this text was found right before, against the same schema and tools."""
    if cache is None:
        return False
    try:
        kept = _marker(document, cache).read_text(encoding="ascii")
    except (OSError, ValueError):
        return False
    return bool(kept) and kept == _seal(document, tools)


def remember(document: Document, tools: Mapping[str, Tool], cache: Path | None) -> None:
    """Keeps that a text was found right; does nothing where that cannot be written, for it only saves time."""
    seal = _seal(document, tools)
    if cache is None or not seal:
        return
    with suppress(OSError):
        make_private(cache)
        _marker(document, cache).write_text(seal, encoding="ascii")


def _marker(document: Document, cache: Path) -> Path:
    """One small file for each path, so that the folder does not grow with every change."""
    name = PurePath(document.name)
    return cache / f"{name.stem[:80]}-{hashlib.sha256(str(name).encode()).hexdigest()[:12]}.checked"


def _seal(document: Document, tools: Mapping[str, Tool]) -> str:
    """What the finding depends on, as one digest; empty for a skill that runs others, whose files may change."""
    called: dict[str, Any] = {}
    for key, name in _calls(document.value):
        if key == "skill":
            return ""
        called[name] = tools[name].parameters if name in tools else None
    rules = [_RULES, schema_digest("skill", bundle("schemas")), json.dumps(called, sort_keys=True, default=dict)]
    parts = [document.name, document.digest, *rules]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _calls(value: Any) -> Iterator[tuple[str, str]]:
    """Every `tool` and `skill` that stands anywhere in the file; more than there are calls, which does no harm."""
    match value:
        case dict():
            for key, inner in value.items():
                if key in {"tool", "skill"} and isinstance(inner, str):
                    yield key, inner
                yield from _calls(inner)
        case list():
            for inner in value:
                yield from _calls(inner)
