"""What a fix costs and what a failure costs, in seconds, as history measured both."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from engine.model.lazy_dataclass import dataclass

ENOUGH = 3
"""Measurements below which the defaults stand in."""
FIX = 5.0
"""Seconds a fix is taken to need while nobody has measured it: a login that asks one server."""
ATTEMPT = 1.0
"""Seconds a failed attempt is taken to cost beside the fix that follows it, and the repeat again as much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """Seconds: of the fix, and of the failure it would prevent."""

    fix: float
    failure: float

    def worth_it(self, probability: float) -> bool:
        """Whether the fix costs less than the failure does on average."""
        return self.fix < probability * self.failure


def costs(fix_seconds: Sequence[float], failure_seconds: Sequence[float]) -> Costs:
    """The medians of what was measured; with fewer than three measurements, what is assumed.

    A failure costs the failed attempt, the fix after it, and the repeat; one that stayed cost the whole run.
    """
    fix = median(fix_seconds) if len(fix_seconds) >= ENOUGH else FIX
    assumed = ATTEMPT + fix + ATTEMPT
    return Costs(fix=fix, failure=median(failure_seconds) if len(failure_seconds) >= ENOUGH else assumed)
