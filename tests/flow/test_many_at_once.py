"""Many runs and many steps at the same time: every one recorded, every count right, one fix for one trouble."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.flow.workshop import LOG_IN, Workshop
from tool_registry.sources.python import tool, tool_of
from tool_registry.tool import Effect, FixScope, ToolError

RUNS = 8
STEPS = """
steps:
  - {name: look, tool: look}
  - {name: bad, tool: refuse, on_error: continue}
  - {name: again, tool: look}
"""


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    """Tools and a lock that opens slowly."""
    made = Workshop(tmp_path / "work", tmp_path / "home")
    made.furnish(log_in="sleep 0.5\n" + LOG_IN)
    made.tool("refuse", "echo 'no such thing' >&2\nexit 4\n")
    return made


def at_once(workshop: Workshop, name: str) -> list[dict[str, Any]]:
    """The results of as many runs of a skill, all started together."""
    with ExitStack() as stack:
        processes = [stack.enter_context(workshop.running("run", name, "--json")) for _ in range(RUNS)]
        told = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0] * RUNS, told
    return [json.loads(output) for output, _ in told]


def test_eight_processes_in_one_home(workshop: Workshop) -> None:
    """One login per expiry, every run in history, and the file people read counts what history counts."""
    name = workshop.skill(STEPS)
    results = at_once(workshop, name)
    assert workshop.log == ["log_in"]
    (workshop.folder / "token").unlink()
    results += at_once(workshop, name)
    assert workshop.log == ["log_in", "log_in"]
    assert [result["status"] for result in results] == ["ok"] * len(results)

    history = workshop.json("history", "--limit", "100")
    assert sorted(run["run"] for run in history) == sorted(result["run"] for result in results)
    failed = [step for result in results for step in result["steps"] if step["status"] in {"healed", "tolerated"}]
    healed = sum(result["healed"] for result in results)
    assert healed == sum(step["status"] == "healed" for step in failed)

    kept = workshop.json("memory", "show", "failures")
    assert (kept["stats"]["total_failures"], kept["stats"]["auto_fixed"]) == (len(failed), healed)
    assert sum(day["total"] for day in kept["stats"]["daily"].values()) == len(failed)
    assert len(kept["failures"]) == len(failed)
    workshop.assert_memory_is_whole()


async def test_ten_runs_in_one_process_share_one_login(make_rig: Any) -> None:
    """An embedding program runs ten skills at once against one expired token."""
    logins: list[str] = []
    state = {"token": False}

    @tool(effect=Effect.READ, domain="slow_door", timeout=5)
    async def look_slowly() -> str:
        """Looks through a door."""
        if not state["token"]:
            raise ToolError("the server said 401", http_status=401, sent=True)
        return "inside"

    @tool(effect=Effect.WRITE, idempotent=True, domain="slow_door", fix=FixScope.CREDENTIALS, timeout=5)
    async def log_in_slowly() -> str:
        """Gets a token, in a while."""
        logins.append("log_in")
        await anyio.sleep(0.3)
        state["token"] = True
        return "logged in"

    settings = '[domains.slow_door]\nfixes.login = {call = {tool = "log_in_slowly"}, cooldown = 0}\n'
    rig = make_rig(tools=(tool_of(look_slowly), tool_of(log_in_slowly)), settings=settings)
    name = rig.write("steps:\n  - {name: look, tool: look_slowly}\n")
    results = []

    async def run() -> None:
        results.append(await rig.executor.run(name))

    async with anyio.create_task_group() as group:
        for _ in range(10):
            group.start_soon(run)
    totals = rig.engine.journal.totals()
    await rig.engine.aclose()
    assert [result.status for result in results] == ["ok"] * 10
    assert logins == ["log_in"]
    assert (totals.total, totals.auto_fixed) == (10, 10)
    assert len({result.run_id for result in results}) == 10
