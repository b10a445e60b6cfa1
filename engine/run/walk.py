"""The walk through a skill: which step comes next, what an earlier process did of it, and how each ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

import anyio

from engine.attempt import failure_of
from engine.errors import EngineError, JournalError, SandboxError
from engine.heal.told import attempt_data
from engine.model.event import EventKind
from engine.model.failure import Failure, FailureKind
from engine.model.heal import Healing
from engine.model.lazy_dataclass import dataclass
from engine.model.outcome import RunStatus, StepResult, StepStatus
from engine.model.past import PastStep
from engine.model.skill import (
    AskStep,
    ComputeStep,
    GroupStep,
    SkillStep,
    Step,
    StopStep,
    ToolStep,
    action_of,
)
from engine.run.asking import answer
from engine.run.cleaning import tell_breaking
from engine.run.ending import HALTED, RESTING, Acted, Ended, Ending, ending_of
from engine.run.foreach import Each
from engine.run.frame import Frame
from engine.run.groups import group
from engine.run.perform import Performer, deadline_of
from engine.run.replay import is_lost, keeps_dying, must_be_read_again, past_result, round_path, rounds_of
from engine.run.rounds import Rounds
from engine.run.running import Running
from engine.run.subskill import call_skill, skill_data, skill_of
from engine.run.telling import finished_data, result_of, without_value
from engine.run.traced import step_span, tell_step
from engine.run.undoing import undo_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """Walks through the steps of one run."""

    running: Running
    performer: Performer

    async def sequence(self, steps: Sequence[Step], frame: Frame) -> Ending | None:
        """Performs steps in order until one ends them; None when all are done. Raises JournalError."""
        for index, step in enumerate(steps):
            if ending := await self.step(step, frame, index=index):
                return ending
        return None

    async def step(self, step: Step, frame: Frame, *, index: int) -> Ending | None:
        """Performs one step, with all its elements; how it ends what it stands in, None when that goes on."""
        if step.foreach is not None:
            return (await Each(walk=self, step=step, option=step.foreach, frame=frame, index=index).run()).ending
        return (await self.one(step, frame, path=f"{frame.prefix}{step.name}", index=index)).ending

    async def one(self, step: Step, frame: Frame, *, path: str, index: int) -> Ended:
        """Performs a step that is no `foreach`, or one element of one."""
        past = self.running.past_step(path)
        again = past is not None and self._is_read_again(step, frame, past)
        if past is not None and past.status is not None and not again:
            return await self._replayed(step, frame, path, past)
        if frame.gate.closed or (frame.replaying and not again):
            if past is not None:
                await self._left(step, frame, path, past)
            return Ended(ending=HALTED)
        with step_span(self.running, step, frame, path, action=action_of(step)) as span:
            return tell_step(span, await self._done(step, frame, path, index, past))

    async def _done(self, step: Step, frame: Frame, path: str, index: int, past: PastStep | None) -> Ended:
        """Performs a step that has no end yet."""
        started = self.running.clock()
        self._begin(step, frame, path, index)
        try:
            acted = await self._acted(step, frame, path, past)
        except (JournalError, anyio.get_cancelled_exc_class()) as error:
            if not isinstance(error, JournalError) or path in self.running.called:
                self.cut_off(step, frame, path, started=started)
            raise
        if acted is None:
            result = StepResult(name=step.name, path=path, status=StepStatus.SKIPPED, reason="condition is false")
            return self.ended(step, frame, result, finished_data(step, result, None))
        if acted.ending in (RESTING, HALTED):
            return Ended(ending=acted.ending)
        took = max(0.0, self.running.clock() - started)
        result = replace(result_of(step, path, acted.healing), duration=took)
        return self._ended_now(step, frame, result, acted)

    async def _left(self, step: Step, frame: Frame, path: str, past: PastStep) -> None:
        """Notes what it takes to undo a step that an earlier process had begun, and which is not gone on with."""
        if isinstance(step, GroupStep | SkillStep):
            for number in range(1, rounds_of(step, path, self.running.past) + 1):
                await self._inside(step, frame, round_path(path, number), None)
        elif past.attempts and past.attempts[-1].ok is None:
            self._note_undo(step, frame, _cut_off(step, path), None, repeatable=False)

    def ended(
        self,
        step: Step,
        frame: Frame,
        result: StepResult,
        event: Mapping[str, Any],
        *,
        ending: Ending | None = None,
        past: PastStep | None = None,
        repeatable: bool = True,
    ) -> Ended:
        """Notes a step's end: in the journal unless that has it, in the scope, and what it takes to undo it.

        `ending` is how what stands in the step ended; it ends more than the step when it is no failure of its own.
        """
        running = self.running
        result = replace(result, place=step.place)
        if past is None:
            told = {**event, "repeatable": repeatable}
            running.broadcast.report(EventKind.STEP_FINISHED, told, step=result.path)
        else:
            repeatable = bool(past.finished.get("repeatable", True))
        lost = bool(event.get("answer_lost")) if past is None else is_lost(step, past)
        frame.scope.finished(step, result, lost=lost and step.foreach is None)
        running.results.append(result)
        self._note_undo(step, frame, result, past, repeatable=repeatable)
        if running.broadcast.failure is not None and running.broadcast.insists:
            raise running.broadcast.failure
        own = ending_of(step, result, repeatable=repeatable)
        outer = ending is not None and (ending.failure is None or ending.status is RunStatus.BLOCKED)
        return Ended(result=result, ending=ending if outer and result.status is not StepStatus.TOLERATED else own)

    def _begin(self, step: Step, frame: Frame, path: str, index: int) -> None:
        """Tells that a step begins; at once for a block that computes, else together with what it does first."""
        data: dict[str, Any] = {"index": index, "action": action_of(step), "section": frame.section, "foreach": False}
        if isinstance(step, SkillStep):
            with suppress(EngineError):  # calling it says what is wrong
                data |= skill_data(skill_of(self.running, step, path))
        self.running.send(EventKind.STEP_STARTED, path, data, durable=isinstance(step, ComputeStep))

    async def _acted(self, step: Step, frame: Frame, path: str, past: PastStep | None) -> Acted | None:
        """What the step's action came to after all its rounds; None when its condition is false."""
        try:
            asked = step.condition is not None and not (past is not None and past.attempts)
            if asked and step.condition and not self.running.sandbox.holds(step.condition, frame.scope.names):
                return None
        except SandboxError as error:
            return Acted(healing=Healing(failure=failure_of(error, tool="condition"), repeatable=True))
        if past is not None and keeps_dying(step, past):
            said = f"it was begun {past.begun} times, and each time its process died; it is not begun again"
            return Acted(healing=Healing(failure=Failure(message=said, kind=FailureKind.CODE_ERROR)))
        return await self._rounds(step, frame, path, past)

    async def _rounds(self, step: Step, frame: Frame, path: str, past: PastStep | None) -> Acted:
        deadline = deadline_of(step)
        act = partial(self._act, step, frame, path, deadline, past)
        if step.retry is None and step.until is None and (step.expect is None or isinstance(step, ToolStep)):
            return await act(())
        until = step.until
        return await Rounds(
            step=step,
            act=act,
            judge=None if isinstance(step, ToolStep) else self.performer.judge(step, frame.scope),
            holds=lambda value: (
                until is None or self.running.sandbox.holds(until.condition, {**frame.scope.names, "result": value})
            ),
            deadline=deadline,
            between=lambda healing: self._tell_attempt(step, path, healing),
        ).run()

    async def _act(
        self,
        step: Step,
        frame: Frame,
        path: str,
        deadline: float | None,
        past: PastStep | None,
        before: tuple[Healing, ...],
    ) -> Acted:
        match step:
            case ToolStep():
                return await self.performer.call_tool(step, frame, path, deadline=deadline, past=past, before=before)
            case ComputeStep():
                return await self.performer.compute(step, frame)
            case StopStep():
                return self.performer.stop(step, frame)
            case AskStep():
                return await answer(step, frame, path, self.running)
            case GroupStep() | SkillStep():
                return await self._inside(step, frame, round_path(path, len(before) + 1), deadline)
        raise TypeError(f"nothing performs {type(step).__name__}")

    async def _inside(self, step: GroupStep | SkillStep, frame: Frame, path: str, deadline: float | None) -> Acted:
        """The inner steps, within the step's own time; cutting them off cleans up after sub-skills."""
        limit = None if deadline is None else deadline - anyio.current_time()
        with anyio.move_on_after(limit):
            if isinstance(step, GroupStep):
                return await group(self, step, frame, path)
            return await call_skill(self, step, frame, path)
        said = f"it did not end within its time ({step.timeout or (step.until and step.until.timeout):g} s)"
        return Acted(healing=Healing(failure=Failure(message=said, kind=FailureKind.TIMEOUT)))

    def _ended_now(self, step: Step, frame: Frame, result: StepResult, acted: Acted) -> Ended:
        """Puts the attempt (when it was the last one) and the end of the step into the journal, in one transaction."""
        healing = acted.healing
        if step.secret:
            self.running.secrets.add(result.value)
        self._tell_attempt(step, result.path, healing, whole=False)
        event = finished_data(step, result, healing)
        return self.ended(step, frame, result, event, ending=acted.ending, repeatable=healing.repeatable)

    def _tell_attempt(self, step: Step, path: str, healing: Healing, *, whole: bool = True) -> None:
        """Tells the attempt that worked: healing has told all others, for it had to know them kept.

        A `whole` one is followed by a pause, in which the process may die: it is kept at once.
        """
        if not healing.attempts or healing.recorded:
            return
        last = healing.attempts[-1]
        data = attempt_data(last, last.call.tool)
        told = without_value(data) if step.secret else (data if whole else {**data, "value": None})
        self.running.send(EventKind.ATTEMPT_FINISHED, path, told, durable=whole)

    def cut_off(self, step: Step, frame: Frame, path: str, *, started: float) -> None:
        """Notes the end of a step that was cut off from outside; what it holds has told its own."""
        tell_breaking(self)
        result = replace(_cut_off(step, path), duration=max(0.0, self.running.clock() - started))
        self.running.broadcast.report(EventKind.STEP_FINISHED, finished_data(step, result, None), step=path)
        self.running.results.append(result)
        frame.scope.finished(step, result)
        if path in self.running.called:
            self._note_undo(step, frame, result, None, repeatable=False)

    def _note_undo(
        self, step: Step, frame: Frame, result: StepResult, past: PastStep | None, *, repeatable: bool
    ) -> None:
        """Remembers how to take the step back, when it worked, or when nobody knows whether it did."""
        undo = undo_of(self.performer, step, frame, result, repeatable=repeatable)
        if undo is not None:
            order = past.ended if past is not None else self.running.now_ended()
            frame.undo.append(replace(undo, order=order))

    async def _replayed(self, step: Step, frame: Frame, path: str, past: PastStep) -> Ended:
        """A step that ended in an earlier process, read again: its value, its undo, and what stands in it."""
        acted = Acted(healing=Healing())
        if isinstance(step, GroupStep | SkillStep) and past.status is not StepStatus.SKIPPED:
            inside = replace(frame, replaying=True)
            for number in range(1, rounds_of(step, path, self.running.past) + 1):
                acted = await self._inside(step, inside, round_path(path, number), None)
        result = past_result(step, past, inner=acted.healing.value)
        return self.ended(step, frame, result, past.finished, ending=acted.ending, past=past)

    def _is_read_again(self, step: Step, frame: Frame, past: PastStep) -> bool:
        """Whether a value that history could not keep is got anew: not while cleaning up, nor from a person twice."""
        if frame.gate.closed or (frame.replaying and isinstance(step, AskStep)):
            return False
        return must_be_read_again(step, past, self.running.healer.calls.registry)


def _cut_off(step: Step, path: str) -> StepResult:
    """The end of a step that something outside of it cut off."""
    failure = Failure(message="it was cut off before it had ended", kind=FailureKind.CANCELLED)
    return StepResult(
        name=step.name, path=path, place=step.place, status=StepStatus.FAILED, failure=failure, reason="cut off"
    )
