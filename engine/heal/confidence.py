"""How sure a count makes us, in a word."""

from __future__ import annotations

from enum import StrEnum

from engine.model.tally import lower_bound


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


def word(right: int, seen: int) -> ConfidenceWord:
    """The word for a count: as high as the observations reach, never above what the bound allows."""
    bound = lower_bound(right, seen)
    for least_seen, least_bound, name in WORDS:
        if seen >= least_seen and bound >= least_bound:
            return name
    return ConfidenceWord.NONE
