"""Raw output that nobody printed is read as the tool's own definition says."""

from __future__ import annotations

from typing import Any

import pytest

from tool_registry import Effect, Tool, ToolError, tool
from tool_registry.sources.definition import core, tool_from, with_core
from tool_registry.sources.python import tool_of
from tool_registry.sources.raw import raw_output, read_raw
from tool_registry.tool import ToolContext, ToolOutput


def command(**spec: Any) -> Tool:
    """A command tool with these keys."""
    parameters = {"properties": {"name": {"type": "string", "default": "ann"}}}
    definition = {"name": "probe", "parameters": parameters, "command": {"argv": ["false"], "output": "json", **spec}}
    return tool_from({**definition, "secret": ["token"]}, "here")


def request(**spec: Any) -> Tool:
    """An HTTP tool with these keys."""
    return tool_from({"name": "probe", "http": {"url": "https://example.org", **spec}}, "here")


def read(tool: Tool, said: Any) -> ToolOutput:
    """What the tool makes of it."""
    raw = raw_output(tool, said)
    assert raw is not None
    return read_raw(tool, raw)


def test_a_program_s_output_is_read() -> None:
    """Good output, a status that means "not found", a sign of failure, and output that is none."""
    probe = command(
        exit={"4": "not_found", "5": {"kind": "conflict", "message": "taken"}}, failed_when={"stderr": "^E:"}
    )
    assert read(probe, {"stdout": '{"a": 1}'}).value == {"a": 1}
    assert read(probe, {"exit_status": 4}).found is False
    for said, kind, message in (
        ({"exit_status": 5}, "conflict", "taken"),
        ({"stdout": "{}", "stderr": "E: no"}, None, "probe"),
        ({"stdout": '{"half":'}, "api_contract_mismatch", "not JSON"),
        ({"exit_status": 127, "stderr": "sh: no such program"}, None, "exit status 127: sh: no such program"),
    ):
        with pytest.raises(ToolError, match=message) as caught:
            read(probe, said)
        assert caught.value.kind == kind


def test_a_server_s_answer_is_read() -> None:
    """By its status first, with what it asks for."""
    probe = request(not_found=[404], select="a")
    assert read(probe, {"body": '{"a": 1}'}).value == 1
    assert read(probe, {"status": 404}).found is False
    with pytest.raises(ToolError) as caught:
        read(probe, {"status": 503, "headers": {"Retry-After": "7"}, "body": "later"})
    assert (caught.value.http_status, caught.value.retry_after, caught.value.output) == (503, 7.0, "later")


@tool(effect=Effect.READ)
async def in_python() -> str:
    """Gives a value."""
    raise AssertionError


def test_raw_output_of_the_wrong_kind_is_refused() -> None:
    """A program has no body, a server no exit status, and a Python tool neither."""
    with pytest.raises(ValueError, match="raw output of probe has exit_status, stderr, stdout, and no body"):
        raw_output(command(), {"body": ""})
    with pytest.raises(ValueError, match="raw output of probe has body, headers, status, and no stdout"):
        raw_output(request(), {"stdout": ""})
    with pytest.raises(ValueError, match="in_python gives values"):
        raw_output(tool_of(in_python), {"stdout": ""})
    assert raw_output(tool_of(in_python), "noise") is None


async def test_another_core_keeps_defaults_and_secrets() -> None:
    """What stands in for a defined tool is given its defaults, and hands out its secrets as secrets."""
    probe, kept, given = command(), list[Any](), list[Any]()

    async def stand_in(arguments: Any, _: ToolContext) -> ToolOutput:
        given.append(dict(arguments))
        return ToolOutput(value={"token": "t0ken"})

    changed = with_core(probe.call, stand_in)
    assert core(changed) is stand_in
    await changed({}, ToolContext(secret=kept.append))
    assert (given, kept) == ([{"name": "ann"}], ["t0ken"])
