"""Performing one step: its condition, its action with healing, its result. Decides nothing about the run."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import anyio

from engine.attempt import attempt, failure_of
from engine.errors import DocumentError, SandboxError
from engine.heal.healer import Healer
from engine.heal.request import Ask, HealRequest
from engine.heal.told import attempt_data, failure_data
from engine.library.language import NOT_YET
from engine.model.event import EventKind
from engine.model.failure import Failure, FailureKind
from engine.model.heal import Healing
from engine.model.outcome import StepResult, StepStatus, ToolCall
from engine.model.secret import MASK, Secrets
from engine.model.skill import ComputeStep, OnError, Step, StopStep, ToolStep, action_of
from engine.run.broadcast import Broadcast
from engine.run.scope import Scope
from engine.sandbox import Sandbox
from tool_registry.tool import ToolError

SHOWN = 200
"""Characters of a value that an `expect` refused."""
COMPUTE_TIMEOUT = 30.0
"""Seconds a compute step may wait for its worker; the block itself has the sandbox's own, smaller limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Performer:
    """Performs the steps of one run."""

    run_id: str
    sandbox: Sandbox
    healer: Healer
    secrets: Secrets
    broadcast: Broadcast
    clock: Callable[[], float]
    ask: Ask | None = None

    async def perform(self, step: Step, scope: Scope, *, index: int, section: str) -> StepResult:
        """The step's result; its events are in the journal when this returns, or `broadcast.failure` says why not.

        A step that is cancelled leaves a `step_started` event without an end. Raises JournalError before anything has
        been done.
        """
        started = self.clock()
        self._send(EventKind.STEP_STARTED, step, {"index": index, "action": action_of(step), "section": section})
        result, healing = await self._result(step, scope)
        result = replace(result, duration=max(0.0, self.clock() - started), place=step.place)
        self._ended(step, result, healing)
        scope.finished(step, result)
        return result

    async def _result(self, step: Step, scope: Scope) -> tuple[StepResult, Healing | None]:
        try:
            if step.condition is not None and not self.sandbox.holds(step.condition, scope.names):
                return StepResult(name=step.name, status=StepStatus.SKIPPED, reason="condition is false"), None
        except SandboxError as error:
            return _failed(step, Healing(failure=failure_of(error, tool="condition"))), None
        healing = await self._act(step, scope)
        return _result_of(step, healing), healing

    async def _act(self, step: Step, scope: Scope) -> Healing:
        if word := _not_yet(step):
            message = f"the step {step.name} uses `{word}`; this version does not run it yet (`skill check` lists such)"
            return Healing(failure=Failure(message=message, kind=FailureKind.CONFIGURATION_ERROR))
        match step:
            case ToolStep():
                return await self._call_tool(step, scope)
            case ComputeStep():
                return await self._compute(step, scope)
            case StopStep():
                return self._stop(step, scope)
            case _:
                raise TypeError(f"nothing performs `{action_of(step)}`")

    async def _call_tool(self, step: ToolStep, scope: Scope) -> Healing:
        try:
            tool = self.healer.calls.registry.get_tool(step.tool)
            args = self.sandbox.render(step.args, scope.names)
        except (SandboxError, DocumentError, ToolError) as error:
            return Healing(failure=_named(failure_of(error, tool=step.tool)))
        request = HealRequest(
            call=ToolCall(tool=tool.name, args=args),
            tool=tool,
            run_id=self.run_id,
            step=step.name,
            emit=self._emitter(step),
            timeout=step.timeout or tool.timeout,
            deadline=anyio.current_time() + step.timeout if step.timeout else None,
            narrowing=step.heal,
            judge=self._judge(step, scope),
            ask=self.ask,
        )
        return await self.healer.call(request)

    async def _compute(self, step: ComputeStep, scope: Scope) -> Healing:
        async def act() -> Any:
            return await self.sandbox.compute(step.source, scope.names)

        tried = await attempt(ToolCall(tool="compute"), act, clock=self.clock, timeout=step.timeout or COMPUTE_TIMEOUT)
        judge = self._judge(step, scope)
        wrong = judge(tried.value) if judge and tried.ok else None
        return Healing(value=tried.value, failure=tried.failure or wrong, attempts=(tried,))

    def _stop(self, step: StopStep, scope: Scope) -> Healing:
        try:
            message = self.sandbox.render(step.message, scope.names)
        except SandboxError as error:
            return Healing(failure=failure_of(error, tool="stop"))
        return Healing(value={"status": step.status.value, "message": str(message)})

    def _judge(self, step: Step, scope: Scope) -> Callable[[Any], Failure | None] | None:
        expect = step.expect
        if expect is None:
            return None

        def judge(value: Any) -> Failure | None:
            try:
                if self.sandbox.holds(expect, {**scope.names, "result": value}):
                    return None
            except SandboxError as error:
                return failure_of(error, tool="expect")
            return Failure(
                message=f"expected {expect.text}, but the result is {MASK if step.secret else _short(value)}",
                kind=FailureKind.UNEXPECTED_RESULT,
            )

        return judge

    def _emitter(self, step: Step) -> Callable[..., None]:
        def emit(kind: EventKind, data: Mapping[str, Any], *, durable: bool = True) -> None:
            self._send(kind, step, _without_value(data) if step.secret else data, durable=durable)

        return emit

    def _ended(self, step: Step, result: StepResult, healing: Healing | None) -> None:
        """Puts the attempt (when it was the only one) and the end of the step into the journal, in one transaction."""
        if step.secret:
            self.secrets.add(result.value)
        attempts = healing.attempts if healing else ()
        if len(attempts) == 1 and (attempts[0].ok or isinstance(step, ComputeStep)):
            told = attempt_data(attempts[0], attempts[0].call.tool)
            told = _without_value(told) if step.secret else {**told, "value": None}
            self._send(EventKind.ATTEMPT_FINISHED, step, told, durable=False)
        self.broadcast.report(EventKind.STEP_FINISHED, finished_data(step, result, healing), step=step.name)

    def _send(self, kind: EventKind, step: Step, data: Mapping[str, Any], *, durable: bool = True) -> None:
        self.broadcast.send(kind, data, step=step.name, durable=durable)


