"""The figures of healing in words."""

from __future__ import annotations

import time

import click
import pytest

from engine.frontends.cli.heal_lines import record, summary
from engine.frontends.cli.since import SINCE
from engine.model.figures import Cell, Counts, Dimension, Figures

COUNTS = Counts(
    failures=120, auto_fixed=110, tried=112, helped=109, beforehand=40, checked=500, repaired=12, blocked=3,
    fixed_first=40, fixed_failed=1, shadow=10, shadow_failed=9, noted=2, noted_failed=0,
)  # fmt: skip
FIGURES = Figures(
    runs=2_000, first=1_795_176_000.0, cells=(Cell(counts=COUNTS, names={Dimension.TOOL: "kubectl_get_pods"}),)
)


def test_every_rate_stands_with_n_and_its_interval() -> None:
    """Healed, helped, right and prevented; false alarms as they were counted."""
    assert summary(FIGURES, None) == [
        "2,000 runs since 2026-11-20",
        "  failures      120 steps failed an attempt",
        "  healed        110 by a fix: 92% (85% to 95%, n = 120)",
        "  fixes         112 ran after a failure; 109 helped: 97% (92% to 99%, n = 112)",
        "  pre-flight    500 checks, 12 repaired beforehand, 3 blocked",
        "  foretold      52 failures; right in 75% (47% to 91%, n = 12) without a fix first",
        "  prevented     35 (22 to 38) of 40 calls; with the fix first 1 of 40 failed as foretold, without it 9 of 10",
        "  false alarms  3 of 12 that ran without the fix",
    ]


@pytest.mark.parametrize("width", [40, 60, 80])
def test_lines_fit_the_terminal(width: int) -> None:
    """However narrow it is."""
    assert [line for line in summary(FIGURES, width) if len(line) > width] == []


def test_few_observations_are_not_enough() -> None:
    """No percentage of three failures, and none of what was prevented."""
    few = Figures(runs=1, first=0.0, cells=(Cell(counts=Counts(failures=3, fixed_first=5, shadow=2)),))
    told = "\n".join(summary(few, None))
    assert told.count("not enough data") == 3
    assert "%" not in told


def test_what_was_never_counted_is_not_spoken_of() -> None:
    """A history without failures has two lines about them."""
    assert len(summary(Figures(runs=3, first=0.0), None)) == 3
    assert summary(Figures(), None) == ["no run in that time"]


def test_programs_get_the_same_by_any_dimension() -> None:
    """The totals, and the section that was asked for."""
    told = record(FIGURES, Dimension.TOOL)
    assert told["tools"]["kubectl_get_pods"]["healed"] == {"of": 120, "rate": 0.917, "low": 0.853, "high": 0.954}
    assert told["failures"] == told["tools"]["kubectl_get_pods"]["failures"] == 120


@pytest.mark.parametrize(("text", "seconds"), [("90m", 5_400), ("36h", 129_600), ("7d", 604_800), ("2w", 1_209_600)])
def test_a_length_of_time_is_meant_before_now(text: str, seconds: float) -> None:
    """Minutes, hours, days and weeks."""
    assert time.time() - SINCE.convert(text, None, None) == pytest.approx(seconds, abs=5)


def test_a_day_is_meant_in_utc() -> None:
    """With a time, and with a zone of its own if it has one."""
    assert SINCE.convert("2026-11-20", None, None) == 1_795_132_800.0
    assert SINCE.convert("2026-11-20T12:00:00+01:00", None, None) == 1_795_132_800.0 + 11 * 3_600


@pytest.mark.parametrize("text", ["7", "yesterday", "7q", "", "2026-13-01"])
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    """Never guessed."""
    with pytest.raises(click.BadParameter, match="7d"):
        SINCE.convert(text, None, None)
