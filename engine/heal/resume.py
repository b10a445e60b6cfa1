"""Going on with a call that an earlier process had begun: from where it was cut off, and never twice where once counts.

`Healer` imports this only for a step that has a past.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from engine.heal import merge
from engine.heal.asking import Heard, Reply, ask, numbered
from engine.heal.course import Course
from engine.heal.pipeline import Pipeline
from engine.heal.recollection import Recollection, outcome_of, recollect
from engine.heal.request import HealRequest
from engine.heal.safety import repeats
from engine.heal.settle import settle
from engine.heal.told import attempt_data
from engine.model.event import EventKind
from engine.model.failure import Failure, FailureKind
from engine.model.heal import Healing, LeaveAlone
from engine.model.lazy_dataclass import dataclass
from engine.model.outcome import Attempt
from engine.model.past import PastAttempt, PastFix, PastStep
from engine.model.question import DONE, FAIL, REPEAT, Question

SHOWN = 300
"""Characters of a call that a question shows."""


async def resume(pipeline: Pipeline, request: HealRequest) -> Healing:
    """What becomes of a call that was begun in an earlier process; its `past` says how far it came."""
    past = request.past or PastStep(path=request.step)
    found = recollect(request, past, pipeline.domains.get(request.domain or ""))
    request = replace(request, fixes_before=found.fixes_before)
    resumption = Resumption(pipeline=pipeline, request=request, course=_course(pipeline, found), found=found)
    return await resumption.go_on(lost=past.lost)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumption:
    """One call that goes on."""

    pipeline: Pipeline
    request: HealRequest
    course: Course
    found: Recollection

    async def go_on(self, *, lost: bool) -> Healing:
        """The call's outcome; `lost` says that the value of an attempt that worked could not be kept."""
        if self.found.pending is not None:
            return await self._after(self.found.pending)
        match self.found.last:
            case None:
                return await self.call()
            case PastAttempt(ok=False):
                return await self.pipeline.go_on(self.request, self.course)
            case PastAttempt(ok=True) if not lost:
                return self._worked()
            case last:
                return await self._without(last).settle(last)

    async def _after(self, fix: PastFix) -> Healing:
        """From a fix that worked to the retry, from one that failed to the end; a cut-off one runs again if it may."""
        if fix.ok is not None:
            course = self.course.fixed(outcome_of(fix, self.pipeline.domains.get(self.request.domain or "")))
            return await self.pipeline.again(self.request, course) if fix.ok else await self._leave(course)
        tool = self.pipeline.calls.registry.get(fix.fix)
        if tool is None or repeats(tool):
            return await self.pipeline.go_on(self.request, replace(self.course, agreed=fix.fix))
        because = f"the fix {fix.call} was cut off, nobody knows what it did, and it may not be run twice"
        return await self._leave(self.course.left(LeaveAlone(because=because)))

    async def _leave(self, course: Course) -> Healing:
        because = course.left_because
        course = self.pipeline.understand(self.request, course)
        return await self.pipeline.give_up(self.request, course.left(LeaveAlone(because=because)))

    def _worked(self) -> Healing:
        """The value of the newest attempt, which the journal has."""
        ended = merge.merged(self.course)
        return ended if ended.healed else replace(ended, reason="")

    async def call(self) -> Healing:
        """One more attempt; a first one that works is told with the end of its step, as always."""
        request, course = self.request, self.course
        if course.attempts:
            return await self.pipeline.again(request, course)
        tried = await self.pipeline.calls.own(request, number=course.next_number)
        if tried.ok:
            return Healing(value=tried.value, attempts=(tried,))
        request.emit(EventKind.ATTEMPT_FINISHED, attempt_data(tried, request.tool.name, request.domain))
        return await self.pipeline.go_on(request, course.tried(tried))

    async def settle(self, last: PastAttempt) -> Healing:
        """Decides a call whose end, or whose value, nobody knows: by its effect, its `verify`, or somebody's word."""
        if repeats(self.request.tool):
            return await self.call()
        settled = await settle(self.pipeline.calls, self.request)
        match settled.happened:
            case True:
                return self._ended(last, settled.value, merge.HAD_HAPPENED)
            case False:
                return await self.call()
            case None:
                return await self._ask(last, settled.because)

    def _without(self, last: PastAttempt) -> Resumption:
        """The same, but the newest attempt does not count as one that worked."""
        attempts = self.course.attempts[:-1] if last.ok else self.course.attempts
        return replace(self, course=replace(self.course, attempts=attempts))

    async def _ask(self, last: PastAttempt, because: str) -> Healing:
        question = self._question(last, because)
        reply = await ask(self.request, question)
        if reply.heard is Heard.LATER:
            return self._waits(last, question)
        if reply.answer == REPEAT:
            return await self.call()
        if reply.answer == DONE:
            said = "somebody said that the call had had its effect; its answer is lost"
            return replace(self._ended(last, None, said), answer_lost=True)
        doubt = f"{self.request.tool.name} may have had its effect, and {because}"
        return await self._fail(last, f"{doubt}; {_unanswered(reply)}")

    def _question(self, last: PastAttempt, because: str) -> Question:
        choices = (
            f"{REPEAT}: call it again; {DONE}: it had its effect, go on without its answer; {FAIL}: the step fails."
        )
        return Question(
            name=f"{self.request.step}.{numbered('settle', self.found.doubts)}",
            text=f"{self._what(last)}, and nobody knows whether it had its effect ({because}). {choices}",
            choices=(REPEAT, DONE, FAIL),
            about="settle",
            step=self.request.step,
        )

    def _what(self, last: PastAttempt) -> str:
        call = str(self.request.call)
        shown = call if len(call) <= SHOWN else f"{call[:SHOWN]}..."
        when = datetime.fromtimestamp(last.started_at, UTC)
        what = "worked, but its answer could not be kept" if last.ok else "was cut off before it answered"
        return f"{shown}, called at {when:%Y-%m-%d %H:%M:%S} UTC, {what}"

    def _ended(self, last: PastAttempt, value: Any, reason: str) -> Healing:
        """The call counts as done, by the attempt that was cut off."""
        tried = self._last(last, value=value)
        if not self.course.attempts:
            return Healing(value=value, attempts=(tried,), reason=reason, recorded=bool(last.ok))
        if not last.ok:
            told = attempt_data(tried, self.request.tool.name, self.request.domain)
            self.request.emit(EventKind.ATTEMPT_FINISHED, told, durable=False)
        return replace(merge.merged(self.course.tried(tried)), reason=reason)

    async def _fail(self, last: PastAttempt, because: str) -> Healing:
        tried = self._last(last, failure=self._cut_off(last))
        if not last.ok:
            self.request.emit(
                EventKind.ATTEMPT_FINISHED, attempt_data(tried, self.request.tool.name, self.request.domain)
            )
        return await self._leave(self.course.tried(tried).left(LeaveAlone(because=because)))

    def _waits(self, last: PastAttempt, question: Question) -> Healing:
        course = self.course.tried(self._last(last, failure=self._cut_off(last)))
        return merge.merged(course.waiting(question, f"it waits for an answer to {question.name}"))

    def _cut_off(self, last: PastAttempt) -> Failure:
        return Failure(message=self._what(last), tool=self.request.tool.name, kind=FailureKind.CANCELLED)

    def _last(self, last: PastAttempt, *, value: Any = None, failure: Failure | None = None) -> Attempt:
        return Attempt(
            number=last.number,
            call=self.request.call,
            started_at=last.started_at,
            finished_at=self.pipeline.calls.clock(),
            value=value,
            failure=failure,
        )


