"""The tools and the history of a rehearsed run: they look like the real ones, and touch nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from engine.history import History
from engine.model.event import Event
from engine.model.secret import Secrets
from engine.run.rehearsal.script import Script
from tool_registry.registry import ToolRegistry
from tool_registry.sources.definition import with_core
from tool_registry.tool import Needs, Tool


class Stage(ToolRegistry):
    """The tools of a registry as a rehearsal has them: same names, parameters and promises, and canned answers.

    Whatever is asked for comes out canned, so that no way leads to the real call. A workspace's own canned tools answer
    as they are written, unless the rehearsal has answers for them.
    """

    def __init__(self, real: ToolRegistry, script: Script, *, listed: frozenset[str]) -> None:
        super().__init__()
        self._real = real
        self._script = script
        self._listed = listed
        self._made: dict[str, Tool] = {}

    def __getitem__(self, name: str) -> Tool:
        if name not in self._made:
            self._made[name] = self._stand_in(self._real[name])
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._real)

    def __len__(self) -> int:
        return len(self._real)

    def is_taken(self, name: str) -> bool:
        """Whether a tool has that name."""
        return self._real.is_taken(name)

    def _stand_in(self, tool: Tool) -> Tool:
        if tool.source == "canned" and tool.name not in self._listed:
            return tool
        canned = with_core(tool.call, partial(self._script.call, tool))
        return replace(tool, call=canned, source="canned", needs=Needs())


class RehearsalHistory(History):
    """History in a folder of the rehearsal's own, which ends where the process is meant to die."""

    script: Script

    @classmethod
    def staged(cls, path: Path, *, secrets: Secrets, script: Script) -> RehearsalHistory:
        """History kept in the file `path` for the rehearsal of `script`."""
        opened = cls.open(path, secrets=secrets)
        assert isinstance(opened, cls)  # noqa: S101 - `open` makes one of the class it is asked of
        opened.script = script
        return opened

    def record(self, *events: Event) -> None:
        """Keeps the events. Raises CutError when the process has died, or dies of having kept them."""
        self.script.alive()
        super().record(*events)
        self.script.recorded(events)

    def cancel_requested(self, run_id: str) -> bool:  # noqa: ARG002 - nobody else knows of the run
        """Nobody cancels a rehearsed run from outside; asking the database would make long waits slow."""
        return False
