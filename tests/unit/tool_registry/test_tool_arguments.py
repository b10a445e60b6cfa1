"""Arguments and results against a tool's schemas."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tool_registry.arguments import RESULT_LIMIT, accepted, accepts, checked
from tool_registry.tool import Tool, ToolContext, ToolError, ToolOutput

FLAT = {
    "type": "object",
    "properties": {
        "tag": {"type": "string"},
        "count": {"type": "integer", "minimum": 1},
        "mode": {"type": "string", "enum": ["fast", "slow"]},
        "limits": {"type": "object", "properties": {"cpu": {"type": "number"}}, "additionalProperties": False},
    },
    "required": ["tag"],
    "additionalProperties": False,
}


async def _nothing(_: Mapping[str, Any], __: ToolContext) -> ToolOutput:
    return ToolOutput()


def _tool(parameters: Mapping[str, Any] = FLAT, result: Mapping[str, Any] | None = None) -> Tool:
    return Tool(name="probe", call=_nothing, parameters=parameters, result=result)


def _mistakes(arguments: Mapping[str, Any]) -> list[str]:
    with pytest.raises(ToolError) as caught:
        accepted(_tool(), arguments)
    assert (caught.value.kind, caught.value.sent) == ("usage_error", False)
    found = caught.value.details["arguments"]
    assert isinstance(found, list)
    return found


def test_right_arguments_pass() -> None:
    """Arguments that fit come back as they are."""
    assert accepted(_tool(), {"tag": "a", "mode": "fast"}) == {"tag": "a", "mode": "fast"}
    assert accepted(_tool(), {"tag": "a", "count": 2}) == {"tag": "a", "count": 2}


def test_every_mistake_is_named_at_once() -> None:
    """Unknown, missing, mistyped and wrongly chosen arguments are told together, in sentences."""
    assert _mistakes({"tagg": "a", "count": "two", "mode": "quick", "limits": {"memory": 1}}) == [
        "the argument `tag` is missing",
        "there is no argument `tagg`; did you mean `tag`?",
        '`count` must be a whole number, not "two"',
        "there is no argument `memory` in `limits` (there are: cpu)",
        '`mode` must be one of "fast", "slow", not "quick"',
    ]


def test_other_keywords_are_checked_too() -> None:
    """What the fast path does not know is left to jsonschema."""
    assert _mistakes({"tag": "a", "count": 0}) == ["`count`: 0 is less than the minimum of 1"]


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        ("^[a-z]+$", "web", "web\n"),
        ("^$|^[0-9]+$", "", "\n"),
        ("^(?!\\.{1,2}$)[.a-z]+$", "...", ".."),
        ("^[$a]\\$$", "$$", "$$\n"),
        ("^[]$]$", "$", "$\n"),
    ],
)
@pytest.mark.parametrize("more", [{}, {"not": {"const": 0}}])
def test_a_pattern_ends_where_the_text_ends(pattern: str, good: str, bad: str, more: dict[str, Any]) -> None:
    """As JSON Schema means `$`, and not before a line's end as in Python; by the fast path and by jsonschema."""
    parameters = {"type": "object", "properties": {"name": {"type": "string", "pattern": pattern, **more}}}
    assert accepted(_tool(parameters), {"name": good}) == {"name": good}
    with pytest.raises(ToolError, match="must match"):
        accepted(_tool(parameters), {"name": bad})


def test_wrong_value_is_shown_short() -> None:
    """A huge wrong value does not flood the message."""
    assert len(_mistakes({"tag": ["x" * 100_000]})[0]) < 200


def test_dates_and_tuples_become_json() -> None:
    """Values that templates may give are turned into JSON types before they are checked."""
    parameters = {"type": "object", "properties": {"day": {"type": "string"}, "tags": {"type": "array"}}}
    given_values = {"day": dt.date(2026, 11, 20), "tags": ("a", Path("b"))}
    assert accepted(_tool(parameters), given_values) == {"day": "2026-11-20", "tags": ["a", "b"]}


def test_true_is_no_number() -> None:
    """A truth value is not a whole number, as in JSON Schema."""
    assert _mistakes({"tag": "a", "count": True}) == ["`count` must be a whole number, not true"]


