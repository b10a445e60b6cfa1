"""What tools need: declared, or read from a definition; and what is looked for on the machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypedDict

import pytest

from tool_registry.registry import ToolRegistry, requirements
from tool_registry.sources.python import tool, tool_of
from tool_registry.tool import Effect, Needs, Tool, ToolContext, ToolError, ToolOutput


class Inner(TypedDict):
    """A part."""

    size: int


class Outer(TypedDict):
    """A whole."""

    name: str
    parts: list[Inner]
    best: Inner | None


@tool(effect=Effect.READ, exact=True)
async def exactly(extra: bool = False) -> Outer:
    """Gives an outer thing, and more when it is told to."""
    more: Any = {"more": 1} if extra else {}
    return {"name": "a", "parts": [{"size": 1, **more}], "best": None}


async def _nothing(_arguments: Any, _context: ToolContext) -> ToolOutput:
    return ToolOutput()


def test_programs_variables_and_modules_are_looked_for(tmp_path: Path) -> None:
    """On the PATH and in the environment that the call would have."""
    program = tmp_path / "paint"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    needs = Needs(
        programs=("paint>=1.4", "brush"), environment=("COLOUR", "SIZE"), modules=("json.decoder", "no_such_module")
    )
    needing = Tool(name="needing", call=_nothing, needs=needs)
    found = requirements(needing, {"PATH": str(tmp_path), "COLOUR": "red"})
    assert [each.minimum for each in found if each.kind == "program"] == ["1.4", ""]
    assert [tuple(each)[:3] for each in found] == [
        ("program", "paint", str(program)),
        ("program", "brush", None),
        ("environment", "COLOUR", "set"),
        ("environment", "SIZE", None),
        ("module", "json.decoder", "installed"),
        ("module", "no_such_module", None),
    ]


def test_a_definition_needs_the_settings_and_secrets_it_reads() -> None:
    """Wherever they stand, but for what is only given when there is a value."""
    made = ToolRegistry().define(
        {
            "name": "asks",
            "needs": {"programs": ["curl"], "settings": ["extra"]},
            "parameters": {"properties": {"q": {"type": "string"}}, "required": ["q"]},
            "command": {
                "argv": [
                    "curl",
                    {"if": "settings.proxy", "then": ["--proxy={settings.proxy}"]},
                    "{settings.url}/x",
                    "--",
                    "{q}",
                ],
                "environment": {"A": {"secret_env": "TOKEN"}, "B": {"settings": "password"}},
            },
        },
        "asks.yaml:1",
    )
    assert made.needs == Needs(programs=("curl",), environment=("TOKEN",), settings=("extra", "url", "password"))


def test_an_exact_result_has_the_keys_it_names_and_no_others() -> None:
    """Through and through, and no more than the annotation says."""
    schema: Any = dict(tool_of(exactly).result or {})
    assert schema["additionalProperties"] is False
    assert schema["properties"]["parts"]["items"]["additionalProperties"] is False
    assert schema["properties"]["best"]["anyOf"][0]["additionalProperties"] is False


async def test_a_result_that_breaks_its_promise_is_a_failure() -> None:
    """One with another key too."""
    registry = ToolRegistry(tool_of(exactly))
    assert (await registry.call("exactly", {}, ToolContext())).value["name"] == "a"
    with pytest.raises(ToolError, match="there is no key `more`"):
        await registry.call("exactly", {"extra": True}, ToolContext())
