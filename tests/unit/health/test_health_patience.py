"""A fix that does not help is left alone, longer each time."""

from __future__ import annotations

from engine.health.patience import FIRST, LONGEST, Patience


def test_a_fix_that_does_not_help_rests_twice_as_long_each_time_up_to_an_hour() -> None:
    """300, 600, 1200, 2400, 3600, 3600 seconds."""
    patience, rests = Patience(), []
    for _ in range(6):
        patience.after("door/login", 0.0, helped=False)
        rests.append(patience.rest("door/login", 0.0))
    assert rests == [FIRST, 2 * FIRST, 4 * FIRST, 8 * FIRST, LONGEST, LONGEST]


def test_a_fix_that_helps_may_run_again_at_once() -> None:
    """The count begins anew."""
    patience = Patience()
    patience.after("door/login", 0.0, helped=False)
    patience.after("door/login", 400.0, helped=True)
    assert patience.rest("door/login", 400.0) == 0.0
    patience.after("door/login", 500.0, helped=False)
    assert patience.rest("door/login", 500.0) == FIRST


def test_other_fixes_do_not_rest_with_it() -> None:
    """One login server that is down keeps nobody from connecting."""
    patience = Patience()
    patience.after("door/login", 0.0, helped=False)
    assert patience.rest("door/connect", 0.0) == 0.0


def test_after_sleep_everything_may_be_tried() -> None:
    """Another network may be around."""
    patience = Patience()
    patience.after("door/login", 0.0, helped=False)
    patience.forget()
    assert patience.rest("door/login", 0.0) == 0.0
