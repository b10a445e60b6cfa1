"""What a schema promises of a part that nobody has yet."""

from __future__ import annotations

from typing import Any

import pytest

from engine.run.dry.schema import Chance, element_of, list_of, promise, types_of, united

OPEN = {"type": "object", "properties": {"a": {"type": "string"}}}
CLOSED = {**OPEN, "additionalProperties": False}


@pytest.mark.parametrize(
    ("schema", "key", "chance", "part"),
    [
        (None, "a", Chance.LIKELY, None),
        ({}, "a", Chance.LIKELY, None),
        (OPEN, "a", Chance.LIKELY, {"type": "string"}),
        (OPEN, "b", Chance.UNMENTIONED, None),
        (CLOSED, "b", Chance.RULED_OUT, None),
        ({"type": "object"}, "b", Chance.LIKELY, None),
        ({"type": "object", "additionalProperties": {"type": "number"}}, "b", Chance.LIKELY, {"type": "number"}),
        ({"type": "object", "additionalProperties": False}, "b", Chance.RULED_OUT, None),
        ({"type": "object", "patternProperties": {"b": {}}, "properties": {"a": {}}}, "b", Chance.LIKELY, None),
        ({"properties": {"a": {"type": "null"}}}, "a", Chance.LIKELY, {"type": "null"}),
        ({"type": "array", "items": OPEN}, "0", Chance.LIKELY, OPEN),
        ({"type": "array", "prefixItems": [OPEN]}, "0", Chance.LIKELY, None),
        ({"type": "array"}, "length", Chance.RULED_OUT, None),
        ({"type": "string"}, "0", Chance.LIKELY, {"type": "string"}),
        ({"type": "string"}, "upper", Chance.RULED_OUT, None),
        ({"type": ["integer", "null"]}, "a", Chance.RULED_OUT, None),
        ({"type": ["object", "null"]}, "a", Chance.LIKELY, None),
        ({"anyOf": [CLOSED, {"type": "null"}]}, "a", Chance.LIKELY, {"type": "string"}),
        ({"anyOf": [CLOSED, {"type": "null"}]}, "b", Chance.RULED_OUT, None),
        ({"oneOf": [CLOSED, OPEN]}, "b", Chance.UNMENTIONED, None),
        ({"oneOf": [CLOSED, True]}, "b", Chance.LIKELY, None),
        ({"$ref": "#/x"}, "b", Chance.LIKELY, None),
    ],
)
def test_a_part_is_promised_unmentioned_or_ruled_out(
    schema: Any, key: str, chance: Chance, part: dict[str, Any] | None
) -> None:
    """By JSON Schema's own rules; a rule that is not followed promises nothing and forbids nothing."""
    found = promise(schema, key)
    assert (found.chance, found.schema) == (chance, part)


def test_what_there_is_instead_is_known() -> None:
    """So that a sentence can name it."""
    assert promise({"anyOf": [CLOSED, {"type": "null"}]}, "b").known == ("a",)


def test_lists_elements_types_and_unions() -> None:
    """The small sums that values flow on with."""
    assert element_of({"type": ["array", "null"], "items": OPEN}) == OPEN
    assert element_of({"type": "object"}) is None
    assert list_of(OPEN) == {"type": "array", "items": OPEN}
    assert list_of(None) == {"type": "array"}
    assert types_of({"anyOf": [OPEN, {"type": ["string", "null"]}]}) == {"object", "string", "null"}
    assert types_of({"enum": [1]}) == frozenset()
    assert united([OPEN, OPEN]) == OPEN
    assert united([OPEN, None]) is None
    assert united([]) is None
