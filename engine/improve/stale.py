"""What was not seen for long loses weight: tools and servers change what they say."""

from __future__ import annotations

from collections.abc import Mapping

STALE_AFTER = 90 * 86_400.0
"""Seconds without being seen after which what was observed counts half, and again after as many (`stale_after`)."""
LEAST = 0.01
"""Below this weight nothing is left of it."""


def weight(last_seen: float, now: float, *, stale_after: float) -> float:
    """With which share observations count of which the last was then: 1, and half as much for each whole period."""
    periods = int(max(0.0, now - last_seen) // stale_after)
    return weighed if (weighed := 0.5**periods) >= LEAST else 0.0


def weights(
    standing: Mapping[str, float], last_seen: Mapping[str, float], now: float, *, stale_after: float
) -> dict[str, float]:
    """The weights that patterns should have; one of which history knows nothing keeps its own."""
    return {
        name: weight(last_seen[name], now, stale_after=stale_after) if name in last_seen else old
        for name, old in standing.items()
    }
