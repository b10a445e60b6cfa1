"""`debug_tool`: the tool's own text, wherever it is written, its past, and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine import Engine, InputError
from engine.documents import read
from engine.memory_tools.debugging import debug_tool
from engine.memory_tools.executing import tool_exec
from engine.memory_tools.known import check_known_issues

DEFINITION = """\
# Lists a folder.
name: list_folder
description: Lists a folder.
needs: {programs: [no-such-program-here]}
parameters:
  properties: {folder: {type: string}}
  required: [folder]
command:
  argv: [ls, "{folder}"]
"""


def lines(file: str, first: int, last: int) -> str:
    """Lines of a file."""
    return "".join(Path(file).read_text().splitlines(keepends=True)[first - 1 : last])


async def test_of_a_python_tool_the_function_is_given_with_its_place(engine: Engine) -> None:
    """From its decorator to its last line; also of a function inside another."""
    report = await debug_tool(engine, "enter")
    assert Path(report.file).name == "conftest.py"
    assert report.code.lstrip().startswith("@tool(effect=Effect.WRITE")
    assert report.code.rstrip().endswith('return {"times": times}')
    assert lines(report.file, report.first_line, report.last_line) == report.code


async def test_of_a_tool_in_yaml_the_definition_is_given(engine: Engine) -> None:
    """All of it, with its comments, and what this machine lacks."""
    folder = engine.workspace.folder / "tools"
    folder.mkdir()
    (folder / "list_folder.yaml").write_text(DEFINITION)
    report = await debug_tool(engine, "list_folder")
    assert (report.source, report.code, report.first_line) == ("command", DEFINITION, 1)
    assert report.missing == ["the program no-such-program-here"]
    assert report.steps[0] == "Provide what is missing here: the program no-such-program-here"
    assert report.steps[-1] == "Call it alone: skill tools exec list_folder -i folder=VALUE"


async def test_patterns_of_the_program_a_tool_runs_are_heard(engine: Engine) -> None:
    """The program of its definition, as when the tool itself fails; of a tool that is gone, none."""
    folder = engine.workspace.folder / "tools"
    folder.mkdir()
    (folder / "list_folder.yaml").write_text(DEFINITION)
    pattern = "{id: of-ls, pattern: '^ls: no shelf', kind: resource_not_found, meaning: No shelf, program: ls}"
    learned = engine.workspace.memory / "learned"
    learned.mkdir(parents=True, exist_ok=True)
    (learned / "patterns.yaml").write_text(f"error_patterns: []\nlearned_patterns: [{pattern}]\n")
    known = await check_known_issues(engine, "list_folder", "ls: no shelf 7")
    assert (known.kind, known.issues[-1].meaning) == ("resource_not_found", "No shelf")
    assert (await debug_tool(engine, "list_folder", "ls: no shelf 7")).known == known
    assert not (await check_known_issues(engine, "gone", "ls: no shelf 7")).issues


async def test_the_contract_is_what_healing_goes_by(engine: Engine) -> None:
    """As the tool declares it."""
    contract = (await debug_tool(engine, "enter")).contract
    told = {name: contract[name] for name in ("effect", "idempotent", "domain", "timeout")}
    assert told == {"effect": "write", "idempotent": False, "domain": "door", "timeout": 5}
    assert set(contract["parameters"]["properties"]) == {"times", "words"}


async def test_its_newest_failures_come_from_history_and_the_last_is_explained(engine: Engine) -> None:
    """Where nobody said what it said, the last failure is what is looked up."""
    engine.memory.fixes.learn("enter", "painted on", "it is no door", "walk on")
    done = await tool_exec(engine, "enter", {"words": "It is painted on."})
    await tool_exec(engine, "echo", {"value": 1})
    report = await debug_tool(engine, "enter")
    assert [(each.error, each.run, each.healed) for each in report.recent_failures] == [
        ("It is painted on.", done.run, False)
    ]
    assert "Known: it is no door: walk on" in report.steps
    assert f"See how it went last: skill status {done.run}" in report.steps


async def test_to_ask_makes_no_history(engine: Engine) -> None:
    """Looking leaves no files."""
    assert (await debug_tool(engine, "enter")).recent_failures == []
    assert not engine.workspace.history.exists()


async def test_a_name_that_no_tool_has_is_answered_with_the_nearest(engine: Engine) -> None:
    """As everywhere."""
    with pytest.raises(InputError, match="log_in"):
        await debug_tool(engine, "login")


async def test_every_shipped_tool_can_be_looked_at(engine: Engine) -> None:
    """Each has a text, and one that can be read."""
    for name in engine.registry:
        report = await debug_tool(engine, name)
        assert report.code, name
        assert report.first_line >= 1
        if report.file.endswith(".yaml"):
            assert read(Path(report.file)).value["name"] == name
