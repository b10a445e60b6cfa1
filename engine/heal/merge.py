"""Which attempt counts, with everything that happened on the way kept beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from engine.heal.course import Course
from engine.heal.settle import answer_in
from engine.model.failure import Diagnosis
from engine.model.heal import FixOutcome, Healing
from engine.model.outcome import Attempt

Counts = Literal["first", "retry"]

HAD_HAPPENED = "the answer was lost, but the call had had its effect, so it was not repeated"
"""Why a call whose answer was lost counts as done."""


def counting(attempts: Sequence[Attempt]) -> Attempt:
    """The attempt that counts: the last, for every retry was made knowing the one before; ValueError if none."""
    if not attempts:
        raise ValueError("there is no attempt to count")
    return max(reversed(attempts), key=lambda attempt: attempt.number)


def counts(attempts: Sequence[Attempt]) -> Counts:
    """Whether the first attempt counts, or a retry."""
    return "first" if counting(attempts).number == min(attempt.number for attempt in attempts) else "retry"


def healing(
    attempts: Sequence[Attempt],
    *,
    diagnosis: Diagnosis | None = None,
    fixes: Sequence[FixOutcome] = (),
    remediation: Sequence[str] = (),
    reason: str = "",
) -> Healing:
    """How the call ended: value or failure of the attempt that counts, and the first failure, which is never lost."""
    final = counting(attempts)
    ordered = sorted(attempts, key=lambda attempt: attempt.number)
    first_failure = next((attempt.failure for attempt in ordered if attempt.failure is not None), None)
    return Healing(
        value=final.value if final.ok else None,
        failure=final.failure,
        first_failure=first_failure,
        diagnosis=diagnosis,
        attempts=tuple(ordered),
        fixes=tuple(fixes),
        remediation=() if final.ok else tuple(remediation),
        reason=reason,
        recorded=True,
    )


def merged(course: Course) -> Healing:
    """How a healed call ended, with what became of each fix that was run for it."""
    ended = healing(
        course.attempts,
        diagnosis=course.first_diagnosis,
        fixes=judged(course),
        reason=course.reason(),
    )
    return replace(ended, question=course.question)


def judged(course: Course) -> tuple[FixOutcome, ...]:
    """The fixes with what became of them.

    One helped when the call worked in the end, and did not when it failed itself or the same kind of failure came back;
    a different failure after it says nothing about it (None).
    """
    return tuple(replace(fix, helped=_helped(course, fix)) for fix in course.fixes)


def _helped(course: Course, fix: FixOutcome) -> bool | None:
    if course.last.ok:
        return fix.ok
    return False if not fix.ok or course.failure.kind is fix.kind else None


def verified(course: Course) -> Healing:
    """How a call ended whose answer was lost, but which had its effect: what `verify` found is the value.

    Where `verify` gives a mapping with a `value`, that is taken for the answer that was lost.
    """
    value = answer_in(course.verified.value) if course.verified is not None else None
    return replace(merged(course), value=value, failure=None, reason=HAD_HAPPENED)
