"""Situations for the policy: small real values with one thing changed at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.heal.policy import HealPolicy
from engine.model.failure import Basis, Diagnosis, Evidence, Failure, FailureKind, Pattern
from engine.model.heal import BreakerState, Decision, Domain, FixOutcome, FixPlan
from engine.model.outcome import ToolCall
from engine.model.skill import HealOption
from tool_registry.tool import Effect, FixScope, Tool, ToolContext, ToolOutput


async def nothing(_: Mapping[str, Any], __: ToolContext) -> ToolOutput:
    """A tool that is never called: deciding is pure."""
    return ToolOutput()


RESERVE = Tool(name="reserve", call=nothing, effect=Effect.WRITE, domain="ephemeral")
PODS = Tool(name="pods", call=nothing, effect=Effect.READ, domain="ephemeral")
LOGIN = Tool(name="kube_login", call=nothing, effect=Effect.WRITE, fix=FixScope.CREDENTIALS)
CONNECT = Tool(name="vpn_connect", call=nothing, effect=Effect.WRITE, fix=FixScope.CONNECTIVITY)
RESTART = Tool(name="restart", call=nothing, effect=Effect.WRITE, fix=FixScope.OTHER)
WIPE = Tool(name="wipe", call=nothing, effect=Effect.DESTRUCTIVE, fix=FixScope.CREDENTIALS)
TOOLS = {tool.name: tool for tool in (RESERVE, PODS, LOGIN, CONNECT, RESTART, WIPE)}

LOGIN_CALL = ToolCall(tool="kube_login", args={"cluster": "ephemeral"})
CONNECT_CALL = ToolCall(tool="vpn_connect")
EPHEMERAL = Domain(name="ephemeral", fixes={"login": FixPlan(call=LOGIN_CALL), "connect": FixPlan(call=CONNECT_CALL)})


def known(kind: FailureKind, *, untouched: bool = True) -> Diagnosis:
    """A diagnosis by structured evidence."""
    because = f"It is {kind}."
    return Diagnosis(kind=kind, confidence=1.0, basis=Basis.DEFINITION, because=because, untouched=untouched)


def read(kind: FailureKind, confidence: float, *, fix: str | None, untouched: bool = True, **rest: Any) -> Diagnosis:
    """A diagnosis by a text pattern."""
    pattern = Pattern(id="read", expression="x", kind=kind, fix=fix, **rest)
    return Diagnosis(
        kind=kind,
        confidence=confidence,
        basis=Basis.PATTERN,
        because="It said x.",
        untouched=untouched,
        pattern=pattern,
    )


def done(fix: str) -> FixOutcome:
    """A fix that was already run in this step."""
    call = ToolCall(tool=fix)
    return FixOutcome(fix=fix, domain="ephemeral", call=call, ok=True, shared=False, started_at=0.0, finished_at=1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question to the policy, with everyday answers for what a test does not care about."""

    diagnosis: Diagnosis = field(default_factory=lambda: known(FailureKind.AUTH_EXPIRED))
    policy: HealPolicy = field(default_factory=HealPolicy)
    tool: Tool = RESERVE
    domain: Domain | None = EPHEMERAL
    retry_after: float | None = None
    fixes_done: tuple[FixOutcome, ...] = ()
    retried_plain: bool = False
    narrowing: HealOption = field(default_factory=HealOption)
    tried: int = 0
    helped: int = 0
    breaker: BreakerState = BreakerState.CLOSED
    deadline_left: float | None = None
    settled: bool = False

    def answer(self) -> Decision:
        """What the policy decides."""
        return self.policy.choose(
            failure=Failure(message="it failed", tool=self.tool.name, evidence=Evidence(retry_after=self.retry_after)),
            diagnosis=self.diagnosis,
            tool=self.tool,
            domain=self.domain,
            fixes_done=self.fixes_done,
            retried_plain=self.retried_plain,
            narrowing=self.narrowing,
            fix_tool=TOOLS.get,
            effectiveness=lambda _fix, _domain: (self.tried, self.helped),
            breaker=lambda _fix, _domain, _signature: self.breaker,
            deadline_left=self.deadline_left,
            settled=self.settled,
        )