def _not_yet(step: Step) -> str:
    """The word of the step, or of its undo, that is part of the language and not run yet; empty when all is run.

    An undo is asked beforehand, because refusing it when it is needed would undo nothing.
    """
    asked = {action_of(step)}
    for part in (step, step.undo) if step.undo else (step,):
        asked |= {option for option in ("until", "foreach", "retry") if getattr(part, option) is not None}
    return min(asked & NOT_YET, default="")


def finished_data(step: Step, result: StepResult, healing: Healing | None) -> dict[str, Any]:
    """A finished step as event data."""
    return {
        "status": result.status,
        "duration": result.duration,
        "attempts": result.attempts,
        "fixes": list(result.fixes),
        "reason": result.reason,
        "failure": failure_data(result.failure),
        "first_failure": failure_data(result.first_failure),
        "remediation": list(result.remediation),
        "value": MASK if step.secret and result.value is not None else result.value,
        "healed_by": _healed_by(healing) if healing else [],
        "diagnosis": _judged_diagnosis(healing) if healing else None,
    }


def _result_of(step: Step, healing: Healing) -> StepResult:
    if healing.failure is not None:
        return _failed(step, healing)
    return StepResult(
        name=step.name,
        status=StepStatus.HEALED if healing.healed else StepStatus.OK,
        value=healing.value,
        first_failure=healing.first_failure,
        attempts=len(healing.attempts),
        fixes=tuple(str(fix.call) for fix in healing.fixes),
        reason=healing.reason,
    )


def _failed(step: Step, healing: Healing) -> StepResult:
    tolerated = step.on_error is OnError.CONTINUE
    return StepResult(
        name=step.name,
        status=StepStatus.TOLERATED if tolerated else StepStatus.FAILED,
        failure=healing.failure,
        first_failure=healing.first_failure,
        attempts=len(healing.attempts),
        fixes=tuple(str(fix.call) for fix in healing.fixes),
        remediation=healing.remediation,
        reason=healing.reason,
    )


def _short(value: Any) -> str:
    """A value as people read it in a sentence; secrets in it are masked by value where the sentence is shown."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def _named(failure: Failure) -> Failure:
    """A failure found before any call, with the kind its raiser declared."""
    declared = failure.evidence.declared
    return replace(failure, kind=FailureKind(declared)) if declared else failure


def _without_value(data: Mapping[str, Any]) -> dict[str, Any]:
    return {**data, "value": MASK if data.get("value") is not None else None}


def _healed_by(healing: Healing) -> list[dict[str, Any]]:
    return [
        {
            "fix": fix.fix,
            "domain": fix.domain,
            "kind": fix.kind,
            "signature": fix.signature,
            "pattern": fix.pattern,
            "shared": fix.shared,
            "helped": fix.helped,
        }
        for fix in healing.fixes
    ]


def _judged_diagnosis(healing: Healing) -> dict[str, Any] | None:
    """What the first failure was taken for; `right` is known only when a fix for it ran and was judged."""
    if healing.diagnosis is None:
        return None
    judged = healing.fixes[0].helped if healing.fixes else None
    pattern = healing.diagnosis.pattern
    return {"kind": healing.diagnosis.kind, "pattern": pattern.id if pattern else None, "right": judged}
