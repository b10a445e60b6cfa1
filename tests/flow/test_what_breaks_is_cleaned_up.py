"""Whatever breaks around a run, what it did is undone: watchers, the engine itself, a tool that wants to exit."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest

from engine import Engine, EventKind, RunResult, RunStatus, SkillExecutor, StepStatus
from engine.model.heal import HealMode
from engine.model.question import Question
from tests.flow.conftest import SETTINGS, Door, Rig
from tests.flow.workshop import TWO_ENTRIES
from tool_registry.sources.python import tool, tool_of
from tool_registry.tool import Effect

UNDONE = ["enter", "enter", "leave bob", "leave ann"]


async def test_a_watcher_that_fails_is_not_told_any_more(rig: Any) -> None:
    """A closed pipe is no reason to leave a namespace behind, nor to stop."""
    told: list[EventKind] = []

    def complain(event: Any) -> None:
        told.append(event.kind)
        raise BrokenPipeError

    executor = replace(rig.executor, listeners=(complain, rig.events.append))
    result = await executor.run(rig.write(TWO_ENTRIES))
    assert (result.status, told) == ("ok", [EventKind.RUN_STARTED])
    assert rig.events[-1].kind is EventKind.RUN_FINISHED


async def test_a_defect_of_the_engine_is_raised_after_cleaning_up(make_rig: Any) -> None:
    """Here the clock breaks once, in the middle of a step: the run is undone and recorded, then the error goes on."""
    broken: list[bool] = []

    @tool(effect=Effect.READ, timeout=5)
    async def break_clock() -> None:
        """From now on the clock is broken, once."""
        broken.append(True)

    def clock() -> float:
        if broken:
            broken.clear()
            raise ArithmeticError("no time")
        return time.time()

    rig = make_rig(tools=(tool_of(break_clock),))
    rig.engine = replace(rig.engine, clock=clock)
    with pytest.raises(ArithmeticError, match="no time"):
        await rig.run(TWO_ENTRIES + "  - {name: bad, tool: break_clock}\n")
    kept = rig.engine.journal.run("last")
    await rig.engine.aclose()
    assert rig.door.log == UNDONE
    assert kept.status == "failed"
    assert "skill-engine itself broke" in kept.message


async def test_a_tool_that_exits_fails_its_step(make_rig: Any) -> None:
    """And the run is undone as after any other failure."""

    @tool(effect=Effect.READ, timeout=5)
    async def leave_the_building() -> None:
        """Exits."""
        raise SystemExit(7)

    rig = make_rig(tools=(tool_of(leave_the_building),))
    result = await rig.run(TWO_ENTRIES + "  - {name: bad, tool: leave_the_building}\n")
    await rig.engine.aclose()
    assert (result.status, rig.door.log) == ("failed", UNDONE)


class PanicError(BaseException):
    """What a library in another language raises when it gives up: no Exception, so that no Python code catches it."""


@pytest.mark.parametrize("more", ["", ", foreach: range(3), parallel: 3"], ids=["a step", "a foreach"])
async def test_a_tool_that_panics_fails_its_step(make_rig: Callable[..., Rig], more: str) -> None:
    """It ends its call, and neither the run nor the program around it."""

    @tool(effect=Effect.READ, timeout=5)
    def panic() -> None:
        """Panics, in a thread."""
        raise PanicError("called `unwrap` on nothing")

    rig = make_rig(tools=(tool_of(panic),))
    result = await rig.run(f"{TWO_ENTRIES}  - {{name: bad, tool: panic{more}}}\n")
    await rig.engine.aclose()
    assert (result.status, rig.door.log) == (RunStatus.FAILED, UNDONE)
    assert "PanicError: called `unwrap` on nothing" in result.message


@pytest.mark.parametrize("more", ["", ", foreach: range(3), parallel: 3"], ids=["a step", "a foreach"])
def test_ctrl_c_inside_a_tool_ends_the_run_and_goes_on(tmp_path: Path, door: Door, more: str) -> None:
    """Where nobody listens for signals, Python raises it in whatever runs: the run is undone and recorded first."""

    @tool(effect=Effect.READ, timeout=5)
    async def press() -> None:
        """Is interrupted."""
        await anyio.sleep(0.02)
        raise KeyboardInterrupt

    async def act() -> None:
        tools = [*door.tools(), tool_of(press)]
        async with Engine.open(tmp_path, home=tmp_path / "home", tools=tools) as engine:
            rig = Rig(engine=engine, door=door, folder=tmp_path)
            await rig.run(f"{TWO_ENTRIES}  - {{name: bad, tool: press{more}}}\n")

    (tmp_path / "skill.toml").write_text(SETTINGS)
    with pytest.raises(BaseException) as caught:  # noqa: PT011 - alone or in a group, as the event loop has it
        anyio.run(act)
    assert "KeyboardInterrupt" in repr(caught.value)
    kept = Engine.open(tmp_path, home=tmp_path / "home").journal.run("last")
    assert (kept.status, door.log) == (RunStatus.CANCELLED, UNDONE)


async def test_asking_that_breaks_leaves_the_question_open(make_rig: Callable[..., Rig]) -> None:
    """The run waits as if nobody were there, a note says why, and an answer goes on with it."""

    async def ask(question: Question) -> Any:
        raise RuntimeError(f"no window for {question.name}")

    rig = make_rig()
    rig.ask = ask
    parked = await rig.run(TWO_ENTRIES + "  - {name: sure, ask: {question: Sure?}}\n")
    assert (parked.status, rig.door.log) == (RunStatus.WAITING, ["enter", "enter"])
    assert parked.notes == ("sure could not be asked: RuntimeError: no window for sure",)
    done = await rig.executor.answer(parked.run_id, {"sure": "yes"})
    assert done.status is RunStatus.OK
    await rig.engine.aclose()


async def test_asking_for_a_fix_that_breaks_leaves_it_open_too(make_rig: Callable[..., Rig]) -> None:
    """The same door, the same outcome."""

    async def ask(_: Question) -> Any:
        raise RuntimeError("no window")

    rig = make_rig(heal=HealMode.ASK)
    rig.door.token = False
    rig.ask = ask
    parked = await rig.run("steps: [{name: look, tool: look}]\n")
    assert [question.name for question in parked.questions] == ["look.fix"]
    assert parked.notes == ("look.fix could not be asked: RuntimeError: no window",)
    await rig.engine.aclose()


async def test_cancelling_does_not_cut_cleaning_up_short(make_rig: Callable[..., Rig]) -> None:
    """The caller is cancelled while its failed run is undone: that ends first, and no task is left."""

    @tool(effect=Effect.WRITE, idempotent=True, timeout=5)
    async def leave_slowly() -> None:
        """Takes back, in a while."""
        outer.cancel()
        await anyio.sleep(0.05)
        rig.door.log.append("leave bob")

    rig = make_rig(tools=(tool_of(leave_slowly),))
    text = TWO_ENTRIES.replace("tool: leave, args: {name: bob}", "tool: leave_slowly")
    before = asyncio.all_tasks()
    ended: list[RunResult] = []
    with anyio.CancelScope() as outer:
        ended.append(await rig.run(text + "  - name: bad\n    compute: raise ValueError('no')\n"))
        await anyio.sleep(5)
    assert outer.cancelled_caught
    assert [result.status for result in ended] == [RunStatus.FAILED]
    assert rig.door.log == UNDONE
    assert rig.engine.journal.run("last").status is RunStatus.FAILED
    assert asyncio.all_tasks() == before
    await rig.engine.aclose()


async def test_a_caller_that_is_cancelled_gets_its_run_undone(make_rig: Callable[..., Rig]) -> None:
    """In the middle of several elements: each is told as cut off, the list as well, and no task is left."""
    rig = make_rig()
    before = asyncio.all_tasks()
    name = rig.write(
        TWO_ENTRIES + "  - {name: long, foreach: range(3), parallel: 3, tool: wait, args: {seconds: 60}}\n"
    )
    with anyio.move_on_after(0.3) as outer:
        await rig.executor.run(name)
    assert outer.cancelled_caught
    assert rig.door.log == UNDONE
    steps = {step.name: step.status for step in rig.engine.journal.steps("last")}
    assert {name: steps[name] for name in ("long", "long[0]", "long[2]")} == {
        "long": StepStatus.FAILED,
        "long[0]": StepStatus.FAILED,
        "long[2]": StepStatus.FAILED,
    }
    assert asyncio.all_tasks() == before
    await rig.engine.aclose()


async def test_two_tasks_share_an_executor(make_rig: Callable[..., Rig]) -> None:
    """Each has a run of its own; cancelling ends both, each is undone, and the executor can be used again."""
    rig = make_rig()
    executor = SkillExecutor(rig.engine)
    name = rig.write(TWO_ENTRIES + "  - {name: long, tool: wait, args: {seconds: 60}}\n")
    ended: list[RunResult] = []

    async def run() -> None:
        ended.append(await executor.run(name))

    async with anyio.create_task_group() as group:
        group.start_soon(run)
        group.start_soon(run)
        while rig.door.called("enter") < 4:  # noqa: ASYNC110 - the tools know of no event
            await anyio.sleep(0.01)
        executor.cancel()
    assert [result.status for result in ended] == [RunStatus.CANCELLED] * 2
    assert len({result.run_id for result in ended}) == 2
    assert sorted(rig.door.log) == sorted(UNDONE * 2)
    assert (await executor.run(rig.write(TWO_ENTRIES))).status is RunStatus.OK
    await rig.engine.aclose()
