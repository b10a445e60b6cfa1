"""What happens after a failed attempt: detect, recall, decide, fix, retry, merge, explain; learning follows the run.

The author wrote `tool: bonfire_namespace_reserve`; this module does the rest. Each stage takes values and returns
values, and leaves one event in the run's journal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import anyio

from engine.heal import breaker, detect, merge, recall
from engine.heal.asking import Heard, about_fix, ask, why_not
from engine.heal.calls import Calls
from engine.heal.causes.case import Case
from engine.heal.causes.looks import ALTOGETHER, NoLooks, ToolLooks
from engine.heal.course import Course
from engine.heal.explain import REMEDIES, Explained, Remedies, explain, no_remedies
from engine.heal.fix import FixRunner, purpose_of
from engine.heal.policy import HealPolicy
from engine.heal.request import Facts, HealRequest, KnownFixes
from engine.heal.settle import settle
from engine.heal.told import attempt_data, decision_data, diagnosis_data, outcome_data
from engine.model.event import EventKind
from engine.model.failure import Diagnosis, Failure, FailureKind, Pattern
from engine.model.heal import (
    ApplyFix,
    Decision,
    Domain,
    FixOutcome,
    Healing,
    LeaveAlone,
    RetryPlain,
    Stage,
)
from engine.model.lazy_dataclass import dataclass
from engine.model.outcome import Attempt

ATTEMPT_LIMIT = 5
"""Attempts at one step, whatever the stages decide: the first, one plain repeat, two fixes, one verified repeat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """Heals failed calls with the domains, fixes, memory and figures it was given.

    `remedies` asks those that are written as skills; without `looks` nothing is called to explain a failure.
    """

    calls: Calls
    domains: Mapping[str, Domain]
    policy: Callable[[], HealPolicy]
    fixes: FixRunner
    facts: Facts
    patterns: Callable[[], Sequence[Pattern]]
    known_fixes: KnownFixes
    remedies: Remedies = no_remedies
    looks: bool = True

    async def heal(self, request: HealRequest, first: Attempt) -> Healing:
        """What becomes of a call whose first attempt failed."""
        return await self.go_on(request, Course(attempts=(first,)))

    async def go_on(self, request: HealRequest, course: Course) -> Healing:
        """What becomes of a call whose newest attempt failed."""
        while True:
            course = self.understand(request, course)
            course = await self._look_whether_it_happened(request, course)
            if course.verified is not None:
                return merge.verified(course)
            course, calls_again = await self._act(request, course, self._decide(request, course))
            if course.question is not None:
                return merge.merged(course)
            if not calls_again:
                return await self.give_up(request, course)
            course = await self._retry(request, course)
            if course.last.ok:
                return self._merged(request, course)

    async def again(self, request: HealRequest, course: Course) -> Healing:
        """What becomes of a call that is to be made again."""
        course = await self._retry(request, course)
        return self._merged(request, course) if course.last.ok else await self.go_on(request, course)

    def understand(self, request: HealRequest, course: Course) -> Course:
        """With the newest failure named, and what memory knows of it."""
        failure = course.failure
        diagnosis = self.diagnosed(failure)
        _stage(request, Stage.DETECT, diagnosis_data(diagnosis))
        issues = recall.recall(failure, diagnosis, self.known_fixes)
        if issues:
            _stage(request, Stage.RECALL, {"answer": issues[0].meaning, "issues": [issue.meaning for issue in issues]})
        return course.understood(diagnosis, issues)

    def diagnosed(self, failure: Failure) -> Diagnosis:
        """The meaning of a failure nobody has named yet."""
        # `diagnose` would find what is certain too; asked first, it spares reading the pattern file.
        return detect.certain(failure) or detect.diagnose(failure, self.patterns())

    async def _look_whether_it_happened(self, request: HealRequest, course: Course) -> Course:
        """Asks the tool's `verify` when a write's answer was lost; its word decides whether a second call is safe."""
        tool, domain = request.tool, self.domains.get(request.domain or "")
        if course.diagnosis.kind is FailureKind.UNEXPECTED_RESULT:
            return course  # it has answered: that it happened is no news, and no excuse
        if not self.policy().must_look(tool, course.diagnosis, domain, request.narrowing):
            return course
        settled = await settle(self.calls, request)
        match settled.happened:
            case None:
                return replace(course, unsettled=f"{tool.name} may have had its effect, and {settled.because}")
            case True:
                return replace(course, verified=settled.look)
            case False:
                return replace(course, settled=True)

    def _decide(self, request: HealRequest, course: Course) -> Decision:
        if len(course.attempts) >= ATTEMPT_LIMIT:
            return LeaveAlone(because=f"{ATTEMPT_LIMIT} attempts were made; that is the limit of one step")
        if course.unsettled:
            return LeaveAlone(because=course.unsettled)
        decision = self.policy().choose(
            failure=course.failure,
            diagnosis=course.diagnosis,
            tool=request.tool,
            domain=self.domains.get(request.domain or ""),
            fixes_done=course.fixes,
            retried_plain=course.retried_plain,
            narrowing=request.narrowing,
            fix_tool=self.calls.registry.get,
            effectiveness=self.facts.effectiveness,
            breaker=self.facts.breaker,
            deadline_left=request.time_left,
            settled=course.settled,
        )
        _stage(request, Stage.DECIDE, decision_data(decision))
        return decision

    async def _act(self, request: HealRequest, course: Course, decision: Decision) -> tuple[Course, bool]:
        """Carries out a decision; the second value says whether to call again."""
        match decision:
            case LeaveAlone():
                return course.left(decision), False
            case RetryPlain():
                await anyio.sleep(decision.delay)
                return replace(course, retried_plain=True), True
            case ApplyFix() if decision.ask and decision.plan.call.tool != course.agreed:
                return await self._fix_if_agreed(request, course, decision)
            case ApplyFix():
                return await self._fix(request, course, decision)

    async def _fix_if_agreed(self, request: HealRequest, course: Course, decision: ApplyFix) -> tuple[Course, bool]:
        question = about_fix(request, decision, number=request.fixes_before + len(course.fixes) + 1)
        reply = await ask(request, question)
        if reply.heard is Heard.LATER:
            return course.waiting(question, f"{decision.plan.call} waits for an answer to {question.name}"), False
        if reply.answer is not True:  # a text "yes" may have been meant for something else
            return course.left(LeaveAlone(because=why_not(reply, decision), suggestion=decision.plan.call)), False
        return await self._fix(request, course, decision)

    async def _fix(self, request: HealRequest, course: Course, decision: ApplyFix) -> tuple[Course, bool]:
        text, diagnosis = course.failure.evidence.text or course.failure.message, course.diagnosis
        signature = breaker.signature(request.tool.name, diagnosis, text)
        pattern = diagnosis.pattern.id if diagnosis.pattern else None
        about = {
            "fix": decision.plan.call.tool,
            "domain": decision.domain,
            "kind": diagnosis.kind,
            "signature": signature,
            "pattern": pattern,
        }
        request.emit(EventKind.FIX_STARTED, {**about, "role": decision.role, "call": str(decision.plan.call)})
        outcome = await self._run_fix(request, course, decision)
        request.emit(EventKind.FIX_FINISHED, {**about, **outcome_data(outcome)})
        known = replace(outcome, signature=signature, kind=diagnosis.kind, pattern=pattern)
        return course.fixed(known), outcome.ok

    async def _run_fix(self, request: HealRequest, course: Course, decision: ApplyFix) -> FixOutcome:
        """The fix's outcome within the step's deadline; a deadline that passes is the fix's failure."""
        started = self.calls.clock()
        with anyio.move_on_after(request.time_left):
            return await self.fixes.run(
                decision.plan,
                domain=decision.domain,
                failed_since=course.last.started_at,
                call=lambda call: self.calls.beside(
                    request, call, domain=decision.domain, purpose=purpose_of(call, decision.plan)
                ),
            )
        late = Failure(message="the step's deadline passed while the fix ran", kind=FailureKind.TIMEOUT)
        return FixOutcome(
            fix=decision.plan.call.tool,
            domain=decision.domain,
            call=decision.plan.call,
            ok=False,
            shared=False,
            started_at=started,
            finished_at=self.calls.clock(),
            failure=late,
        )

    async def _retry(self, request: HealRequest, course: Course) -> Course:
        again = await self.calls.own(request, number=course.next_number)
        course = course.tried(again)
        # What worked waits for the end of its step: a history that breaks here must not hide that there is something
        # to undo.
        request.emit(
            EventKind.ATTEMPT_FINISHED, attempt_data(again, request.tool.name, request.domain), durable=not again.ok
        )
        _stage(request, Stage.RETRY, {"answer": "it worked" if again.ok else course.failure.message})
        return course

    def _merged(self, request: HealRequest, course: Course) -> Healing:
        _stage(request, Stage.MERGE, {"answer": f"attempt {course.last.number} counts"})
        return merge.merged(course)

    async def give_up(self, request: HealRequest, course: Course) -> Healing:
        """The end of a call whose newest failure was understood, and stays; why, and the way out, are told."""
        _stage(request, Stage.MERGE, {"answer": f"attempt {course.last.number} counts; it failed"})
        repeatable = self.policy().repeatable(request.tool, course.diagnosis, settled=course.settled)
        found = await self._explained(request, course, repeatable=repeatable)
        cause = found.cause
        steps = cause.sentences if cause else ()
        if course.suggestion is not None and course.suggestion.tool in self.calls.registry:
            steps = (f"The fix for this would be {course.suggestion}; the reason says why it was not run.", *steps)
        if steps or found.looks or found.left_out:
            answer = steps[0] if steps else "no root cause was found"
            _stage(request, Stage.EXPLAIN, {"answer": answer, "remediation": list(steps), **found.data})
        for said in found.left_out:
            request.emit(EventKind.NOTICE, {"text": said, "level": "warning"}, durable=False)
        return replace(merge.merged(course), remediation=steps, root_cause=cause, repeatable=repeatable)

    async def _explained(self, request: HealRequest, course: Course, *, repeatable: bool) -> Explained:
        """Why it failed, looked into only where healing is not stopped and no other round of the step may follow."""
        domain = self.domains.get(request.domain or "")
        case = Case(
            failure=course.failure,
            diagnosis=course.diagnosis,
            call=request.call,
            tool=request.tool,
            domain=domain,
            seen=course.last.value,
            now=self.calls.clock(),
        )
        again = request.repeats(course.failure.kind, repeatable=repeatable)
        if again or not self.looks or self.policy().stopped(domain, request.narrowing):
            return await explain(case, NoLooks(), known=course.issues)
        left = REMEDIES + ALTOGETHER if request.time_left is None else request.time_left
        looks = ToolLooks(calls=self.calls, around=request, until=anyio.current_time() + min(ALTOGETHER, left))
        found = await explain(case, looks, known=course.issues, remedies=self.remedies, within=left)
        return replace(found, looks=looks.told)


def _stage(request: HealRequest, stage: Stage, data: Mapping[str, Any]) -> None:
    request.emit(EventKind.HEAL_STAGE, {"stage": stage, **data}, durable=False)
