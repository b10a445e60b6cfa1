"""What history keeps of a call that passes through: bounded, and without the bytes of pictures and sounds.

The client gets what the server sent; this is for people who look what happened.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

LONGEST_TEXT = 2_000
"""Characters of one text that are kept."""
ROOM = 8_000
"""Characters of one value that are kept, about: less than what a journal's event may have."""
MOST = 50
"""Elements of a list, and names of a mapping, that are kept."""
DEEPEST = 12
ENCODED = frozenset({"data", "blob"})
"""Members that hold bytes in base64, wherever a `mimeType` stands beside them."""


def kept(value: Any) -> Any:
    """The value as history keeps it: the same one if it is small."""
    return _Bound().of(value, DEEPEST)


class _Bound:
    """Takes from a value as much as there is room for."""

    def __init__(self) -> None:
        self._room = ROOM

    def of(self, value: Any, depth: int) -> Any:
        """The value, cut."""
        match value:
            case str():
                return self._text(value)
            case None | bool() | int() | float():
                self._room -= 8
                return value
            case Mapping() if depth and self._room > 0:
                return self._mapping(value, depth)
            case list() | tuple() if depth and self._room > 0:
                return self._list(value, depth)
        return "(not kept)"

    def _text(self, text: str) -> str:
        room = max(0, min(LONGEST_TEXT, self._room))
        self._room -= min(len(text), room) + 2
        return text if len(text) <= room else f"{text[:room]}... ({len(text) - room:,} characters more)"

    def _mapping(self, value: Mapping[str, Any], depth: int) -> dict[str, Any]:
        encoded = ENCODED if "mimeType" in value else frozenset()
        found = {}
        for name, inner in list(value.items())[:MOST]:
            if name in encoded and isinstance(inner, str) and len(inner) > LONGEST_TEXT:
                found[name] = f"({len(inner):,} characters of base64)"
            else:
                found[self._text(str(name))] = self.of(inner, depth - 1)
        return found

    def _list(self, value: list[Any] | tuple[Any, ...], depth: int) -> list[Any]:
        found = [self.of(inner, depth - 1) for inner in value[:MOST]]
        return found if len(value) <= MOST else [*found, f"({len(value) - MOST:,} more)"]
