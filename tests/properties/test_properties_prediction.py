"""Prediction on anything at all: conditions mean what they say, and estimates never say more than was counted."""

from __future__ import annotations

from dataclasses import replace
from math import comb
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.heal.predict.effect import below, came_true, prevented
from engine.heal.predict.foretell import foretell, in_shadow, is_about, probability, speaks
from engine.improve.candidates import best, covered
from engine.improve.sequences import learnt
from engine.model.conditions import UNITS, WEEKDAYS, conditions
from engine.model.failure import FailureKind
from engine.model.prevention import PredictAction, PredictionRecord, Sequence, Situation
from engine.model.tally import lower_bound
from tests.unit.heal.foresights import record, sequence

TOOLS = ("look", "enter", "git_push", "git_pull")
KINDS = ("auth_expired", "timeout", "dns_failure")

spans = st.one_of(st.none(), st.floats(-1_000, 100_000), st.sampled_from([0.0, 60.0, 600.0, 3_600.0]))
situations = st.builds(
    Situation,
    tool=st.sampled_from(TOOLS),
    domain=st.sampled_from(["door", "gate"]),
    at=st.floats(0, 1e9),
    hour=st.integers(0, 23),
    weekday=st.sampled_from(WEEKDAYS),
    first_call_of_day=st.sampled_from([True, False, None]),
    since_wake=spans,
    token_left=spans,
    last_calls=st.lists(st.sampled_from(TOOLS), max_size=5).map(tuple),
    last_failure=st.sampled_from([None, *KINDS]),
)
written = st.builds(
    lambda sign, number, unit: f"{sign} {number} {unit}",
    st.sampled_from(["<", ">", "<=", ">="]),
    st.sampled_from([0, 1, 10, 60]),
    st.sampled_from(["seconds", "minutes", "h", "days"]),
)
hours = st.tuples(st.integers(0, 23), st.integers(0, 24)).filter(lambda pair: pair[0] != pair[1])
contexts: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "first_call_of_day": st.booleans(),
        "hours": hours.map(lambda pair: f"{pair[0]}-{pair[1]}"),
        "weekdays": st.lists(st.sampled_from(WEEKDAYS), min_size=1, max_size=7, unique=True),
        "time_since_wake": written,
        "token_time_left": written,
        "last_calls": st.lists(st.sampled_from([*TOOLS, "git_*", "*"]), min_size=1, max_size=5),
        "last_failure": st.sampled_from(KINDS),
    },
)
actions = st.sampled_from(list(PredictAction))


@st.composite
def records(draw: st.DrawFn) -> PredictionRecord:
    """A call that was looked at."""
    made = record(
        draw(st.sampled_from([None, "", *KINDS])),
        draw(actions),
        name=draw(st.sampled_from(["", "mornings"])),
        run=str(draw(st.integers(0, 9))),
    )
    return replace(made, prediction=replace(made.prediction, situation=draw(situations)))


@given(contexts, contexts, situations)
def test_more_conditions_hold_for_less(one: dict[str, Any], other: dict[str, Any], now: Situation) -> None:
    """Two contexts without a common key hold together exactly where each holds alone."""
    other = {key: value for key, value in other.items() if key not in one}
    both = conditions({**one, **other}).hold(now)
    assert both == (conditions(one).hold(now) and conditions(other).hold(now))


@given(contexts)
def test_nothing_that_is_asked_for_holds_for_what_is_not_known(context: dict[str, Any]) -> None:
    """Of an unknown situation only hour and weekday are known."""
    blank = Situation(tool="look", domain="door", at=0.0, hour=12, weekday="wed")
    asked = context.keys() - {"hours", "weekdays"}
    assert not (asked and conditions(context).hold(blank))


@given(hours, st.integers(0, 23))
def test_hours_go_round_the_clock(pair: tuple[int, int], hour: int) -> None:
    """From the first until just before the last, over midnight where that is earlier."""
    first, end = pair
    going = {(first + step) % 24 for step in range((end - first) % 24 or 24)}
    now = Situation(tool="look", domain="door", at=0.0, hour=hour, weekday="wed")
    assert conditions({"hours": f"{first}-{end}"}).hold(now) == (hour in going)


