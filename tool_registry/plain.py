"""Turns what Python code hands over into JSON types, and says when it is too large or has no such form."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import date
from enum import Enum
from pathlib import PurePath
from typing import Any

from tool_registry.tool import ToolError

DEEPEST = 200
"""Levels of lists and mappings inside each other; more is a mistake, or an attack."""


def plain(value: Any, limit: int, what: str) -> Any:
    """The value in JSON types; dataclasses become mappings, dates ISO text, tuples and sets lists.

    Raises:
        ToolError: `what` holds something JSON has no form for (`code_error`), or about more than `limit` characters
            (`resource_exhausted`).
    """
    return _Plain(limit, what).walk(value, 0)


class _Plain:
    def __init__(self, limit: int, what: str) -> None:
        self._room = limit
        self._limit = limit
        self._what = what

    def _spend(self, amount: int) -> None:
        self._room -= amount
        if self._room < 0:
            raise ToolError(f"{self._what} is larger than {self._limit:,} characters", kind="resource_exhausted")

    def walk(self, value: Any, depth: int) -> Any:
        if depth > DEEPEST:
            raise ToolError(f"{self._what} is nested more than {DEEPEST} levels deep", kind="resource_exhausted")
        self._spend(len(value) if isinstance(value, str) else 4)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            value = {part.name: getattr(value, part.name) for part in dataclasses.fields(value)}
        match value:
            case None | bool() | int() | float() | str() | Enum():
                return value.value if isinstance(value, Enum) else value
            case Mapping():
                return {self._key(key): self.walk(inner, depth + 1) for key, inner in value.items()}
            case list() | tuple() | set() | frozenset():
                return [self.walk(inner, depth + 1) for inner in value]
            case date():
                return value.isoformat()
            case PurePath():
                return str(value)
        raise ToolError(f"{self._what} holds a {type(value).__name__}, which JSON has no form for", kind="code_error")

    def _key(self, key: Any) -> str:
        text = key if type(key) is str else str(key.value if isinstance(key, Enum) else key)
        self._spend(len(text))
        return text
