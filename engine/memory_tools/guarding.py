"""What a change of a memory file may not do: break the file further, or claim counts that only history can give."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from engine.documents import Document
from engine.errors import DocumentError, InputError
from engine.memory import Memory
from engine.memory.places import KNOWN

COUNTED: Mapping[str, frozenset[str]] = {
    KNOWN["patterns"]: frozenset({"seen", "right", "observations", "confirmed", "confidence", "weight"}),
    KNOWN["fixes"]: frozenset({"times_prevented"}),
    KNOWN["contexts"]: frozenset({"observations", "confirmed", "predicted", "prevented", "false_alarms", "confidence"}),
}
"""Fields that say how often something was seen or helped; healing acts by them."""
_NAMES = ("id", "tool_name", "error_pattern", "trigger")


def refuse_claims(name: str, before: Any, after: Any) -> None:
    """Raises InputError when the change sets a count that was not there: counts come from history, or from people."""
    known = set(_counts(name, before))
    claimed = next((each for each in _counts(name, after) if each not in known), None)
    if claimed is not None:
        raise InputError(
            f"{claimed[1]} says how often something was seen, and is counted by the engine",
            hint="leave it out; a person who knows better writes it by `skill memory edit`",
        )


def refuse_mistakes(memory: Memory, name: str, before: Document, after: Document) -> None:
    """Raises DocumentError when the change would bring a mistake that the file has not yet."""
    known = {(each.code, each.message) for each in memory.mistakes(name, before)}
    fresh = [each for each in memory.mistakes(name, after) if (each.code, each.message) not in known]
    if fresh:
        raise DocumentError(fresh[0].message, findings=fresh, hint=fresh[0].hint)


def _counts(name: str, value: Any) -> Iterator[tuple[str, str, str]]:
    """Whose count, which, and what it says; zero and nothing claim nothing."""
    if isinstance(value, list):
        for inner in value:
            yield from _counts(name, inner)
    if isinstance(value, dict):
        whose = " ".join(str(value.get(each, "")) for each in _NAMES)
        for key, inner in value.items():
            if key in COUNTED.get(name, ()) and inner not in (None, 0, "0%"):
                yield whose, key, str(inner)
            yield from _counts(name, inner)
