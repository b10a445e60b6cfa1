"""One round of the actions that hold no other steps: a tool call with its healing, a compute block, a stop."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import anyio

from engine.attempt import attempt, failure_of
from engine.errors import DocumentError, SandboxError
from engine.heal.request import HealRequest, Repeats, never_repeats
from engine.model.event import EventKind
from engine.model.failure import Failure, FailureKind
from engine.model.heal import Healing
from engine.model.lazy_dataclass import dataclass
from engine.model.outcome import ToolCall
from engine.model.past import PastStep
from engine.model.secret import MASK
from engine.model.skill import ComputeStep, Step, StopStep, ToolStep
from engine.run.domain import settled
from engine.run.ending import RESTING, Acted
from engine.run.frame import Frame
from engine.run.replay import earlier
from engine.run.running import Running
from engine.run.scope import Scope
from engine.run.telling import without_value
from tool_registry.tool import ToolError

SHOWN = 200
"""Characters of a value that an `expect` refused."""
COMPUTE_TIMEOUT = 30.0
"""Seconds a compute step may wait for its worker; the block itself has the sandbox's own, smaller limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Performer:
    """Performs single actions for one run."""

    running: Running

    async def call_tool(
        self,
        step: ToolStep,
        frame: Frame,
        path: str,
        *,
        deadline: float | None,
        past: PastStep | None,
        before: tuple[Healing, ...] = (),
    ) -> Acted:
        """A healed call, after the rounds `before`; the first goes on where an earlier process was cut off.

        Raises JournalError.
        """
        numbers = [tried.number for healing in before for tried in healing.attempts]
        known = None if before else earlier(step, past)
        if past is not None and known is None:
            numbers.extend(tried.number for tried in past.attempts)
        try:
            request = replace(
                self.request(step, frame, path, deadline=deadline, past=known),
                attempts_before=max(numbers, default=0),
                fixes_before=sum(len(healing.fixes) for healing in before)
                + (len(past.fixes) if before and past else 0),
                repeats=_repeats(step, before),
            )
        except (SandboxError, DocumentError, ToolError) as error:
            return Acted(healing=Healing(failure=_named(failure_of(error, tool=step.tool)), repeatable=True))
        healing = await self.running.healer.call(request)
        if healing.question is None:
            return Acted(healing=healing)
        self.running.questions[healing.question.name] = healing.question
        return Acted(healing=healing, ending=RESTING)

    def request(
        self, step: ToolStep, frame: Frame, path: str, *, deadline: float | None = None, past: PastStep | None = None
    ) -> HealRequest:
        """The call with all that healing needs to know of it. Raises SandboxError, DocumentError and ToolError."""
        running = self.running
        tool = running.healer.calls.registry.get_tool(step.tool)
        cleaning = frame.section != "steps"
        narrowing = settled(
            step.heal,
            lambda text: running.sandbox.render(text, frame.scope.names),
            running.domains,
            own=tool.domain,
        )
        return HealRequest(
            call=ToolCall(tool=tool.name, args=running.sandbox.render(step.args, frame.scope.names)),
            tool=tool,
            run_id=running.run_id,
            step=path,
            emit=self._emitter(step, path),
            timeout=step.timeout or tool.timeout,
            deadline=deadline,
            narrowing=narrowing,
            judge=self.judge(step, frame.scope),
            ask=None if cleaning else running.ask,
            parks=running.parks and not cleaning,
            answers=running.answers,
            past=past,
            secret=step.secret,
            cleaning=cleaning,
        )

    async def compute(self, step: ComputeStep, frame: Frame) -> Acted:
        """The value of a compute block."""

        async def act() -> Any:
            return await self.running.sandbox.compute(step.source, frame.scope.names)

        timeout = step.timeout or COMPUTE_TIMEOUT
        tried = await attempt(
            ToolCall(tool="compute"), act, clock=self.running.clock, timeout=timeout, mask=self.running.secrets.mask
        )
        return Acted(healing=Healing(value=tried.value, failure=tried.failure, attempts=(tried,), repeatable=True))

    def stop(self, step: StopStep, frame: Frame) -> Acted:
        """The status and message with which the run is to end."""
        try:
            message = self.running.sandbox.render(step.message, frame.scope.names)
        except SandboxError as error:
            return Acted(healing=Healing(failure=failure_of(error, tool="stop")))
        return Acted(healing=Healing(value={"status": step.status.value, "message": str(message)}))

    def judge(self, step: Step, scope: Scope) -> Callable[[Any], Failure | None] | None:
        """What says whether a value is what the author expected; None when nothing was expected."""
        expect, mask = step.expect, self.running.secrets.mask
        if expect is None:
            return None

        def judge(value: Any) -> Failure | None:
            try:
                if self.running.sandbox.holds(expect, {**scope.names, "result": value}):
                    return None
            except SandboxError as error:
                return failure_of(error, tool="expect", mask=mask)
            return Failure(
                message=f"expected {expect.text}, but the result is {MASK if step.secret else _short(mask(value))}",
                kind=FailureKind.UNEXPECTED_RESULT,
            )

        return judge

    def _emitter(self, step: Step, path: str) -> Callable[..., None]:
        def emit(kind: EventKind, data: Mapping[str, Any], *, durable: bool = True) -> None:
            self.running.send(kind, path, without_value(data) if step.secret else data, durable=durable)
            if kind is EventKind.ATTEMPT_STARTED:
                self.running.called.add(path)
            elif kind is EventKind.ATTEMPT_FINISHED:
                self.running.called.discard(path)

        return emit


def _repeats(step: Step, before: tuple[Healing, ...]) -> Repeats:
    """What says whether the step's `retry` will call once more, as `Rounds` decides it."""
    retry = step.retry
    failed = next((count for count, healing in enumerate(reversed(before)) if healing.ok), len(before))
    if retry is None or failed + 1 >= retry.attempts:
        return never_repeats
    return lambda kind, *, repeatable: repeatable and (not retry.on or kind in retry.on)


def deadline_of(step: Step) -> float | None:
    """When the step's own time is over, on anyio's clock; None when it has no limit of its own."""
    limits = [limit for limit in (step.timeout, step.until.timeout if step.until else None) if limit is not None]
    return anyio.current_time() + min(limits) if limits else None


def _short(value: Any) -> str:
    """A value as people read it in a sentence."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def _named(failure: Failure) -> Failure:
    """A failure found before any call, with the kind its raiser declared."""
    declared = failure.evidence.declared
    return replace(failure, kind=FailureKind(declared)) if declared else failure
