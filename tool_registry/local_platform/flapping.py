"""A platform that comes and goes: it answers so many requests, refuses connections for so long, and answers again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

LONGEST = 600.0
"""Seconds it refuses at most; a platform that is to stay away is one that is not started."""


@dataclass(slots=True, kw_only=True)
class Flapping:
    """Counts answers against the phases of `settings.json`; another list begins anew.

    `phases` gives that list: requests to answer, seconds to refuse, and so on in turn. After its end everything is
    answered.
    """

    phases: Callable[[], tuple[float, ...]]
    _known: tuple[float, ...] = ()
    _phase: int = 0
    _answered: int = 0
    _counting: threading.Lock = field(default_factory=threading.Lock)

    def after_this(self) -> float:
        """Give the seconds to refuse from this answer on, 0 to go on answering; every answer is to be counted once."""
        wanted = self.phases()
        with self._counting:
            if wanted != self._known:
                self._known, self._phase, self._answered = wanted, 0, 0
            if self._phase + 1 >= len(wanted):
                return 0.0
            self._answered += 1
            if self._answered < wanted[self._phase]:
                return 0.0
            away = wanted[self._phase + 1]
            self._phase, self._answered = self._phase + 2, 0
            return min(away, LONGEST)
