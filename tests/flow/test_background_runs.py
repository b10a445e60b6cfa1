"""A run outlives its call, the connection and the server: whoever comes back finds it, and no step ran twice."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp_types import ElicitResult, InputRequiredResult, InputResponses

from tests.flow.agents import ERAS, accepts, agent, events_of, server_pid, until_status, until_true
from tests.flow.workshop import TWO_ENTRIES, Workshop, alive, until
from tests.shell import SKILL

GATED = """
steps:
  - {name: first, tool: enter, args: {name: ann}, undo: {name: first_out, tool: leave, args: {name: ann}}}
  - {name: slow, tool: wait_for_gate}
  - {name: last, tool: enter, args: {name: bob}}
always:
  - {name: bye, tool: enter, args: {name: bye}}
outputs:
  - {name: said, value: "{{ slow }}"}
"""
WHO = """
inputs:
  - {name: who, type: string}
steps:
  - {name: x, tool: enter, args: {name: "{{ inputs.who }}"}}
"""
WAIT_FOR_GATE = 'echo "wait" >> log\nuntil test -e gate; do sleep 0.02; done\necho "gone through"\n'

in_both_eras = pytest.mark.parametrize("era", ERAS)
in_the_newest_era = pytest.mark.parametrize("era", ERAS[-1:])
"""For what is behind the protocol, and the same whichever of its eras is spoken."""


@pytest.fixture
def shop(tmp_path: Path) -> Workshop:
    """A skill whose second step takes as long as the test wants: until there is a file `gate`."""
    made = Workshop(tmp_path / "work", tmp_path / "home")
    made.furnish()
    made.tool("wait_for_gate", WAIT_FOR_GATE, effect="write", idempotent=False, timeout=60)
    made.skill(GATED)
    return made


def newest(shop: Workshop) -> str:
    """The id of the run that began last."""
    return str(shop.json("history")[0]["run"])


def worker_pid(shop: Workshop, run_id: str) -> int:
    """The process that has the run."""
    last = [event["pid"] for event in events_of(shop, run_id) if event["event"] in {"run_started", "run_resumed"}]
    return int(last[-1])


@in_both_eras
async def test_a_run_longer_than_its_call_is_found_by_its_id(shop: Workshop, era: str) -> None:
    """The call answers `running` after its wait; looking waits for the end, and tells progress that only grows."""
    async with agent(shop, "--wait", "0.3", era=era) as one:
        running = await one.call("promise")
        assert (running["status"], running["outputs"]) == ("running", None)
        assert [step["status"] for step in running["steps"]] == ["ok", "running"]
        assert f'run_status(run_id="{running["run_id"]}"' in running["next"]
        assert one.progress[0][2] == f"run {running['run_id']} of promise began"
        one.progress.clear()
        (shop.folder / "gate").touch()
        told = await one.call("run_status", run_id=running["run_id"], wait_seconds=30)
    assert (told["status"], told["outputs"], told["next"]) == ("ok", {"said": "gone through"}, "")
    assert [step["status"] for step in told["steps"]] == ["ok"] * 4
    told_of = [progress for progress, _, _ in one.progress]
    assert told_of == sorted(set(told_of))
    assert {total for _, total, _ in one.progress} <= {3}
    assert shop.log == ["enter ann", "wait", "enter bob", "enter bye"]


@in_both_eras
async def test_a_killed_server_takes_no_run_with_it(shop: Workshop, era: str) -> None:
    """SIGKILL in the middle of the call; the next server finds the run, and each step ran once."""
    with pytest.raises(BaseException):  # noqa: B017, PT011, PT012 - whatever the SDK raises when its server dies
        async with agent(shop, era=era) as one, anyio.create_task_group() as tasks:
            tasks.start_soon(one.call, "promise")
            await until_true(lambda: "wait" in shop.log)
            os.kill(server_pid(shop), signal.SIGKILL)
    (shop.folder / "gate").touch()
    async with agent(shop, era=era) as other:
        told = await other.call("run_status", run_id=newest(shop), wait_seconds=30)
    assert (told["status"], told["outputs"]) == ("ok", {"said": "gone through"})
    assert shop.log == ["enter ann", "wait", "enter bob", "enter bye"]


@pytest.mark.parametrize("how", ["closed", "terminated"])
async def test_a_connection_that_goes_away_leaves_the_run_alone(shop: Workshop, how: str) -> None:
    """Standard input ends, or the server is told to end, while a call waits: the run goes on to its end."""
    lines: list[dict[str, Any]] = [
        {"id": 1, "method": "initialize", "params": HELLO},
        {"method": "notifications/initialized"},
        {"id": 2, "method": "tools/call", "params": {"name": "promise", "arguments": {}}},
    ]
    server = await anyio.open_process(
        [SKILL, "mcp", "serve"], cwd=shop.folder, env=shop.environment, stdout=subprocess.DEVNULL, stderr=None
    )
    async with server:
        assert server.stdin
        for line in lines:
            await server.stdin.send(json.dumps({"jsonrpc": "2.0", **line}).encode() + b"\n")
        await until_true(lambda: "wait" in shop.log)
        if how == "terminated":
            server.terminate()
        await server.stdin.aclose()
        with anyio.fail_after(20):
            await server.wait()
    (shop.folder / "gate").touch()
    async with agent(shop, era="auto") as one:
        told = await one.call("run_status", run_id=newest(shop), wait_seconds=30)
    assert told["status"] == "ok"
    assert shop.log == ["enter ann", "wait", "enter bob", "enter bye"]


HELLO = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "raw", "version": "1"}}


@in_both_eras
async def test_a_cancelled_call_cancels_its_run(shop: Workshop, era: str) -> None:
    """The client says that it wants no answer any more: the step is stopped, the first undone, and `always` runs."""
    async with agent(shop, era=era) as one:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(one.call, "promise")
            await until_true(lambda: "wait" in shop.log)
            tasks.cancel_scope.cancel()
        told = await until_status(one, newest(shop), "cancelled", "ok", "failed")
    assert told["status"] == "cancelled"
    assert shop.log == ["enter ann", "wait", "leave ann", "enter bye"]


@in_the_newest_era
async def test_looking_at_a_run_and_giving_up_does_not_cancel_it(shop: Workshop, era: str) -> None:
    """Only the call that runs a skill, or answers it, takes its run with it."""
    async with agent(shop, "--wait", "0.1", era=era) as one:
        running = await one.call("promise")
        with anyio.move_on_after(0.5):
            await one.call("run_status", run_id=running["run_id"], wait_seconds=60)
        (shop.folder / "gate").touch()
        told = await until_status(one, running["run_id"], "cancelled", "ok", "failed")
    assert told["status"] == "ok"


@in_the_newest_era
async def test_a_run_whose_process_was_killed_goes_on_when_it_is_told_to(shop: Workshop, era: str) -> None:
    """It waits with no question; going on asks what became of the call that was cut off, and repeats nothing else."""
    async with agent(shop, "--wait", "0.2", era=era) as one:
        running = await one.call("promise")
        await until_true(lambda: "wait" in shop.log)
        pid = worker_pid(shop, running["run_id"])
        os.kill(pid, signal.SIGKILL)
        await until_true(lambda: not alive(pid))
        dead = await until_status(one, running["run_id"], "waiting")
        assert (dead["questions"], "died" in dead["message"]) == ([], True)
        assert f'run_answer(run_id="{running["run_id"]}", answers={{}})' in dead["next"]
        (shop.folder / "gate").touch()
        asks = await one.call("run_answer", run_id=running["run_id"], answers={}, wait_seconds=30)
        (question,) = asks["questions"]
        assert (asks["status"], question["about"]) == ("waiting", "settle")
        told = await one.call(
            "run_answer", run_id=running["run_id"], answers={question["name"]: "repeat"}, wait_seconds=30
        )
    assert told["status"] == "ok", told
    assert shop.log == ["enter ann", "wait", "wait", "enter bob", "enter bye"]


@in_both_eras
async def test_two_agents_have_the_same_run(shop: Workshop, era: str) -> None:
    """Each with a server of its own: both see it, both answer it at once, and each step runs once."""
    shop.skill("\nsteps:\n  - {name: sure, ask: {question: Sure?, type: boolean}}" + TWO_ENTRIES.partition("steps:")[2])
    told: list[dict[str, Any]] = []

    async def answer(one: Any, run_id: str) -> None:
        told.append(await one.call("run_answer", run_id=run_id, answers={"sure": True}, wait_seconds=30))

    async with agent(shop, era=era) as one, agent(shop, era=era) as other:
        waiting = await one.call("promise")
        run_id = waiting["run_id"]
        assert (await other.call("run_status", run_id=run_id))["questions"] == waiting["questions"]
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(answer, one, run_id)
            tasks.start_soon(answer, other, run_id)
    assert [each["status"] for each in told] == ["ok", "ok"]
    assert shop.log == ["enter ann", "enter bob"]


async def test_two_agents_answer_different_questions_at_once(shop: Workshop) -> None:
    """Neither answer is lost, though one has to wait until the other's process has let go of the run."""
    shop.skill(
        "\nsteps:\n  - name: both\n    parallel:\n"
        "      - {name: a, ask: {question: A?, type: integer}}\n      - {name: b, ask: {question: B?, type: integer}}\n"
        "  - {name: last, tool: enter, args: {name: bob}}\n"
        'outputs:\n  - {name: told, value: "{{ [both.a, both.b] }}"}\n'
    )
    async with agent(shop, era="auto") as one, agent(shop, era="auto") as other:
        run_id = (await one.call("promise"))["run_id"]
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(partial(one.call, "run_answer", run_id=run_id, answers={"a": 1}))
            tasks.start_soon(partial(other.call, "run_answer", run_id=run_id, answers={"b": 2}))
        told = await one.call("run_status", run_id=run_id, wait_seconds=20)
    assert (told["status"], told["outputs"]) == ("ok", {"told": [1, 2]})
    assert shop.log == ["enter bob"]


