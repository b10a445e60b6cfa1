"""What the server's tools answer fits the schemas it tells, however a call ends; and every schema is one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.mcp_wire import Spoken, call, request, spoken, workspace

SKILLS = {
    "fails": "name: fails\ndescription: Fails.\nsteps:\n  - {name: look, tool: missing_program}\n"
    "outputs:\n  - {name: seen, value: '{{ look }}'}\n",
    "asks": "name: asks\ndescription: Asks.\nsteps:\n"
    "  - {name: color, ask: {question: Which color?, choices: [red, blue]}}\n"
    "outputs:\n  - {name: color, value: '{{ color }}'}\n",
    "stops": "name: stops\ndescription: Stops.\nsteps:\n"
    "  - {name: halt, stop: {status: blocked, message: not today}}\n",
    "naps": "name: naps\ndescription: Naps.\nsteps:\n  - {name: nap, tool: nap}\n",
    "broken": "name: broken\nsteps:\n  - {name: say, tool: ecoh}\n",
}
TOOLS = {"missing_program": "[no-such-program-anywhere]", "nap": "[sleep, '30']"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spoken]:
    """A server whose skills end in every way."""
    folder = tmp_path_factory.mktemp("schemas")
    here = workspace(folder / "work", folder / "home", **SKILLS)
    (here.folder / "tools").mkdir()
    for name, argv in TOOLS.items():
        text = f"name: {name}\ndescription: Does.\neffect: read\ncommand:\n  argv: {argv}\n"
        (here.folder / "tools" / f"{name}.yaml").write_text(text)
    with spoken(here) as running:
        yield running


@pytest.fixture(scope="module")
def listed(server: Spoken) -> dict[str, dict[str, Any]]:
    """The tools by name."""
    return {each["name"]: each for each in server.ask(request("list", "tools/list"))["result"]["tools"]}


def asked(server: Spoken, listed: dict[str, dict[str, Any]], tool: str, **arguments: Any) -> dict[str, Any]:
    """The structured content of a call, once it fits the tool's schema."""
    Draft202012Validator(listed[tool]["inputSchema"]).validate(arguments)
    result = server.ask(call(f"{tool} {len(server.messages)}", tool, **arguments))["result"]
    told: dict[str, Any] = result["structuredContent"]
    Draft202012Validator(listed[tool]["outputSchema"]).validate(told)
    assert result["content"][0]["text"]
    return {**told, "isError": result["isError"]}


def test_every_schema_is_one(listed: dict[str, dict[str, Any]]) -> None:
    """Of draft 2020-12, an object at the root, with a title and a description that say what the tool is for."""
    for tool in listed.values():
        for schema in (tool["inputSchema"], tool["outputSchema"]):
            Draft202012Validator.check_schema(schema)
            assert schema["type"] == "object"
        assert tool["title"]
        assert len(tool["description"]) > 5
        assert set(tool["annotations"]) == {
            "title", "readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"
        }  # fmt: skip


def test_what_is_told_of_skills_and_memory_fits(server: Spoken, listed: dict[str, dict[str, Any]]) -> None:
    """Broken skills, pages, and what memory does not know included."""
    assert asked(server, listed, "skill_list")["total"] >= len(SKILLS)
    page = asked(server, listed, "skill_list", limit=1)
    assert page["next"].startswith("skill_list(after=")
    assert asked(server, listed, "skill_list", query="asks")["skills"][0]["name"] == "asks"
    assert asked(server, listed, "skill_describe", name="greet")["inputs"] == listed["greet"]["inputSchema"]
    asked(server, listed, "check_known_issues", tool_name="git_push", error_text="connection refused")
    asked(server, listed, "debug_tool", tool_name="echo")
    asked(server, listed, "memory_read")
    asked(server, listed, "memory_read", file="learned/patterns.yaml")
    fix = {"error_pattern": "no such program", "root_cause": "not installed", "fix_description": "install it"}
    assert asked(server, listed, "learn_tool_fix", tool_name="missing_program", **fix)["changed"] is True
    asked(server, listed, "get_health")


def test_calls_of_tools_fit(server: Spoken, listed: dict[str, dict[str, Any]]) -> None:
    """One that works, and one that fails."""
    assert asked(server, listed, "tool_exec", name="echo", args={"value": {"a": [1]}})["value"] == {"a": [1]}
    failed = asked(server, listed, "tool_exec", name="missing_program")
    assert asked(server, listed, "run_logs", run_id=failed["run_id"])["lines"]
    latest = asked(server, listed, "run_status")["runs"][0]
    assert (latest["run_id"], latest["skill"], latest["tool"]) == (failed["run_id"], "tool_exec", "missing_program")
    assert failed["isError"] is True
    assert failed["failure"]["message"]
    late = asked(server, listed, "tool_exec", name="nap", timeout_seconds=0.2)
    assert late["isError"] is True


def test_runs_fit_however_they_end(server: Spoken, listed: dict[str, dict[str, Any]]) -> None:
    """Done, failed, blocked, waiting and answered, running and cancelled; their logs, and the list of all."""
    assert asked(server, listed, "greet", who="x")["status"] == "ok"
    failed = asked(server, listed, "fails")
    assert (failed["status"], failed["isError"], failed["failed"]["step"]) == ("failed", True, "look")
    assert asked(server, listed, "stops")["status"] == "blocked"
    waits = asked(server, listed, "asks")
    assert (waits["status"], waits["isError"]) == ("waiting", False)
    assert waits["questions"][0]["choices"] == ["red", "blue"]
    answered = asked(server, listed, "run_answer", run_id=waits["run_id"], answers={"color": "red"})
    assert answered["outputs"] == {"color": "red"}
    runs = asked(server, listed, "skill_run", name="naps", wait_seconds=0)
    assert (runs["status"], runs["isError"]) == ("running", False)
    assert asked(server, listed, "run_status", run_id=runs["run_id"])["status"] == "running"
    assert asked(server, listed, "run_cancel", run_id=runs["run_id"])["status"] == "cancelled"
    assert asked(server, listed, "run_logs", run_id=failed["run_id"], limit=2)["more"] is True
    assert len(asked(server, listed, "run_status")["runs"]) >= 5


def test_workspace_is_left_alone(tmp_path: Path) -> None:
    """Listing leaves nothing in the workspace's folder."""
    here = workspace(tmp_path / "work", tmp_path / "home")
    before = sorted(here.folder.rglob("*"))
    with spoken(here) as server:
        server.ask(request(1, "tools/list"))
        server.ask(call(2, "skill_list"))
    assert sorted(here.folder.rglob("*")) == before
