"""Remembers which skill files were found right, so that a run does not check the same files again.

What was found holds for a text and the texts of the skills it runs, for a schema, and for the tools all of them call;
when one of these changes, the file is checked anew.
"""

from __future__ import annotations

import hashlib
import json
from codecs import BOM_UTF8
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path, PurePath
from typing import Any

from engine.bundle import bundle
from engine.documents import Document
from engine.documents.schemas import schema_digest
from engine.model.lazy_dataclass import dataclass
from engine.workspace import make_private
from tool_registry.tool import Tool

_RULES = "3"
"""Raise it when `check` or the sandbox learns to see more, so that files found right before are looked at again."""
MOST_SKILLS = 100
"""A skill that runs more others than this is checked before every run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approvals:
    """What was found right, in a folder; `find` gives the file that a skill's name stands for."""

    tools: Mapping[str, Tool]
    cache: Path | None
    find: Callable[[str], Path | None]

    def approved(self, document: Document) -> bool:
        """Whether this text was found right before, against the same schema, tools and skills."""
        if self.cache is None:
            return False
        try:
            kept = json.loads(_marker(document, self.cache).read_text(encoding="utf-8"))
            files = {name: self._file(name) for name in kept["skills"]}
            return bool(kept["seal"] == self._seal(document, kept["tools"], files))
        except (OSError, ValueError, LookupError, TypeError):
            return False

    def remember(self, document: Document, others: Mapping[str, Document]) -> None:
        """Keeps that a text was found right; `others` are the skills it comes to, by name.

        Does nothing where that cannot be written, for it only saves time.
        """
        if self.cache is None or len(others) > MOST_SKILLS:
            return
        tools = sorted({name for each in (document, *others.values()) for name in _called(each.value, "tool")})
        with suppress(OSError):
            # A name that stands for no skill today may stand for one tomorrow.
            files = {name: self._file(name) for name in _called(document.value, "skill")}
            files |= {name: (other.name, other.digest) for name, other in others.items()}
            kept = {"seal": self._seal(document, tools, files), "tools": tools, "skills": sorted(files)}
            make_private(self.cache)
            _marker(document, self.cache).write_text(json.dumps(kept), encoding="utf-8")

    def _seal(self, document: Document, tools: Iterable[str], files: Mapping[str, tuple[str, str] | None]) -> str:
        """What the finding depends on, as one digest."""
        parameters = {name: self.tools[name].parameters if name in self.tools else None for name in tools}
        parts = [
            document.name,
            document.digest,
            _RULES,
            schema_digest("skill", bundle("schemas")),
            json.dumps([parameters, files], sort_keys=True, default=dict),
        ]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def _file(self, name: str) -> tuple[str, str] | None:
        """The file of a skill and the SHA-256 of its text; None when there is none."""
        path = self.find(name)
        if path is None:
            return None
        return str(path), hashlib.sha256(path.read_bytes().removeprefix(BOM_UTF8)).hexdigest()


def _marker(document: Document, cache: Path) -> Path:
    """One small file for each path, so that the folder does not grow with every change."""
    name = PurePath(document.name)
    return cache / f"{name.stem[:80]}-{hashlib.sha256(str(name).encode()).hexdigest()[:12]}.checked"


def _called(value: Any, key: str) -> Iterator[str]:
    """Every name under a `tool` or `skill` anywhere in the file; more than there are calls, which does no harm."""
    match value:
        case dict():
            for inner_key, inner in value.items():
                if inner_key == key and isinstance(inner, str):
                    yield inner
                yield from _called(inner, key)
        case list():
            for inner in value:
                yield from _called(inner, key)
