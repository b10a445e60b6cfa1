"""Two simulated months through the real engine, with prediction and without it: `make simulate`, bounded."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.simulated_world import Month

pytestmark = pytest.mark.slow
SIMULATE = Path(__file__).resolve().parents[2] / "bench" / "simulate.py"
FORESEEABLE = ("token", "network")
REPAIRED = (*FORESEEABLE, "revoked", "dropped")


def simulated(*words: str) -> Any:
    """What the program says, as data."""
    done = subprocess.run(
        [sys.executable, str(SIMULATE), *words, "--json"], capture_output=True, text=True, check=False, timeout=110
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def months() -> Any:
    """Two months of 200 runs each, without and with prediction."""
    return simulated("--runs", "200", "--months", "2")


def test_the_engine_counts_the_failures_that_really_happened(months: Any) -> None:
    """What the world knows of its faults, and what history counted, is the same number."""
    for month in months:
        for told in month.values():
            assert told["counts"]["failures"] == sum(told["failed"].values()) > 0
            assert told["runs"] == 200


def test_without_prediction_nothing_is_done_beforehand(months: Any) -> None:
    """No look, no fix first, no sequence."""
    for month in months:
        told = month["without"]
        assert (told["counts"]["beforehand"], told["counts"]["fixed_first"], told["sequences"]) == (0, 0, [])
        assert told["foretold"]["hits"] == told["foretold"]["alarms"] == 0


def test_every_prediction_is_judged_and_every_failure_foretold_or_missed(months: Any) -> None:
    """Hits and alarms are all predictions whose end is known; fixes beforehand are those of predictions."""
    for month in months:
        counts, foretold = month["with"]["counts"], month["with"]["foretold"]
        assert foretold["hits"] + foretold["alarms"] == counts["fixed_first"] + counts["shadow"] + counts["noted"]
        assert counts["beforehand"] <= counts["fixed_first"]
        missed = sum(month["with"]["failed"][cause] for cause in FORESEEABLE)
        assert foretold["missed"] <= missed


def test_what_was_learnt_prevents_failures_in_the_second_month(months: Any) -> None:
    """Fewer calls fail for want of a token or the network than in the same month without; most alarms are true."""
    second = months[1]
    before, after = (sum(second[name]["failed"][cause] for cause in REPAIRED) for name in ("without", "with"))
    assert after < before
    foretold = second["with"]["foretold"]
    assert foretold["hits"] > foretold["alarms"]
    assert second["with"]["sequences"]


def test_a_seed_gives_the_same_month_every_time() -> None:
    """To the last digit of every second."""
    words = ("--runs", "60", "--months", "1", "--days", "14", "--seed", "5")
    assert simulated(*words) == simulated(*words)


def test_a_month_is_drawn_from_its_seed_alone() -> None:
    """Its runs lie in the hours in which the machine is awake, and another seed draws another month."""
    shares = [("look", 1.0)]
    month = Month.drawn(3, 0, runs=500, days=30, skills=shares)
    assert month == Month.drawn(3, 0, runs=500, days=30, skills=shares)
    assert month.runs != Month.drawn(4, 0, runs=500, days=30, skills=shares).runs
    assert not [at for at, _ in month.runs if any(sleep.begin < at < sleep.end for sleep in month.sleeps)]
