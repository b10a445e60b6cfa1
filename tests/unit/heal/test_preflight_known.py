"""For how long a look is believed, whether renewing is worth it, and which domains are looked at side by side."""

from __future__ import annotations

import pytest

from engine.heal.preflight.known import FRESH, RUNS, Known, KnownRuns
from engine.heal.preflight.preflight import sharing
from engine.heal.preflight.repair import worth_renewing
from engine.model.heal import Domain, FixPlan
from engine.model.outcome import ToolCall
from engine.model.prevention import Check, CheckAction, CheckResult, Lasts

CALL = ToolCall(tool="look")
SHORT = Check(name="road", call=CALL)
LONG = Check(name="road", call=CALL, lasts=Lasts.RUN)


def seen(*, action: CheckAction = CheckAction.PASSED, expires_at: float | None = None) -> Known:
    """A run that has looked at second 100."""
    known = Known()
    known.note(
        CheckResult(check="road", domain="door", ok=True, at=100.0, action=action, expires_at=expires_at),
    )
    return known


@pytest.mark.parametrize(
    ("check", "known", "now", "stale"),
    [
        (SHORT, Known(), 100.0, True),
        (SHORT, seen(), 100.0 + FRESH, False),
        (SHORT, seen(), 101.0 + FRESH, True),
        (LONG, seen(), 10_000.0, False),
        (LONG, seen(action=CheckAction.BLOCKED), 101.0, True),
        (LONG, seen(expires_at=200.0), 194.0, False),
        (LONG, seen(expires_at=200.0), 196.0, True),
        (LONG, seen(), 99.0, True),
    ],
)
def test_a_look_is_believed_as_long_as_it_can_be(check: Check, known: Known, now: float, stale: bool) -> None:
    """For the run or for half a minute; not past its end, not when it was bad, not when the clock was set back."""
    assert known.stale("door", check, now=now, margin=5.0) is stale


def test_only_the_newest_runs_are_remembered() -> None:
    """A process that makes thousands of them does not grow."""
    runs = KnownRuns()
    first = runs.of("0")
    for number in range(1, RUNS):
        runs.of(str(number))
    assert runs.of("0") is first
    runs.of("one more")
    assert runs.of("0") is first
    runs.forget("0")
    assert runs.of("0") is not first


@pytest.mark.parametrize(
    ("left", "renewed", "needed", "worth"),
    [
        (30.0, None, 60.0, True),
        (30.0, 3600.0, 60.0, True),
        (30.0, 20.0, 60.0, False),
        (11.0, 1.0, 60.0, False),
        (5.0, 7.0, 60.0, True),
        (-5.0, 7.0, 60.0, True),
    ],
)
def test_what_was_renewed_just_now_is_not_renewed_again(
    left: float, renewed: float | None, needed: float, worth: bool
) -> None:
    """`renewed` seconds ago: what never holds as long as it should is renewed in its second half only."""
    now = 10_000.0
    moment = None if renewed is None else now - renewed
    assert worth_renewing(now + left, renewed=moment, now=now, needed=needed) is worth


def domain(name: str, *fixes: str) -> Domain:
    """A domain with these fixes."""
    return Domain(name=name, fixes={fix: FixPlan(call=ToolCall(tool=fix)) for fix in fixes})


def test_domains_that_share_a_fix_stand_together() -> None:
    """Also where only a third one joins them; the others are looked at at the same time."""
    a, b, c, d = domain("a", "x"), domain("b", "y"), domain("c", "x", "y"), domain("d")
    assert [[each.name for each in group] for group in sharing([a, d, b])] == [["a"], ["d"], ["b"]]
    assert [[each.name for each in group] for group in sharing([a, d, b, c])] == [["d"], ["a", "b", "c"]]
