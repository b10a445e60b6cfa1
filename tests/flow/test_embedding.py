"""The engine in other people's programs: many runs, engines, threads and loops, and nothing left behind."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from subprocess import PIPE
from typing import Any

import anyio
import pytest

from engine import (
    DocumentError,
    Effect,
    Engine,
    EngineError,
    HealMode,
    RunResult,
    RunStateError,
    RunStatus,
    SkillExecutor,
    SkillInvalidError,
    ToolContext,
    Workspace,
    WorkspaceError,
    run_skill,
    tool,
)
from tests.flow.conftest import Rig
from tool_registry.sources.python import tool_of

SKILL = """name: counts
description: Counts to a number.
inputs:
  - {name: to, type: integer, required: true}
steps:
  - {name: numbers, compute: "result = list(range(inputs.to))"}
  - {name: doubled, tool: double, args: {number: "{{ len(numbers) }}"}}
outputs:
  - {name: doubled, value: "{{ doubled }}"}
"""


@tool(effect=Effect.READ)
async def double(number: int) -> int:
    """Doubles a number.

    Args:
        number: What is doubled.
    """
    await anyio.sleep(0.01)
    return 2 * number


@tool(effect=Effect.READ)
def halve(number: int, context: ToolContext, rounds: int = 1) -> dict[str, int]:
    """Halves a number, in a thread, for it is not async."""
    assert context.step == "half"
    return {"half": number // 2**rounds, "thread": threading.get_ident()}


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A workspace made in code, with one skill."""
    (tmp_path / "skills").mkdir()
    (tmp_path / "skills" / "counts.yaml").write_text(SKILL)
    return Workspace(folder=tmp_path, home=tmp_path / "live")


async def test_twenty_runs_go_side_by_side_in_one_engine(workspace: Workspace) -> None:
    """One executor runs them all at once; each has its own result, and history has every one of them."""
    results: dict[int, RunResult] = {}
    async with Engine.open(workspace, tools=[double]) as engine:
        executor = SkillExecutor(engine)

        async def run(number: int) -> None:
            results[number] = await executor.run("counts", {"to": number})

        async with anyio.create_task_group() as tasks:
            for number in range(20):
                tasks.start_soon(run, number)
        assert {number: result.outputs["doubled"] for number, result in results.items()} == {
            number: 2 * number for number in range(20)
        }
        assert len({result.run_id for result in results.values()}) == 20
        assert all(engine.journal.run(result.run_id).status is RunStatus.OK for result in results.values())


async def test_several_engines_live_in_one_loop_each_with_its_own_tools(workspace: Workspace, tmp_path: Path) -> None:
    """Their workspaces, tools, policies and histories are their own."""

    @tool(name="double", effect=Effect.READ)
    async def triple(number: int) -> int:
        """Not what its name says."""
        return 3 * number

    other = Workspace(folder=workspace.folder, home=tmp_path / "other")
    async with Engine.open(workspace, tools=[double]) as one, Engine.open(other, tools=[triple]) as two:
        first = await SkillExecutor(one).run("counts", {"to": 5})
        second = await SkillExecutor(two).run("counts", {"to": 5})
        assert (first.outputs["doubled"], second.outputs["doubled"]) == (10, 15)
        assert one.journal.run(first.run_id).id == first.run_id
        with pytest.raises(EngineError):
            one.journal.run(second.run_id)


def test_threads_with_loops_and_engines_of_their_own_share_a_workspace(workspace: Workspace) -> None:
    """Eight threads, each with an event loop and an engine, run against one history."""

    def work(number: int) -> list[Any]:
        async def runs() -> list[Any]:
            async with Engine.open(workspace, tools=[double]) as engine:
                executor = SkillExecutor(engine)
                return [(await executor.run("counts", {"to": number + turn})).outputs["doubled"] for turn in range(3)]

        return anyio.run(runs)

    with ThreadPoolExecutor(max_workers=8) as threads:
        given = list(threads.map(work, range(8)))
    assert given == [[2 * (number + turn) for turn in range(3)] for number in range(8)]


def test_an_engine_serves_one_loop_after_another(workspace: Workspace) -> None:
    """A program that starts a loop for each call keeps its engine, and closes it in the last one."""
    engine = Engine.open(workspace, tools=[double])

    async def once() -> Any:
        return (await SkillExecutor(engine).run("counts", {"to": 3})).outputs["doubled"]

    assert [anyio.run(once) for _ in range(3)] == [6, 6, 6]
    anyio.run(engine.aclose)


def test_a_run_from_another_thread_goes_through_the_loop_of_the_engine(workspace: Workspace) -> None:
    """A thread of the program hands its run to the engine's loop and waits for the result."""

    async def main() -> RunResult:
        async with Engine.open(workspace, tools=[double]) as engine:
            executor = SkillExecutor(engine)
            return await anyio.to_thread.run_sync(lambda: anyio.from_thread.run(executor.run, "counts", {"to": 4}))

    assert anyio.run(main).outputs == {"doubled": 8}


