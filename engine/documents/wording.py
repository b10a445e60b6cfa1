"""What sentences call the values, keys and kinds of a document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Path = tuple[str | int, ...]

KINDS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "empty",
    "array": "a list",
    "object": "a mapping",
}
_LONGEST_QUOTE = 40


def shown(value: Any) -> str:
    """A value as a sentence names it: short, and telling text from number."""
    match value:
        case None:
            return "empty"
        case bool():
            return str(value).lower()
        case int() | float():
            return f"the number {value}"
        case str():
            cut = value if len(value) <= _LONGEST_QUOTE else value[: _LONGEST_QUOTE - 3] + "..."
            return f"the text {cut!r}"
        case list():
            return "a list"
        case _:
            return "a mapping"


def subject(path: Path) -> str:
    """What a sentence calls the value at a path."""
    match path:
        case ():
            return "this file"
        case (*_, str() as key):
            return f"`{key}`"
        case (*_, str() as key, int() as index):
            return f"item {index + 1} of `{key}`"
        case _:
            return f"item {int(path[-1]) + 1}"


def known_keys(schema: Any) -> list[str]:
    """Every key that a schema and its alternatives name."""
    if not isinstance(schema, Mapping):
        return []
    names = list(schema.get("properties", {}))
    for part in ("allOf", "oneOf", "anyOf"):
        for inner in schema.get(part, ()):
            names.extend(known_keys(inner))
    for part in ("if", "then", "else"):
        names.extend(known_keys(schema.get(part)))
    return list(dict.fromkeys(names))


def bare(word: Any) -> str:
    """A value as it would be written."""
    return word if isinstance(word, str) else shown(word).removeprefix("the number ")


def ticked(keys: Iterable[str]) -> str:
    """Keys, each marked as one."""
    return ", ".join(f"`{key}`" for key in keys)