@given(written, spans)
def test_spans_compare_as_numbers_do(text: str, seconds: float | None) -> None:
    """In the unit that is written."""
    sign, number, unit = text.split()
    now = Situation(tool="look", domain="door", at=0.0, hour=12, weekday="wed", since_wake=seconds)
    limit = float(number) * UNITS[unit[0]]
    wanted = (
        seconds is not None
        and {
            "<": seconds < limit,
            ">": seconds > limit,
            "<=": seconds <= limit,
            ">=": seconds >= limit,
        }[sign]
    )
    assert conditions({"time_since_wake": text}).hold(now) == wanted


def refused(context: dict[str, Any]) -> str:
    """What is said against it; its own keys when nothing is."""
    try:
        conditions(context)
    except ValueError as error:
        return str(error)
    return " ".join(context)


@given(st.text(max_size=40))
def test_what_is_no_condition_is_refused_and_never_misread(text: str) -> None:
    """Any text as any condition is read or refused with a sentence; nothing else is raised."""
    for key in ("time_since_wake", "token_time_left", "hours", "weekdays", "last_calls", "last_failure", text):
        assert key in refused({key: text})


@given(st.lists(situations, max_size=12), contexts)
def test_what_a_context_covers_is_what_it_holds_for(rows: list[Situation], context: dict[str, Any]) -> None:
    """Row by row."""
    bits = covered(rows, context)
    assert [bool(bits >> place & 1) for place in range(len(rows))] == [conditions(context).hold(row) for row in rows]


@given(st.lists(st.tuples(contexts, st.integers(0, 40), st.integers(0, 40), st.booleans()), max_size=6), situations)
def test_what_is_foretold_holds_is_about_the_call_and_is_likelier_than_not(
    drawn: list[tuple[dict[str, Any], int, int, bool]], now: Situation
) -> None:
    """And nothing that holds is likelier."""
    known = [
        sequence(trigger=f"s{place}", context=context, observations=seen, confirmed=min(right, seen), retired=retired)
        for place, (context, seen, right, retired) in enumerate(drawn)
    ]
    speaking = [
        each
        for each in known
        if speaks(each) and is_about(each, now.domain, now.tool) and conditions(each.context).hold(now)
    ]
    found = foretell(known, now)
    assert (found is None) == (not speaking)
    if found is not None:
        assert not found.retired
        assert 0.5 <= probability(found) <= found.confirmed / found.observations
        assert all(probability(each) <= probability(found) for each in speaking)


@given(st.text(), st.text(), st.floats(0, 1), st.floats(0, 1))
def test_a_larger_share_draws_the_same_calls_and_more(run: str, step: str, one: float, other: float) -> None:
    """So that raising it in the settings takes no call out of the comparison."""
    small, large = sorted((one, other))
    assert in_shadow(run, step, large) or not in_shadow(run, step, small)
    assert not in_shadow(run, step, 0.0)
    assert in_shadow(run, step, 1.0)


@given(st.integers(0, 60), st.integers(0, 60), st.floats(0.05, 0.95))
def test_the_posterior_is_a_distribution(right: int, wrong: int, limit: float) -> None:
    """Between 0 and 1, smaller with more right, greater with more wrong, and it mirrors itself."""
    seen = right + wrong
    now = below(limit, right, seen)
    assert 0 <= now <= 1
    assert below(limit, right + 1, seen + 1) <= now + 1e-9
    assert below(limit, right, seen + 1) >= now - 1e-9
    assert now == pytest.approx(1 - below(1 - limit, wrong, seen), abs=1e-9)


@given(st.integers(0, 12), st.integers(0, 12))
def test_the_posterior_at_one_half_is_the_binomial_tail(right: int, wrong: int) -> None:
    """Counted coin by coin."""
    draws = right + wrong + 1
    tail = sum(comb(draws, heads) for heads in range(right + 1, draws + 1)) / 2**draws
    assert below(0.5, right, right + wrong) == pytest.approx(tail)


groups = st.tuples(st.integers(8, 80), st.integers(0, 80)).map(lambda pair: (pair[0], min(pair)))