def test_fifty_runs_leave_no_task_thread_or_file_behind(workspace: Workspace) -> None:
    """Run, watched, left early, refused: afterwards the process holds what it held before."""

    async def round_of(engine: Engine) -> None:
        executor = SkillExecutor(engine, progress=lambda _: None)
        for number in range(10):
            await executor.run("counts", {"to": number})
            async with executor.stream("counts", {"to": number}) as run:
                async for _ in run:
                    pass
            async with executor.stream("counts", {"to": number}):
                pass
            with pytest.raises(EngineError):
                await executor.run("counts", {"to": "many"})

    async def whole() -> int:
        async with Engine.open(workspace, tools=[double]) as engine:
            await round_of(engine)
        return len(asyncio.all_tasks())

    anyio.run(whole)
    before = _held()
    tasks = [anyio.run(whole) for _ in range(2)]
    assert tasks == [1, 1]
    assert _held() == before


def _held() -> tuple[int, int, int]:
    """Open files, threads and programs, once the worker threads of a loop that ended have heard of it."""
    with suppress(TimeoutError):
        anyio.run(_wait_for_workers)
    children = Path(f"/proc/self/task/{threading.get_native_id()}/children")
    programs = len(children.read_text().split()) if children.exists() else 0
    descriptors = Path("/proc/self/fd")
    return len(list(descriptors.iterdir())) if descriptors.exists() else 0, threading.active_count(), programs


async def _wait_for_workers() -> None:
    with anyio.fail_after(20):
        while any(thread.name.startswith("AnyIO worker") for thread in threading.enumerate()):  # noqa: ASYNC110 - as said
            await anyio.sleep(0.01)


async def test_a_closed_engine_says_so_and_closing_twice_is_closing_once(workspace: Workspace) -> None:
    """Every way to run is refused with the way out; entering the engine again opens it again."""
    async with Engine.open(workspace, tools=[double]) as engine:
        executor = SkillExecutor(engine)
        done = await executor.run("counts", {"to": 1})
    await engine.aclose()
    for act in (
        lambda: executor.run("counts", {"to": 1}),
        lambda: executor.retry(done.run_id, from_step="doubled"),
        lambda: executor.stream("counts", {"to": 1}).__aenter__(),
    ):
        with pytest.raises(EngineError, match="this engine has been closed"):
            await act()
    async with engine:
        assert (await executor.run("counts", {"to": 2})).outputs == {"doubled": 4}


def test_the_sync_door_runs_one_skill_and_closes_behind_itself(workspace: Workspace) -> None:
    """A program without an event loop gets the result, with callbacks and answers as an executor has them."""
    heard: list[str] = []
    result = run_skill(
        "counts", {"to": 6}, workspace=workspace, tools=[double], progress=lambda step: heard.append(step.message)
    )
    assert (result.status, result.outputs) == (RunStatus.OK, {"doubled": 12})
    assert heard[-1] == "ok"


async def test_the_sync_door_inside_a_loop_names_the_other_door(workspace: Workspace) -> None:
    """It would block everything else; the sentence says what to write instead."""
    with pytest.raises(EngineError, match=r"await SkillExecutor\(engine\)\.run"):
        run_skill("counts", {"to": 1}, workspace=workspace, tools=[double])


SCRIPT = """
import sys
from pathlib import Path
from engine import EventKind, run_skill

def hear(event):
    if event.kind is EventKind.ATTEMPT_STARTED and event.step == "waits":
        print("waits", flush=True)

run_skill("slow", workspace=Path(sys.argv[1]), home=sys.argv[2], listeners=[hear])
"""
SLOW = """name: slow
description: Waits.
steps:
  - {name: waits, tool: wait, args: {seconds: 60}}
always:
  - {name: swept, tool: file_write, args: {path: swept, text: yes}}
"""


def test_ctrl_c_at_the_sync_door_cleans_up_first(workspace: Workspace) -> None:
    """The run is cancelled and swept, and the program sees the KeyboardInterrupt that it would have seen."""
    (workspace.folder / "skills" / "slow.yaml").write_text(SLOW)
    command = [sys.executable, "-c", SCRIPT, str(workspace.folder), str(workspace.home)]
    with subprocess.Popen(command, cwd=workspace.folder, stdout=PIPE, stderr=PIPE, text=True) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "waits\n"
        program.send_signal(signal.SIGINT)
        _, told = program.communicate(timeout=30)
    assert told.rstrip().endswith("KeyboardInterrupt"), told
    assert (workspace.folder / "swept").exists()


