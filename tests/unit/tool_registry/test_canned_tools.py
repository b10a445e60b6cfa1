"""Canned tools: answers from a list."""

from __future__ import annotations

from typing import Any

import pytest

from tool_registry import Effect, Tool, ToolContext, ToolError, ToolOutput, ToolRegistry, tool
from tool_registry.sources.canned import answering
from tool_registry.sources.definition import tool_from
from tool_registry.sources.placeholders import DefinitionError
from tool_registry.sources.python import tool_of


@tool(effect=Effect.DESTRUCTIVE, domain="ephemeral")
async def reserve(pool: str) -> dict[str, Any]:
    """Reserves.

    Args:
        pool: which
    """
    raise AssertionError(pool)


def _canned(*answers: Any) -> Tool:
    parameters = {"type": "object", "properties": {"tag": {}}}
    return tool_from({"name": "probe", "parameters": parameters, "canned": {"answers": list(answers)}}, "here")


async def _ask(registry: ToolRegistry, **arguments: Any) -> Any:
    return (await registry.call("probe", arguments, ToolContext(timeout=1))).value


async def test_answers_come_in_order_and_the_last_stays() -> None:
    """One answer per call; the last is given again and again."""
    registry = ToolRegistry(_canned({"value": 1}, {"failure": {"kind": "conflict", "message": "taken"}}, {"value": 3}))
    assert await _ask(registry) == 1
    with pytest.raises(ToolError, match="taken") as caught:
        await _ask(registry)
    assert caught.value.kind == "conflict"
    assert [await _ask(registry), await _ask(registry)] == [3, 3]


async def test_answers_by_call() -> None:
    """An answer with `when` is for calls with those arguments; another call finds none."""
    registry = ToolRegistry(_canned({"when": {"tag": "a"}, "value": "A"}, {"when": {"tag": "b"}, "value": "B"}))
    assert [await _ask(registry, tag=tag) for tag in ("b", "a", "b", "a")] == ["B", "A", "B", "A"]
    with pytest.raises(ToolError, match="no canned answer") as caught:
        await _ask(registry, tag="c")
    assert (caught.value.kind, caught.value.sent) == ("usage_error", False)


async def test_every_evidence_can_be_canned() -> None:
    """A canned failure carries whatever a real one can."""
    evidence = {"http_status": 503, "errno": "ECONNRESET", "sent": True, "retry_after": 3.0, "output": "busy"}
    with pytest.raises(ToolError) as caught:
        await _ask(ToolRegistry(_canned({"failure": evidence})))
    assert {name: getattr(caught.value, name) for name in evidence} == evidence


async def test_stand_in_keeps_the_promises_of_a_tool() -> None:
    """A canned stand-in takes the same arguments, and has the same effect and domain, as the tool it stands for."""
    stand_in = answering(tool_of(reserve), [{"value": {"name": "ns"}}])
    assert (stand_in.effect, stand_in.domain, stand_in.source) == (Effect.DESTRUCTIVE, "ephemeral", "canned")
    registry = ToolRegistry(stand_in)
    assert await registry.call("reserve", {"pool": "p"}, ToolContext()) == ToolOutput(value={"name": "ns"})
    with pytest.raises(ToolError, match="`pool` is missing"):
        await registry.call("reserve", {}, ToolContext())


@pytest.mark.parametrize("answers", [[], "text", [{"vale": 1}], [{"failure": {"knd": "x"}}], [7]])
def test_mistakes_are_found_when_defined(answers: Any) -> None:
    """Answers of no known form are refused."""
    with pytest.raises(DefinitionError):
        tool_from({"name": "probe", "canned": {"answers": answers}}, "here")
