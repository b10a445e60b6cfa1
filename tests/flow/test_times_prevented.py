"""`times_prevented` counts what really did not happen: calls that were stopped, and failures the known fix healed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import pytest

from engine import RunStatus
from engine.documents import read
from engine.model.heal import HealMode
from tests.flow.conftest import Door, Rig
from tool_registry.sources.python import tool, tool_of
from tool_registry.tool import Effect

FIXES = "learned/tool_fixes.yaml"
BEFOREHAND = """\
inputs:
  - {name: tag, type: string, default: 74ec56e}
steps:
  - {name: ship, tool: ship, args: {tag: "{{ inputs.tag }}"}}
"""
AT_THE_CALL = """\
inputs:
  - {name: tag, type: string, default: 74ec56e}
steps:
  - {name: read, tool: echo, args: {value: "{{ inputs.tag }}"}}
  - {name: ship, tool: ship, args: {tag: "{{ read }}"}}
"""


@pytest.fixture
def rig(make_rig: Callable[..., Rig], door: Door) -> Rig:
    """A door, and a tool that takes whole commit ids only."""

    @tool(effect=Effect.WRITE, domain="door", timeout=5)
    async def ship(tag: Annotated[str, {"pattern": "^[0-9a-f]{40}$"}]) -> str:
        """Ships an image."""
        door.log.append(f"ship {tag}")
        return tag

    return make_rig(heal=HealMode.AUTO, tools=(tool_of(ship),))


def prevented(rig: Rig) -> dict[str, int]:
    """What the file says, by tool."""
    entries = read(rig.engine.memory.folder / FIXES).value["tool_fixes"]
    return {entry["tool_name"]: entry["times_prevented"] for entry in entries}


def written_at(rig: Rig) -> int:
    """When the file was written last, in nanoseconds."""
    return (rig.engine.memory.folder / FIXES).stat().st_mtime_ns


@pytest.mark.parametrize("text", [BEFOREHAND, AT_THE_CALL], ids=["before the run", "before the call"])
async def test_a_call_that_was_stopped_before_it_was_made_counts_once(rig: Rig, door: Door, text: str) -> None:
    """By the root cause that the entry names; the tool was never called."""
    rig.engine.memory.fixes.learn("ship", "manifest unknown", "short SHA", "use all digits", cause="short_sha")
    rig.engine.memory.fixes.learn("enter", "manifest unknown", "short SHA", "use all digits", cause="short_sha")
    result = await rig.run(text)
    assert result.status in {RunStatus.BLOCKED, RunStatus.FAILED}
    assert door.log == []
    assert prevented(rig) == {"ship": 1, "enter": 0}
    await rig.run(text)
    assert prevented(rig) == {"ship": 2, "enter": 0}


async def test_a_failure_that_the_named_fix_healed_counts(rig: Rig, door: Door) -> None:
    """And one that another fix would have healed does not."""
    rig.engine.memory.fixes.learn("look", "server said 401", "the token is old", "log_in() gets a new one")
    rig.engine.memory.fixes.learn("enter", "server said 401", "the token is old", "build_road() helps")
    for _ in range(2):
        door.token = False
        await rig.run("steps:\n  - {name: look, tool: look}\n  - {name: enter, tool: enter}\n")
    assert prevented(rig) == {"look": 2, "enter": 0}


async def test_a_call_that_worked_counts_nothing(rig: Rig) -> None:
    """And writes nothing."""
    rig.engine.memory.fixes.learn("look", "server said 401", "the token is old", "log_in() gets a new one")
    before = written_at(rig)
    await rig.run("steps:\n  - {name: look, tool: look}\n")
    assert written_at(rig) == before
