"""Plain values, as documents hold them: compared strictly, taken apart by path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from engine.errors import DocumentError


def plain(value: Any) -> Any:
    """A copy in the types a document gives back; DocumentError for what it cannot hold."""
    if value is None or isinstance(value, bool):
        return value
    for kind in (str, int, float):
        if isinstance(value, kind):
            return kind(value)
    match value:
        case date():
            return value.isoformat()
        case Mapping():
            return {_key(key): plain(inner) for key, inner in value.items()}
        case list() | tuple():
            return [plain(inner) for inner in value]
        case _:
            raise DocumentError(f"a {type(value).__name__} cannot be written as YAML")


def same(one: Any, other: Any) -> bool:
    """Whether two plain values are equal, of the same types, with keys in any order; not-a-number equals itself."""
    if type(one) is not type(other):
        return False
    match one:
        case dict():
            return one.keys() == other.keys() and all(same(inner, other[key]) for key, inner in one.items())
        case list():
            return len(one) == len(other) and all(map(same, one, other))
        case float():
            return repr(one) == repr(other)
        case _:
            return bool(one == other)


def holds(value: Any, step: str | int) -> bool:
    """Whether a value has something at a step of a path."""
    match value, step:
        case dict(), str():
            return step in value
        case list(), int():
            return -len(value) <= step < len(value)
        case _:
            return False


def at(value: Any, path: Sequence[str | int]) -> Any:
    """What stands at a path that exists."""
    for step in path:
        value = value[step]
    return value


def stored(value: Any, path: Sequence[str | int], inner: Any) -> Any:
    """The value with `inner` put at a path that exists; changed in place, but for the root."""
    if not path:
        return inner
    at(value, path[:-1])[path[-1]] = inner
    return value


def kept_items(current: Sequence[Any], value: Sequence[Any]) -> list[int] | None:
    """Which items of a list stay when it becomes `value`, if that is done best by taking some out and adding behind.

    None where changing the items in place keeps more of them.
    """
    kept: list[int] = []
    for index, each in enumerate(current):
        if len(kept) < len(value) and same(each, value[len(kept)]):
            kept.append(index)
    in_place = sum(map(same, current, value))
    return kept if len(kept) > in_place or len(kept) == len(current) else None


def _key(key: Any) -> str:
    if not isinstance(key, str):
        raise DocumentError(f"the key {key!r} is not text")
    return str(key)
