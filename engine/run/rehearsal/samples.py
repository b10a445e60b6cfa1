"""A value made up from what a tool promises, for answers of which only matters that they come."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TEXT = "made up"
DEEPEST = 20


def sample(schema: Any) -> Any:
    """A value that fits a JSON Schema of the common kind, every promised key in it; None where nothing is promised."""
    return _sample(schema, schema, 0) if isinstance(schema, Mapping) else None


def _sample(schema: Any, root: Mapping[str, Any], depth: int) -> Any:
    if not isinstance(schema, Mapping) or depth > DEEPEST:
        return None
    if "$ref" in schema:
        return _sample(_referred(str(schema["$ref"]), root), root, depth + 1)
    for key in ("const", "default"):
        if key in schema:
            return schema[key]
    for key in ("enum", "examples"):
        if schema.get(key):
            return schema[key][0]
    for key in ("anyOf", "oneOf"):
        if schema.get(key):
            return _sample(_telling(schema[key]), root, depth + 1)
    return _of_type(schema, root, depth)


def _referred(reference: str, root: Mapping[str, Any]) -> Any:
    part: Any = root
    for name in reference.removeprefix("#").strip("/").split("/"):
        part = part.get(name) if isinstance(part, Mapping) and name else part
    return part


def _telling(choices: Any) -> Any:
    """The first alternative that is more than nothing."""
    return next((each for each in choices if not isinstance(each, Mapping) or each.get("type") != "null"), choices[0])


def _of_type(schema: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> Any:
    kinds = schema.get("type", "object" if "properties" in schema else None)
    match kinds[0] if isinstance(kinds, list) and kinds else kinds:
        case "object":
            members = {name: _sample(inner, root, depth + 1) for name, inner in schema.get("properties", {}).items()}
            return members | {name: TEXT for name in schema.get("required", ()) if name not in members}
        case "array":
            return [_sample(schema.get("items"), root, depth + 1)] * int(schema.get("minItems", 0))
        case "string":
            return TEXT.ljust(int(schema.get("minLength", 0)), ".")[: schema.get("maxLength", len(TEXT) + 1_000)]
        case "integer" | "number":
            return schema.get("minimum", 0)
        case "boolean":
            return True
        case _:
            return None