@in_both_eras
async def test_run_cancel_ends_a_run_wherever_it_is(shop: Workshop, era: str) -> None:
    """One under way, one that waits; cancelled is no failure there, and a run that has ended is told as it is."""
    shop.skill(GATED.replace("tool: wait_for_gate", "ask: {question: Sure?, type: boolean}"), "asks")
    async with agent(shop, "--wait", "0.2", era=era) as one:
        running, waiting = await one.call("promise"), await one.call("asks")
        await until_true(lambda: "wait" in shop.log)
        for run in (running, waiting):
            ended = await one.result("run_cancel", run_id=run["run_id"], wait_seconds=30)
            assert (ended.is_error, ended.structured_content["status"]) == (False, "cancelled")
        seen = await one.result("run_status", run_id=running["run_id"])
        assert (seen.is_error, seen.structured_content["status"]) == (True, "cancelled")
        (shop.folder / "gate").touch()
        done = await one.call("skill_run", name="promise", wait_seconds=60)
        late = await one.result("run_cancel", run_id=done["run_id"])
    assert shop.log.count("leave ann") == 2
    assert (late.is_error, "ended already" in str(late.content)) == (True, True)


@in_the_newest_era
async def test_the_latest_runs_and_a_bounded_log(shop: Workshop, era: str) -> None:
    """Without an id, the newest runs; a log comes in pages that lead through all of it."""
    (shop.folder / "gate").touch()
    async with agent(shop, era=era) as one:
        first, second = await one.call("promise"), await one.call("promise")
        listed = await one.call("run_status")
        assert [run["run_id"] for run in listed["runs"]] == [second["run_id"], first["run_id"]]
        numbers, after, more = [], 0, True
        while more:
            page = await one.call("run_logs", run_id=first["run_id"], after=after, limit=5)
            assert len(page["lines"]) <= 5
            numbers += [line["number"] for line in page["lines"]]
            after, more = page["next_after"], page["more"]
        only = await one.call("run_logs", run_id=first["run_id"], step="slow")
    assert numbers == list(range(1, len(events_of(shop, first["run_id"])) + 1))
    assert {line["step"] for line in only["lines"]} == {"slow"}


