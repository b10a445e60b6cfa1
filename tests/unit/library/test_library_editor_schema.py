"""The schema with a workspace's names in it says the same as the schema without, and more of calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from engine.documents import read, schema
from engine.library.editor_schema import with_names
from engine.wiring import Engine
from tool_registry.tool import Tool, ToolContext, ToolOutput

ROOT = Path(__file__).parents[3]
SHIPPED = Engine.open(ROOT).registry
MADE = with_names(schema("skill"), SHIPPED, {"other": "Does something\nelse."})
SEEN = Draft7Validator(MADE)


def broken(*steps: Any) -> list[str]:
    """What the schema says of these steps."""
    return sorted(error.message for error in SEEN.iter_errors({"name": "a", "steps": list(steps)}))


def test_it_is_a_schema() -> None:
    """Of the draft it names."""
    Draft7Validator.check_schema(MADE)


@pytest.mark.parametrize("path", sorted((ROOT / "skills").glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_skills_fit(path: Path) -> None:
    """Nothing a right skill says breaks it."""
    assert list(SEEN.iter_errors(read(path).value)) == []


def test_calls_are_looked_at() -> None:
    """Tools by name, arguments by name and type, in steps of groups and in undos too."""
    assert broken({"name": "s", "tool": "echo", "args": {"value": 1}}) == []
    assert len(broken({"name": "s", "tool": "ecko", "args": {"value": 1}})) == 1
    assert broken({"name": "s", "tool": "echo"}) == ["'args' is a required property"]
    assert len(broken({"name": "s", "steps": [{"name": "t", "tool": "wait", "args": {"seconds": "soon"}}]})) == 1
    assert len(broken({"name": "s", "tool": "echo", "args": {"value": 1}, "undo": {"tool": "wait"}})) == 1


def test_templates_may_become_anything() -> None:
    """However deep they stand, in an argument of any type."""
    assert broken({"name": "s", "tool": "wait", "args": {"seconds": "{{ inputs.x }}"}}) == []
    keys = {"namespace": "{{ a }}", "name": "b", "keys": ["{{ b }}"]}
    assert broken({"name": "s", "tool": "kubectl_get_secret", "args": keys}) == []
    assert broken({"name": "s", "tool": "kubectl_get_secret", "args": {**keys, "keys": "{{ b }}"}}) == []


def test_a_skill_of_any_name_may_be_written_next() -> None:
    """Known ones are offered, others are no mistake."""
    assert broken({"name": "s", "skill": "not_there_yet"}) == []
    offered = MADE["$defs"]["step"]["properties"]["skill"]["anyOf"]
    assert offered[0] == {"const": "other", "description": "Does something else."}


def test_nothing_is_inserted_unasked() -> None:
    """No argument has a default that an editor would write; it is told in words."""

    def defaults(part: Any) -> Iterator[Any]:
        if isinstance(part, dict):
            yield from (rules for rules in part.get("properties", {}).values() if "default" in rules)
            for inner in part.values():
                yield from defaults(inner)

    arguments = {name: part for name, part in MADE["$defs"].items() if name.startswith("args of")}
    assert len(arguments) == len(SHIPPED)
    assert list(defaults(arguments)) == []
    assert "Left out: " in arguments["args of kubectl_logs"]["properties"]["tail"]["description"]


async def _nothing(_: Mapping[str, Any], __: ToolContext) -> ToolOutput:
    return ToolOutput()


@pytest.mark.parametrize(
    ("rules", "fits", "breaks"),
    [
        ({"oneOf": [{"type": "integer"}, {"type": "string", "format": "date"}]}, [1, "{{ x }}", "x"], [[]]),
        ({"type": "integer", "minimum": 1}, [1, "{% if x %}1{% endif %}"], [0, "1"]),
        ({"const": 3}, [3, "{{ x }}"], [4, "x"]),
        ({"type": "array", "items": {"enum": ["a"]}}, [["a", "{{ x }}"], "{{ x }}"], [["b"], "x"]),
        ({"type": "object", "additionalProperties": {"type": "boolean"}}, [{"a": "{{ x }}"}], [{"a": 1}]),
        ({"type": "string", "pattern": "^a$"}, ["a", "b"], [1]),
        ({"$ref": "#/elsewhere"}, [1, "x"], []),
        (True, [1, "x"], []),
    ],
)
def test_rules_of_every_form_let_templates_pass(rules: Any, fits: list[Any], breaks: list[Any]) -> None:
    """Bounds, choices and formats are for values, not for what becomes one."""
    tool = Tool(name="t", call=_nothing, parameters={"type": "object", "properties": {"x": rules}})
    seen = Draft7Validator(with_names(schema("skill"), {"t": tool}, {}))
    wrong = {str(x) for x in [*fits, *breaks] if not seen.is_valid({"name": "a", "steps": [_call(x)]})}
    assert wrong == set(map(str, breaks))


def _call(value: Any) -> Any:
    return {"name": "s", "tool": "t", "args": {"x": value}}
