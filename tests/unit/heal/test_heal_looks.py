"""Looks made while a failure is explained: only reads, each once, and never past their time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import anyio
import pytest

from engine.heal.calls import Calls
from engine.heal.causes.looks import NoLooks, ToolLooks
from tool_registry.registry import ToolRegistry
from tool_registry.tool import Effect, Tool, ToolContext, ToolError, ToolOutput


@dataclass(slots=True)
class Tools:
    """Tools that note their calls."""

    called: list[str] = field(default_factory=list)

    def registry(self) -> ToolRegistry:
        """One that reads, one that writes, one that fails, one that takes for ever."""

        def make(name: str, effect: Effect = Effect.READ) -> Tool:
            async def call(_: Mapping[str, Any], __: ToolContext) -> ToolOutput:
                self.called.append(name)
                if name == "slow":
                    await anyio.sleep_forever()
                if name == "broken":
                    raise ToolError("the window is closed", errno="ECONNREFUSED")
                return ToolOutput(value={"seen": 7})

            return Tool(name=name, call=call, effect=effect)

        writes, wipes = make("writes", Effect.WRITE), make("wipes", Effect.DESTRUCTIVE)
        return ToolRegistry(make("reads"), writes, wipes, make("broken"), make("slow"))


@dataclass(frozen=True, slots=True)
class Beside:
    """A step that failed."""

    run_id: str = "run-1"
    step: str = "it"


def context(**_: Any) -> ToolContext:
    """A context that nobody reads."""
    return ToolContext(timeout=1)


@pytest.fixture
def tools() -> Tools:
    """Tools nobody has called."""
    return Tools()


def looking(tools: Tools, *, seconds: float = 5.0) -> ToolLooks:
    """Looks that have so many seconds."""
    calls = Calls(registry=tools.registry(), contexts=context, clock=lambda: 0.0)
    return ToolLooks(calls=calls, around=Beside(), until=anyio.current_time() + seconds)


async def test_a_look_gives_what_the_tool_gives_and_is_made_once(tools: Tools) -> None:
    """Two causes that ask the same get the same answer."""
    looks = looking(tools)
    assert [(await looks.at("reads")).get("seen") for _ in range(2)] == [7, 7]
    assert (tools.called, looks.told) == (["reads"], ("reads(): ok",))


@pytest.mark.parametrize("name", ["writes", "wipes", "nowhere"])
async def test_what_does_not_only_read_is_never_called(tools: Tools, name: str) -> None:
    """Nor is what there is not; neither breaks anything."""
    looks = looking(tools)
    assert not looks.can(name)
    seen = await looks.at(name)
    assert (seen.value, seen.failure, tools.called, looks.told) == (None, None, [], ())


async def test_a_look_that_fails_is_an_answer_too(tools: Tools) -> None:
    """With the failure's own evidence."""
    seen = await looking(tools).at("broken")
    assert seen.failure is not None
    assert seen.failure.evidence.errno == "ECONNREFUSED"
    assert (seen.get("x"), seen.text("x")) == (None, "")


async def test_looks_end_with_their_time(tools: Tools) -> None:
    """One that takes for ever is given up, and then there is no time for another."""
    looks = looking(tools, seconds=0.05)
    seen = await looks.at("slow")
    assert seen.failure is not None
    assert (await looks.at("reads")).value is None
    assert tools.called == ["slow"]


async def test_cancelling_is_not_swallowed(tools: Tools) -> None:
    """Whoever is cancelled in the middle of a look is gone, and nothing is made of it."""
    looks, done = looking(tools), False
    with anyio.move_on_after(0.05):
        await looks.at("slow")
        done = True
    assert (done, looks.told) == (False, ())


async def test_no_looks_see_nothing() -> None:
    """What is explained without looking is made of what is known."""
    assert not NoLooks().can("reads")
    assert (await NoLooks().at("reads")).value is None
