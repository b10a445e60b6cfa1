"""What history counted, in the form memory writes it down for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import sqrt

QUANTILE = 1.6448536
"""The 95 % quantile of the normal distribution, for a one-sided bound."""


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


def lower_bound(right: int, seen: int) -> float:
    """The one-sided 95 % lower bound of a rate of which `right` out of `seen` were observed; 0.0 if none was.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", 1927 (HEALING, "Confidence").
    """
    if seen <= 0:
        return 0.0
    rate = min(max(right, 0), seen) / seen
    square = QUANTILE * QUANTILE / seen
    middle = rate + square / 2
    spread = sqrt(rate * (1 - rate) * square + square * square / 4)
    return max(0.0, (middle - spread) / (1 + square))
