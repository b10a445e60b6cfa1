"""What the memory tools need of the rooms around them."""

from __future__ import annotations

from typing import Protocol

from engine.history import History
from engine.memory import Memory
from engine.run.parts import Parts
from engine.workspace import Workspace
from tool_registry.registry import ToolRegistry


class MemoryParts(Parts, Protocol):
    """What an executor needs, and the memory and tools beside it; `engine.Engine` has all of it."""

    @property
    def workspace(self) -> Workspace:
        """Where things are."""

    @property
    def memory(self) -> Memory:
        """The files people read."""

    @property
    def registry(self) -> ToolRegistry:
        """The tools there are."""

    @property
    def journal(self) -> History:
        """What happened; made by the first that asks, so whoever only looks asks `workspace.history` first."""
