"""Command tools: argument lists, endings, and output that becomes a value."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tool_registry import Effect, FixScope, Tool, ToolContext, ToolError, ToolOutput, ToolRegistry
from tool_registry.sources.definition import seconds, tool_from
from tool_registry.sources.placeholders import DefinitionError

PLACE = "tools/probe.yaml"
PATH = {"PATH": os.defpath}
SHOW = ["printf", "[%s]"]


def _tool(command: Mapping[str, Any], **rest: Any) -> Tool:
    properties = rest.pop("properties", {})
    required = rest.pop("required", list(properties))
    parameters = {"type": "object", "properties": properties, "required": required}
    return tool_from({"name": "probe", "parameters": parameters, "command": dict(command), **rest}, PLACE)


async def _call(tool: Tool, context: ToolContext | None = None, **arguments: Any) -> ToolOutput:
    return await ToolRegistry(tool).call("probe", arguments, context or ToolContext(timeout=10, environment=PATH))


async def _failure(tool: Tool, context: ToolContext | None = None, **arguments: Any) -> ToolError:
    with pytest.raises(ToolError) as caught:
        await _call(tool, context, **arguments)
    return caught.value


def _mistake(command: Mapping[str, Any], **rest: Any) -> str:
    with pytest.raises(DefinitionError) as caught:
        _tool(command, **rest)
    assert caught.value.place == PLACE
    return caught.value.message


async def test_value_stays_one_argument() -> None:
    """Blanks, quotes, dollar signs and line breaks never leave their argument."""
    text = "a b; $(reboot) 'c' \"d\"\n*"
    tool = _tool({"argv": [*SHOW, "{x}", "--opt={x}"]}, properties={"x": {"type": "string"}})
    assert (await _call(tool, x=text)).value == f"[{text}][--opt={text}]"


async def test_list_spreads_and_other_values_are_spelled() -> None:
    """A list becomes one argument per element, also behind an option; numbers and truth values are written as JSON."""
    tool = _tool(
        {"argv": [*SHOW, "{many}", "--label={many}", "{n}", "{flag}", "{thing.key}"]},
        properties={"many": {"type": "array"}, "n": {}, "flag": {}, "thing": {"type": "object"}},
    )
    output = await _call(tool, many=["a", "b c", 3], n=1.5, flag=True, thing={"key": "v"})
    assert output.value == "[a][b c][3][--label=a][--label=b c][--label=3][1.5][true][v]"


@pytest.mark.parametrize(
    ("given", "there"),
    [
        ({}, False),
        ({"x": None}, False),
        ({"x": False}, False),
        ({"x": ""}, False),
        ({"x": []}, False),
        ({"x": True}, True),
        ({"x": 0}, True),
        ({"x": "v"}, True),
    ],
)
async def test_optional_arguments(given: dict[str, Any], there: bool) -> None:
    """`{if, then}` adds its arguments when the parameter has a value."""
    tool = _tool({"argv": [*SHOW, {"if": "x", "then": ["--flag"]}, "end"]}, properties={"x": {}}, required=[])
    assert (await _call(tool, **given)).value == ("[--flag][end]" if there else "[end]")


async def test_defaults_fill_in() -> None:
    """A parameter with a default needs no `if`."""
    tool = _tool({"argv": [*SHOW, "{x}"]}, properties={"x": {"type": "string", "default": "d"}}, required=[])
    assert (await _call(tool)).value == "[d]"
    assert (await _call(tool, x="e")).value == "[e]"


async def test_value_never_becomes_an_option() -> None:
    """A value that starts with a dash is refused where it could be read as an option, before anything runs."""
    tool = _tool({"argv": [*SHOW, "{x}"]}, properties={"x": {"type": "string"}})
    failure = await _failure(tool, x="--upload-pack=evil")
    assert (failure.kind, failure.sent) == ("usage_error", False)
    listed = _tool({"argv": [*SHOW, "{x}"]}, properties={"x": {"type": "array"}})
    assert (await _failure(listed, x=["fine", "-rf"])).kind == "usage_error"
    joined = _tool({"argv": [*SHOW, "{x}{y}"]}, properties={"x": {"type": "string"}, "y": {"type": "string"}})
    assert (await _failure(joined, x="", y="-rf")).kind == "usage_error"


async def test_dash_is_fine_where_it_cannot_be_an_option() -> None:
    """Behind `--`, behind `--opt=`, and where the definition allows it, a dash is a character."""
    properties = {"x": {"type": "string"}}
    assert (await _call(_tool({"argv": [*SHOW, "--", "{x}"]}, properties=properties), x="-a")).value == "[--][-a]"
    assert (await _call(_tool({"argv": [*SHOW, "--m={x}"]}, properties=properties), x="-a")).value == "[--m=-a]"
    allowed = _tool({"argv": [*SHOW, "-m", "{x}"], "allow_dash": ["x"]}, properties=properties)
    assert (await _call(allowed, x="-a")).value == "[-m][-a]"


async def test_braces_of_other_programs_are_left_alone() -> None:
    """Templates of other programs, and braces around no name, stay; a backslash makes a brace literal."""
    tool = _tool(
        {"argv": [*SHOW, "{{.Digest}}", "stash@{0}", r"HEAD@\{upstream}", "{}", "{{x}}"]}, properties={"x": {}}
    )
    assert (await _call(tool, x=1)).value == "[{{.Digest}}][stash@{0}][HEAD@{upstream}][{}][{{x}}]"


async def test_folder_input_and_environment(tmp_path: Path) -> None:
    """The folder, standard input and environment are filled too; what was not given is left out."""
    secrets: list[Any] = []
    context = ToolContext(
        timeout=10,
        folder=tmp_path,
        environment={**PATH, "TOKEN": "s3cret-token"},
        settings={"key": "from-settings", "deep": {"er": "yes"}},
        secret=secrets.append,
    )
    command = {
        "argv": ["sh", "-c", 'pwd; cat; echo "$A-$B-$C-$D"'],
        "cwd": "{folder}/{sub}",
        "stdin": "{text}\n",
        "environment": {
            "A": "{text}",
            "B": {"secret_env": "TOKEN"},
            "C": {"settings": "key"},
            "D": "{settings.deep.er}{missing}",
        },
        "output": "lines",
    }
    (tmp_path / "in").mkdir()
    properties = {"sub": {"type": "string"}, "text": {"type": "string"}, "missing": {}}
    tool = _tool(command, properties=properties, required=["sub", "text"])
    output = await _call(tool, context, sub="in", text="hello")
    assert output.value == [str(tmp_path / "in"), "hello", "hello-s3cret-token-from-settings-"]
    assert secrets == ["s3cret-token", "from-settings"]


async def test_missing_secret_and_setting_say_so() -> None:
    """What the environment or the domain does not have is named, and nothing is run."""
    failure = await _failure(_tool({"argv": ["true"], "environment": {"A": {"secret_env": "NOT_THERE"}}}))
    assert (failure.kind, failure.sent) == ("environment_variable", False)
    failure = await _failure(_tool({"argv": ["echo", "{settings.nothing}"]}))
    assert (failure.kind, failure.sent) == ("configuration_error", False)


@pytest.mark.parametrize(
    ("output", "printed", "value"),
    [
        ("text", r"a\nb\n\n", "a\nb"),
        ("lines", r"a\n\nb\n", ["a", "", "b"]),
        ("lines", "", []),
        ("json", r'{"a": [1, null]}\n', {"a": [1, None]}),
        ("none", "anything", None),
        ({"regex": r"^(?P<name>\w+)=(?P<size>\d+)$"}, r"x\na=1\nb=2\n", {"name": "a", "size": "1"}),
        (
            {"regex": r"^(?P<name>\w+)=(?P<size>\d+)?$", "many": True},
            r"a=1\nb=\n",
            [{"name": "a", "size": "1"}, {"name": "b", "size": None}],
        ),
        ({"regex": r"(?P<name>zzz)", "many": True}, "nothing", []),
    ],
)
async def test_output_becomes_a_value(output: Any, printed: str, value: Any) -> None:
    """Each form of output gives its value."""
    assert (await _call(_tool({"argv": ["printf", printed], "output": output}))).value == value


async def test_part_of_json_is_selected() -> None:
    """`select` is a path of keys and positions."""
    command = {"argv": ["echo", '{"a": [{"b": 5}]}'], "output": "json", "select": "a.0.b"}
    assert (await _call(_tool(command))).value == 5
    failure = await _failure(_tool({**command, "select": "a.1.b"}))
    assert failure.kind == "api_contract_mismatch"
    assert "a.1" in failure.message


@pytest.mark.parametrize("output", ["json", {"regex": "(?P<x>nothing like that)"}])
@pytest.mark.parametrize("printed", ["", "<html>"])
async def test_output_of_another_form_is_a_mismatch(output: Any, printed: str) -> None:
    """A program that succeeds and prints something else breaks its contract."""
    failure = await _failure(_tool({"argv": ["printf", printed], "output": output}))
    assert (failure.kind, failure.output) == ("api_contract_mismatch", printed)


async def test_standard_error_can_be_the_output() -> None:
    """`stream: stderr` reads the other stream."""
    tool = _tool({"argv": ["sh", "-c", "echo out; echo err >&2"], "stream": "stderr"})
    output = await _call(tool)
    assert (output.value, output.text) == ("err", "out\n\nerr\n")


async def test_exit_statuses_mean_what_the_definition_says() -> None:
    """A status can be good, "not found", or a failure with its kind and sentence; others are failures."""
    command = {
        "argv": ["sh", "-c", 'echo out; exit "$1"', "-", "{status}"],
        "exit": {2: "ok", "3": "not_found", 4: {"kind": "conflict", "message": "taken"}, 0: "failed"},
    }
    tool = _tool(command, properties={"status": {"type": "integer"}})
    assert (await _call(tool, status=2)).value == "out"
    assert (await _call(tool, status=3)).found is False
    failure = await _failure(tool, status=4)
    assert (failure.kind, failure.message, failure.exit_status) == ("conflict", "taken", 4)
    assert (await _failure(tool, status=0)).exit_status == 0
    assert (await _failure(tool, status=5)).kind is None


async def test_not_found_needs_its_sign() -> None:
    """A status that may mean "not found" or something else is told apart by what the program says."""
    command = {
        "argv": ["sh", "-c", 'echo "$1" >&2; exit "$2"', "-", "{says}", "{status}"],
        "not_found": {"exit": [1], "stderr": "manifest unknown"},
    }
    tool = _tool(command, properties={"says": {"type": "string"}, "status": {"type": "integer"}})
    assert (await _call(tool, says="manifest unknown", status=1)) == ToolOutput(text="manifest unknown", found=False)
    assert (await _failure(tool, says="unauthorized", status=1)).exit_status == 1
    assert (await _failure(tool, says="manifest unknown", status=2)).exit_status == 2
    assert (await _call(tool, says="manifest unknown", status=0)).found is True


async def test_failure_marker_of_a_program_that_exits_zero() -> None:
    """A program that fails with exit status 0 is caught by the sign its definition declares."""
    says = {"says": {"type": "string"}}
    command = {"argv": ["sh", "-c", 'echo "$1"; echo "$1" >&2', "-", "{says}"]}
    by_text = _tool({**command, "failed_when": {"stderr": "^ERR "}}, properties=says)
    assert (await _call(by_text, says="no error")).value == "no error"
    assert (await _failure(by_text, says="ERR wrong")).exit_status == 0
    marker = {"json": {"ok": False, "error.code": 7}, "kind": "conflict", "message": "said no"}
    by_json = _tool({**command, "failed_when": [marker]}, properties=says)
    assert (await _call(by_json, says='{"ok": false}')).value == '{"ok": false}'
    failure = await _failure(by_json, says='{"ok": false, "error": {"code": 7}}')
    assert (failure.kind, failure.message) == ("conflict", "said no")


async def test_long_structured_output_is_refused_not_cut() -> None:
    """JSON with its middle missing is no value; plain text says what is missing."""
    numbers = ["seq", "-s,", "1", "100000"]
    failure = await _failure(_tool({"argv": numbers, "output": "lines", "output_limit": 1000}))
    assert failure.kind == "resource_exhausted"
    output = await _call(_tool({"argv": numbers, "output_limit": 1000}))
    assert "bytes left out" in output.value


@pytest.mark.parametrize(
    ("command", "rest", "says"),
    [
        ({}, {}, "argv must be a list"),
        ({"argv": "git status"}, {}, "argv must be a list"),
        ({"argv": ["{program}"]}, {"properties": {"program": {}}}, "no argument may choose it"),
        ({"argv": [{"if": "x", "then": ["rm"]}, "ls"]}, {"properties": {"x": {}}}, "no argument may choose it"),
        ({"argv": ["sh", "-c", "rm {x}"]}, {"properties": {"x": {}}}, "shell"),
        ({"argv": ["/bin/bash", "-ec", "{x}"]}, {"properties": {"x": {}}}, "shell"),
        ({"argv": ["env", "A=1", "sh", "-c", "{settings.x}"]}, {}, "shell"),
        ({"argv": ["ls", "{nme}"]}, {"properties": {"name": {}}}, "{nme} is no parameter"),
        ({"argv": ["ls", "{x}"]}, {"properties": {"x": {}}, "required": []}, "may be left out"),
        (
            {"argv": ["ls", {"if": "y", "then": ["{x}"]}]},
            {"properties": {"x": {}, "y": {}}, "required": []},
            "left out",
        ),
        ({"argv": ["ls", ["-l"]]}, {}, "an argument is a text"),
        ({"argv": ["ls"], "outptu": "json"}, {}, "did you mean output?"),
        ({"argv": ["ls"], "output": "yaml"}, {}, "output must be one of"),
        ({"argv": ["ls"], "output": {"regex": "("}}, {}, "not a regular expression"),
        ({"argv": ["ls"], "output": {"regex": "a"}}, {}, "names no group"),
        ({"argv": ["ls"], "stream": "stdin"}, {}, "stdout or stderr"),
        ({"argv": ["ls"], "exit": {"x": "ok"}}, {}, "whole number"),
        ({"argv": ["ls"], "exit": {1: "fine"}}, {}, "ok, not_found, failed"),
        ({"argv": ["ls"], "not_found": True}, {}, "not_found needs"),
        ({"argv": ["ls"], "failed_when": {"kind": "conflict"}}, {}, "a sign needs"),
        ({"argv": ["ls"], "environment": {"A": {"file": "x"}}}, {}, "a secret is"),
        ({"argv": ["ls"]}, {"timeout": "soon"}, "a timeout is seconds"),
        ({"argv": ["ls"]}, {"effect": "reed"}, "effect is one of read, write, destructive"),
        ({"argv": ["ls"]}, {"fix": "all"}, "fix is one of"),
        ({"argv": ["ls"]}, {"needs": {"program": ["x"]}}, "did you mean programs?"),
        ({"argv": ["ls"]}, {"secret": "yes"}, "secret is true"),
        ({"argv": ["ls"]}, {"http": {}}, "exactly one of"),
        ({"argv": ["ls"]}, {"descripton": ""}, "did you mean description?"),
    ],
)
def test_mistakes_are_found_when_defined(command: dict[str, Any], rest: dict[str, Any], says: str) -> None:
    """A definition that cannot work is refused before any call, with its place."""
    assert says in _mistake(command, **rest)


def test_common_keys_are_read() -> None:
    """Everything a definition may say about a tool is in the tool."""
    tool = _tool(
        {"argv": ["ls"]},
        description=" Lists. ",
        effect="destructive",
        idempotent=True,
        domain="forge",
        timeout="2m",
        fix="credentials",
        verify="looks",
        needs={"programs": ["ls"], "environment": ["HOME"], "modules": ["json"]},
        result={"type": "string"},
        examples=[{}],
    )
    assert (tool.description, tool.effect, tool.idempotent, tool.domain) == (
        "Lists.",
        Effect.DESTRUCTIVE,
        True,
        "forge",
    )
    assert (tool.timeout, tool.fix, tool.verify) == (120.0, FixScope.CREDENTIALS, "looks")
    assert (tool.needs.programs, tool.needs.environment, tool.needs.modules) == (("ls",), ("HOME",), ("json",))
    assert (tool.result, tool.examples, tool.source, tool.location) == ({"type": "string"}, ({},), "command", PLACE)
    assert tool.parameters["additionalProperties"] is False


def test_effect_that_nobody_vouched_for_is_a_write() -> None:
    """A command that does not say what it does is not taken for a read."""
    assert _tool({"argv": ["ls"]}).effect is Effect.WRITE


def test_durations() -> None:
    """Seconds, or text with a unit."""
    assert [seconds(spec, PLACE) for spec in (1, 0.5, "3", "90s", "1.5m", "2h")] == [1, 0.5, 3, 90, 90, 7200]


@pytest.mark.parametrize("pattern", ["([", 5])
def test_a_format_that_cannot_be_read_is_a_mistake_of_the_definition(pattern: Any) -> None:
    """It is told when the tool is read, not when the first value is held against it."""
    with pytest.raises(DefinitionError, match="the pattern of tag cannot be read"):
        _tool({"argv": [*SHOW, "{tag}"]}, properties={"tag": {"type": "string", "pattern": pattern}})
