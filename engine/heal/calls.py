"""The two kinds of calls healing makes: the step's own, and those beside it."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import replace
from typing import Any

from engine.attempt import Mask, as_it_is, attempt
from engine.heal.request import Contexts, HealRequest, Where
from engine.model.event import EventKind
from engine.model.lazy_dataclass import dataclass
from engine.model.outcome import Attempt, ToolCall
from tool_registry.registry import ToolRegistry
from tool_registry.tool import Effect, ToolError

GRACE = 5.0
"""Seconds a source has beyond the call's time to end what it started and to say what it knows of its time-out."""


HEALING: ContextVar[frozenset[str]] = ContextVar("domains being healed", default=frozenset())
"""The domains of the healed calls around this one: what fails inside of them is healed there, once."""

LOOKED_AT: ContextVar[frozenset[str]] = ContextVar("domains a run looks at", default=frozenset())
"""The domains of the steps of runs around this call: their checks are made there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """Calls tools, each with the settings of its domain and the time it has; `clock` gives seconds since the epoch.

    `mask` takes the secrets out of what a failure says.
    """

    registry: ToolRegistry
    contexts: Contexts
    clock: Callable[[], float]
    mask: Mask = as_it_is

    async def own(self, request: HealRequest, *, number: int) -> Attempt:
        """One try at the step's call; a value the author did not expect is a failure.

        The journal knows of it before it begins. Raises JournalError, and then nothing was called.
        """
        request.emit(
            EventKind.ATTEMPT_STARTED, {"number": number, "tool": request.tool.name, "args": request.call.args}
        )
        timeout = request.timeout if request.time_left is None else min(request.timeout, request.time_left)
        tried = await self._call(
            request, request.call, number=number, domain=request.domain, timeout=timeout, secret=request.secret
        )
        wrong = request.judge(tried.value) if request.judge and tried.ok else None
        return replace(tried, failure=wrong) if wrong else tried

    async def beside(
        self,
        request: Where,
        call: ToolCall,
        *,
        domain: str | None = None,
        within: float | None = None,
        secret: bool = False,
    ) -> Attempt:
        """A call beside the step's own, in at most `within` seconds: a fix, its check, or a look what happened."""
        tool = self.registry.get_tool(call.tool)
        timeout = tool.timeout if within is None else min(tool.timeout, within)
        return await self._call(request, call, number=1, domain=domain or tool.domain, timeout=timeout, secret=secret)

    async def look(self, request: Where, call: ToolCall, *, domain: str, within: float) -> Attempt:
        """A call beside the step's own that only looks. Raises ToolError for a tool that does more than read."""
        if self.registry.get_tool(call.tool).effect is not Effect.READ:
            said = f"{call.tool} does more than read, so nothing is looked at with it"
            raise ToolError(said, kind="configuration_error", sent=False)
        return await self.beside(request, call, domain=domain, within=within)

    async def _call(
        self, request: Where, call: ToolCall, *, number: int, domain: str | None, timeout: float, secret: bool
    ) -> Attempt:
        context = self.contexts(domain=domain, run_id=request.run_id, step=request.step, timeout=timeout)
        context = replace(context, secret_result=secret)

        async def act() -> Any:
            heals, looks = HEALING.set(HEALING.get() | {domain or ""}), LOOKED_AT.set(LOOKED_AT.get() | {domain or ""})
            try:
                return (await self.registry.call(call.tool, call.args, context)).value
            finally:
                LOOKED_AT.reset(looks)
                HEALING.reset(heals)

        return await attempt(call, act, clock=self.clock, number=number, timeout=timeout + GRACE, mask=self.mask)
