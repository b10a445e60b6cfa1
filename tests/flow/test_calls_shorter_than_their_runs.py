"""A call ends before its run for want of patience: the run goes on, in the manner it was begun, and hears no cancel."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp.shared.exceptions import MCPError
from mcp_types import ElicitResult

from engine import Engine
from engine.frontends.mcp_server.server import build_server
from engine.frontends.mcp_server.serving import Serving
from tests.flow.agents import agent, connected, events_of, until_true
from tests.flow.test_background_runs import GATED, WAIT_FOR_GATE, in_both_eras, newest
from tests.flow.workshop import Workshop


@pytest.fixture
def shop(tmp_path: Path) -> Workshop:
    """A skill whose second step takes as long as the test wants: until there is a file `gate`."""
    made = Workshop(tmp_path / "work", tmp_path / "home")
    made.furnish()
    made.tool("wait_for_gate", WAIT_FOR_GATE, effect="write", idempotent=False, timeout=60)
    made.skill(GATED)
    return made


@in_both_eras
async def test_a_call_that_its_client_waits_for_no_longer_leaves_the_run_alone(shop: Workshop, era: str) -> None:
    """The SDK takes back a request whose time is over as one that is cancelled; only its reason tells them apart."""
    async with agent(shop, era=era) as one:
        with pytest.raises(MCPError, match="timed out"):
            await one.client.call_tool("promise", {}, read_timeout_seconds=1.5)
        await until_true(lambda: "wait" in shop.log)
        told = await one.call("run_status", run_id=newest(shop))
        assert told["status"] == "running"
        (shop.folder / "gate").touch()
        told = await one.call("run_status", run_id=told["run_id"], wait_seconds=30)
    assert (told["status"], told["outputs"]) == ("ok", {"said": "gone through"})
    assert shop.log == ["enter ann", "wait", "enter bob", "enter bye"]


async def test_a_person_who_takes_longer_than_the_call_may_still_answer(shop: Workshop) -> None:
    """The form is open when the client's time is over: the run waits on, and another call answers it."""
    shop.skill(GATED.replace("tool: wait_for_gate", "ask: {question: Sure?, type: boolean}"))

    async def thinks(_: Any) -> ElicitResult:
        await anyio.sleep_forever()
        raise AssertionError

    async with agent(shop, era="legacy", answering=thinks) as one:
        with pytest.raises(MCPError, match="timed out"), anyio.fail_after(30):
            await one.client.call_tool("promise", {}, read_timeout_seconds=2.0)
        told = await one.call("run_status", run_id=newest(shop))
        assert told["status"] == "waiting"
    async with agent(shop, era="auto") as other:
        told = await other.call("run_answer", run_id=told["run_id"], answers={"slow": True}, wait_seconds=30)
    assert told["status"] == "ok"
    assert shop.log == ["enter ann", "enter bob", "enter bye"]


@in_both_eras
async def test_a_call_that_waits_hears_that_its_run_goes_on(shop: Workshop, era: str) -> None:
    """One step takes long, and nothing happens meanwhile: progress is told all the same, and grows."""
    async with Engine.open(shop.folder, home=shop.home) as engine:
        server = build_server(Serving(engine=engine, wait=60, beat=0.1))
        async with connected(server, era, None) as one, anyio.create_task_group() as tasks:
            tasks.start_soon(one.call, "promise")
            await until_true(lambda: sum("slow" in str(message) for _, _, message in one.progress) >= 4)
            (shop.folder / "gate").touch()
    told = [progress for progress, _, _ in one.progress]
    assert told == sorted(set(told))
    assert shop.log == ["enter ann", "wait", "enter bob", "enter bye"]


@in_both_eras
async def test_a_call_of_a_tool_hears_that_it_goes_on_and_of_what_is_wrong(shop: Workshop, era: str) -> None:
    """It may take longer than its client waits without a word; a refusal is none the less one sentence."""
    async with Engine.open(shop.folder, home=shop.home) as engine:
        server = build_server(Serving(engine=engine, beat=0.1))
        async with connected(server, era, None) as one, anyio.create_task_group() as tasks:
            tasks.start_soon(partial(one.call, "tool_exec", name="wait_for_gate", args={}))
            await until_true(lambda: len(one.progress) >= 3)
            (shop.folder / "gate").touch()
        assert {message for _, _, message in one.progress} == {"wait_for_gate goes on"}
        async with connected(server, era, None) as other:
            told = await other.result("tool_exec", name="echo", args={"value": 1, "more": 2})
    assert (told.is_error, "more" in str(told.content)) == (True, True)


@in_both_eras
async def test_a_run_that_an_agent_goes_on_with_keeps_its_manner(shop: Workshop, era: str) -> None:
    """Begun in a terminal under a profile, healing by a mode: who answers it, or ends it, keeps to both."""
    (shop.folder / "config").mkdir()
    profile = "profile: stage\ndescription: The stage.\nconfig: {shelf: seven}\ndomains: {}\n"
    (shop.folder / "config" / "stage_profile.yaml").write_text(profile)
    shop.skill(
        "\nsteps:\n  - {name: sure, ask: {question: Sure?, type: boolean}}\n"
        'always:\n  - {name: last, tool: enter, args: {name: "{{ config.shelf }}"}}\n'
        'outputs:\n  - {name: where, value: "{{ config.profile }}"}\n'
    )
    words = ("run", "promise", "--profile", "stage", "--heal", "suggest", "--no-input")
    assert [shop.run(*words).returncode for _ in range(2)] == [4, 4]
    answered, ended = (run["run"] for run in shop.json("history"))
    async with agent(shop, era=era) as one:
        told = await one.call("run_answer", run_id=answered, answers={"sure": True}, wait_seconds=30)
        assert (told["status"], told["outputs"]) == ("ok", {"where": "stage"})
        told = await one.call("run_cancel", run_id=ended, wait_seconds=30)
        assert told["status"] == "cancelled"
    assert shop.log == ["enter seven"] * 2
    resumed = [event for event in events_of(shop, answered) if event["event"] == "run_resumed"]
    assert [event.get("heal") for event in resumed] == ["suggest"]
