"""`foreach`: one step for every element of a list, and what the whole of it comes to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import anyio

from engine.attempt import failure_of
from engine.errors import SandboxError
from engine.model.event import EventKind
from engine.model.failure import Failure, FailureKind
from engine.model.heal import Healing
from engine.model.lazy_dataclass import dataclass
from engine.model.outcome import StepResult, StepStatus
from engine.model.past import PastStep
from engine.model.secret import MASK
from engine.model.skill import ForeachOption, Step, action_of
from engine.run.ending import HALTED, RESTING, Ended, Ending
from engine.run.frame import Frame, Walks
from engine.run.groups import elements
from engine.run.replay import is_lost, past_result
from engine.run.telling import finished_data, result_of
from engine.run.traced import step_span, tell_step


@dataclass(frozen=True, slots=True, kw_only=True)
class Each:
    """A `foreach` in the walk that meets it."""

    walk: Walks
    step: Step
    option: ForeachOption
    frame: Frame
    index: int

    @property
    def path(self) -> str:
        """The path of the whole."""
        return f"{self.frame.prefix}{self.step.name}"

    async def run(self) -> Ended:
        """Performs the step for every element, and ends the whole."""
        past = self.walk.running.past_step(self.path)
        if past is None and (self.frame.gate.closed or self.frame.replaying):
            return Ended(ending=HALTED)
        if past is not None and past.status is StepStatus.SKIPPED:
            return self._end(StepResult(name=self.step.name, path=self.path, status=StepStatus.SKIPPED), past=past)
        if past is not None and past.status is not None:
            return await self._done(past)
        with step_span(self.walk.running, self.step, self.frame, self.path, action="foreach") as span:
            return tell_step(span, await self._done(past))

    async def _done(self, past: PastStep | None) -> Ended:
        started = self.walk.running.clock()
        try:
            if past is None and self._skips():
                return self._skipped()
            items = self._items(past)
        except SandboxError as error:
            return self._unlisted(failure_of(error, tool="foreach"))
        if isinstance(items, Failure):
            return self._unlisted(items)
        return await self._over(items, past, started)

    async def _over(self, items: Sequence[Any], past: PastStep | None, started: float) -> Ended:
        if past is None:
            self._begin(items)
        over = past is not None and past.status is not None
        try:
            found, ending = await elements(
                self.walk,
                self._element(),
                replace(self.frame, replaying=True) if over else self.frame,
                self.path,
                items,
                bind=self.option.bind,
                parallel=max(1, min(self.option.parallel, len(items))),
            )
        except anyio.get_cancelled_exc_class():
            if not over:
                self.walk.cut_off(replace(self.step, undo=None), self.frame, self.path, started=started)
            raise
        if not over and ending in (RESTING, HALTED):
            return Ended(ending=ending)
        result = whole(self.step, self.path, found, ending)
        if past is not None and over:
            told = past_result(self.step, past)
            value = told.value if told.value is None or not is_lost(self.step, past) else result.value
            return self._end(replace(told, value=value), ending=ending, past=past)
        return self._end(replace(result, duration=max(0.0, self.walk.running.clock() - started)), ending=ending)

    def _skips(self) -> bool:
        condition = self.step.condition
        if condition is None or self._per_element():
            return False
        return not self.walk.running.sandbox.holds(condition, self.frame.scope.names)

    def _per_element(self) -> bool:
        """Whether the condition is about the element, so that it is looked at once for each."""
        condition = self.step.condition
        return condition is not None and self.walk.running.sandbox.reads(condition, self.option.bind)

    def _element(self) -> Step:
        """The step as it is performed for one element."""
        return replace(self.step, foreach=None, condition=self.step.condition if self._per_element() else None)

    def _items(self, past: PastStep | None) -> Sequence[Any] | Failure:
        if past is not None and past.items is not None and not self.step.secret:
            return past.items
        found = self.walk.running.sandbox.evaluate(self.option.items, self.frame.scope.names)
        if isinstance(found, list | tuple | range):
            return list(found)
        way_out = "; its items are `x.items()`, its keys `list(x)`" if isinstance(found, dict) else ""
        said = f"`foreach` wants a list, and {self.option.items.text} is {_kind(found)}{way_out}"
        return Failure(message=said, kind=FailureKind.USAGE_ERROR)

    def _begin(self, items: Sequence[Any]) -> None:
        data = {
            "index": self.index,
            "action": action_of(self.step),
            "section": self.frame.section,
            "foreach": True,
            "items": MASK if self.step.secret else list(items),
            "count": len(items),
        }
        self.walk.running.send(EventKind.STEP_STARTED, self.path, data, durable=False)

    def _skipped(self) -> Ended:
        self._begin(())
        result = StepResult(
            name=self.step.name,
            path=self.path,
            place=self.step.place,
            status=StepStatus.SKIPPED,
            reason="condition is false",
        )
        return self._end(result)

    def _unlisted(self, failure: Failure) -> Ended:
        """The step's failure before there was any element."""
        self._begin(())
        return self._end(result_of(self.step, self.path, Healing(failure=failure)))

    def _end(self, result: StepResult, *, ending: Ending | None = None, past: PastStep | None = None) -> Ended:
        """Binds the list and tells it; the elements' own undos are noted already."""
        bare = replace(self.step, undo=None)
        return self.walk.ended(bare, self.frame, result, finished_data(bare, result, None), ending=ending, past=past)


def whole(step: Step, path: str, found: Sequence[Ended | None], ending: Ending | None) -> StepResult:
    """What the elements come to: the worst of their statuses, and the list of their values in order."""
    results = [each.result if each else None for each in found]
    counts = Counter(result.status for result in results if result is not None)
    failed = ending is not None and ending.failure is not None
    status = (
        StepStatus.FAILED
        if failed
        else next((each for each in (StepStatus.TOLERATED, StepStatus.HEALED) if counts[each]), StepStatus.OK)
    )
    bad = counts[StepStatus.FAILED] + counts[StepStatus.TOLERATED]
    return StepResult(
        name=step.name,
        path=path,
        place=step.place,
        status=status,
        value=None if failed else [result.value if result else None for result in results],
        failure=ending.failure if failed and ending else None,
        reason=f"{bad} of {len(found)} failed" if bad else "",
    )


def _kind(value: Any) -> str:
    match value:
        case None:
            return "None"
        case str():
            return "a text"
        case dict():
            return "a mapping"
        case _:
            return f"a {type(value).__name__}"
