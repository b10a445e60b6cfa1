"""docs/mcp-server.md works as it is printed, and its tables are those of the server."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mcp_wire import call, request, spoken, workspace
from tests.shell import SKILL, Shell

PAGE = (Path(__file__).parents[2] / "docs" / "mcp-server.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The page's examples in one language, in order."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)


@pytest.fixture
def here(tmp_path: Path) -> Shell:
    """A workspace with the skill the examples run."""
    return workspace(tmp_path / "work", tmp_path / "home", greet=blocks("yaml")[0])


def test_the_entry_for_hosts_is_printed_and_starts_a_server(here: Shell) -> None:
    """`skill mcp config` prints what the page shows, with this workspace; what it names serves."""
    shown = json.loads(blocks("console")[0].partition("\n")[2])
    environment = {key: value for key, value in here.environment.items() if key != "SKILL_HOME"}
    done = subprocess.run(
        [SKILL, "-C", here.folder, "mcp", "config"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    entry = json.loads(done.stdout)["mcpServers"]["skills"]
    assert entry.keys() == shown["mcpServers"]["skills"].keys()
    assert entry["args"] == [
        word.replace("/path/to/workspace", str(here.folder)) for word in shown["mcpServers"]["skills"]["args"]
    ]
    answered = subprocess.run(
        [entry["command"], *entry["args"]],
        input=blocks("json")[0],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert "greet: Says hello." in json.loads(answered.stdout.splitlines()[-1])["result"]["content"][0]["text"]


def test_options_of_the_server_are_written_into_the_entry(here: Shell) -> None:
    """And the home of live files, where the environment has one; over HTTP the token stays in the environment."""
    words = ("--allow", "read", "--wait", "5", "--tags", "a,b", "--skills", "x*")
    told = here.json("mcp", "config", "--name", "chores", *words)["mcpServers"]["chores"]
    assert told["args"][2:] == [
        "mcp", "serve", "--allow", "read", "--wait", "5", "--tags", "a", "--tags", "b", "--skills", "x*"
    ]  # fmt: skip
    assert told["env"] == {"SKILL_HOME": str(here.home)}
    assert here.json("mcp", "config", "--http", "--port", "9000")["mcpServers"]["skills"] == {
        "type": "http",
        "url": "http://127.0.0.1:9000/mcp",
        "headers": {"Authorization": "Bearer ${SKILL_MCP_TOKEN}"},
    }


def test_the_example_in_python_runs_a_skill(here: Shell) -> None:
    """With the SDK's client."""
    path = f"{SKILL.parent}:{os.environ['PATH']}"
    done = subprocess.run(
        [sys.executable, "-c", blocks("python")[0], here.folder],
        env={**here.environment, "PATH": path},
        cwd=here.folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stdout == "ok {'greeting': 'hello you'}\n", done.stderr


def test_the_table_of_tools_is_that_of_the_server(here: Shell) -> None:
    """The same names in the same order, each in the tier it says."""
    rows = re.findall(r"^\| `([a-z_]+)` \| `(read|run)` \|", PAGE, flags=re.MULTILINE)
    listed: dict[str, list[str]] = {}
    for tier in ("read", "run"):
        with spoken(here, "--allow", tier) as server:
            listed[tier] = [each["name"] for each in server.ask(request(1, "tools/list"))["result"]["tools"]]
    general = [name for name, _ in rows]
    assert listed["run"][: len(general)] == general
    assert listed["read"] == [name for name, tier in rows if tier == "read"]


def test_the_answer_of_a_run_has_the_fields_of_the_page(here: Shell) -> None:
    """Every field has its row, and there is no other."""
    table = PAGE.partition("| field | holds |")[2].partition("\n\n")[0]
    named = [
        name for row in re.findall(r"^\| (`.*?) \|", table, flags=re.MULTILINE) for name in re.findall("`(.*?)`", row)
    ]
    with spoken(here) as server:
        told = server.ask(call(1, "greet", who="x"))["result"]["structuredContent"]
    assert sorted(named) == sorted(told)


def test_the_entry_for_a_server_over_http_says_how_the_token_reaches_the_host(here: Shell) -> None:
    """With the file that is read, and every word the server is started with; a port that changes makes no entry."""
    plain = here.run("mcp", "config", "--http")
    assert f"export SKILL_MCP_TOKEN=$(cat {here.home / 'state' / 'mcp-token'})" in plain.stderr
    named = here.run("mcp", "config", "--http", "--token-file", "own").stderr
    assert named.count(str(here.folder / "own")) == 2
    refused = here.run("mcp", "config", "--http", "--port", "0")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "a port that stays the same" in refused.stderr