def test_flat_call_does_not_import_jsonschema() -> None:
    """A right call of a flat schema stays cheap: jsonschema is not imported."""
    program = (
        "import sys; from tool_registry.arguments import accepts;"
        "assert accepts({'type': 'object', 'properties': {'a': {'type': 'string'}}, 'required': ['a']}, {'a': 'b'});"
        "sys.exit('jsonschema' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.0, 1.0, 1.5]) | st.sampled_from(["", "a", "b"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, max_size=3),
    max_leaves=6,
)
TYPE = st.sampled_from(["string", "integer", "number", "boolean", "null", "array", "object"])
SCHEMA: st.SearchStrategy[Any] = st.deferred(
    lambda: (
        st.booleans()
        | st.fixed_dictionaries(
            {},
            optional={
                "type": TYPE | st.lists(TYPE, min_size=1, max_size=3, unique=True),
                "enum": st.lists(JSON, min_size=1, max_size=3),
                "properties": st.dictionaries(st.sampled_from(["a", "b"]), SCHEMA, max_size=2),
                "required": st.lists(st.sampled_from(["a", "b", "c"]), max_size=2, unique=True),
                "additionalProperties": SCHEMA,
                "items": SCHEMA,
                "description": st.just("text"),
                "minLength": st.integers(0, 2),
                "maxLength": st.integers(0, 2),
                "pattern": st.sampled_from(["^a", "b$", ""]),
                "minimum": st.integers(-2, 2),
                "maximum": st.sampled_from([0, 1.5]),
                "multipleOf": st.just(2),
            },
        )
    )
)


@given(SCHEMA, JSON)
def test_fast_acceptance_implies_validity(schema: Any, value: Any) -> None:
    """Whatever the fast path accepts, jsonschema accepts."""
    if accepts(schema, value):
        assert Draft202012Validator(schema).is_valid(value)


@given(st.dictionaries(st.sampled_from(["tag", "mode"]), st.sampled_from(["fast", "slow"])))
def test_flat_schemas_are_accepted_fast(arguments: dict[str, str]) -> None:
    """For the usual schema the fast path is not only right but also enough."""
    flat = {**FLAT, "properties": {name: FLAT["properties"][name] for name in ("tag", "mode")}}  # type: ignore[index]
    assert accepts(flat, arguments) == Draft202012Validator(flat).is_valid(arguments)


def test_result_is_bounded() -> None:
    """A result beyond the limit is a failure, not a memory problem."""
    with pytest.raises(ToolError) as caught:
        checked(_tool(), ToolOutput(value=["x" * 1000] * (RESULT_LIMIT // 1000 + 1)))
    assert caught.value.kind == "resource_exhausted"


def test_text_is_bounded() -> None:
    """The raw text keeps its beginning and end."""
    text = checked(_tool(), ToolOutput(text="a" * 2_000_000 + "end")).text
    assert len(text) < 1_000_100
    assert text.endswith("end")
    assert "characters left out" in text


def test_endless_nesting_is_a_failure() -> None:
    """A value that contains itself is refused."""
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(ToolError, match="nested"):
        checked(_tool(), ToolOutput(value=loop))


@dataclass(frozen=True)
class _Pair:
    left: int
    right: tuple[int, ...]


def test_result_becomes_json() -> None:
    """Dataclasses, tuples, dates and keys that are no text become JSON."""
    value = checked(_tool(), ToolOutput(value={1: _Pair(1, (2, 3)), "at": dt.datetime(2026, 1, 2, 3)})).value  # noqa: DTZ001 - any date does
    assert value == {"1": {"left": 1, "right": [2, 3]}, "at": "2026-01-02T03:00:00"}


def test_what_json_cannot_hold_is_the_tools_mistake() -> None:
    """An object of no JSON form is named."""
    with pytest.raises(ToolError, match="holds a object") as caught:
        checked(_tool(), ToolOutput(value={"a": object()}))
    assert caught.value.kind == "code_error"


def test_broken_promise_is_a_failure() -> None:
    """A result that breaks the tool's own schema is a mismatch; "not found" promises nothing."""
    tool = _tool(result={"type": "object", "required": ["digest"]})
    assert checked(tool, ToolOutput(value={"digest": "a"})).value == {"digest": "a"}
    assert checked(tool, ToolOutput(found=False)).found is False
    with pytest.raises(ToolError, match="the key `digest` is missing") as caught:
        checked(tool, ToolOutput(value={}))
    assert caught.value.kind == "api_contract_mismatch"
