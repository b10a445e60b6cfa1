"""Values made up from promises fit them: for every tool that comes with the engine."""

from __future__ import annotations

import pytest

from engine.run.rehearsal.samples import sample
from tool_registry.arguments import checked
from tool_registry.registry import default_registry
from tool_registry.tool import ToolOutput

TOOLS = default_registry()


@pytest.mark.parametrize("name", sorted(TOOLS))
def test_what_is_made_up_keeps_the_tool_s_promise(name: str) -> None:
    """`works: true` never breaks the tool's own schema."""
    tool = TOOLS[name]
    made = sample(tool.result)
    assert checked(tool, ToolOutput(value=made)).value == made


def test_every_promised_key_is_there() -> None:
    """Also those that need not be: a skill may read them."""
    schema = {
        "type": "object",
        "required": ["a", "z"],
        "properties": {
            "a": {"$ref": "#/$defs/name"},
            "b": {"anyOf": [{"type": "null"}, {"type": "integer", "minimum": 3}]},
            "c": {"type": "array", "items": {"enum": ["x", "y"]}, "minItems": 2},
            "d": {"type": ["string", "null"], "minLength": 9},
        },
        "$defs": {"name": {"type": "string"}},
    }
    assert sample(schema) == {"a": "made up", "b": 3, "c": ["x", "x"], "d": "made up..", "z": "made up"}


def test_a_promise_that_goes_round_in_circles_ends() -> None:
    """A list of lists of lists is cut off somewhere."""
    assert sample({"type": "object", "properties": {"inner": {"$ref": "#"}}})
    assert sample(None) is None
