"""Runs of agents that come over HTTP: questions, cancelling, and connections that go away, in both protocol eras."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from tests.flow.agents import ERAS, accepts, agent_over_http, until_status, until_true
from tests.flow.test_background_runs import GATED, WAIT_FOR_GATE, newest
from tests.flow.workshop import Workshop
from tests.mcp_wire import served

pytestmark = pytest.mark.parametrize("era", ERAS)


@pytest.fixture
def shop(tmp_path: Path) -> Workshop:
    """A skill that waits for a file `gate`, and one that asks."""
    made = Workshop(tmp_path / "work", tmp_path / "home")
    made.furnish()
    made.tool("wait_for_gate", WAIT_FOR_GATE, effect="write", idempotent=False, timeout=60)
    made.skill(GATED)
    made.skill(GATED.replace("tool: wait_for_gate", "ask: {question: Sure?, type: boolean}"), "asks")
    return made


async def test_the_person_is_asked_over_http(shop: Workshop, era: str) -> None:
    """Within the call, by a request of the server or by the same call again."""
    with served(shop) as server:
        async with agent_over_http(server, era=era, answering=accepts(True)) as one:
            told = await one.call("asks")
    assert (told["status"], told["outputs"], one.asked) == ("ok", {"said": True}, ["Sure?"])
    assert one.progress
    assert shop.log == ["enter ann", "enter bob", "enter bye"]


async def test_giving_up_over_http(shop: Workshop, era: str) -> None:
    """With a handshake the client says that it cancels, and the run is cancelled.

    Without, all it can do is to close the stream of its answer. That looks like a connection that broke, so the run
    goes on; `run_cancel` ends it.
    """
    with served(shop) as server:
        async with agent_over_http(server, era=era) as one:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(one.call, "promise")
                await until_true(lambda: "wait" in shop.log)
                tasks.cancel_scope.cancel()
            if era == "auto":
                await anyio.sleep(1.0)
                assert (await one.call("run_status", run_id=newest(shop)))["status"] == "running"
                await one.call("run_cancel", run_id=newest(shop))
            assert (await until_status(one, newest(shop), "cancelled", "ok", "failed"))["status"] == "cancelled"
    assert shop.log == ["enter ann", "wait", "leave ann", "enter bye"]


async def test_a_killed_server_over_http(shop: Workshop, era: str) -> None:
    """The next one finds the run by its id, and no step ran twice."""
    with served(shop, "--wait", "0.2") as server:
        async with agent_over_http(server, era=era) as one:
            running = await one.call("promise")
        server.process.kill()
    (shop.folder / "gate").touch()
    with served(shop) as server:
        async with agent_over_http(server, era=era) as one:
            told = await one.call("run_status", run_id=running["run_id"], wait_seconds=30)
    assert (running["status"], told["status"]) == ("running", "ok")
    assert shop.log == ["enter ann", "wait", "enter bob", "enter bye"]
