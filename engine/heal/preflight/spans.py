"""Spans of time in words."""

from __future__ import annotations

NO_YEAR = 253_402_300_800.0
"""Seconds since the epoch from which on no calendar has a year: whoever names such a moment names none."""


def spoken(seconds: float) -> str:
    """A span of time for people: `40 s`, `12 min`, `3 h`, `2 days`."""
    for limit, unit, word in ((120, 1, "s"), (7_200, 60, "min"), (172_800, 3_600, "h")):
        if seconds < limit:
            return f"{seconds / unit:.0f} {word}"
    return f"{seconds / 86_400:.0f} days"
