"""Virtual time: it jumps when all wait, stands still while threads work, and never hangs."""

from __future__ import annotations

import time

import anyio
import anyio.to_thread
import pytest

from engine.model.rehearsal import START
from engine.run.rehearsal.virtual_time import TookTooLongError, run_in_virtual_time, virtual_clock


def test_sleeping_takes_no_real_time_and_exactly_the_virtual() -> None:
    """A day passes in no time, to the second."""

    async def day() -> tuple[float, float]:
        clock = virtual_clock(START)
        for _ in range(24):
            await anyio.sleep(3600)
        return anyio.current_time(), clock() - START.timestamp()

    assert run_in_virtual_time(day, within=30) == (86_400.0, 86_400.0)


def test_deadlines_pass_in_order() -> None:
    """What would come first comes first."""

    async def race() -> list[str]:
        ended = []

        async def runner(name: str, seconds: float) -> None:
            await anyio.sleep(seconds)
            ended.append(name)

        with anyio.move_on_after(10):
            async with anyio.create_task_group() as tasks:
                for name, seconds in (("slow", 9.0), ("late", 11.0), ("quick", 0.5)):
                    tasks.start_soon(runner, name, seconds)
        return ended

    assert run_in_virtual_time(race, within=30) == ["quick", "slow"]


def test_work_in_threads_is_waited_for_and_takes_no_time() -> None:
    """A deadline that is far nearer than the thread's end does not pass while it works."""

    async def work() -> tuple[str, float]:
        with anyio.fail_after(0.001):
            await anyio.to_thread.run_sync(time.sleep, 0.2)
        return "done", anyio.current_time()

    assert run_in_virtual_time(work, within=30) == ("done", 0.0)


def test_what_never_ends_is_cancelled() -> None:
    """In real seconds, and cleaned up."""
    cleaned = []

    async def endless() -> None:
        try:
            for _ in range(1_000_000_000):
                await anyio.sleep(1)
        finally:
            cleaned.append(True)

    with pytest.raises(TookTooLongError, match=r"0\.2 real seconds"):
        run_in_virtual_time(endless, within=0.2)
    assert cleaned == [True]


def test_what_waits_for_nothing_is_cancelled_too() -> None:
    """A task that waits for an event nobody sets has no timer to jump to."""

    async def stuck() -> None:
        await anyio.Event().wait()

    with pytest.raises(TookTooLongError):
        run_in_virtual_time(stuck, within=0.2)
