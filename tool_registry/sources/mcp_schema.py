"""What of a server's schemas is checked here: what names nothing outside of them, and takes no time to speak of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

ANYTHING: Mapping[str, Any] = {"type": "object", "additionalProperties": True}

COMBINING = frozenset({"oneOf", "anyOf", "allOf", "if", "$ref"})
PATTERNS = frozenset({"pattern", "patternProperties"})
TURNING = frozenset(
    {"not", "oneOf", "if", "contains", "unevaluatedItems", "unevaluatedProperties", "patternProperties"}
)
"""Keywords by which a part that allows more lets the whole allow less."""
NAMED = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})
"""Keywords that hold schemas by names of somebody's choice."""
PLACED = frozenset(
    {"items", "prefixItems", "additionalItems", "unevaluatedItems", "contains", "additionalProperties",
     "unevaluatedProperties", "propertyNames", "allOf", "anyOf", "oneOf", "not", "if", "then", "else"}
)  # fmt: skip
"""Keywords that hold a schema, or a list of them."""


def arguments_of(schema: Any) -> Mapping[str, Any]:
    """What the tool takes; where that is said by other means than a list of properties, others are not refused here."""
    found = checkable(schema) or ANYTHING
    if "additionalProperties" in found or COMBINING.isdisjoint(found):
        return found
    return {**found, "additionalProperties": True}


def checkable(schema: Any) -> Mapping[str, Any] | None:
    """A schema that can be checked by itself; None for none, and for one that refers to other places.

    Its patterns are left out: there are some that a short text keeps busy for years, and nobody can tell which.
    """
    if not isinstance(schema, Mapping) or not schema or _refers_elsewhere(schema):
        return None
    everywhere = list(_all(schema))
    if all(PATTERNS.isdisjoint(each) for each in everywhere):
        return schema
    if any(not TURNING.isdisjoint(each) for each in everywhere):
        return None
    return {**_without_patterns(schema)}


def _refers_elsewhere(schema: Any) -> bool:
    """Whether a schema names another document: a server does not decide what this machine asks for."""
    match schema:
        case Mapping():
            named = (schema.get(key) for key in ("$ref", "$dynamicRef"))
            away = any(isinstance(each, str) and not each.startswith("#") for each in named)
            return away or any(_refers_elsewhere(inner) for inner in schema.values())
        case list():
            return any(_refers_elsewhere(inner) for inner in schema)
    return False


def _all(schema: Any) -> Iterator[Mapping[str, Any]]:
    """The schema and those inside it; a property called `pattern` is no pattern."""
    if isinstance(schema, Mapping):
        yield schema
        for key, value in schema.items():
            for inner in _inside(key, value):
                yield from _all(inner)


def _inside(key: str, value: Any) -> list[Any]:
    if key in NAMED and isinstance(value, Mapping):
        return list(value.values())
    if key in PLACED:
        return value if isinstance(value, list) else [value]
    return []


def _without_patterns(schema: Any) -> Any:
    if not isinstance(schema, Mapping):
        return schema
    return {key: _changed(key, value, _without_patterns) for key, value in schema.items() if key not in PATTERNS}


def _changed(key: str, value: Any, change: Callable[[Any], Any]) -> Any:
    if key in NAMED and isinstance(value, Mapping):
        return {name: change(inner) for name, inner in value.items()}
    if key in PLACED:
        return [change(inner) for inner in value] if isinstance(value, list) else change(value)
    return value
