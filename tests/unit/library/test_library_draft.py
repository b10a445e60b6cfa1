"""A new skill is right as it stands, whatever tools it calls."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from engine.documents import parse
from engine.documents.formatting import formatted
from engine.errors import DocumentError
from engine.library import SkillLibrary
from engine.library.draft import copied, draft
from engine.library.key_order import skill_order
from engine.sandbox import Sandbox, helper_names
from tool_registry.registry import ToolRegistry, default_registry
from tool_registry.tool import Effect, Tool, ToolContext, ToolOutput

SHIPPED = default_registry()
REFERENCE = "../schemas/skill.schema.json"


async def _nothing(_: Mapping[str, Any], __: ToolContext) -> ToolOutput:
    return ToolOutput()


def _tool(name: str, /, *required: str, **parameters: Any) -> Tool:
    schema = {"type": "object", "properties": parameters, "required": list(required), "additionalProperties": False}
    return Tool(name=name, call=_nothing, parameters=schema)


def _drafted(*tools: Tool) -> Any:
    """The value of a draft, after it was found to be right and laid out."""
    text = draft("mine", schema=REFERENCE, tools=tools, taken=helper_names())
    known = ToolRegistry(*{tool.name: tool for tool in tools}.values()) if tools else SHIPPED
    assert SkillLibrary([], sandbox=Sandbox(), tools=known).parse(text, "mine.yaml").name == "mine"
    assert formatted(text, "mine.yaml", order=skill_order) == text
    return parse(text, "mine.yaml").value


@pytest.mark.parametrize("name", SHIPPED)
def test_every_tool_can_be_started_from(name: str) -> None:
    """The draft passes every check, and `skill fmt` would not change it."""
    [step] = _drafted(SHIPPED[name])["steps"]
    assert (step["tool"], list(step.get("args", {}))) == (name, list(SHIPPED[name].parameters.get("required", ())))


def test_all_tools_at_once() -> None:
    """Each is a step under a name of its own, some twice."""
    tools = [SHIPPED[name] for name in SHIPPED]
    steps = _drafted(*tools, *tools[:5])["steps"]
    assert len({step["name"] for step in steps}) == len(tools) + 5


def test_without_a_tool_it_greets() -> None:
    """An input, a call, a computation and outputs: what a skill is made of."""
    value = _drafted()
    assert [list(step)[-1] for step in value["steps"]] == ["args", "compute"]
    assert value["inputs"][0]["default"] == "world"


def test_what_a_tool_must_be_given_is_an_input() -> None:
    """With the type, bounds and description the tool declares; the rest stands in comments."""
    value = _drafted(
        _tool(
            "find",
            "path",
            "depth",
            "kinds",
            "level",
            path={"type": "string", "description": "Where: to #look."},
            depth={"type": ["integer", "null"], "minimum": 0, "maximum": 9},
            kinds={"type": "array", "items": {"type": "string"}},
            level={"enum": ["low", "no"]},
            follow={"type": "boolean", "description": "Through links too."},
        )
    )
    assert [{key: rule for key, rule in each.items() if key != "description"} for each in value["inputs"]] == [
        {"name": "path", "type": "string", "required": True},
        {"name": "depth", "type": "integer", "required": True, "minimum": 0, "maximum": 9},
        {"name": "kinds", "type": "array", "items": {"type": "string"}, "required": True},
        {"name": "level", "required": True, "enum": ["low", "no"]},
    ]
    assert value["inputs"][0]["description"] == "Where: to #look."
    assert value["steps"][0]["args"] == {
        name: f"{{{{ inputs.{name} }}}}" for name in ("path", "depth", "kinds", "level")
    }


def test_tools_share_an_input_that_means_the_same() -> None:
    """The same name with the same rules is one input; with other rules it is two."""
    text = {"type": "string"}
    value = _drafted(_tool("a", "x", x=text), _tool("b", "x", x=text), _tool("c", "x", x={"type": "integer"}))
    assert [each["name"] for each in value["inputs"]] == ["x", "c_x"]
    assert [step["args"]["x"] for step in value["steps"]] == ["{{ inputs.x }}"] * 2 + ["{{ inputs.c_x }}"]


@pytest.mark.parametrize("name", ["run", "inputs", "len", "import", "get-it", "9lives", "no", "true"])
def test_names_of_tools_that_no_step_may_have(name: str) -> None:
    """A step is called something like it."""
    [step] = _drafted(_tool(name, "a-b", **{"a-b": {"type": "string"}}))["steps"]
    assert step["tool"] == name
    assert re.fullmatch(r"\w+", step["name"])


def test_a_tool_that_changes_something_is_pointed_out() -> None:
    """With the way to take it back."""
    text = draft("mine", schema=REFERENCE, tools=[replace(_tool("put"), effect=Effect.WRITE)])
    assert "`undo:`" in text
    assert "`undo:`" not in draft("mine", schema=REFERENCE, tools=[_tool("get")])


@pytest.mark.parametrize("name", ["123", "1e5", "no", "null", "0x1F", "a-b", "true"])
def test_names_that_yaml_takes_for_something_else(name: str) -> None:
    """They are quoted."""
    assert parse(draft(name, schema=REFERENCE), "x").value["name"] == name


def test_a_copy_keeps_comments_and_finds_the_schema() -> None:
    """The name is another, an old line for editors is replaced, and the rest is as it was."""
    original = "# about it\nname: old  # its name\nsteps:\n  - {name: a, tool: echo, args: {value: 1}}\n"
    copy = copied(parse(original, "old.yaml"), "new", schema="s.json", description="It: copies.")
    assert copy.split("\n")[:3] == ["# yaml-language-server: $schema=s.json", "# about it", "name: new  # its name"]
    assert parse(copy, "x").value["description"] == "It: copies."
    again = copied(parse(copy, "new.yaml"), "newer", schema="t.json")
    assert again == copy.replace("s.json", "t.json").replace("name: new ", "name: newer ")
    windows = copied(parse(original.replace("\n", "\r\n"), "old.yaml"), "new", schema="s.json")
    assert windows.count("\n") == windows.count("\r\n")


def test_a_draft_with_a_bad_description_is_no_draft() -> None:
    """What no file can hold is refused."""
    with pytest.raises(DocumentError):
        draft("mine", schema=REFERENCE, description="\ud800")
