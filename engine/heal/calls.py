"""The two kinds of calls healing makes: the step's own, and those beside it."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import replace
from typing import Any

from engine.attempt import Mask, as_it_is, attempt
from engine.heal.reporting import Reporting
from engine.heal.request import Contexts, HealRequest, Where
from engine.model.event import EventKind
from engine.model.lazy_dataclass import dataclass
from engine.model.outcome import Attempt, ToolCall
from engine.model.tracing import NO_TRACING, Purpose, Span, TracedCall, Tracing
from tool_registry.registry import ToolRegistry
from tool_registry.tool import Effect, ToolContext, ToolError

GRACE = 5.0
"""Seconds a source has beyond the call's time to end what it started and to say what it knows of its time-out."""


HEALING: ContextVar[frozenset[str]] = ContextVar("domains being healed", default=frozenset())
"""The domains of the healed calls around this one: what fails inside of them is healed there, once."""

LOOKED_AT: ContextVar[frozenset[str]] = ContextVar("domains a run looks at", default=frozenset())
"""The domains of the steps of runs around this call: their checks are made there."""


def _ignored(_: str) -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """Calls tools, each with the settings of its domain and the time it has; `clock` gives seconds since the epoch.

    `mask` takes the secrets out of what a failure says. `tracing` is told of every call.
    """

    registry: ToolRegistry
    contexts: Contexts
    clock: Callable[[], float]
    mask: Mask = as_it_is
    tracing: Tracing = NO_TRACING

    async def own(self, request: HealRequest, *, number: int) -> Attempt:
        """One try at the step's call; a value the author did not expect is a failure.

        The journal knows of it before it begins. Raises JournalError, and then nothing was called.
        """
        request.emit(
            EventKind.ATTEMPT_STARTED, {"number": number, "tool": request.tool.name, "args": request.call.args}
        )
        timeout = request.timeout if request.time_left is None else min(request.timeout, request.time_left)
        traced = traced_own(request, number)
        reporting = Reporting(request.emit)
        with self.tracing.call(traced) as span:
            try:
                report = _ignored if request.secret else reporting
                tried = await self._call(request, traced, request.call, span, timeout=timeout, report=report)
            finally:
                reporting.end()
            wrong = request.judge(tried.value) if request.judge and tried.ok else None
            tried = replace(tried, failure=wrong) if wrong else tried
            if tried.failure is not None:
                span.failed(tried.failure)
        return tried

    async def beside(
        self,
        request: Where,
        call: ToolCall,
        *,
        domain: str | None = None,
        within: float | None = None,
        secret: bool = False,
        purpose: Purpose = Purpose.LOOK,
    ) -> Attempt:
        """A call beside the step's own, in at most `within` seconds: a fix, its check, or a look what happened."""
        tool = self.registry.get_tool(call.tool)
        timeout = tool.timeout if within is None else min(tool.timeout, within)
        traced = TracedCall(
            tool=tool.name,
            source=tool.source,
            purpose=purpose,
            domain=domain or tool.domain,
            step=request.step,
            args=call.args,
            hidden=secret,
        )
        with self.tracing.call(traced) as span:
            tried = await self._call(request, traced, call, span, timeout=timeout)
            if tried.failure is not None:
                span.failed(tried.failure)
        return tried

    async def look(self, request: Where, call: ToolCall, *, domain: str, within: float) -> Attempt:
        """A call beside the step's own that only looks. Raises ToolError for a tool that does more than read."""
        if self.registry.get_tool(call.tool).effect is not Effect.READ:
            said = f"{call.tool} does more than read, so nothing is looked at with it"
            raise ToolError(said, kind="configuration_error", sent=False)
        return await self.beside(request, call, domain=domain, within=within)

    async def _call(
        self,
        request: Where,
        traced: TracedCall,
        call: ToolCall,
        span: Span,
        *,
        timeout: float,
        report: Callable[[str], None] = _ignored,
    ) -> Attempt:
        domain = traced.domain
        context = self.contexts(domain=domain, run_id=request.run_id, step=request.step, timeout=timeout)
        context = replace(_carrying(context, span), secret_result=traced.hidden, report=report)

        async def act() -> Any:
            heals, looks = HEALING.set(HEALING.get() | {domain or ""}), LOOKED_AT.set(LOOKED_AT.get() | {domain or ""})
            try:
                return (await self.registry.call(call.tool, call.args, context)).value
            finally:
                LOOKED_AT.reset(looks)
                HEALING.reset(heals)

        return await attempt(call, act, clock=self.clock, number=traced.number, timeout=timeout + GRACE, mask=self.mask)


def traced_own(request: HealRequest, number: int) -> TracedCall:
    """A try at the step's own call, as it is traced."""
    return TracedCall(
        tool=request.tool.name,
        source=request.tool.source,
        number=number,
        domain=request.domain,
        step=request.step,
        args=request.call.args,
        hidden=request.secret,
    )


def _carrying(context: ToolContext, span: Span) -> ToolContext:
    """The context, from which programs and servers learn of which trace they are a part."""
    headers = span.headers
    if not headers:
        return context
    named = {name.upper().replace("-", "_"): value for name, value in headers.items()}
    return replace(context, trace_headers=headers, environment={**context.environment, **named})
