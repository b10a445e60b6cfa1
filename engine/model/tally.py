"""What history counted, in the form memory writes it down for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from math import sqrt

from engine.model.lazy_dataclass import dataclass

QUANTILE = 1.6448536
"""The 95 % quantile of the normal distribution, for a one-sided bound."""

TWO_SIDED = 1.9599640
"""The 97.5 % quantile, for an interval that leaves out 2.5 % on either side."""

ENOUGH = 8
"""Observations below which a rate says nothing (HEALING, "Confidence")."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureRecord:
    """One step that failed at least one attempt.

    `kind` and `error` are those of its first failure, `fix` the fix that helped, else the last one tried, `success`
    whether the step was healed by it; `at` in seconds since the epoch, when the step ended.
    """

    tool: str
    kind: str
    error: str
    fix: str
    success: bool
    at: float
    skill: str
    step: str
    run_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureTotals:
    """How many steps failed an attempt, and how many of them a fix repaired.

    `daily` is by UTC day (`2026-11-20`), `weekly` by ISO week (`2026-W47`); each holds (failed, repaired).
    """

    total: int = 0
    auto_fixed: int = 0
    daily: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    weekly: Mapping[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prevention:
    """Something that did not come to harm, `count` times: a failure that `fix` healed, or a call that was stopped.

    `text` is what the failed call said, or what was said of the call that was not made; `cause` the id of the root
    cause that was found then.
    """

    tool: str
    text: str
    fix: str = ""
    cause: str = ""
    count: int = 1


def lower_bound(right: int, seen: int) -> float:
    """The one-sided 95 % lower bound of a rate of which `right` out of `seen` were observed; 0.0 if none was.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", 1927 (HEALING, "Confidence").
    """
    if seen <= 0:
        return 0.0
    return _wilson(right, seen, QUANTILE)[0]


def interval(right: int, seen: int) -> tuple[float, float]:
    """The two-sided 95 % interval (Wilson) of a rate of which `right` out of `seen` were observed; (0, 1) if none."""
    return _wilson(right, seen, TWO_SIDED) if seen > 0 else (0.0, 1.0)


def difference(first: tuple[int, int], second: tuple[int, int]) -> tuple[float, float, float]:
    """By how much the first rate exceeds the second, and the two-sided 95 % interval of that; (right, seen) each.

    R. G. Newcombe, "Interval estimation for the difference between independent proportions", 1998, method 10. Both must
    have been seen at least once.
    """
    (one, two), (low_one, high_one) = (right / seen for right, seen in (first, second)), interval(*first)
    low_two, high_two = interval(*second)
    gap = one - two
    below = sqrt((one - low_one) ** 2 + (high_two - two) ** 2)
    above = sqrt((high_one - one) ** 2 + (two - low_two) ** 2)
    return gap, max(-1.0, gap - below), min(1.0, gap + above)


def _wilson(right: int, seen: int, quantile: float) -> tuple[float, float]:
    rate = min(max(right, 0), seen) / seen
    square = quantile * quantile / seen
    middle = rate + square / 2
    spread = sqrt(rate * (1 - rate) * square + square * square / 4)
    return max(0.0, (middle - spread) / (1 + square)), min(1.0, (middle + spread) / (1 + square))
