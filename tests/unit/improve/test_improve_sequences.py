"""What the calls that failed had in common is found, what they had not is not, and what was wrong is retired."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from engine.improve.candidates import Candidate, chance
from engine.improve.sequences import learnt
from engine.model.failure import FailureKind
from engine.model.prevention import PredictAction, Sequence, Situation
from tests.unit.heal.foresights import record, sequence
from tests.unit.improve.lives import weeks


def names(found: tuple[object, ...]) -> list[str]:
    """The triggers of what was learnt."""
    return [each.sequence.trigger for each in found]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        (lambda now: now.first_call_of_day is True, "first_call_of_day"),
        (lambda now: now.since_wake is not None and now.since_wake < 60, "time_since_wake_below_1_minute"),
        (lambda now: now.weekday in {"sat", "sun"}, "weekdays_sat_sun"),
        (lambda now: 7 <= now.hour < 9, "hours_"),
        (lambda now: now.last_calls[-1:] == ("build",), "last_calls_build"),
        (lambda now: now.last_failure == "timeout", "last_failure_timeout"),
    ],
)
def test_each_sort_of_context_is_found(rule: Callable[[Situation], bool], says: str) -> None:
    """Among failures that have nothing to do with it, too."""
    found = learnt(weeks(1, rule=rule), ())
    assert found
    assert says in found[0].sequence.trigger
    assert (found[0].sequence.domain, found[0].sequence.fix) == ("door", "login")
    assert found[0].sequence.cascades == ("enter", "look")


def test_two_conditions_are_joined_where_neither_alone_tells() -> None:
    """Mondays are bad, mornings are bad, and only Monday mornings fail."""
    rows = weeks(2, days=70, calls=6, rate=0.0, rule=lambda now: now.weekday == "mon" and bool(now.first_call_of_day))
    (found,) = learnt(rows, ())
    assert found.sequence.context == {"first_call_of_day": True, "weekdays": ["mon"]}
    assert (found.sequence.observations, found.sequence.confirmed) == (10, 10)


def test_failures_by_chance_teach_nothing() -> None:
    """Of a hundred months in which nothing foretold anything, hardly one taught a sequence."""
    fooled = [seed for seed in range(100) if learnt(weeks(seed, rate=0.2), ())]
    assert len(fooled) <= 5, fooled


def test_where_every_call_fails_there_is_nothing_to_compare_and_much_to_foretell() -> None:
    """Somebody who runs one skill a day, every morning without a token."""
    assert learnt(weeks(3, days=11, calls=1, rate=1.0), ()) == ()
    (found,) = learnt(weeks(3, days=12, calls=1, rate=1.0), ())
    assert found.sequence.context == {"first_call_of_day": True}
    fooled = [seed for seed in range(100) if learnt(weeks(seed, rate=0.6), ())]
    assert len(fooled) <= 5, fooled


def test_three_mornings_are_too_few() -> None:
    """A bound above one half needs three of three, but chance would do it among so many candidates."""
    assert learnt(weeks(3, days=3, calls=3, rate=0.0, rule=lambda now: bool(now.first_call_of_day)), ()) == ()


def test_a_template_gives_the_name_where_it_tells_as_much() -> None:
    """And the template itself is not touched."""
    template = sequence(
        trigger="morning_auth_expiry",
        context={"first_call_of_day": True, "hours": "5-20"},
        domain=None,
        observations=0,
        confirmed=0,
    )
    rows = weeks(4, rate=0.0, rule=lambda now: bool(now.first_call_of_day))
    kept, made = learnt(rows, (template,))
    assert kept.sequence == template
    assert (made.sequence.trigger, made.sequence.domain) == ("door.auth_expired.morning_auth_expiry", "door")
    assert made.sequence.context == template.context


def test_what_cannot_be_repaired_beforehand_is_not_learnt() -> None:
    """No fix helps against a test that fails."""
    rows = weeks(5, rule=lambda now: bool(now.first_call_of_day), kind="test_failure")
    assert learnt(rows, ()) == ()


def test_kinds_with_the_same_fix_are_learnt_together() -> None:
    """Under the name of the commonest."""
    rows = weeks(6, rate=0.0, rule=lambda now: bool(now.first_call_of_day), kind="network_unreachable")
    mixed = [replace(row, came="dns_failure") if row.came and place % 3 == 0 else row for place, row in enumerate(rows)]
    (found,) = learnt(mixed, ())
    assert found.sequence.kind is FailureKind.NETWORK_UNREACHABLE
    assert found.sequence.confirmed == 20


def test_learning_again_adds_nothing() -> None:
    """What is told already is not told twice, and the counts are those of history, not additions."""
    rows = weeks(7, rule=lambda now: bool(now.first_call_of_day))
    first = learnt(rows, ())
    assert learnt(rows, tuple(each.sequence for each in first)) == first


def test_a_second_cause_is_learnt_beside_the_first() -> None:
    """The calls that the first explains are set aside."""
    rows = weeks(8, days=60, rate=0.0, rule=lambda now: bool(now.first_call_of_day) or now.weekday in {"sat", "sun"})
    contexts = [each.sequence.context for each in learnt(rows, ())]
    assert {"weekdays": ["sat", "sun"]} in contexts
    assert any("first_call_of_day" in each for each in contexts)


def test_calls_that_had_the_fix_first_say_nothing_of_the_situation() -> None:
    """Else a prediction that works would count as one that was wrong."""
    mornings = [record("auth_expired", first_call_of_day=True) for _ in range(10)]
    fixed = [record("", PredictAction.FIX, name="mornings", first_call_of_day=True) for _ in range(50)]
    (found,) = learnt([*mornings, *fixed], (sequence(),))
    made = found.sequence
    assert (made.observations, made.confirmed, made.predicted, made.prevented) == (10, 10, 50, 50)
    assert not made.retired


@pytest.mark.parametrize(("right", "wrong", "retired"), [(0, 3, False), (0, 4, True), (2, 4, False), (2, 8, True)])
def test_false_alarms_retire_a_sequence(right: int, wrong: int, retired: bool) -> None:
    """When the posterior says with 95 % that it is wrong more often than right."""
    rows = [
        record("auth_expired", PredictAction.SHADOW, name="mornings", first_call_of_day=True) for _ in range(right)
    ] + [record("", PredictAction.NOTED, name="mornings", first_call_of_day=True) for _ in range(wrong)]
    (found,) = learnt(rows, (sequence(),))
    assert found.sequence.retired is retired
    assert (found.sequence.false_alarms, found.sequence.predicted) == (wrong, right + wrong)


def test_what_was_retired_is_not_learnt_again_under_another_name() -> None:
    """Its calls are spoken for, whatever else they have in common."""
    rows = weeks(9, rate=0.0, rule=lambda now: bool(now.first_call_of_day))
    old: Sequence = replace(sequence(), retired=True)
    assert names(learnt(rows, (old,))) == ["mornings"]


def test_calls_whose_end_nobody_knows_do_not_count() -> None:
    """A run that was cut off says neither yes nor no."""
    rows = [record(None, first_call_of_day=True) for _ in range(30)]
    (found,) = learnt(rows, (sequence(observations=0, confirmed=0),))
    assert found.sequence.observations == 0


def test_names_are_those_the_schema_allows() -> None:
    """However a domain is called."""
    rows = weeks(10, rule=lambda now: bool(now.first_call_of_day))
    strange = [
        replace(row, prediction=replace(row.prediction, situation=replace(row.situation, domain="Ä B" + "x" * 99)))
        for row in rows
    ]
    (name,) = names(learnt(strange, ()))
    assert name.isascii()
    assert len(name) <= 80


def test_chance_is_fishers() -> None:
    """The tea of the lady: four of four among eight, by chance once in seventy."""
    tasted = Candidate(context={}, rows=0b1111, seen=4, failed=4)
    assert chance(tasted, every=8, failed=4) == pytest.approx(1 / 70)