def compared(fixed: tuple[int, int], left: tuple[int, int]) -> list[PredictionRecord]:
    """Calls with the fix first and without it: how many, and how many of them failed."""
    return [
        record("auth_expired" if place < failed else "", action, name="mornings")
        for (seen, failed), action in ((fixed, PredictAction.FIX), (left, PredictAction.SHADOW))
        for place in range(seen)
    ]


@given(groups, groups)
def test_the_estimate_lies_in_its_interval_and_mirrors_itself(fixed: tuple[int, int], left: tuple[int, int]) -> None:
    """Within -1 and 1; what one group gains the other loses."""
    told, mirrored = prevented(compared(fixed, left)), prevented(compared(left, fixed))
    assert told.difference is not None
    assert told.low is not None
    assert told.high is not None
    assert mirrored.low is not None
    assert -1 <= told.low <= told.difference <= told.high <= 1
    assert told.difference == pytest.approx(left[1] / left[0] - fixed[1] / fixed[0])
    assert told.high == pytest.approx(-mirrored.low)


@given(groups, groups, st.integers(2, 6))
def test_more_of_the_same_is_surer(fixed: tuple[int, int], left: tuple[int, int], times: int) -> None:
    """The interval narrows, the difference stays."""
    few = prevented(compared(fixed, left))
    many = prevented(compared(fixed, left) * times)
    assert few.low is not None
    assert few.high is not None
    assert many.low is not None
    assert many.high is not None
    assert many.difference == pytest.approx(few.difference)
    assert many.high - many.low <= few.high - few.low


@given(st.lists(records(), max_size=40))
def test_only_calls_whose_end_is_known_are_compared(rows: list[PredictionRecord]) -> None:
    """Fixed and shadow calls, each counted once."""
    told = prevented(rows)
    ended = [row for row in rows if row.came is not None]
    for action, counted in ((PredictAction.FIX, told.fixed), (PredictAction.SHADOW, told.left)):
        assert counted == sum(row.prediction.action is action for row in ended)
    assert told.fixed_failed <= told.fixed
    assert told.left_failed <= told.left
    assert (told.difference is None) == (min(told.fixed, told.left) < 8)


@settings(max_examples=60, deadline=None)
@given(st.lists(records(), max_size=60), contexts)
def test_counts_are_those_of_a_recount(rows: list[PredictionRecord], context: dict[str, Any]) -> None:
    """And learning once more from the same calls changes nothing."""
    mine = sequence(context=context, observations=0, confirmed=0)
    found = learnt(rows, (mine,))
    made = found[0].sequence
    seen = [
        row
        for row in rows
        if row.came is not None
        and row.prediction.action is not PredictAction.FIX
        and row.situation.domain == "door"
        and conditions(context).hold(row.situation)
    ]
    assert made.observations == len(seen)
    assert made.confirmed == sum(row.came == "auth_expired" for row in seen)
    spoken = [row for row in rows if row.came is not None and row.prediction.sequence == "mornings"]
    assert made.predicted == len(spoken)
    assert found[0].probability <= lower_bound(made.confirmed, made.observations)
    assert learnt(rows, tuple(each.sequence for each in found)) == found


@settings(max_examples=60, deadline=None)
@given(st.lists(situations, min_size=1, max_size=40), st.data())
def test_a_candidate_is_a_context_that_a_person_could_have_written(rows: list[Situation], data: st.DataObject) -> None:
    """It can be read, covers the calls it counts, and its bound is above one half."""
    failed = data.draw(st.integers(0, 2 ** len(rows) - 1))
    found = best(rows, failed)
    if found is not None:
        assert covered(rows, found.context) == found.rows
        assert found.seen == found.rows.bit_count()
        assert found.failed == (found.rows & failed).bit_count()
        assert found.bound >= 0.5


@given(st.lists(records(), max_size=30))
def test_retired_sequences_stay_retired(rows: list[PredictionRecord]) -> None:
    """Whatever came since."""
    old: Sequence = sequence(retired=True)
    assert learnt(rows, (old,))[0].sequence.retired


@given(records())
def test_what_comes_true_is_a_failure(row: PredictionRecord) -> None:
    """A call that worked, or whose end nobody knows, confirms nothing."""
    if not row.came:
        assert not any(came_true(row, kind) for kind in FailureKind)
