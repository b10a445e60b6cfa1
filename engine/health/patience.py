"""Leaving a fix alone that does not help: longer each time, so that a lasting outage is not met with endless logins."""

from __future__ import annotations

from dataclasses import field

from engine.model.lazy_dataclass import dataclass

FIRST = 300.0
"""Seconds a fix rests after it did not help for the first time; doubled each time."""

LONGEST = 3_600.0
"""Seconds it rests at most."""


@dataclass(slots=True)
class Patience:
    """Which fixes rest, by domain and role; times in seconds since the machine began."""

    first: float = FIRST
    _failed: dict[str, int] = field(default_factory=dict)
    _until: dict[str, float] = field(default_factory=dict)

    def rest(self, key: str, now: float) -> float:
        """Seconds for which the fix still rests; 0 when it may be tried."""
        return max(0.0, self._until.get(key, 0.0) - now)

    def after(self, key: str, now: float, *, helped: bool) -> None:
        """Notes how it went."""
        if helped:
            self._failed.pop(key, None)
            self._until.pop(key, None)
            return
        count = self._failed.get(key, 0)
        self._failed[key] = count + 1
        self._until[key] = now + min(LONGEST, self.first * 2**count)

    def wait(self, key: str, now: float, seconds: float) -> None:
        """The fix works, and would do nothing new for so long."""
        self._until[key] = now + seconds

    def forget(self) -> None:
        """Everything may be tried again: the machine woke, and what did not help in another network may help now."""
        self._failed.clear()
        self._until.clear()
