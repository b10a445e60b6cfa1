"""Which attempt counts, and what memory knew: nothing on the way is lost."""

from __future__ import annotations

import pytest

from engine.heal.course import Course
from engine.heal.merge import counting, counts, healing, judged, verified
from engine.heal.recall import recall
from engine.model.failure import Basis, Diagnosis, Failure, FailureKind, Pattern
from engine.model.heal import FixOutcome, KnownIssue
from engine.model.outcome import Attempt, ToolCall

CALL = ToolCall(tool="reserve")
REFUSED = Failure(message="refused", tool="reserve", kind=FailureKind.CONNECTION_REFUSED)
DENIED = Failure(message="denied", tool="reserve", kind=FailureKind.PERMISSION_DENIED)


def tried(number: int, *, failure: Failure | None = None, value: object = None) -> Attempt:
    """An attempt."""
    return Attempt(number=number, call=CALL, started_at=0.0, finished_at=1.0, failure=failure, value=value)


def ran(*, ok: bool = True, kind: FailureKind = FailureKind.CONNECTION_REFUSED) -> FixOutcome:
    """A fix that was run against this kind."""
    call = ToolCall(tool="connect")
    return FixOutcome(
        fix="connect", domain="d", call=call, ok=ok, shared=False, started_at=0.0, finished_at=1.0, kind=kind
    )


def test_a_retry_that_worked_counts_and_the_first_failure_stays() -> None:
    """Healed: a value, and what had been wrong."""
    ended = healing([tried(1, failure=REFUSED), tried(2, value=7)], remediation=["do this"])
    assert (ended.value, ended.failure, ended.first_failure) == (7, None, REFUSED)
    assert ended.healed
    assert ended.remediation == ()


def test_a_retry_that_failed_otherwise_counts_too() -> None:
    """The newest failure is what a person must deal with; the first one is kept beside it."""
    ended = healing([tried(2, failure=DENIED), tried(1, failure=REFUSED)], remediation=["do this"])
    assert (ended.value, ended.failure, ended.first_failure) == (None, DENIED, REFUSED)
    assert [attempt.number for attempt in ended.attempts] == [1, 2]
    assert ended.remediation == ("do this",)


def test_the_first_attempt_counts_when_there_was_no_other() -> None:
    """And without any there is nothing to count."""
    assert counts([tried(1, failure=REFUSED)]) == "first"
    assert counts([tried(1, failure=REFUSED), tried(2)]) == "retry"
    with pytest.raises(ValueError, match="no attempt"):
        counting([])


@pytest.mark.parametrize(
    ("fix", "last", "helped"),
    [
        (ran(), tried(2), True),
        (ran(), tried(2, failure=REFUSED), False),
        (ran(ok=False), tried(2, failure=DENIED), False),
        (ran(), tried(2, failure=DENIED), None),
    ],
)
def test_a_fix_is_judged_by_what_followed(fix: FixOutcome, last: Attempt, helped: object) -> None:
    """It helped, it did not, or another failure says nothing about it."""
    course = Course(attempts=(tried(1, failure=REFUSED), last), fixes=(fix,))
    assert judged(course)[0].helped is helped


def test_a_lost_answer_that_was_verified_is_a_success() -> None:
    """The call is not repeated; its value is what `verify` found, or the `value` in it."""
    lost = Course(attempts=(tried(1, failure=REFUSED),), verified=tried(1, value={"happened": True, "value": "ns-1"}))
    ended = verified(lost)
    assert (ended.value, ended.failure, ended.first_failure) == ("ns-1", None, REFUSED)
    assert verified(Course(attempts=(tried(1, failure=REFUSED),), verified=tried(1, value=True))).value is True


class Notebook:
    """A book of fixes that remembers one issue for one tool."""

    def known(self, tool: str, text: str) -> tuple[KnownIssue, ...]:
        """The issue, if the tool and the words fit."""
        issue = KnownIssue(source="tool_fixes.yaml", meaning="", root_cause="the network was down", fix="connect first")
        return (issue, issue) if tool == "reserve" and "refused" in text else ()


def test_memory_is_asked_for_the_pattern_and_for_the_tool() -> None:
    """The pattern's meaning comes first; nothing is said twice."""
    pattern = Pattern(
        id="p", expression="x", kind=FailureKind.CONNECTION_REFUSED, meaning="it is down", commands=("a",)
    )
    diagnosis = Diagnosis(
        kind=pattern.kind, confidence=0.9, basis=Basis.PATTERN, because="", untouched=True, pattern=pattern
    )
    issues = recall(REFUSED, diagnosis, Notebook())
    assert [issue.source for issue in issues] == ["patterns.yaml", "tool_fixes.yaml"]
    assert (issues[0].meaning, issues[0].commands) == ("it is down", ("a",))


def test_memory_that_knows_nothing_says_nothing() -> None:
    """No pattern, no recorded fix: no issue."""
    diagnosis = Diagnosis(kind=FailureKind.CONFLICT, confidence=1.0, basis=Basis.DECLARED, because="", untouched=False)
    assert recall(DENIED, diagnosis, Notebook()) == ()
