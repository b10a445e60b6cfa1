"""A skill that never ends by itself, has something to undo, and cleans up."""

from __future__ import annotations

from collections.abc import Callable

import anyio

from engine import tool
from tests.flow.conftest import Rig
from tool_registry.sources.python import tool_of
from tool_registry.tool import Effect, Tool

LONG = """
steps:
  - {name: came, tool: leave, args: {name: came}, undo: {tool: leave, args: {name: back}}}
  - {name: stays, tool: stay}
always:
  - {name: swept, tool: leave, args: {name: swept}}
"""


def stay() -> Tool:
    """A tool that takes for ever."""

    @tool(effect=Effect.READ, timeout=60, name="stay")
    async def stays() -> str:
        """Stays."""
        await anyio.sleep_forever()
        return ""

    return tool_of(stays)


def lasting(make_rig: Callable[..., Rig]) -> Rig:
    """A rig with that skill as `promise`."""
    made = make_rig(tools=(stay(),))
    made.write(LONG)
    return made


def times_cleaned(rig: Rig) -> tuple[int, int]:
    """How often the skill was undone, and swept."""
    return rig.door.called("leave back"), rig.door.called("leave swept")
