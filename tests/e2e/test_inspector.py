"""The MCP Inspector's command line against our server: what its authors would see of it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.mcp_clients.serving import listening
from tests.flow.workshop import Workshop
from tests.servers import third_party
from tests.shell import SKILL
from tests.ways import ways

GREETS = """
inputs:
  - {name: name, type: string, required: true}
  - {name: times, type: integer, default: 2}
steps:
  - {name: one, tool: enter, args: {name: "{{ inputs.name }}"}}
outputs:
  - {name: said, value: "{{ inputs.name * inputs.times }}"}
"""

CHAINED = """
steps:
  - {name: it, tool: chores.greets, args: {name: bob}}
outputs:
  - {name: said, value: "{{ it.outputs.said }}"}
"""


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    """One skill."""
    made = Workshop(tmp_path / "work", tmp_path / "home")
    made.furnish()
    made.skill(GREETS, "greets")
    return made


@pytest.fixture(params=ways("HTTP", "stdio"))
def target(request: pytest.FixtureRequest, workshop: Workshop) -> Iterator[list[str]]:
    """How the Inspector is told where the server is."""
    if request.param == "stdio":
        yield [str(SKILL), "mcp", "serve", "--cwd", str(workshop.folder)]
        return
    with listening(workshop) as server:
        yield [server.url, "--transport", "http", "--header", f"Authorization: Bearer {server.token}"]


def inspect(workshop: Workshop, target: list[str], *options: str) -> subprocess.CompletedProcess[str]:
    """The finished Inspector."""
    return subprocess.run(
        [*third_party.inspector(), *target, *options],
        cwd=workshop.folder,
        env={**workshop.environment, "HOME": str(workshop.home)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def told(done: subprocess.CompletedProcess[str]) -> Any:
    """What it printed, as data."""
    assert done.returncode == 0, done.stderr + done.stdout
    return json.loads(done.stdout)


def test_the_inspector_lists_the_tools_and_finds_no_fault_with_their_schemas(
    workshop: Workshop, target: list[str]
) -> None:
    """`--strict` ends with an error when a schema would not do for every host."""
    listed = told(inspect(workshop, target, "--method", "tools/list", "--strict"))
    named = {tool["name"]: tool for tool in listed["tools"]}
    assert {"greets", "skill_list", "run_status"} <= set(named)
    assert named["greets"]["inputSchema"]["required"] == ["name"]


def test_the_inspector_calls_a_skill(workshop: Workshop, target: list[str]) -> None:
    """Its structured content is our result."""
    words = ["--tool-name", "greets", "--tool-arg", "name=ann", "times=2"]
    called = told(inspect(workshop, target, "--method", "tools/call", *words))
    assert called["structuredContent"]["outputs"] == {"said": "annann"}
    assert workshop.log == ["enter ann"]


def test_the_inspector_is_told_what_was_wrong(workshop: Workshop, target: list[str]) -> None:
    """An unknown tool and a wrong argument: an error, a sentence, nothing run."""
    unknown = inspect(workshop, target, "--method", "tools/call", "--tool-name", "nothing_like_it")
    assert "nothing_like_it" in unknown.stdout + unknown.stderr
    wrong = ["--tool-name", "greets", "--tool-arg", "times=3"]
    refused = inspect(workshop, target, "--method", "tools/call", *wrong)
    assert "name" in refused.stdout + refused.stderr
    assert workshop.log == []


def test_the_entry_that_is_printed_for_hosts_is_one_they_can_use(workshop: Workshop, tmp_path: Path) -> None:
    """`skill mcp config` into a file; the Inspector reads it as hosts do, and so does another workspace of ours."""
    printed = workshop.run("mcp", "config", "--name", "chores")
    other = Workshop(tmp_path / "other", tmp_path / "other-home")
    other.furnish()
    (other.folder / ".mcp.json").write_text(printed.stdout)
    inside = ["--config", str(other.folder / ".mcp.json"), "--server", "chores"]
    called = ["--method", "tools/call", "--tool-name", "greets", "--tool-arg", "name=ann"]
    assert told(inspect(workshop, inside, *called))["structuredContent"]["outputs"] == {"said": "annann"}
    assert other.json("run", other.skill(CHAINED))["outputs"] == {"said": "bobbob"}
    assert workshop.log == ["enter ann", "enter bob"]
