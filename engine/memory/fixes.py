"""The fix book: which fix worked for which error of which tool, as people and `learn_tool_fix` wrote it down."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from engine.documents import Document
from engine.errors import InputError
from engine.memory.store import Store
from engine.model.heal import KnownIssue
from engine.model.secret import Secrets

FILE = "learned/tool_fixes.yaml"
EMPTY = "# Fixes that worked, tool by tool. Fields: memory/README.md.\n\ntool_fixes: []\n"
SECTION = "tool_fixes"
MOST = 1_000

_TOOL = r"[A-Za-z0-9_.-]{0,99}[*]?"
_LIMITS = {"error_pattern": (4, 300), "root_cause": (0, 2_000), "fix_applied": (1, 2_000)}


class FixBook:
    """The entries of `learned/tool_fixes.yaml`; `clock` gives seconds since the epoch."""

    def __init__(self, store: Store, *, secrets: Secrets, clock: Callable[[], float]) -> None:
        self._store = store
        self._secrets = secrets
        self._clock = clock

    def known(self, tool: str, text: str) -> tuple[KnownIssue, ...]:
        """The entries for this tool whose words stand in the text, in the file's order.

        An empty tool or text is not asked about: `known("git_push", "")` is all that is known of `git_push`.
        """
        heard = _levelled(text)
        return tuple(
            KnownIssue(
                source="tool_fixes.yaml",
                meaning=_text(entry, "error_pattern"),
                root_cause=_text(entry, "root_cause"),
                fix=_text(entry, "fix_applied"),
            )
            for entry in _entries(self._store.readable(FILE))
            if _is_for(entry, tool) and _speaks(entry, heard)
        )

    def learn(self, tool: str, error_pattern: str, root_cause: str, fix_description: str) -> bool:
        """Keeps a fix that worked, or brings an older entry for the same error up to date; False when all was known.

        Raises InputError for texts that cannot be kept, DocumentError when the file is broken or cannot be written.
        """
        entry = self._entry(tool, error_pattern, root_cause, fix_description)
        with self._store.editing(FILE, empty=EMPTY) as editing:
            entries = _entries(editing.document)
            index = next((at for at, old in enumerate(entries) if _same_error(old, entry)), None)
            if index is None:
                _refuse_more(len(entries))
                _append(editing, entry)
                return True
            news = {key: entry[key] for key in ("root_cause", "fix_applied") if entry[key] != entries[index].get(key)}
            for key, value in news.items():
                editing.set((SECTION, index, key), value)
            return bool(news)

    def _entry(self, tool: str, error_pattern: str, root_cause: str, fix_description: str) -> dict[str, Any]:
        texts = {"error_pattern": error_pattern, "root_cause": root_cause, "fix_applied": fix_description}
        cleaned = {name: " ".join(str(self._secrets.mask(text)).split()) for name, text in texts.items()}
        problems = [] if tool and re.fullmatch(_TOOL, tool) else [f"{tool!r} is not a tool's name"]
        for name, (least, most) in _LIMITS.items():
            if not least <= len(cleaned[name]) <= most:
                problems.append(f"{name} must have {least} to {most} characters and has {len(cleaned[name])}")
        if problems:
            raise InputError("; ".join(problems), hint="say in a few words what the tool said, why, and what helped")
        learned = datetime.fromtimestamp(self._clock(), UTC).strftime("%Y-%m-%d")
        return {"tool_name": tool, **cleaned, "date_learned": learned, "times_prevented": 0}


def _append(editing: Any, entry: Mapping[str, Any]) -> None:
    if isinstance(editing.value, dict) and isinstance(editing.value.get(SECTION), list):
        editing.append((SECTION,), dict(entry))
    else:
        editing.set((SECTION,), [dict(entry)])


def _refuse_more(count: int) -> None:
    if count >= MOST:
        raise InputError(f"{MOST:,} fixes are known already", hint="remove entries that no longer help")


def _entries(document: Document | None) -> list[Mapping[str, Any]]:
    value = document.value if document is not None else None
    entries = value.get(SECTION) if isinstance(value, dict) else None
    # What is no mapping keeps its place, so that positions are those in the file.
    return [entry if isinstance(entry, dict) else {} for entry in entries] if isinstance(entries, list) else []


def _is_for(entry: Mapping[str, Any], tool: str) -> bool:
    name = _text(entry, "tool_name")
    return not tool or name == tool or (name.endswith("*") and tool.startswith(name[:-1]))


def _speaks(entry: Mapping[str, Any], heard: str) -> bool:
    words = _levelled(_text(entry, "error_pattern"))
    return bool(words) and (not heard or words in heard)


def _same_error(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    words = (_levelled(_text(each, "error_pattern")) for each in (old, new))
    return old.get("tool_name") == new["tool_name"] and len(set(words)) == 1


def _levelled(text: str) -> str:
    """Without what does not matter when words are compared: case, and how blanks and lines are laid out."""
    return " ".join(text.casefold().split())


def _text(entry: Mapping[str, Any], name: str) -> str:
    value = entry.get(name)
    return value if isinstance(value, str) else ""
