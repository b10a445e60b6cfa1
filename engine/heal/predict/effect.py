"""What prediction is worth, measured: calls that had the fix first against calls left without it by chance."""

from __future__ import annotations

from collections.abc import Iterable
from math import exp, lgamma, log

from engine.heal.remedy import ROLES
from engine.model.failure import FailureKind
from engine.model.lazy_dataclass import dataclass
from engine.model.prevention import PredictAction, PredictionRecord
from engine.model.tally import ENOUGH, difference


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """How often what was foretold came: of `fixed` calls with the fix before them, of `left` calls without it.

    `difference` and its two-sided 95 % interval `low` to `high` are None while either group has fewer than eight calls.
    """

    fixed: int
    fixed_failed: int
    left: int
    left_failed: int
    difference: float | None = None
    low: float | None = None
    high: float | None = None


def prevented(rows: Iterable[PredictionRecord]) -> Estimate:
    """By how much the fix lowered the rate of the failures foretold; calls whose end nobody knows are left out.

    Only shadow calls are compared with, for only they were chosen by chance: what a mode or a price kept from the fix
    may differ in other ways too. A fix that failed counts among those that were run, as whoever decided to run it pays.
    """
    counted = {action: [0, 0] for action in (PredictAction.FIX, PredictAction.SHADOW)}
    for row in rows:
        group = counted.get(row.prediction.action)
        if group is not None and row.came is not None:
            group[0] += 1
            group[1] += came_true(row, row.prediction.kind)
    (fixed, fixed_failed), (left, left_failed) = counted.values()
    told = Estimate(fixed=fixed, fixed_failed=fixed_failed, left=left, left_failed=left_failed)
    if min(fixed, left) < ENOUGH:
        return told
    gap, low, high = difference((left_failed, left), (fixed_failed, fixed))
    return Estimate(
        fixed=fixed,
        fixed_failed=fixed_failed,
        left=left,
        left_failed=left_failed,
        difference=gap,
        low=low,
        high=high,
    )


def came_true(row: PredictionRecord, kind: FailureKind) -> bool:
    """Whether the call failed with a kind that the same fix repairs: a lost network refuses one and times out another.

    The other kinds without a fix must be the very same.
    """
    return row.came in alike(kind)


def alike(kind: FailureKind) -> frozenset[str]:
    """The kinds that count as one: those with the same role of a fix."""
    role = ROLES.get(kind)
    return frozenset(each for each, its in ROLES.items() if its == role) if role else frozenset({kind})


def below(limit: float, right: int, seen: int) -> float:
    """The probability that a rate is below `limit`, after `right` of `seen`, from a uniform prior.

    The posterior is Beta(right + 1, seen - right + 1), whose distribution function is a binomial tail.
    """
    draws = seen + 1

    def logarithm(hits: int) -> float:
        # Of more than a thousand calls the number of ways has no float, but its logarithm has.
        ways = lgamma(draws + 1) - lgamma(hits + 1) - lgamma(draws - hits + 1)
        return ways + hits * log(limit) + (draws - hits) * log(1 - limit)

    return min(1.0, sum(exp(logarithm(hits)) for hits in range(right + 1, draws + 1)))