def _course(pipeline: Pipeline, found: Recollection) -> Course:
    """The course as far as it came, its failures named; but not the newest where it still has to be understood."""
    retries = found.pending is not None and bool(found.pending.ok)
    known = len(found.attempts) - (found.last is not None and found.last.ok is False and not retries)
    failures = [tried.failure for tried in found.attempts if tried.failure is not None]
    return Course(
        attempts=(*(_named(pipeline, tried) for tried in found.attempts[:known]), *found.attempts[known:]),
        first_diagnosis=pipeline.diagnosed(failures[0]) if failures else None,
        fixes=found.fixes,
        retried_plain=found.retried_plain,
        begun=found.begun,
    )


def _named(pipeline: Pipeline, tried: Attempt) -> Attempt:
    if tried.failure is None:
        return tried
    return replace(tried, failure=replace(tried.failure, kind=pipeline.diagnosed(tried.failure).kind))


def _unanswered(reply: Reply) -> str:
    match reply.heard:
        case Heard.NOBODY:
            return "nobody could be asked, so it is not called again"
        case Heard.TOO_LATE:
            return "nobody answered before the step's time was up"
        case _ if reply.answer == FAIL:
            return "somebody decided that the step fails"
        case _:
            return f"{reply.answer!r} is none of {REPEAT}, {DONE}, {FAIL}"
