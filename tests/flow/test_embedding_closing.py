"""An engine is closed once its runs have ended, and serves one event loop at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import anyio
import pytest

from engine import Engine, EngineError, Event, EventKind, RunResult, RunStatus, SkillExecutor, tool
from tests.flow.conftest import Rig
from tests.flow.lasting import lasting, times_cleaned
from tool_registry.sources.python import tool_of
from tool_registry.tool import Effect


@pytest.fixture
def long(make_rig: Callable[..., Rig]) -> Rig:
    """A rig whose skill `promise` never ends, has something to undo, and cleans up."""
    return lasting(make_rig)


async def begun(rig: Rig, number: int = 1) -> list[asyncio.Task[RunResult]]:
    """So many runs in tasks of their own, each in the step that never ends."""
    staying = anyio.Semaphore(0)

    def hear(event: Event) -> None:
        if event.kind is EventKind.ATTEMPT_STARTED and event.step == "stays":
            staying.release()

    executors = [SkillExecutor(rig.engine, listeners=(hear,)) for _ in range(number)]
    tasks = [asyncio.create_task(executor.run("promise")) for executor in executors]
    with anyio.fail_after(20):
        for _ in tasks:
            await staying.acquire()
    return tasks


async def test_closing_cancels_the_runs_that_go_on_and_waits_until_they_are_clean(long: Rig) -> None:
    """When the block of the engine is left, a run in a task of one's own is undone, swept, and ends as `cancelled`."""
    async with long.engine as engine:
        tasks = await begun(long, 2)
    assert [task.done() for task in tasks] == [True, True]
    results = [task.result() for task in tasks]
    assert {result.status for result in results} == {RunStatus.CANCELLED}
    assert times_cleaned(long) == (2, 2)
    async with engine:
        assert {engine.journal.run(result.run_id).status for result in results} == {RunStatus.CANCELLED}


async def test_a_run_that_is_closed_in_its_cleaning_up_is_waited_for(long: Rig) -> None:
    """A run that is cancelled already is not disturbed by the closing of its engine."""
    async with long.engine as engine:
        (task,) = await begun(long)
        task.cancel()
        await engine.aclose()
        assert task.done()
    assert task.cancelled()
    assert times_cleaned(long) == (1, 1)


async def test_no_run_begins_while_others_are_ended(long: Rig) -> None:
    """A listener that begins a run when another has ended is refused, and the engine is closed."""
    async with long.engine as engine:
        (task,) = await begun(long)
        with anyio.fail_after(20):
            async with anyio.create_task_group() as group:
                group.start_soon(engine.aclose)
                await anyio.lowlevel.checkpoint()
                with pytest.raises(EngineError, match="this engine has been closed"):
                    await SkillExecutor(engine).run("promise")
    assert task.result().status is RunStatus.CANCELLED


async def test_a_run_cannot_close_the_engine_it_is_in(make_rig: Callable[..., Rig]) -> None:
    """A tool that tries fails with a sentence, where it would wait for itself for ever."""
    engines: list[Engine] = []

    @tool(effect=Effect.WRITE, timeout=10, name="closes")
    async def closes() -> str:
        """Closes the engine around it."""
        await engines[0].aclose()
        return "closed"

    rig = make_rig(tools=(tool_of(closes),))
    engines.append(rig.engine)
    rig.write("steps:\n  - {name: ends, tool: closes}\n")
    async with rig.engine:
        result = await SkillExecutor(rig.engine).run("promise")
        failure = result.step("ends").failure
        assert failure is not None
        assert "a run cannot close the engine it is in" in failure.message
        rig.write("steps:\n  - {name: looks, tool: look}\n")
        assert (await SkillExecutor(rig.engine).run("promise")).status is RunStatus.OK


async def test_two_event_loops_at_once_are_told_from_one_after_the_other(long: Rig) -> None:
    """A thread with a loop of its own is refused with the way out while runs go on here, and closes nothing of them."""
    async with long.engine as engine:
        (task,) = await begun(long)
        with ThreadPoolExecutor(1) as thread:
            for act in (partial(SkillExecutor(engine).run, "promise"), engine.aclose):
                with pytest.raises(EngineError, match="in another event loop") as refused:
                    await asyncio.wrap_future(thread.submit(anyio.run, act))
                assert "open an engine for each" in refused.value.hint
        assert not task.done()
    assert task.result().status is RunStatus.CANCELLED
