"""When a sequence speaks of a call, what that is worth, and how its worth is measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.clocks import suspended, uptime
from engine.heal.predict.awake import FILE, Awake
from engine.heal.predict.costs import FIX, costs
from engine.heal.predict.effect import alike, below, prevented
from engine.heal.predict.foretell import foretell, in_shadow, probability, speaks
from engine.model.conditions import conditions
from engine.model.failure import FailureKind
from engine.model.prevention import PredictAction
from tests.unit.heal.foresights import record, sequence, situation


@pytest.mark.parametrize(
    ("context", "known", "holds"),
    [
        ({}, {}, True),
        ({"first_call_of_day": True}, {"first_call_of_day": True}, True),
        ({"first_call_of_day": True}, {"first_call_of_day": False}, False),
        ({"first_call_of_day": False}, {"first_call_of_day": None}, False),
        ({"hours": "6-9"}, {"hour": 8}, True),
        ({"hours": "6-9"}, {"hour": 9}, False),
        ({"hours": "22-6"}, {"hour": 23}, True),
        ({"hours": "22-6"}, {"hour": 6}, False),
        ({"weekdays": ["sat", "sun"]}, {"weekday": "mon"}, False),
        ({"time_since_wake": "> 4 hours"}, {"since_wake": 4 * 3600.0}, False),
        ({"time_since_wake": ">= 4 hours"}, {"since_wake": 4 * 3600.0}, True),
        ({"time_since_wake": "<5min"}, {"since_wake": 299.0}, True),
        ({"time_since_wake": "< 5 minutes"}, {}, False),
        ({"token_time_left": "< 10 minutes"}, {"token_left": -5.0}, True),
        ({"last_failure": "auth_expired"}, {"last_failure": "timeout"}, False),
        ({"last_calls": ["git_*", "build"]}, {"last_calls": ("x", "git_push", "build")}, True),
        ({"last_calls": ["git_*", "build"]}, {"last_calls": ("build",)}, False),
        ({"hours": "6-9", "weekdays": ["tue"]}, {"hour": 8}, False),
    ],
)
def test_a_context_holds_when_all_its_conditions_do(
    context: dict[str, Any], known: dict[str, Any], holds: bool
) -> None:
    """What is not known fulfils no condition."""
    assert conditions(context).hold(situation(**known)) is holds


@pytest.mark.parametrize(
    ("context", "says"),
    [
        ({"hours": "9"}, "hours"),
        ({"hours": "9-9"}, "hours"),
        ({"hours": "6-25"}, "hours"),
        ({"time_since_wake": "4 hours"}, "time_since_wake"),
        ({"token_time_left": 5}, "token_time_left"),
        ({"first_call_of_day": "yes"}, "first_call_of_day"),
        ({"weekdays": "mon"}, "weekdays"),
        ({"weekdays": ["Monday"]}, "weekdays"),
        ({"last_calls": []}, "last_calls"),
        ({"last_failure": ""}, "last_failure"),
        ({"moon": "full"}, "moon"),
    ],
)
def test_a_condition_that_cannot_be_read_is_named(context: dict[str, Any], says: str) -> None:
    """The sentence says which key, and how it is written."""
    with pytest.raises(ValueError, match=says):
        conditions(context)


def test_only_what_history_supports_speaks() -> None:
    """Seen three times, likelier than not by its bound, and not retired."""
    assert speaks(sequence())
    assert not speaks(sequence(observations=2, confirmed=2))
    assert not speaks(sequence(observations=10, confirmed=7)), "its bound is 0.44"
    assert not speaks(sequence(retired=True))
    assert not speaks(sequence(observations=0, confirmed=0))


def test_a_sequence_speaks_of_its_domain_or_of_the_tools_it_lists() -> None:
    """One that names neither is a template, and never acts."""
    here, listed = sequence(), sequence(domain=None, cascades=("loo*",))
    now = situation(first_call_of_day=True)
    assert foretell([here], now) is here
    assert foretell([here], situation(first_call_of_day=True, domain="gate")) is None
    assert foretell([listed], situation(first_call_of_day=True, domain="gate")) is listed
    assert foretell([sequence(domain=None)], now) is None


def test_the_likeliest_sequence_speaks() -> None:
    """The first among equals."""
    weak, strong, same = sequence(observations=12, confirmed=10), sequence(trigger="b"), sequence(trigger="c")
    assert foretell([weak, strong, same], situation(first_call_of_day=True)) is strong


def test_shadow_calls_are_drawn_by_run_and_step_alone() -> None:
    """The same call is judged the same, none of a share of nothing, all of a share of one."""
    drawn = [in_shadow(f"run{number}", "look", 0.1) for number in range(5_000)]
    assert drawn == [in_shadow(f"run{number}", "look", 0.1) for number in range(5_000)]
    assert 400 < sum(drawn) < 600
    assert not in_shadow("run", "look", 0.0)
    assert in_shadow("run", "look", 1.0)


def test_a_fix_is_worth_it_below_the_expected_cost_of_the_failure() -> None:
    """Without measurements the defaults stand in; with three, their medians."""
    assumed = costs((), ())
    assert (assumed.fix, assumed.failure) == (FIX, FIX + 2)
    assert assumed.worth_it(0.75)
    assert not assumed.worth_it(0.7)
    measured = costs((1.0, 3.0, 50.0), (9.0, 10.0, 11.0))
    assert (measured.fix, measured.failure) == (3.0, 10.0)
    assert costs((1.0, 1.0), ()).fix == FIX


def test_what_is_prevented_is_the_difference_to_the_calls_left_alone() -> None:
    """Noted calls and calls whose end nobody knows are no comparison."""
    fixed = [record("", PredictAction.FIX, name="s") for _ in range(18)] + [
        record("auth_expired", PredictAction.FIX, name="s") for _ in range(2)
    ]
    left = [record("auth_expired", PredictAction.SHADOW, name="s") for _ in range(9)] + [
        record("", PredictAction.SHADOW, name="s")
    ]
    noise = [record("auth_expired", PredictAction.NOTED, name="s"), record(None, PredictAction.SHADOW, name="s")]
    told = prevented([*fixed, *left, *noise])
    assert (told.fixed, told.fixed_failed, told.left, told.left_failed) == (20, 2, 10, 9)
    assert told.difference == pytest.approx(0.8)
    assert told.low is not None
    assert told.high is not None
    assert 0.4 < told.low < 0.8 < told.high < 1.0


def test_below_eight_calls_there_is_no_estimate() -> None:
    """Counts are told, a difference is not."""
    told = prevented([record("", PredictAction.FIX, name="s")] * 50 + [record("", PredictAction.SHADOW, name="s")] * 7)
    assert (told.fixed, told.left, told.difference) == (50, 7, None)


def test_kinds_that_one_fix_repairs_count_as_one() -> None:
    """A lost network refuses one call and names no host to the next."""
    assert alike(FailureKind.DNS_FAILURE) == alike(FailureKind.NETWORK_UNREACHABLE)
    assert alike(FailureKind.TIMEOUT) == {FailureKind.TIMEOUT}
    assert FailureKind.AUTH_EXPIRED not in alike(FailureKind.DNS_FAILURE)


def test_four_false_alarms_in_a_row_make_it_certain() -> None:
    """The posterior is that of a uniform prior: one half to the power of what was seen and one."""
    assert below(0.5, 0, 3) == pytest.approx(1 - 0.5**4)
    assert below(0.5, 0, 4) >= 0.95
    assert below(0.5, 0, 0) == pytest.approx(0.5)


@pytest.mark.parametrize(("right", "seen", "expected"), [(2_500, 5_000, 0.5), (0, 5_000, 1.0), (19_999, 20_000, 0.0)])
def test_thousands_of_calls_are_judged_like_a_few(right: int, seen: int, expected: float) -> None:
    """A month of busy days; the number of ways in which they could fall has three hundred digits and more."""
    assert below(0.5, right, seen) == pytest.approx(expected)


class Machine:
    """Clocks that are set by hand."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.slept = 0.0
        self.boot = "first"

    def awake(self, folder: Path) -> Awake:
        """The wake clock as one process has it."""
        return Awake(folder=folder, clock=lambda: self.now, asleep=lambda: self.slept, started=lambda: self.boot)


