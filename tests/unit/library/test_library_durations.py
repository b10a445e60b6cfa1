"""Lengths of time are read as people write them."""

from __future__ import annotations

import pytest

from engine.library.durations import seconds


@pytest.mark.parametrize(
    ("written", "meant"),
    [(90, 90.0), (0.5, 0.5), ("90s", 90.0), ("5m", 300.0), ("1h30m", 5400.0), ("1h1m1s", 3661.0), ("1.5h", 5400.0)],
)
def test_lengths_of_time(written: float | str, meant: float) -> None:
    """Numbers are seconds; text names its units, largest first."""
    assert seconds(written) == meant


@pytest.mark.parametrize("written", ["", "5", "m", "5 minutes", "30m1h", "-5s", "1h30", "5d"])
def test_other_text_is_no_length_of_time(written: str) -> None:
    """Text without unit, or with unknown or disordered units, is refused."""
    with pytest.raises(ValueError, match="length of time"):
        seconds(written)
