"""The situation of a call: all that is known at that moment and may foretell its failure."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from engine.errors import DocumentError
from engine.model.conditions import WEEKDAYS
from engine.model.lazy_dataclass import dataclass
from engine.model.prevention import Situation
from tool_registry.registry import ToolRegistry


class Before(Protocol):
    """What history says of the calls before this one."""

    def last_look(self, domain: str, *, until: float) -> float | None:
        """When a call of the domain was last looked at before that moment."""

    def last_calls(self) -> tuple[str, ...]:
        """The tools of the newest calls, oldest first."""

    def recent_failures(self) -> tuple[tuple[str, str], ...]:
        """Tool and kind of the newest failures, newest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Situations:
    """Reads situations; `awake` gives the seconds since the machine woke, `token_left` those of a domain's token.

    Either gives None for what is not known. `clock` gives seconds since the epoch. A token is known by its run, because
    that is who looked at it.
    """

    before: Before
    registry: ToolRegistry
    clock: Callable[[], float]
    awake: Callable[[], float | None]
    token_left: Callable[[str, str], float | None]

    def of(self, run_id: str, tool: str, domain: str) -> Situation:
        """The situation of a call of that tool in that run, now. Raises JournalError."""
        at = self.clock()
        today, looked, awake = time.localtime(at), self.before.last_look(domain, until=at), self.awake()
        return Situation(
            tool=tool,
            domain=domain,
            at=at,
            hour=today.tm_hour,
            weekday=WEEKDAYS[today.tm_wday],
            first_call_of_day=looked is None or time.localtime(looked)[:3] != today[:3],
            first_call_since_wake=None if awake is None else looked is None or looked < at - awake,
            since_wake=awake,
            token_left=self.token_left(run_id, domain),
            last_calls=self.before.last_calls(),
            last_failure=self._last_failure(domain),
        )

    def _last_failure(self, domain: str) -> str | None:
        failures = self.before.recent_failures()
        mine = (kind for tool, kind in failures if self._domain_of(tool) == domain)
        return next(mine, None)

    def _domain_of(self, tool: str) -> str | None:
        with suppress(DocumentError):  # its definition broke since
            known = self.registry.get(tool)
            return known.domain if known is not None else None
        return None
