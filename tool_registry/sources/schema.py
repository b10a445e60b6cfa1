"""JSON Schemas from Python annotations and docstrings."""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, Union, get_args, get_origin

PLAIN: Mapping[Any, str] = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    type(None): "null",
    dict: "object",
    list: "array",
    tuple: "array",
    Path: "string",
}
ARGUMENT_LINE = re.compile(r"(?P<indent>\s*)(?P<name>\*{0,2}\w+)(?:\s*\([^)]*\))?:\s*(?P<text>.*)")


class LaterSchema(Mapping[str, Any]):
    """A schema that is worked out when it is first read: registering many tools must cost nothing.

    Use `dict(schema)` where a plain dictionary is needed, as for JSON.
    """

    __slots__ = ("_derive", "_schema")

    def __init__(self, derive: Callable[[], Mapping[str, Any]]) -> None:
        self._derive = derive
        self._schema: Mapping[str, Any] | None = None

    def _read(self) -> Mapping[str, Any]:
        if self._schema is None:
            self._schema = self._derive()
        return self._schema

    def __getitem__(self, key: str) -> Any:
        return self._read()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())

    def __repr__(self) -> str:
        return repr(dict(self._read()))


def schema_of(annotation: Any) -> dict[str, Any]:
    """The schema of an annotation; TypeError names one that JSON has no form for."""
    if annotation is Any or annotation is object:
        return {}
    if typing.is_typeddict(annotation):
        return _typed_dict(annotation)
    if dataclasses.is_dataclass(annotation) and isinstance(annotation, type):
        return _dataclass(annotation)
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return _choice([member.value for member in annotation])
    # A note in it may be a mapping, and so what is no class cannot be looked up.
    if isinstance(annotation, type) and annotation in PLAIN:
        return {"type": PLAIN[annotation]}
    return _generic(annotation)


def _generic(annotation: Any) -> dict[str, Any]:
    arguments = get_args(annotation)
    match get_origin(annotation):
        case typing.Literal:
            return _choice(list(arguments))
        case typing.Annotated:
            return _annotated(arguments)
        case typing.Required | typing.NotRequired:
            return schema_of(arguments[0])
        case origin if origin in (Union, types.UnionType):
            return _union([schema_of(argument) for argument in arguments])
        case origin if origin is dict or origin is Mapping:
            inner = schema_of(arguments[1])
            return {"type": "object", "additionalProperties": inner} if inner else {"type": "object"}
        case origin if origin is list or origin is tuple or origin is Sequence:
            inner = schema_of(arguments[0])
            return {"type": "array", "items": inner} if inner else {"type": "array"}
    raise TypeError(f"a tool cannot take or give {annotation!r}: JSON has no form for it")


def _choice(values: list[Any]) -> dict[str, Any]:
    kinds = {PLAIN.get(type(value)) for value in values}
    only = kinds.pop() if len(kinds) == 1 else None
    return {"type": only, "enum": values} if only else {"enum": values}


def _annotated(arguments: tuple[Any, ...]) -> dict[str, Any]:
    schema = schema_of(arguments[0])
    for note in arguments[1:]:
        if isinstance(note, str):
            schema["description"] = note
        elif isinstance(note, Mapping):
            schema.update(note)
    return schema


def _union(schemas: list[dict[str, Any]]) -> dict[str, Any]:
    if {} in schemas:
        return {}
    if all(set(schema) == {"type"} for schema in schemas):
        kinds = list(dict.fromkeys(schema["type"] for schema in schemas))
        return {"type": kinds if len(kinds) > 1 else kinds[0]}
    return {"anyOf": schemas}


def _typed_dict(annotation: Any) -> dict[str, Any]:
    hints = typing.get_type_hints(annotation, include_extras=True)
    required = sorted(name for name, hint in hints.items() if _is_required(annotation, name, hint))
    return _object({name: schema_of(hint) for name, hint in hints.items()}, required)


def _is_required(annotation: Any, name: str, hint: Any) -> bool:
    """Read from the resolved hint, because the class itself cannot see a mark inside a postponed annotation."""
    match get_origin(hint):
        case typing.Required:
            return True
        case typing.NotRequired:
            return False
    return name in annotation.__required_keys__


def _dataclass(annotation: type) -> dict[str, Any]:
    hints = typing.get_type_hints(annotation, include_extras=True)
    names = [part.name for part in dataclasses.fields(annotation)]
    return _object({name: schema_of(hints[name]) for name in names}, names)


def _object(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required}


def closed(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema with every mapping in it holding the keys it names and no others."""
    inner = {key: _closed_inside(value) for key, value in schema.items()}
    if "properties" in inner:
        inner["properties"] = {name: closed(each) for name, each in schema["properties"].items()}
        inner.setdefault("additionalProperties", False)
    return inner


def _closed_inside(value: Any) -> Any:
    match value:
        case Mapping():
            return closed(value)
        case list():
            return [_closed_inside(each) for each in value]
        case _:
            return value


def first_paragraph(docstring: str) -> str:
    """What a docstring says before its first empty line, on one line."""
    return " ".join(docstring.strip().partition("\n\n")[0].split())


def argument_descriptions(docstring: str) -> dict[str, str]:
    """What the section `Args:` of a docstring says about each argument."""
    said: dict[str, list[str]] = {}
    lines: list[str] = []
    indent: int | None = None
    for line in _section(docstring, "Args:"):
        match = ARGUMENT_LINE.fullmatch(line)
        depth = len(line) - len(line.lstrip())
        if match and (indent is None or depth <= indent):
            indent = depth
            lines = said.setdefault(match["name"].lstrip("*"), [])
            lines.append(match["text"])
        else:
            lines.append(line)
    return {name: " ".join(" ".join(parts).split()) for name, parts in said.items()}


def _section(docstring: str, heading: str) -> Iterator[str]:
    """The lines of one section of a docstring, up to the next line that is indented no deeper than its heading."""
    inside: int | None = None
    for line in docstring.splitlines():
        depth = len(line) - len(line.lstrip())
        if inside is not None and line.strip() and depth <= inside:
            return
        if inside is not None and line.strip():
            yield line
        if inside is None and line.strip() == heading:
            inside = depth
