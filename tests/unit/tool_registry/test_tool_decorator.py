"""`@tool`: what a function promises becomes its tool."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, NotRequired, TypedDict

import anyio
import pytest
from jsonschema import Draft202012Validator

from tool_registry import Effect, FixScope, Needs, ToolContext, ToolError, ToolOutput, ToolRegistry, tool
from tool_registry.sources.python import tool_of, tools_in
from tool_registry.sources.schema import schema_of


class Colour(StrEnum):
    """A closed choice."""

    RED = "red"
    BLUE = "blue"


class Lease(TypedDict):
    """What a reservation gives."""

    name: str
    hours: int
    note: NotRequired[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """A dataclass as a result."""

    algorithm: str
    value: str


@tool(
    effect=Effect.DESTRUCTIVE,
    idempotent=True,
    domain="ephemeral",
    timeout=30,
    fix=FixScope.CREDENTIALS,
    verify="lease_exists",
    needs=Needs(programs=("oc",)),
    examples=[{"pool": "small"}],
)
async def reserve(  # noqa: D417 - the context is not an argument
    pool: str,
    context: ToolContext,
    hours: int = 1,
    colour: Literal["red", "blue"] | None = None,
    labels: list[str] | None = None,
    limits: dict[str, float] | None = None,
) -> Lease:
    """Reserves a namespace.

    More about it.

    Args:
        pool: which pool, of those
            that exist: small or large
        hours (int): how long

    Raises:
        ToolError: it is taken
    """
    context.report(f"reserving for {hours}")
    return Lease(name=f"ns-{pool}-{colour}-{labels}-{limits}", hours=hours)


@tool()
def in_a_thread() -> dict[str, Any]:
    """Says which thread runs it."""
    return {"main": threading.current_thread() is threading.main_thread()}


@tool(name="renamed")
async def digest(path: Path, colour: Colour = Colour.RED) -> Digest:
    """Has types that JSON does not have."""
    return Digest(algorithm=type(path).__name__, value=f"{colour.name} {path}")


@tool()
async def sleeper(seconds: float) -> None:
    """Sleeps."""
    await anyio.sleep(seconds)


@tool()
async def raising() -> None:
    """Fails in its own way."""
    raise ConnectionRefusedError(111, "nobody there")


@tool()
async def annotated(tag: Annotated[str, "40 hex digits", {"pattern": "^[0-9a-f]{40}$"}]) -> None:
    """Says more about its argument."""


def plain_function() -> None:
    """Is no tool."""


def test_parameters_come_from_annotations_and_docstring() -> None:
    """Types, defaults, choices and the sentences of `Args:` are in the schema, the context is not."""
    schema = dict(tool_of(reserve).parameters)
    assert schema == {
        "type": "object",
        "properties": {
            "pool": {"type": "string", "description": "which pool, of those that exist: small or large"},
            "hours": {"type": "integer", "default": 1, "description": "how long"},
            "colour": {"anyOf": [{"type": "string", "enum": ["red", "blue"]}, {"type": "null"}], "default": None},
            "labels": {"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "null"}], "default": None},
            "limits": {
                "anyOf": [{"type": "object", "additionalProperties": {"type": "number"}}, {"type": "null"}],
                "default": None,
            },
        },
        "required": ["pool"],
        "additionalProperties": False,
    }
    Draft202012Validator.check_schema(schema)


def test_declaration_is_kept() -> None:
    """Everything said in the decorator is in the tool, and the first sentence describes it."""
    declared = tool_of(reserve)
    assert declared.description == "Reserves a namespace."
    assert (declared.effect, declared.idempotent, declared.domain, declared.timeout) == (
        Effect.DESTRUCTIVE,
        True,
        "ephemeral",
        30,
    )
    assert (declared.fix, declared.verify, declared.needs.programs) == (FixScope.CREDENTIALS, "lease_exists", ("oc",))
    assert declared.examples == ({"pool": "small"},)
    file, _, line = declared.location.rpartition(":")
    assert Path(file).name == "test_tool_decorator.py"
    assert int(line) > 1


def test_result_schema_comes_from_the_return_annotation() -> None:
    """A TypedDict and a dataclass say what a tool gives; no annotation promises nothing."""
    lease, given = tool_of(reserve).result, tool_of(digest).result
    assert lease is not None
    assert given is not None
    assert dict(lease) == {
        "type": "object",
        "properties": {"name": {"type": "string"}, "hours": {"type": "integer"}, "note": {"type": "string"}},
        "required": ["hours", "name"],
    }
    assert given["required"] == ["algorithm", "value"]
    assert tool_of(annotated).result == {"type": "null"}


def test_annotated_adds_keywords() -> None:
    """`Annotated` carries a description and further keywords of JSON Schema."""
    assert tool_of(annotated).parameters["properties"]["tag"] == {
        "type": "string",
        "description": "40 hex digits",
        "pattern": "^[0-9a-f]{40}$",
    }


@pytest.mark.parametrize(
    ("annotation", "schema"),
    [
        (int | str, {"type": ["integer", "string"]}),
        (str | None, {"type": ["string", "null"]}),
        (int | Any, {}),
        (Mapping[str, Any], {"type": "object"}),
        (list[Any], {"type": "array"}),
        (tuple[int, ...], {"type": "array", "items": {"type": "integer"}}),
        (Literal[1, "a"], {"enum": [1, "a"]}),
        (Colour, {"type": "string", "enum": ["red", "blue"]}),
        (Annotated[int | None, {"minimum": 1}], {"type": ["integer", "null"], "minimum": 1}),
        (
            list[Annotated[str, {"pattern": "a"}]] | None,
            {"anyOf": [{"type": "array", "items": {"type": "string", "pattern": "a"}}, {"type": "null"}]},
        ),
    ],
)
def test_annotations_have_schemas(annotation: Any, schema: dict[str, Any]) -> None:
    """Each annotation a tool may use has its schema."""
    assert schema_of(annotation) == schema


def test_what_json_cannot_say_is_refused() -> None:
    """An annotation without a JSON form is an error that names it."""
    with pytest.raises(TypeError, match="complex"):
        schema_of(complex)


def test_a_note_inside_a_union_works_or_is_told_with_its_way_out() -> None:
    """Some Pythons cannot hash a mapping there, and say no more than that."""

    @tool(effect=Effect.READ)
    async def look(most: Annotated[int, {"minimum": 1}] | None = None) -> None:
        """Looks."""

    try:
        schema = tool_of(look).parameters["properties"]["most"]
    except TypeError as error:
        assert re.fullmatch(r"look: .*unhashable.*Annotated\[int \| None, \{\.\.\.\}\]", str(error))  # noqa: PT017 - one of two
    else:
        assert schema["anyOf"] == [{"type": "integer", "minimum": 1}, {"type": "null"}]


async def test_function_itself_stays_callable() -> None:
    """A decorated function can be called as before."""
    assert (await reserve("a", ToolContext(), hours=3))["hours"] == 3


async def test_context_is_injected() -> None:
    """The parameter annotated ToolContext gets the context, whatever its name or position."""
    shown: list[str] = []
    output = await ToolRegistry(tool_of(reserve)).call("reserve", {"pool": "p"}, ToolContext(report=shown.append))
    assert shown == ["reserving for 1"]
    assert output.value == {"name": "ns-p-None-None-None", "hours": 1}


async def test_sync_function_runs_in_a_thread() -> None:
    """A function that is not async does not hold up the event loop."""
    output = await ToolRegistry(tool_of(in_a_thread)).call("in_a_thread", {}, ToolContext())
    assert output == ToolOutput(value={"main": False})


async def test_python_types_arrive_and_leave_as_json() -> None:
    """A Path and an enumeration are made from text, a dataclass result becomes a mapping."""
    output = await ToolRegistry(tool_of(digest)).call("renamed", {"path": "a/b", "colour": "blue"}, ToolContext())
    assert output.value == {"algorithm": "PosixPath", "value": "BLUE a/b"}


async def test_deadline_ends_an_async_function() -> None:
    """A tool that takes longer than its time is a timeout."""
    with pytest.raises(ToolError) as caught:
        await ToolRegistry(tool_of(sleeper)).call("sleeper", {"seconds": 5.0}, ToolContext(timeout=0.05))
    assert caught.value.kind == "timeout"


async def test_own_exception_passes_through() -> None:
    """What a tool raises of its own accord is not dressed up: the border above reads it."""
    with pytest.raises(ConnectionRefusedError):
        await ToolRegistry(tool_of(raising)).call("raising", {}, ToolContext())


def test_module_lists_only_its_own_tools() -> None:
    """Tools imported from elsewhere, and ordinary functions, are not a module's tools."""
    import sys  # noqa: PLC0415 - only to find this module

    from tool_registry.functions import general  # noqa: PLC0415 - a module with tools of its own

    assert "reserve" in {found.name for found in tools_in(sys.modules[__name__])}
    assert {found.name for found in tools_in(general)} == {
        "echo",
        "wait",
        "http_get",
        "file_read",
        "file_write",
        "json_parse",
    }
    with pytest.raises(TypeError, match="not decorated"):
        tool_of(plain_function)
