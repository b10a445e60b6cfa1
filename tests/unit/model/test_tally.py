"""The arithmetic behind every rate that is shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.model.tally import difference, interval, lower_bound


@pytest.mark.parametrize(
    ("right", "seen", "low", "high"),
    [(8, 10, 0.4902, 0.9433), (0, 20, 0.0, 0.1611), (81, 263, 0.2553, 0.3662), (0, 0, 0.0, 1.0)],
)
def test_the_interval_is_wilsons(right: int, seen: int, low: float, high: float) -> None:
    """81 of 263 is Newcombe's own example (1998, table I); of nothing nothing is known."""
    assert interval(right, seen) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("first", "second", "gap", "low", "high"),
    [
        ((56, 70), (48, 80), 0.2, 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.6, 0.1705, 0.8090),
        ((10, 10), (0, 20), 1, 0.6791, 1),
    ],
)
def test_the_difference_is_newcombes(
    first: tuple[int, int], second: tuple[int, int], gap: float, low: float, high: float
) -> None:
    """His examples a, b and g for method 10 (1998, table II)."""
    assert difference(first, second) == pytest.approx((gap, low, high), abs=5e-5)


@given(st.integers(0, 500), st.integers(0, 500))
def test_the_intervals_hold_what_was_seen(right: int, more: int) -> None:
    """The rate that was seen lies inside, and the one-sided bound above the two-sided one."""
    seen = right + more
    low, high = interval(right, seen)
    assert 0 <= low <= high <= 1
    if seen:
        assert low <= right / seen + 1e-12
        assert high >= right / seen - 1e-12
        assert lower_bound(right, seen) >= low


@given(*[st.integers(0, 60)] * 4)
def test_the_difference_turns_its_sign_with_its_sides(one: int, two: int, three: int, four: int) -> None:
    """Swapped, it is the same interval mirrored at zero."""
    first, second = (one, one + two + 1), (three, three + four + 1)
    gap, low, high = difference(first, second)
    assert difference(second, first) == pytest.approx((-gap, -high, -low))
    assert -1 <= low <= gap <= high <= 1
