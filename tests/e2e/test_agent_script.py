"""An agent without a model: it finds a skill, runs it, is asked, answers, goes away, is back, and finds the result.

What it runs is `test_mr_ephemeral` on the local profile, behind a question of the workspace's own skill.
"""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import mcp_types as types
import pytest
from mcp.client.client import Client
from mcp.client.context import ClientRequestContext
from mcp.client.stdio import StdioServerParameters, stdio_client

from tests.e2e.mcp_clients.serving import as_command, listening
from tests.e2e.mcp_clients.typescript import LEGACY, MODERN, over_http, typescript
from tests.flow.workshop import Workshop, until
from tests.servers.configured import living
from tests.shell import SKILL, Shell

TRY_OUT = """
name: try_out
description: Tries out the newest merge request, after asking how far to go.
tags: [delivery]
steps:
  - name: extent
    ask: {question: How far shall it be tried out?, choices: [deploy, tests]}
  - {name: hold, tool: wait_for, args: {name: go}}
  - name: trial
    skill: test_mr_ephemeral
    inputs: {run_tests: "{{ extent == 'tests' }}"}
outputs:
  - {name: digest, value: "{{ trial.digest }}"}
  - {name: passed, value: "{{ trial.tests.passed if trial.tests else None }}"}
  - {name: kept, value: "{{ trial.kept }}"}
"""


@pytest.fixture
def workplace(shell: Shell) -> Iterator[Workshop]:
    """A workspace with the skill that asks, and then waits for a file; the platform it needs does not run yet.

    What still runs at the end, because a test has failed, is ended.
    """
    made = Workshop(shell.folder, shell.home)
    made.furnish()
    made.tool("wait_for", 'while ! test -e "$1"; do sleep 0.05; done\n', effect="read", timeout=110)
    (made.folder / "skills").mkdir()
    (made.folder / "skills" / "try_out.yaml").write_text(TRY_OUT)
    yield made
    for pid in living("SKILL_HOME", shell.home):
        os.kill(pid, signal.SIGTERM)
    until(lambda: not living("SKILL_HOME", shell.home))


@asynccontextmanager
async def agent(workplace: Workshop, mode: str, asked: list[str]) -> AsyncIterator[Client]:
    """The agent with a server process of its own; whatever it is asked, it wants the tests too."""

    async def answer(context: ClientRequestContext, params: types.ElicitRequestParams) -> types.ElicitResult:
        del context
        assert isinstance(params, types.ElicitRequestFormParams)
        asked.append(params.message)
        field = next(iter(params.requested_schema["properties"]))
        return types.ElicitResult(action="accept", content={field: "tests"})

    words = ["mcp", "serve", "--wait", "8"]
    server = StdioServerParameters(command=str(SKILL), args=words, env=workplace.environment, cwd=str(workplace.folder))
    async with Client(stdio_client(server), mode=mode, elicitation_callback=answer) as client:
        yield client


async def structured(client: Client, tool: str, /, **arguments: Any) -> dict[str, Any]:
    """The structured content of a call that went well."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result
    assert isinstance(result.structured_content, dict)
    return result.structured_content


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_python_agent_finds_its_result_in_another_process(workplace: Workshop, mode: str) -> None:
    """Asked within the call, answered, running; the server goes, another one tells the outcome by the run's id."""
    asked: list[str] = []
    async with agent(workplace, mode, asked) as client:
        found = await structured(client, "skill_list", tag="delivery")
        assert "try_out" in str(found)
        described = await structured(client, "skill_describe", name="try_out")
        assert "asking how far to go" in str(described)
        begun = await structured(client, "try_out")
        assert (begun["skill"], begun["status"]) == ("try_out", "running")
        assert "run_status" in begun["next"]
    assert len(asked) == 1
    assert "How far" in asked[0]
    (workplace.folder / "go").touch()
    async with agent(workplace, mode, asked) as client:
        ended = await structured(client, "run_status", run_id=begun["run_id"], wait_seconds=90)
    assert ended["status"] == "ok", ended
    assert ended["outputs"]["digest"].startswith("sha256:")
    assert ended["outputs"]["passed"] > 0
    assert ended["outputs"]["kept"] is False
    assert len(asked) == 1


@pytest.mark.parametrize(("sdk", "era"), [(1, LEGACY), (2, MODERN)])
def test_a_typescript_agent_finds_its_result_after_the_server_was_killed(
    workplace: Workshop, sdk: int, era: str
) -> None:
    """It cannot be asked by form, so it answers by `run_answer`; SIGKILL for the server; the run has gone on."""
    with (
        listening(workplace, "--wait", "0.1") as server,
        typescript(over_http(server.url, server.token), sdk=sdk, era=era) as client,
    ):
        waiting = client.call("try_out", {})["structuredContent"]
        while waiting["status"] == "running":
            waiting = client.call("run_status", {"run_id": waiting["run_id"], "wait_seconds": 30})["structuredContent"]
        assert waiting["status"] == "waiting"
        assert waiting["questions"][0]["choices"] == ["deploy", "tests"]
        answers = {waiting["questions"][0]["name"]: "tests"}
        begun = client.call("run_answer", {"run_id": waiting["run_id"], "answers": answers, "wait_seconds": 0})
        assert begun["structuredContent"]["status"] == "running"
        server.process.kill()
        server.process.wait()
    (workplace.folder / "go").touch()
    with typescript(as_command(workplace), sdk=sdk, era=era) as client:
        ended = client.call("run_status", {"run_id": waiting["run_id"], "wait_seconds": 90})["structuredContent"]
    assert ended["status"] == "ok", ended
    assert ended["outputs"]["digest"].startswith("sha256:")
    assert ended["outputs"]["passed"] > 0
