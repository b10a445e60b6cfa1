"""When to look next: pure decisions from two clocks, so that sleep and clocks that are set cannot confuse them."""

from __future__ import annotations

from enum import StrEnum

from engine.model.lazy_dataclass import dataclass

TICK = 1.0
"""Seconds between two glances at the clocks, which is how soon a machine that woke is noticed."""

GAP = 5.0
"""Seconds between two glances from which on this process must have been asleep, stopped, or without any turn."""

SHIFT = 30.0
"""Seconds by which the wall clock may drift from the other before it counts as set."""

SOONEST = 30.0
"""Seconds between two looks at least, whatever ends in the meantime."""


class Why(StrEnum):
    """Why a look is due."""

    BEGIN = "begin"
    INTERVAL = "interval"
    ENDING = "ending"
    WOKE = "woke"
    CLOCK = "clock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One reading of both clocks, in seconds: `wall` since the epoch, `up` since the machine began, asleep or not."""

    wall: float
    up: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What is known of past looks: the newest glance, the newest look, and how long after it the next is due.

    A look is due once however many were missed: the next is counted from the look that was made, not from the one that
    should have been.
    """

    interval: float
    glanced: Moment | None = None
    looked: Moment | None = None
    wait: float = 0.0
    early: bool = False

    def due(self, now: Moment) -> Why | None:
        """Why everything should be looked at now; None: not yet."""
        if self.looked is None or self.glanced is None:
            return Why.BEGIN
        if now.up - self.glanced.up > GAP or now.up < self.glanced.up:
            return Why.WOKE
        if abs((now.wall - now.up) - (self.looked.wall - self.looked.up)) > SHIFT:
            return Why.CLOCK
        if now.up - self.looked.up >= self.wait:
            return Why.ENDING if self.early else Why.INTERVAL
        return None

    def after_look(self, now: Moment, *, attention_at: float | None) -> Pace:
        """The pace after a look that ended now; `attention_at` is when something must be seen to (wall clock)."""
        least = min(self.interval, SOONEST)
        ending = self.interval if attention_at is None else max(least, attention_at - now.wall)
        wait = min(self.interval, ending)
        return Pace(interval=self.interval, glanced=now, looked=now, wait=wait, early=wait < self.interval)

    def after_glance(self, now: Moment) -> Pace:
        """The pace after a glance at which nothing was due."""
        return Pace(interval=self.interval, glanced=now, looked=self.looked, wait=self.wait, early=self.early)
