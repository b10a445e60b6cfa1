"""What a dry run needs of the rooms around it."""

from __future__ import annotations

from typing import Protocol

from engine.history import RunRecord
from engine.model.event import Journal
from engine.model.heal import HealMode
from engine.model.outcome import RunStatus
from engine.run.parts import Parts


class Remembers(Journal, Protocol):
    """A journal that can be asked how earlier runs went."""

    def runs(
        self, *, limit: int = 20, skill: str | None = None, status: RunStatus | str | None = None
    ) -> tuple[RunRecord, ...]:
        """The newest runs, newest first."""


class DryParts(Parts, Protocol):
    """What an executor needs, and what only a dry run looks at; `engine.Engine` has all of it."""

    @property
    def journal(self) -> Remembers:
        """Where earlier runs are asked about; a dry run writes nothing to it."""

    @property
    def looks_ahead(self) -> bool:
        """Whether checks are made before runs and calls."""

    def healing(self, domain: str | None) -> HealMode:
        """What healing may do on its own in a domain."""
