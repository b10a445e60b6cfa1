"""Healing's pure stages on anything at all: they end soon, and what they say keeps its promises."""

from __future__ import annotations

import time

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.texts import shipped
from engine.heal.breaker import posterior_below, signature, state
from engine.heal.causes.case import Case
from engine.heal.confidence import word
from engine.heal.detect import diagnose, matching, normalise
from engine.heal.explain import explain
from engine.heal.policy import HealPolicy
from engine.model.failure import Basis, Diagnosis, Evidence, Failure, FailureKind, Pattern
from engine.model.heal import BreakerState, HealMode, LeaveAlone
from engine.model.outcome import ToolCall
from engine.model.tally import lower_bound
from tests.unit.heal.situations import Asked, known
from tests.unit.heal.test_heal_breaker import Ran

PATTERNS = shipped()
HOSTILE = (
    "a" * 9000,
    "Error: " * 1300,
    "error: status code " * 500,
    "Error: 401" * 900,
    ": " * 4500,
    "[" * 9000,
    "(((" * 3000,
    "E       " * 1100,
    " " * 9000,
    "'" * 9000,
    "a.b." * 2200,
    "namespace " * 900,
    "curl: (22) error failed status code HTTP " * 220,
    "\n".join("fatal: " + "x " * 900 for _ in range(8)),
    "\n" * 9000,
    "\x1b[" * 4500,
    "\x1b]0;" * 2200,
    "token expired" * 700,
    "2026/01/01 00:00:00 [emerg] " * 300,
    "manifest for " + "a/" * 4000,
)
LIMIT = 0.05
"""Seconds a single pattern may take on a hostile text."""

evidence = st.builds(
    Evidence,
    declared=st.none() | st.text(max_size=20) | st.sampled_from([str(kind) for kind in FailureKind]),
    http_status=st.none() | st.integers(min_value=0, max_value=999),
    exit_status=st.none() | st.integers(min_value=-20, max_value=300),
    errno=st.none() | st.sampled_from(["ECONNREFUSED", "ECONNRESET", "EAI_NONAME", "EODD"]),
    exception=st.none() | st.sampled_from(["TimeoutError", "httpx.ReadTimeout", "OddError"]),
    program=st.none() | st.sampled_from(["curl", "/bin/git", "bash", ""]),
    text=st.text(max_size=300),
    sent=st.none() | st.booleans(),
)
failures = st.builds(Failure, message=st.text(max_size=50), kind=st.sampled_from(FailureKind), evidence=evidence)


@pytest.mark.parametrize("text", HOSTILE)
def test_no_pattern_takes_long_on_a_hostile_text(text: str) -> None:
    """Every repetition is bounded, so no text makes one backtrack for ever."""
    heard = normalise(text)
    for pattern in PATTERNS:
        began = time.process_time()
        matching(heard, pattern.program, [pattern])
        assert time.process_time() - began < LIMIT, pattern.id


@pytest.mark.parametrize("text", HOSTILE)
def test_explaining_and_signing_a_hostile_text_ends_soon(text: str) -> None:
    """The expressions that fill in values and level signatures are bounded too."""
    failure = Failure(message="", evidence=Evidence(text=text, errno="ECONNREFUSED"))
    began = time.process_time()
    found = diagnose(failure, [])
    anyio.run(explain, Case(failure=failure, diagnosis=found, call=ToolCall(tool="t")))
    signature("t", found, text)
    assert time.process_time() - began < 4 * LIMIT


@given(failure=failures)
@settings(max_examples=100, deadline=None)
def test_a_diagnosis_is_always_given(failure: Failure) -> None:
    """Never an exception; confidence between 0 and 1; a sentence; and what was never sent is proof."""
    found = diagnose(failure, PATTERNS)
    assert 0.0 <= found.confidence <= 1.0
    assert (found.basis is Basis.PATTERN) == (found.pattern is not None)
    assert found.because.endswith(".")
    assert found.untouched or failure.evidence.sent is not False


@given(seen=st.integers(min_value=0, max_value=2000), share=st.floats(min_value=0, max_value=1))
def test_the_bound_never_exceeds_what_was_observed(seen: int, share: float) -> None:
    """A lower bound lies below the ratio, and grows with every right answer."""
    right = int(seen * share)
    assert 0.0 <= lower_bound(right, seen) <= (right / seen if seen else 0.0)
    assert lower_bound(right + 1, seen + 1) >= lower_bound(right, seen)
    assert word(right, seen) in set(type(word(0, 0)))


@given(helped=st.integers(min_value=0, max_value=20), failed=st.integers(min_value=0, max_value=20))
def test_the_posterior_falls_with_every_success(helped: int, failed: int) -> None:
    """A probability, smaller after one more success, larger after one more failure."""
    tried = helped + failed
    here = posterior_below(helped, tried)
    assert -1e-9 <= here <= 1 + 1e-9
    assert posterior_below(helped + 1, tried + 1) <= here + 1e-9
    assert posterior_below(helped, tried + 1) >= here - 1e-9


@given(outcomes=st.lists(st.sampled_from([True, False, None]), max_size=40), strict=st.booleans())
@settings(deadline=None)
def test_a_breaker_is_closed_after_a_success(outcomes: list[bool | None], strict: bool) -> None:
    """Whatever came before, a success that follows an opening closes; an open one always rests first."""
    runs = [Ran(helped=helped, finished_at=float(second)) for second, helped in enumerate(outcomes)]
    now = float(len(runs))
    here = state(runs, now, strict=strict)
    assert here.state is not BreakerState.HALF_OPEN
    if here.state is BreakerState.OPEN:
        again = [*runs, Ran(helped=True, finished_at=now + 400)]
        assert state(runs, now + 400, strict=strict).state is BreakerState.HALF_OPEN
        assert state(again, now + 401, strict=strict).state is BreakerState.CLOSED


@given(
    kind=st.sampled_from(FailureKind),
    untouched=st.booleans(),
    retried=st.booleans(),
    mode=st.sampled_from(HealMode),
    left=st.none() | st.floats(min_value=-5, max_value=100),
)
@settings(deadline=None)
def test_a_write_that_may_have_happened_is_never_repeated(
    kind: FailureKind,
    untouched: bool,
    retried: bool,
    mode: HealMode,
    left: float | None,
) -> None:
    """In no mode, for no kind: without proof a plain write is left alone; and every answer is a sentence."""
    diagnosis = known(kind, untouched=untouched)
    policy = HealPolicy(mode=mode)
    answer = Asked(policy=policy, diagnosis=diagnosis, retried_plain=retried, deadline_left=left).answer()
    assert answer.because.strip()
    assert untouched or isinstance(answer, LeaveAlone)


@pytest.mark.filterwarnings("ignore::FutureWarning")  # Python warns that `[[` may mean something else one day
@given(text=st.text(max_size=200), expression=st.text(max_size=30))
def test_any_row_a_person_writes_is_survived(text: str, expression: str) -> None:
    """An expression that is none, or odd, never breaks a diagnosis."""
    row = Pattern(id="row", expression=expression, kind=FailureKind.CONFLICT)
    found: Diagnosis = diagnose(Failure(message=text), [row])
    assert found.kind in {FailureKind.CONFLICT, FailureKind.UNKNOWN}
