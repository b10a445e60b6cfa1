"""One check from its look to its end: good, repaired and looked at again, blocked with the way out, or only noted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from engine.heal.calls import Calls
from engine.heal.evidence import words
from engine.heal.policy import STRICTNESS
from engine.heal.preflight.look import LOGIN, look
from engine.heal.proactive import Around, Proactive
from engine.heal.request import HealRequest
from engine.model.event import EventKind
from engine.model.failure import FailureKind
from engine.model.heal import Domain, FixOutcome, HealMode, LeaveAlone, Stage
from engine.model.lazy_dataclass import dataclass
from engine.model.outcome import Attempt, ToolCall
from engine.model.prevention import Check, CheckAction, CheckResult, FixCause
from engine.model.remediation import RemedyStep, RootCause

SHARE = 0.9
"""Of the seconds a look may take, what its tool is given: the rest is for saying what it knows of its time-out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repairs:
    """Looks, and repairs beforehand what is not good where that is allowed.

    `proactive` runs fixes; `last_fix` is when a fix last ran in a domain (seconds since the epoch), None if it never
    did.
    """

    calls: Calls
    proactive: Proactive
    last_fix: Callable[[str, str], float | None]

    async def settle(self, around: Around, domain: Domain, check: Check, *, needed: float) -> CheckResult:
        """How the check ended, told as an event; `needed` in seconds. Raises JournalError."""
        found = await self._look(around, domain, check, needed)
        if found.ok is False:
            found = await self._repaired(around, domain, check, needed, found)
        elif found.ok is None:
            found = replace(found, action=CheckAction.NOTED)
        tell(around, found)
        return found

    async def _look(self, around: Around, domain: Domain, check: Check, needed: float) -> CheckResult:
        async def call(wanted: ToolCall) -> Attempt:
            return await self.calls.look(around, wanted, domain=domain.name, within=check.within * SHARE)

        return await look(domain, check, call, now=self.calls.clock(), needed=needed)

    async def _repaired(
        self, around: Around, domain: Domain, check: Check, needed: float, found: CheckResult
    ) -> CheckResult:
        """What is not good, after its fix, if that may run and is worth it."""
        if found.role is None:
            return _left(domain, found, f"Nothing is known that repairs {words(found.kind)}.")
        if _still_holds(found) and not self._worth(domain, found, needed):
            return replace(found, ok=True, action=CheckAction.NOTED)
        done = await self.proactive.run(
            around, domain=domain, role=found.role, cause=FixCause.PREFLIGHT, kind=found.kind, since=found.at
        )
        if isinstance(done, LeaveAlone) and self._asks(domain, found):
            message = f"{found.message}; its fix is asked about when a call needs it"
            return replace(found, action=CheckAction.NOTED, message=message)
        if isinstance(done, LeaveAlone):
            return _left(domain, found, done.because, done.suggestion)
        again = await self._look(around, domain, check, needed)
        if again.ok is False and not _still_holds(again):
            return _left(domain, again, _in_vain(done), done.call)
        good = None if again.ok is None else True
        worked = CheckAction.FIXED if done.ok else CheckAction.NOTED
        return replace(again, ok=good, action=worked, fix=str(done.call), message=found.message, kind=found.kind)

    def _asks(self, domain: Domain, found: CheckResult) -> bool:
        """Whether a person is to be asked about the fix: then the call is made, and its failure asks."""
        policy = self.proactive.policy()
        mode = max(policy.mode, domain.mode or policy.mode, key=STRICTNESS.index)
        return mode is HealMode.ASK and not policy.kill_switch and found.role in domain.fixes

    def _worth(self, domain: Domain, found: CheckResult, needed: float) -> bool:
        plan = domain.fixes.get(found.role or "")
        renewed = self.last_fix(plan.call.tool, domain.name) if plan is not None else None
        return worth_renewing(found.expires_at, renewed=renewed, now=found.at, needed=needed)


def worth_renewing(ends: float | None, *, renewed: float | None, now: float, needed: float) -> bool:
    """Whether renewing what ends then gains anything: not if it was got just now, and never lasts longer.

    Half of the time it held from its last renewal on is a gain; tokens that live shorter than a run takes would
    otherwise be renewed again and again.
    """
    if ends is None or renewed is None or ends <= renewed:
        return True
    return ends - now < min(needed, (ends - renewed) / 2)


def tell(around: Around, result: CheckResult) -> None:
    """Puts what came of a check into the journal."""
    data: dict[str, Any] = {
        "stage": Stage.PREFLIGHT,
        "answer": sentence(result),
        "check": result.check,
        "domain": result.domain,
        "ok": result.ok,
        "kind": result.kind if result.ok is not True or result.fix else "",
        "action": result.action,
        "fix": result.fix,
    }
    if tool := result.tool or (around.tool.name if isinstance(around, HealRequest) else ""):
        data["tool"] = tool
    if result.cause is not None and result.action is CheckAction.BLOCKED:
        data["cause"] = result.cause.record
    around.emit(EventKind.HEAL_STAGE, data, durable=False)


def sentence(result: CheckResult) -> str:
    """What came of a check, for a person."""
    match result.action:
        case CheckAction.FIXED:
            return f"{result.message}; {result.fix} repaired it"
        case CheckAction.BLOCKED | CheckAction.NOTED:
            return result.message
        case CheckAction.PASSED:
            return result.message or f"{result.check.replace('_', ' ')} of {result.domain} is good"


def _still_holds(found: CheckResult) -> bool:
    return found.expires_at is not None and found.expires_at > found.at


def _in_vain(done: FixOutcome) -> str:
    said = f": {done.failure.message}" if done.failure is not None else ", and it did not help"
    return f"{done.call} was run beforehand{said}" if done.ran else f"{done.call} was not run{said}"


def _left(domain: Domain, found: CheckResult, because: str, suggestion: ToolCall | None = None) -> CheckResult:
    """A check that stays as it was found: what still holds is only noted, for how long a run takes is a guess."""
    message = f"{found.message}. {because}"
    if _still_holds(found):
        return replace(found, ok=True, action=CheckAction.NOTED, message=message)
    plan = domain.fixes.get(found.role or "")
    call = suggestion or (plan.call if plan is not None else None)
    cause = RootCause(
        id=_cause_id(found.kind),
        because=f"{found.message[:1].upper()}{found.message[1:]}.",
        steps=(*_way_out(found, call), RemedyStep(text=because)),
        found={"check": found.check, "domain": domain.name},
        source="preflight",
    )
    return replace(found, action=CheckAction.BLOCKED, message=message, cause=cause)


def _way_out(found: CheckResult, call: ToolCall | None) -> tuple[RemedyStep, ...]:
    if call is None:
        return ()
    text = "Log in" if found.role == LOGIN else "Repair it"
    return (RemedyStep(text=text, call=call, domain=found.domain),)


def _cause_id(kind: FailureKind) -> str:
    """The name the finder of root causes has for it, so that figures count it as one."""
    match kind:
        case FailureKind.AUTH_EXPIRED:
            return "token"
        case (
            FailureKind.NETWORK_UNREACHABLE
            | FailureKind.DNS_FAILURE
            | FailureKind.CONNECTION_REFUSED
            | FailureKind.TIMEOUT
        ):
            return "unreachable"
    return kind.value
