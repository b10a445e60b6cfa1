"""Whatever breaks around a run, what it did is undone: watchers, the engine itself, a tool that wants to exit."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest

from engine import EventKind
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
