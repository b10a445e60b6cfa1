"""What a JSON Schema promises of a part of a value that nobody has yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum, auto
from typing import Any

from engine.model.lazy_dataclass import dataclass

Schema = Mapping[str, Any]
COMBINED = ("anyOf", "oneOf")
OBSCURE = frozenset({"$ref", "allOf", "if", "not", "$dynamicRef", "dependentSchemas", "unevaluatedProperties"})
"""Rules that are not followed; a schema with one of them promises nothing we could use."""
BARE = frozenset({"null", "boolean", "number", "integer"})


class Chance(Enum):
    """Whether a part can be there: promised or not forbidden, not mentioned among those that are, or ruled out."""

    LIKELY = auto()
    UNMENTIONED = auto()
    RULED_OUT = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """What a schema says of one part: its chance, its own schema (None: anything), and what there is instead."""

    chance: Chance
    schema: Schema | None = None
    known: tuple[str, ...] = ()


def promise(schema: Schema | None, key: str) -> Promise:
    """What `schema` says of the part `key`: a key of a mapping, or the index of an element as text."""
    told = [_alone(each, key) for each in alternatives(schema)]
    likely = [each for each in told if each.chance is Chance.LIKELY]
    if likely:
        return Promise(chance=Chance.LIKELY, schema=united([each.schema for each in likely]))
    known = tuple(dict.fromkeys(name for each in told for name in each.known))
    unmentioned = any(each.chance is Chance.UNMENTIONED for each in told)
    return Promise(chance=Chance.UNMENTIONED if unmentioned else Chance.RULED_OUT, known=known)


def alternatives(schema: Schema | None) -> list[Schema]:
    """The schemas of which a value fits one, each of a single type where types are told."""
    if not schema or OBSCURE.intersection(schema):
        return [{}]
    for word in COMBINED:
        if isinstance(schema.get(word), Sequence):
            return [
                inner for each in schema[word] for inner in alternatives(each if isinstance(each, Mapping) else None)
            ]
    types = schema.get("type")
    if isinstance(types, str) or types is None:
        return [schema]
    return [{**schema, "type": each} for each in types]


def united(schemas: Sequence[Schema | None]) -> Schema | None:
    """The schema of a value that fits one of these; None when one of them promises nothing."""
    different: list[Schema] = []
    for schema in schemas:
        if not schema:
            return None
        if schema not in different:
            different.append(schema)
    return different[0] if len(different) == 1 else {"anyOf": different} if different else None


def element_of(schema: Schema | None) -> Schema | None:
    """The schema of a list's elements."""
    found = [each.get("items") for each in alternatives(schema) if each.get("type", "array") == "array"]
    return united([each if isinstance(each, Mapping) else None for each in found])


def list_of(schema: Schema | None) -> Schema:
    """The schema of a list of such values."""
    return {"type": "array", "items": schema} if schema else {"type": "array"}


def types_of(schema: Schema | None) -> frozenset[str]:
    """The types a value may have; empty when nothing is promised."""
    found = [each.get("type") for each in alternatives(schema)]
    return frozenset() if None in found else frozenset(str(each) for each in found)


def _alone(schema: Schema, key: str) -> Promise:
    match schema.get("type"):
        case "object":
            return _member(schema, key)
        case None if "properties" in schema:
            return _member(schema, key)
        case "array":
            return _element(schema) if _is_index(key) else Promise(chance=Chance.RULED_OUT)
        case "string":
            return Promise(chance=Chance.LIKELY if _is_index(key) else Chance.RULED_OUT, schema={"type": "string"})
        case word if word in BARE:
            return Promise(chance=Chance.RULED_OUT)
        case _:
            return Promise(chance=Chance.LIKELY)


def _member(schema: Schema, key: str) -> Promise:
    properties = schema.get("properties") or {}
    if key in properties:
        return Promise(chance=Chance.LIKELY, schema=_mapping(properties[key]))
    others = schema.get("additionalProperties")
    if (
        isinstance(others, Mapping)
        or others is True
        or schema.get("patternProperties")
        or not (properties or others is False)
    ):
        return Promise(chance=Chance.LIKELY, schema=_mapping(others))
    chance = Chance.RULED_OUT if others is False else Chance.UNMENTIONED
    return Promise(chance=chance, known=_names(properties))


def _element(schema: Schema) -> Promise:
    return Promise(chance=Chance.LIKELY, schema=None if "prefixItems" in schema else _mapping(schema.get("items")))


def _mapping(schema: Any) -> Schema | None:
    return schema if isinstance(schema, Mapping) and schema else None


def _names(properties: Iterable[Any]) -> tuple[str, ...]:
    return tuple(str(name) for name in properties)


def _is_index(key: str) -> bool:
    return key.lstrip("-").isdecimal()
