"""When the monitor looks next: by two clocks, through sleep, through clocks that are set, without a backlog."""

from __future__ import annotations

import pytest

from engine.health.pace import GAP, SHIFT, SOONEST, TICK, Moment, Pace, Why

INTERVAL = 300.0
START = Moment(wall=1_795_176_000.0, up=5_000.0)


def after(seconds: float, *, wall: float | None = None) -> Moment:
    """Both clocks `seconds` later; `wall` where that clock was set."""
    return Moment(wall=START.wall + (seconds if wall is None else wall), up=START.up + seconds)


def glanced(pace: Pace, until: float, *, since: float = 0.0) -> Pace:
    """The pace after a glance every tick; no look was due in that time."""
    at = since
    while (at := at + TICK) <= until:
        assert pace.due(after(at)) is None
        pace = pace.after_glance(after(at))
    return pace


@pytest.fixture
def pace() -> Pace:
    """A look was made just now."""
    return Pace(interval=INTERVAL).after_look(START, attention_at=None)


def test_the_first_look_is_due_at_once() -> None:
    """Whoever begins to watch wants to know."""
    assert Pace(interval=INTERVAL).due(START) is Why.BEGIN


def test_looks_come_at_the_interval(pace: Pace) -> None:
    """Not before, and then."""
    assert glanced(pace, INTERVAL - TICK).due(after(INTERVAL)) is Why.INTERVAL


def test_a_slow_look_moves_the_next_one_and_makes_no_backlog(pace: Pace) -> None:
    """The interval is counted from the end of the look that was made."""
    late = pace.after_look(after(INTERVAL + 200), attention_at=None)
    assert late.due(after(INTERVAL + 201)) is None


@pytest.mark.parametrize("asleep", [GAP + 1, 3_600.0, 8 * 3_600.0, 30 * 86_400.0])
def test_after_sleep_one_look_is_made_at_once(pace: Pace, asleep: float) -> None:
    """However many were missed."""
    woken = glanced(pace, 10.0)
    assert woken.due(after(10.0 + asleep)) is Why.WOKE
    assert woken.after_look(after(10.0 + asleep), attention_at=None).due(after(10.0 + asleep + TICK)) is None


@pytest.mark.parametrize("shift", [SHIFT + 1, 86_400.0, -(SHIFT + 1), -86_400.0])
def test_a_wall_clock_that_is_set_is_noticed_once(pace: Pace, shift: float) -> None:
    """Forwards or backwards: what ends when has to be asked anew, and then the interval goes on."""
    now = after(2 * TICK, wall=2 * TICK + shift)
    watched = glanced(pace, TICK)
    assert watched.due(now) is Why.CLOCK
    again = watched.after_look(now, attention_at=None)
    assert again.due(after(3 * TICK, wall=3 * TICK + shift)) is None


def test_a_clock_that_is_corrected_a_little_is_left_alone(pace: Pace) -> None:
    """Network time moves a clock by parts of a second all day."""
    assert glanced(pace, TICK).due(after(2 * TICK, wall=2 * TICK + 0.4)) is None


def test_a_wall_clock_set_back_by_a_day_does_not_stop_the_looks(pace: Pace) -> None:
    """The interval is not counted on the clock that was set."""
    set_back = pace.after_look(after(TICK, wall=TICK - 86_400.0), attention_at=None)
    later = set_back
    for second in range(2, int(INTERVAL)):
        later = later.after_glance(after(second, wall=second - 86_400.0))
    assert later.due(after(INTERVAL + TICK, wall=INTERVAL + TICK - 86_400.0)) is Why.INTERVAL


def test_a_token_that_ends_before_the_next_look_is_seen_to_in_time() -> None:
    """An interval of hours must not let a token end in between."""
    pace = Pace(interval=7_200.0).after_look(START, attention_at=START.wall + 90.0)
    assert glanced(pace, 89.0).due(after(90.0)) is Why.ENDING


def test_a_token_that_cannot_be_renewed_does_not_make_looks_endless() -> None:
    """What should have been seen to already is looked at again after a while, not at once."""
    pace = Pace(interval=INTERVAL).after_look(START, attention_at=START.wall - 500.0)
    assert glanced(pace, SOONEST - TICK).due(after(SOONEST)) is Why.ENDING


def test_a_short_interval_is_kept_though_a_token_ends() -> None:
    """Who wants a look every second gets one."""
    pace = Pace(interval=1.0).after_look(START, attention_at=START.wall - 500.0)
    assert pace.due(after(1.0)) is not None
