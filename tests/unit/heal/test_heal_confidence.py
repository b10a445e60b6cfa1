"""A lower bound, and the word for it."""

from __future__ import annotations

import pytest

from engine.heal.confidence import ConfidenceWord, word
from engine.model.tally import lower_bound


@pytest.mark.parametrize(
    ("right", "seen", "bound"), [(0, 0, 0.0), (1, 1, 0.270), (10, 10, 0.787), (43, 45, 0.874), (0, 9, 0.0)]
)
def test_the_bound_is_wilsons(right: int, seen: int, bound: float) -> None:
    """Reference values of the one-sided 95 % Wilson bound."""
    assert lower_bound(right, seen) == pytest.approx(bound, abs=0.001)


def test_twenty_five_of_twenty_five_may_act_and_twenty_four_may_not() -> None:
    """The least evidence that reaches 0.90."""
    assert lower_bound(24, 24) < 0.90 <= lower_bound(25, 25)


@pytest.mark.parametrize(
    ("right", "seen", "name"),
    [
        (2, 2, ConfidenceWord.NONE),
        (3, 3, ConfidenceWord.LOW),
        (10, 10, ConfidenceWord.MEDIUM),
        (43, 45, ConfidenceWord.HIGH),
        (99, 100, ConfidenceWord.VERY_HIGH),
        (90, 100, ConfidenceWord.MEDIUM),
        (5, 100, ConfidenceWord.LOW),
    ],
)
def test_a_word_needs_observations_and_a_bound(right: int, seen: int, name: ConfidenceWord) -> None:
    """Many observations of a bad pattern do not make it sound sure."""
    assert word(right, seen) is name