def test_the_wake_clock_counts_from_when_it_first_saw_the_machine_awake(tmp_path: Path) -> None:
    """Nothing is known before the first sleep; another process remembers the same."""
    machine = Machine()
    assert machine.awake(tmp_path).since() is None
    machine.now += 50
    assert machine.awake(tmp_path).since() is None
    machine.slept, machine.now = 3_600.0, machine.now + 4_000
    assert machine.awake(tmp_path).since() == 0.0
    machine.now += 120
    machine.slept += 0.001
    assert machine.awake(tmp_path).since() == pytest.approx(120)
    machine.boot, machine.slept = "second", 0.0
    assert machine.awake(tmp_path).since() == 0.0


@pytest.mark.parametrize("kept", ["", "[]", "{", '{"boot": 1}', '{"boot": "a", "slept": "x", "woke_at": 1}'])
def test_a_wake_clock_that_cannot_be_read_begins_anew(tmp_path: Path, kept: str) -> None:
    """Whatever stands in the file, a call is not kept from being made."""
    (tmp_path / FILE).write_text(kept)
    machine = Machine()
    assert machine.awake(tmp_path).since() is None
    assert json.loads((tmp_path / FILE).read_text())["boot"] == "first"


def test_a_wake_that_cannot_be_remembered_is_not_known(tmp_path: Path) -> None:
    """Else every later call would seem to be the first after it."""
    machine = Machine()
    machine.awake(tmp_path).since()
    (tmp_path / FILE).unlink()
    (tmp_path / FILE).mkdir()
    machine.slept = 9_999.0
    assert machine.awake(tmp_path).since() is None


def test_this_machine_has_slept_for_no_longer_than_it_has_been_on() -> None:
    """The clocks of this machine can be read."""
    assert 0.0 <= suspended() <= uptime()


def test_probability_is_a_lower_bound() -> None:
    """Ten of ten are no certainty."""
    assert probability(sequence()) == pytest.approx(0.787, abs=0.001)
