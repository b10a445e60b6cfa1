"""What a server says of its tools, as the tools of ours that it becomes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tool_registry.arguments import accepted, checked
from tool_registry.sources.mcp import McpConnection, McpServer, calling, effect_of, tool_of_listing
from tool_registry.sources.mcp_log import LOG_LIMIT, TOO_LONG, Lines, ServerLog, answered_by
from tool_registry.tool import Effect, ToolContext, ToolError, ToolOutput


@pytest.mark.parametrize(
    ("annotations", "effect", "idempotent"),
    [
        (None, Effect.DESTRUCTIVE, False),
        ({}, Effect.DESTRUCTIVE, False),
        ({"title": "x", "openWorldHint": False}, Effect.DESTRUCTIVE, False),
        ({"readOnlyHint": True}, Effect.READ, True),
        ({"readOnlyHint": True, "destructiveHint": True, "idempotentHint": False}, Effect.READ, True),
        ({"readOnlyHint": False}, Effect.DESTRUCTIVE, False),
        ({"destructiveHint": False}, Effect.WRITE, False),
        ({"destructiveHint": False, "idempotentHint": True}, Effect.WRITE, True),
        ({"destructiveHint": True, "idempotentHint": True}, Effect.DESTRUCTIVE, True),
        ({"readOnlyHint": "yes", "destructiveHint": "no"}, Effect.DESTRUCTIVE, False),
        ("nonsense", Effect.DESTRUCTIVE, False),
    ],
)
def test_hints_count_only_where_they_are_given(annotations: Any, effect: Effect, idempotent: bool) -> None:
    """What a server does not say is taken to be as bad as the protocol says it may be."""
    assert effect_of(annotations) == (effect, idempotent)


def listed(schema: Any = None, **more: Any) -> dict[str, Any]:
    """A listing of the tool `t`."""
    return {"name": "t", "inputSchema": schema or {"type": "object"}, **more}


CONNECTION = McpConnection(McpServer(name="s", command="nothing"))
CALL = calling(lambda: CONNECTION, "t")


def test_settings_say_more_than_the_server() -> None:
    """Who runs the server knows it better."""
    settings = {"effect": "read", "idempotent": True, "timeout": 3, "domain": "mine"}
    tool = tool_of_listing(CALL, listed(), name="s.t", domain="mcp:s", settings=settings)
    assert (tool.effect, tool.idempotent, tool.timeout, tool.domain) == (Effect.READ, True, 3.0, "mine")
    plain = tool_of_listing(CALL, listed(), name="s.t", domain="mcp:s")
    assert (plain.effect, plain.timeout, plain.domain) == (Effect.DESTRUCTIVE, 60.0, "mcp:s")


@pytest.mark.parametrize("key", ["$ref", "$dynamicRef"])
def test_a_schema_that_names_another_document_is_not_followed(key: str) -> None:
    """A server does not decide what this machine asks for: the server checks the arguments itself."""
    schema = {"type": "object", "properties": {"a": {key: "http://127.0.0.1:9/x.json"}}}
    tool = tool_of_listing(CALL, listed(schema, outputSchema=schema), name="s.t", domain=None)
    assert tool.parameters == {"type": "object", "additionalProperties": True}
    assert tool.result is None
    inside = {"type": "object", "properties": {"a": {"$ref": "#/$defs/a"}}, "$defs": {"a": {"type": "string"}}}
    assert tool_of_listing(CALL, listed(inside), name="s.t", domain=None).parameters == inside


def test_patterns_of_a_server_are_left_to_the_server() -> None:
    """A short text can keep some of them busy for years; a property of that name is none."""
    schema = {"type": "object", "properties": {"pattern": {"type": "string", "pattern": "^(a+)+$"}}}
    tool = tool_of_listing(CALL, listed(schema, outputSchema=schema), name="s.t", domain=None)
    told = {"type": "object", "properties": {"pattern": {"type": "string"}}}
    assert (tool.parameters, tool.result) == (told, told)
    for turned in (
        {"properties": {"a": {"not": {"pattern": "x"}}}},
        {"oneOf": [{"required": ["a"]}], "properties": {"a": {"pattern": "x"}}},
        {"patternProperties": {"^(a+)+$": {}}, "additionalProperties": False},
    ):
        made = tool_of_listing(CALL, listed({"type": "object", **turned}), name="s.t", domain=None)
        assert made.parameters == {"type": "object", "additionalProperties": True}


FORKS = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(60)}


@pytest.mark.parametrize(
    "more",
    [
        {"a": {"$ref": "#/properties/a"}},
        {"a": {"$ref": "#/nowhere"}},
        {"a": {"type": "nonsense", "enum": 5, "minLength": "x"}},
        {"a": {"$ref": "#/$defs/d0"}},
    ],
)
def test_a_schema_that_cannot_be_followed_refuses_nothing(more: dict[str, Any]) -> None:
    """It has no end, or is none: the server checks for itself."""
    schema = {"type": "object", "properties": more, "$defs": {**FORKS, "d60": {"type": "string"}}}
    tool = tool_of_listing(CALL, listed(schema, outputSchema=schema), name="s.t", domain=None)
    assert accepted(tool, {"a": "x"}) == {"a": "x"}
    assert checked(tool, ToolOutput(value={"a": "x"})).value == {"a": "x"}


def test_a_schema_that_combines_others_does_not_refuse_what_it_does_not_name() -> None:
    """Its properties may stand anywhere in it."""
    tool = tool_of_listing(CALL, listed({"oneOf": [{"required": ["a"]}]}), name="s.t", domain=None)
    assert tool.parameters["additionalProperties"] is True


async def test_a_server_that_cannot_be_started_was_sent_nothing() -> None:
    """And the failure names it, for the repair."""
    tool = tool_of_listing(CALL, listed(), name="s.t", domain=None)
    with pytest.raises(ToolError, match="no program nothing") as caught:
        await tool.call({}, ToolContext())
    assert (caught.value.kind, caught.value.sent) == ("dependency_missing", False)
    assert caught.value.details == {"server": "s"}


def test_lines_come_as_they_were_written_however_they_are_cut() -> None:
    """Byte by byte, and all at once."""
    data = "eins\nzwei ü\n\ndrei".encode()
    lines = Lines()
    assert [line for at in range(len(data)) for line in lines.add(data[at : at + 1])] == data.split(b"\n")[:3]
    assert Lines().add(data) == data.split(b"\n")[:3]


def test_of_a_line_that_is_too_long_only_its_beginning_is_kept() -> None:
    """Whose answer it was can be told by that, and the next line is whole."""
    lines = Lines(longest=1000)
    found = []
    for chunk in (b'{"jsonrpc":"2.0","id": 17,"result":"', b"x" * 600, b"y" * 600, b'"}\n{"next":1}\n'):
        found += lines.add(chunk)
    assert found[0].startswith(TOO_LONG)
    assert answered_by(found[0]) == 17
    assert len(found[0]) < 1000
    assert found[1] == b'{"next":1}'


def test_a_log_stays_small_and_holds_no_secret(tmp_path: Path) -> None:
    """However much a server writes, and wherever its lines are cut."""
    path = tmp_path / "logs" / "s.log"
    for _ in range(3):
        log = ServerLog(path, lambda line: line.replace("s3cret", "•••"))
        for _ in range(200):
            log.add(b"key s3c")
            log.add(b"ret " + b"x" * 20_000 + b"\n")
    assert path.stat().st_size < 2 * LOG_LIMIT + 50_000
    assert "s3cret" not in path.read_text(encoding="utf-8")
    assert "s3cret" not in log.tail()
