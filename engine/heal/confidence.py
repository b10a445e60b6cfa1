"""How sure a count makes us: a lower bound instead of a ratio, and the word that goes with it."""

from __future__ import annotations

from enum import StrEnum
from math import sqrt

Z = 1.6448536
"""The 95 % quantile of the normal distribution, for a one-sided bound (HEALING, "Confidence")."""


class ConfidenceWord(StrEnum):
    """Confidence in a word, for files and screens."""

    NONE = "none"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    VERY_HIGH = "very_high"


WORDS = (
    (100, 0.90, ConfidenceWord.VERY_HIGH),
    (45, 0.85, ConfidenceWord.HIGH),
    (10, 0.60, ConfidenceWord.MEDIUM),
    (3, 0.00, ConfidenceWord.LOW),
)
"""Observations (HEALING, "Confidence words") and the bound each word needs at least: 0.90 and 0.85 are the policy's own
thresholds, so that a word never promises more than the policy would grant; 0.60 is where the reference begins."""


def wilson(right: int, seen: int) -> float:
    """The one-sided 95 % lower bound of a rate of which `right` out of `seen` were observed; 0.0 if none was.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", 1927.
    """
    if seen <= 0:
        return 0.0
    rate = min(max(right, 0), seen) / seen
    square = Z * Z / seen
    middle = rate + square / 2
    spread = sqrt(rate * (1 - rate) * square + square * square / 4)
    return max(0.0, (middle - spread) / (1 + square))


def word(right: int, seen: int) -> ConfidenceWord:
    """The word for a count: as high as the observations reach, never above what the bound allows."""
    bound = wilson(right, seen)
    for least_seen, least_bound, name in WORDS:
        if seen >= least_seen and bound >= least_bound:
            return name
    return ConfidenceWord.NONE