@in_the_newest_era
async def test_what_keeps_a_run_from_beginning_is_told_with_its_way_out(shop: Workshop, era: str) -> None:
    """No run is in history then."""
    shop.skill("\nsteps:\n  - {name: x, tool: no_such_tool}\n", "broken")
    async with agent(shop, era=era) as one:
        for tool, given, words in (
            ("skill_run", {"name": "nowhere", "inputs": {}}, "nowhere"),
            ("skill_run", {"name": "broken", "inputs": {}}, "no_such_tool"),
            ("run_status", {"run_id": "20200101-000000-abcdef"}, "no run"),
            ("run_answer", {"run_id": "20200101-000000-abcdef", "answers": {"a": 1}}, "no run"),
        ):
            refused = await one.result(tool, **given)
            assert (refused.is_error, words in str(refused.content)) == (True, True), refused
        assert (await one.call("run_status"))["runs"] == []


@in_the_newest_era
async def test_large_outputs_come_whole(shop: Workshop, era: str) -> None:
    """History cuts what it lists; a run's outputs it keeps whole beside."""
    shop.skill(
        '\nsteps:\n  - {name: much, compute: "result = [str(i) * 10 for i in range(5000)]"}\n'
        'outputs:\n  - {name: much, value: "{{ much }}"}\n'
    )
    async with agent(shop, era=era) as one:
        told = await one.call("promise")
    assert told["outputs"]["much"] == [str(i) * 10 for i in range(5000)]