async def test_a_function_becomes_a_tool_with_a_schema_of_its_own(workspace: Workspace) -> None:
    """Sync or async; the annotations are the schema, the context is handed in, a wrong argument is refused."""
    async with Engine.open(workspace, tools=[double, halve]) as engine:
        assert engine.registry["double"].parameters == {
            "type": "object",
            "properties": {"number": {"type": "integer", "description": "What is doubled."}},
            "required": ["number"],
            "additionalProperties": False,
        }
        skill = engine.library.parse(
            {
                "name": "halves",
                "description": "Halves.",
                "steps": [{"name": "half", "tool": "halve", "args": {"number": 12, "rounds": 2}}],
            }
        )
        value = (await SkillExecutor(engine).run(skill)).step("half").value
        assert value["half"] == 3
        assert value["thread"] != threading.get_ident()


def test_a_function_that_is_no_tool_is_refused_where_it_is_given(workspace: Workspace) -> None:
    """Not at the first call of a run, hours later."""
    with pytest.raises(TypeError, match="is not decorated with @tool"):
        Engine.open(workspace, tools=[len])


async def test_a_skill_may_be_a_text_or_a_mapping(workspace: Workspace) -> None:
    """It is checked as a file is, runs, parks, and is gone on with from what history kept of it."""
    steps = [{"name": "who", "ask": {"question": "Who?"}}, {"name": "said", "compute": "result = who.upper()"}]
    async with Engine.open(workspace) as engine:
        executor = SkillExecutor(engine)
        skill = engine.library.parse({"name": "made", "description": "In code.", "steps": steps})
        parked = await executor.run(skill)
        assert parked.status is RunStatus.WAITING
        assert [question.name for question in parked.questions] == ["who"]
        with pytest.raises(RunStateError):
            await executor.retry(parked.run_id)
        assert (await executor.answer(parked.run_id, {"who": "Ada"})).step("said").value == "ADA"
        with pytest.raises(SkillInvalidError, match=r"\(memory\)/bad.yaml:3"):
            engine.library.parse("name: bad\ndescription: Wrong.\nstepz: []\n")


async def test_a_parked_run_is_ended_by_its_id(workspace: Workspace) -> None:
    """What it did is undone and cleaned up, as `skill cancel` would."""
    async with Engine.open(workspace) as engine:
        executor = SkillExecutor(engine)
        parked = await executor.run(
            engine.library.parse("name: s\ndescription: Asks.\nsteps: [{name: who, ask: {question: Who?}}]\n")
        )
        assert (await executor.end(parked.run_id)).status is RunStatus.CANCELLED


async def test_a_workspace_made_in_code_has_its_settings(tmp_path: Path) -> None:
    """They are what `skill.toml` would say, checked like it, and nothing is written into the folder."""
    settings = {"config": {"greeting": "hello"}, "heal": {"mode": "suggest"}}
    folder = tmp_path / "work"
    folder.mkdir()
    place = Workspace(folder=folder, home=tmp_path / "live", settings=settings)
    async with Engine.open(place) as engine:
        skill = engine.library.parse(
            "name: s\ndescription: Greets.\nsteps: [{name: one, compute: result = config.greeting}]\n"
        )
        assert (await SkillExecutor(engine).run(skill)).step("one").value == "hello"
        assert engine.healing(None) is HealMode.SUGGEST
    assert list(folder.iterdir()) == []
    wrong = Workspace(folder=folder, home=tmp_path / "live", settings={"heel": {}})
    async with Engine.open(wrong) as engine:
        with pytest.raises(DocumentError, match=r"Workspace\.settings is not valid"):
            await SkillExecutor(engine).run(skill)
    with pytest.raises(WorkspaceError):
        Engine.open(Workspace(folder=tmp_path / "gone", home=tmp_path / "live"))


@pytest.mark.parametrize("heal", [HealMode.AUTO, HealMode.OFF])
async def test_a_program_says_what_healing_may_do(make_rig: Callable[..., Rig], heal: HealMode) -> None:
    """`heal` counts before the settings."""
    rig = make_rig(heal=heal)
    rig.door.token = False
    async with rig.engine:
        result = await rig.run("steps:\n  - {name: first, tool: look}\n")
    assert result.healed == (1 if heal is HealMode.AUTO else 0)


async def test_a_run_ends_by_its_deadline(make_rig: Callable[..., Rig]) -> None:
    """`timeout` is in seconds, and the result says that it was the deadline."""

    @tool(effect=Effect.READ)
    async def linger() -> None:
        """Waits for ever."""
        await anyio.sleep_forever()

    rig = make_rig(tools=(tool_of(linger),))
    async with rig.engine:
        result = await rig.run("steps:\n  - {name: first, tool: linger}\n", timeout=0.1)
    assert (result.status, result.timed_out) == (RunStatus.FAILED, True)
