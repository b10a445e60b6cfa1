"""The course of one healed call: what was tried, understood and fixed so far, as one value that only grows."""

from __future__ import annotations

from dataclasses import replace

from engine.model.failure import Basis, Diagnosis, Failure, FailureKind
from engine.model.heal import FixOutcome, KnownIssue, LeaveAlone
from engine.model.lazy_dataclass import dataclass
from engine.model.outcome import Attempt, ToolCall
from engine.model.question import Question

NOTHING_UNDERSTOOD = Diagnosis(
    kind=FailureKind.UNKNOWN, confidence=0.0, basis=Basis.NONE, because="not looked at", untouched=False
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What has happened to one call; `settled` when the tool's `verify` saw that its last try had no effect.

    `begun` is the number of the newest attempt that has no end, 0 if there is none; `agreed` the fix an earlier process
    had begun; `question` what has to be answered before anything more is done.
    """

    attempts: tuple[Attempt, ...]
    diagnosis: Diagnosis = NOTHING_UNDERSTOOD
    first_diagnosis: Diagnosis | None = None
    issues: tuple[KnownIssue, ...] = ()
    fixes: tuple[FixOutcome, ...] = ()
    retried_plain: bool = False
    verified: Attempt | None = None
    settled: bool = False
    unsettled: str = ""
    left_because: str = ""
    suggestion: ToolCall | None = None
    begun: int = 0
    agreed: str = ""
    question: Question | None = None

    @property
    def next_number(self) -> int:
        """The number of an attempt made now."""
        return max([self.begun, *(tried.number for tried in self.attempts)]) + 1

    @property
    def last(self) -> Attempt:
        """The newest attempt."""
        return self.attempts[-1]

    @property
    def failure(self) -> Failure:
        """The newest failure, with the kind it was diagnosed as."""
        failures = [tried.failure for tried in self.attempts if tried.failure is not None]
        return failures[-1]

    def understood(self, diagnosis: Diagnosis, issues: tuple[KnownIssue, ...]) -> Course:
        """With the newest failure named; the attempt keeps the name."""
        named = replace(self.last, failure=replace(self.failure, kind=diagnosis.kind))
        return replace(
            self,
            attempts=(*self.attempts[:-1], named),
            diagnosis=diagnosis,
            first_diagnosis=self.first_diagnosis or diagnosis,
            issues=issues,
        )

    def left(self, decision: LeaveAlone) -> Course:
        """With the decision to do nothing more."""
        return replace(self, left_because=decision.because, suggestion=decision.suggestion)

    def waiting(self, question: Question, because: str) -> Course:
        """With a question that somebody has to answer first."""
        return replace(self, question=question, left_because=because)

    def fixed(self, outcome: FixOutcome) -> Course:
        """With a fix that ran; a fix that failed ends the course, its own failure beside the first."""
        grown = replace(self, fixes=(*self.fixes, outcome))
        if outcome.ok:
            return grown
        said = outcome.failure.message if outcome.failure else "it gave no reason"
        because = f"the fix {outcome.call} failed: {said}" if outcome.ran else said
        return replace(grown, left_because=because, suggestion=None)

    def tried(self, again: Attempt) -> Course:
        """With one more attempt."""
        return replace(self, attempts=(*self.attempts, again), settled=False)

    def reason(self) -> str:
        """In a sentence, what healing did or why it did not."""
        if not self.last.ok:
            return self.left_because
        if self.fixes:
            told = [f"{fix.call}{' (run by another step)' if fix.shared else ''}" for fix in self.fixes]
            return f"healed by {' and '.join(told)}"
        return "worked when it was called again"