@in_the_newest_era
async def test_many_runs_at_once(shop: Workshop, era: str) -> None:
    """Ten calls of one connection, each with a run of its own."""
    shop.skill(WHO)
    ended: list[str] = []

    async def call(one: Any, who: str) -> None:
        ended.append((await one.call("promise", who=who))["status"])

    async with agent(shop, "--wait", "60", era=era) as one, anyio.create_task_group() as tasks:
        for number in range(10):
            tasks.start_soon(call, one, f"n{number}")
    assert ended == ["ok"] * 10
    assert sorted(shop.log) == sorted(f"enter n{number}" for number in range(10))


def test_skill_run_detach_gives_the_id_and_lets_go(shop: Workshop) -> None:
    """The command is done while the run goes on; `watch` shows the end, and what cannot begin is told as ever."""
    done = shop.run("run", "promise", "--detach")
    assert re.fullmatch(r"\d{8}-\d{6}-[0-9a-f]{6}\n", done.stdout)
    run_id = done.stdout.strip()
    assert shop.json("history")[0]["status"] == "running"
    (shop.folder / "gate").touch()
    assert shop.run("watch", run_id).returncode == 0
    assert shop.json("run", "promise", "--detach")["skill"] == "promise"
    assert shop.run("run", "nowhere", "--detach").returncode == 3
    assert shop.run("run", "promise", "--detach", "-i", "x=1").returncode == 2
    assert shop.run("run", "promise", "--detach", "--dry-run").returncode == 2


def test_a_detached_run_is_cancelled_by_a_signal_and_by_the_command(shop: Workshop) -> None:
    """Its process cleans up as one at a terminal does."""
    for cancel in ("signal", "command"):
        run_id = shop.run("run", "promise", "--detach").stdout.strip()
        until(lambda: shop.log.count("wait") == (1 if cancel == "signal" else 2))  # noqa: B023 - called at once
        if cancel == "signal":
            os.kill(worker_pid(shop, run_id), signal.SIGTERM)
            assert shop.run("watch", run_id).returncode == 130
        else:
            assert shop.run("cancel", run_id).returncode == 0
    assert shop.log == ["enter ann", "wait", "leave ann", "enter bye"] * 2


async def test_the_person_answers_in_a_terminal_while_the_agent_waits(shop: Workshop) -> None:
    """`skill answer` goes on with the run; the agent's look sees the end."""
    shop.skill(GATED.replace("tool: wait_for_gate", "ask: {question: Sure?, type: boolean}"))
    async with agent(shop, era="auto") as one:
        waiting = await one.call("promise")
        answered = await anyio.to_thread.run_sync(lambda: shop.run("answer", waiting["run_id"], "slow=yes"))
        assert answered.returncode == 0, answered.stderr
        told = await one.call("run_answer", run_id=waiting["run_id"], answers={"slow": False})
    assert (told["status"], told["outputs"]) == ("ok", {"said": True})


async def test_answers_survive_a_server_that_dies_between_question_and_answer(shop: Workshop) -> None:
    """The state is sealed with the workspace's key, so that the next server takes it."""
    shop.skill(GATED.replace("tool: wait_for_gate", "ask: {question: Sure?, type: boolean}"))
    async with agent(shop, era="auto", answering=accepts(True)) as one:
        asked = await one.client.session.call_tool("promise", {}, allow_input_required=True)
        assert isinstance(asked, InputRequiredResult)
        os.kill(server_pid(shop), signal.SIGTERM)
    key = next(shop.home.rglob("mcp-request-state.key"))
    assert key.stat().st_mode & 0o777 == 0o600
    async with agent(shop, era="auto", answering=accepts(True)) as other:
        given: InputResponses = {"slow": ElicitResult(action="accept", content={"answer": True})}
        told = await other.client.session.call_tool(
            "promise", {}, input_responses=given, request_state=asked.request_state
        )
    assert told.structured_content["status"] == "ok"
    assert shop.log == ["enter ann", "enter bob", "enter bye"]
