"""Running a domain's fix before anything has failed: under the same policy, breaker and lock as after a failure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Protocol

import anyio

from engine.heal.calls import Calls
from engine.heal.fix import FixRunner, purpose_of
from engine.heal.policy import STRICTNESS, HealPolicy
from engine.heal.request import Emit, Facts, Where
from engine.heal.told import outcome_data
from engine.model.event import EventKind
from engine.model.failure import Failure, FailureKind
from engine.model.heal import BreakerState, Domain, FixOutcome, FixPlan, HealMode, LeaveAlone
from engine.model.lazy_dataclass import dataclass
from engine.model.prevention import FixCause
from tool_registry.tool import Effect, FixScope

READS_OR_RENEWS = frozenset({FixScope.CREDENTIALS, FixScope.CONNECTIVITY})
"""Scopes of fixes that may run before anything has failed; whatever does more waits for a failure."""


class Around(Where, Protocol):
    """What a call beside a step stands in; `HealRequest` is one, and so is a run that has not begun its steps."""

    @property
    def emit(self) -> Emit:
        """Puts an event of it into the journal."""

    @property
    def time_left(self) -> float | None:
        """Seconds until its deadline; None when it has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proactive:
    """Runs fixes beforehand; `policy` is asked anew every time, for the kill switch may have been thrown."""

    calls: Calls
    domains: Mapping[str, Domain]
    policy: Callable[[], HealPolicy]
    fixes: FixRunner
    facts: Facts

    async def run(
        self,
        around: Around,
        *,
        domain: Domain,
        role: str,
        cause: FixCause,
        kind: FailureKind,
        since: float,
    ) -> FixOutcome | LeaveAlone:
        """The outcome of the domain's fix for `role`, or why it is not run.

        `since` is when what calls for it was seen (seconds since the epoch): a fix that ended later is shared, not
        repeated. A fix beforehand is never asked about: whoever wants to be asked is told instead.
        """
        plan = domain.fixes.get(role)
        if plan is None:
            return LeaveAlone(because=f"The domain {domain.name} does not say how to {role}.")
        why_not = self.refusal(domain, plan, kind)
        if why_not:
            return LeaveAlone(because=why_not, suggestion=plan.call)
        about = {"fix": plan.call.tool, "domain": domain.name, "kind": kind, "signature": "", "pattern": None}
        told = {**about, "cause": cause}
        around.emit(EventKind.FIX_STARTED, {**told, "role": role, "call": str(plan.call)})
        outcome = await self._within(around, plan, domain.name, since)
        around.emit(EventKind.FIX_FINISHED, {**told, **outcome_data(outcome)})
        return replace(outcome, kind=kind, cause=cause)

    def refusal(self, domain: Domain, plan: FixPlan, kind: FailureKind) -> str:
        """Why the fix may not run beforehand; empty when it may."""
        policy, tool = self.policy(), self.calls.registry.get(plan.call.tool)
        mode = max(policy.mode, domain.mode or policy.mode, key=STRICTNESS.index)
        match mode:
            case _ if policy.kill_switch:
                return "Healing is stopped by the kill switch."
            case HealMode.OFF | HealMode.SUGGEST | HealMode.ASK:
                return f"Healing is set to {mode} in {domain.name}, so nothing is repaired beforehand."
            case _ if tool is None:
                return f"The fix names {plan.call.tool}, and there is no such tool."
            case _ if tool.fix not in READS_OR_RENEWS or tool.effect is Effect.DESTRUCTIVE:
                return f"{tool.name} does more than renew credentials or connectivity, so it waits for a failure."
            case _ if self.facts.breaker(tool.name, domain.name, f"beforehand {kind}") is BreakerState.OPEN:
                return f"{tool.name} has helped too rarely in {domain.name}, so its breaker is open and it is not run."
        return ""

    async def _within(self, around: Around, plan: FixPlan, domain: str, since: float) -> FixOutcome:
        """The fix's outcome within the deadline around it; one that passes is the fix's failure."""
        started = self.calls.clock()
        with anyio.move_on_after(around.time_left):
            return await self.fixes.run(
                plan,
                domain=domain,
                failed_since=since,
                beforehand=True,
                call=lambda call: self.calls.beside(around, call, domain=domain, purpose=purpose_of(call, plan)),
            )
        late = Failure(message="the deadline passed while the fix ran", kind=FailureKind.TIMEOUT)
        return FixOutcome(
            fix=plan.call.tool,
            domain=domain,
            call=plan.call,
            ok=False,
            shared=False,
            started_at=started,
            finished_at=self.calls.clock(),
            failure=late,
        )
