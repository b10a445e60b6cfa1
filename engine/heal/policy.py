"""Whether to act on a diagnosis, and how: pure rules, asked in order, the first answer counts.

Every rule is HEALING's ("Rules"); the two confidence thresholds and the eight observations are its figures.
"""

from __future__ import annotations

from collections.abc import Callable

from engine.heal import remedy, safety
from engine.heal.breaker import signature
from engine.heal.evidence import words
from engine.model.failure import Diagnosis, Failure, FailureKind
from engine.model.heal import (
    ApplyFix,
    BreakerState,
    Decision,
    Domain,
    FixOutcome,
    HealMode,
    LeaveAlone,
    RetryPlain,
    Risk,
)
from engine.model.lazy_dataclass import dataclass
from engine.model.outcome import ToolCall
from engine.model.skill import HealOption
from engine.model.tally import lower_bound
from tool_registry.tool import Effect, FixScope, Tool

FixTool = Callable[[str], Tool | None]
Effectiveness = Callable[[str, str], tuple[int, int]]
Breaker = Callable[[str, str, str], BreakerState]

STRICTNESS = (HealMode.AUTO, HealMode.ASK, HealMode.SUGGEST, HealMode.OFF)
PASSING = frozenset({FailureKind.TIMEOUT, FailureKind.SERVER_ERROR, FailureKind.RATE_LIMITED})
"""Kinds that pass by themselves; a connection that was reset does too, one that was refused does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """Everything a decision depends on; `fixes_done` are those already run in this step."""

    failure: Failure
    diagnosis: Diagnosis
    tool: Tool
    domain: Domain | None
    fixes_done: tuple[FixOutcome, ...]
    retried_plain: bool
    narrowing: HealOption
    fix_tool: FixTool
    effectiveness: Effectiveness
    breaker: Breaker
    deadline_left: float | None
    settled: bool
    mode: HealMode


@dataclass(frozen=True, slots=True, kw_only=True)
class HealPolicy:
    """What healing may do in this workspace.

    `mode` is the workspace's, a domain can only be stricter; `kill_switch` stops everything. `acting_confidence` (0.90)
    is needed to act at low risk, `asking_confidence` (0.85) at medium; `enough` observations make effectiveness known;
    `max_fixes` different fixes are run in one step; `pause` seconds pass before a plain repeat, `patience` at most.
    """

    mode: HealMode = HealMode.AUTO
    kill_switch: bool = False
    acting_confidence: float = 0.90
    asking_confidence: float = 0.85
    enough: int = 8
    max_fixes: int = 2
    pause: float = 1.0
    patience: float = 120.0

    def choose(  # noqa: PLR0913 - the decision depends on all of it, and every argument is by keyword
        self,
        *,
        failure: Failure,
        diagnosis: Diagnosis,
        tool: Tool,
        domain: Domain | None,
        fixes_done: tuple[FixOutcome, ...],
        retried_plain: bool,
        narrowing: HealOption,
        fix_tool: FixTool,
        effectiveness: Effectiveness,
        breaker: Breaker,
        deadline_left: float | None,
        settled: bool = False,
    ) -> Decision:
        """A fix to run, a plain repeat, or why neither; `because` is a sentence for a person.

        `fix_tool` gives the registered tool of that name or None; `effectiveness(fix, domain)` is (tried, helped);
        `breaker(fix, domain, signature)` its state; a fix is known by its tool's name; `deadline_left` in seconds;
        `settled` says that the tool's `verify` was asked and saw no effect.
        """
        situation = Situation(
            failure=failure,
            diagnosis=diagnosis,
            tool=tool,
            domain=domain,
            fixes_done=fixes_done,
            retried_plain=retried_plain,
            narrowing=narrowing,
            fix_tool=fix_tool,
            effectiveness=effectiveness,
            breaker=breaker,
            deadline_left=deadline_left,
            settled=settled,
            mode=self._mode(domain),
        )
        return self._forbidden(situation) or self._unsafe(situation) or self._plain(situation) or self._fix(situation)

    def must_look(self, tool: Tool, diagnosis: Diagnosis, domain: Domain | None, narrowing: HealOption) -> bool:
        """Whether the tool's `verify` has to be asked before a second call; never where healing is stopped."""
        if self.stopped(domain, narrowing) or tool.verify is None:
            return False
        return not self.repeatable(tool, diagnosis)

    def stopped(self, domain: Domain | None, narrowing: HealOption) -> bool:
        """Whether nothing may be called on healing's behalf: kill switch, mode `off`, or `heal: false`."""
        return self.kill_switch or self._mode(domain) is HealMode.OFF or not narrowing.enabled

    def repeatable(self, tool: Tool, diagnosis: Diagnosis, *, settled: bool = False) -> bool:
        """Whether a second call cannot do anything twice; a call that was `settled` is known to have had no effect."""
        return settled or safety.harmless(tool, diagnosis, credible=self.acting_confidence)

    def _mode(self, domain: Domain | None) -> HealMode:
        """The stricter of the workspace's mode and the domain's."""
        narrowed = domain.mode if domain is not None and domain.mode is not None else self.mode
        return max(self.mode, narrowed, key=STRICTNESS.index)

    def _forbidden(self, situation: Situation) -> Decision | None:
        if self.kill_switch:
            return LeaveAlone(because="Healing is stopped by the kill switch.")
        if not situation.narrowing.enabled:
            return LeaveAlone(because="The step says heal: false.")
        if situation.mode is HealMode.OFF:
            return LeaveAlone(because=f"Healing is off for {_where(situation)}.")
        if situation.diagnosis.kind is FailureKind.CANCELLED:
            return LeaveAlone(because="The call was cancelled, and what is cancelled is not repeated.")
        if situation.deadline_left is not None and situation.deadline_left <= 0:
            return LeaveAlone(because="The step's time is up, so nothing more is tried.", suggestion=_hint(situation))
        return None

    def _unsafe(self, situation: Situation) -> Decision | None:
        if self._is_safe(situation) or situation.tool.verify is not None:
            return None
        because = (
            f"{situation.tool.name} may already have had its effect ({words(situation.diagnosis.kind)}), it is neither "
            "a read nor idempotent and declares no way to verify, so it is not called again."
        )
        return LeaveAlone(because=because, suggestion=_hint(situation))

    def _is_safe(self, situation: Situation) -> bool:
        return self.repeatable(situation.tool, situation.diagnosis, settled=situation.settled)

    def _after_verifying(self, situation: Situation) -> str:
        """The end of the sentence where the tool must first be asked whether its lost call took effect."""
        if self._is_safe(situation):
            return "."
        return f", but only if {situation.tool.verify} shows that the first call had no effect."

    def _plain(self, situation: Situation) -> Decision | None:
        diagnosis = situation.diagnosis
        passing = diagnosis.kind in PASSING or _was_reset(diagnosis)
        if not passing or situation.retried_plain:
            return None
        name = words(diagnosis.kind)
        if situation.mode is HealMode.SUGGEST:
            return LeaveAlone(because=f"{_capital(name)} often passes by itself, but healing may only suggest here.")
        delay = situation.failure.evidence.retry_after or self.pause
        left = situation.deadline_left
        if delay >= (self.patience if left is None else left):
            room = (
                f"nobody waits longer than {self.patience:g} s"
                if left is None
                else f"the step has only {left:.0f} s left"
            )
            because = f"The next call may come in {delay:g} s, and {room}."
            return LeaveAlone(because=because, suggestion=_hint(situation))
        because = (
            f"{_capital(name)} often passes by itself: call again in {delay:g} s{self._after_verifying(situation)}"
        )
        return RetryPlain(delay=delay, because=because)

    def _fix(self, situation: Situation) -> Decision:
        found = remedy.find(situation.diagnosis, situation.tool, situation.domain, situation.fix_tool)
        if isinstance(found, LeaveAlone):
            return found
        return (
            self._limited(situation, found)
            or self._tripped(situation, found)
            or self._by_risk(situation, found, self._risk(situation, found))
        )

    def _limited(self, situation: Situation, found: remedy.Remedy) -> Decision | None:
        call, allowed = found.plan.call, situation.narrowing.fixes
        if allowed is not None and found.role not in allowed and call.tool not in allowed:
            return LeaveAlone(because=f"The step does not allow the fix {found.role} (heal.fixes).", suggestion=call)
        if any(done.fix in {found.role, call.tool} for done in situation.fixes_done):
            return LeaveAlone(because=f"{call.tool} was run and did not help, and no fix is run twice in a step.")
        limit = self.max_fixes if situation.narrowing.max_fixes is None else situation.narrowing.max_fixes
        limit = min(limit, self.max_fixes)
        if len(situation.fixes_done) >= limit:
            because = f"This step has had {len(situation.fixes_done)} fixes, and {limit} are the most it may have."
            return LeaveAlone(because=because, suggestion=call)
        return None

    def _tripped(self, situation: Situation, found: remedy.Remedy) -> Decision | None:
        if _breaker_state(situation, found) is not BreakerState.OPEN:
            return None
        because = (
            f"{found.plan.call.tool} has helped too rarely in {found.domain}, so its breaker is open and it is not run."
        )
        return LeaveAlone(because=because, suggestion=found.plan.call)

    def _risk(self, situation: Situation, found: remedy.Remedy) -> Risk:
        """The worst of effect, scope and confidence."""
        if found.tool.effect is Effect.DESTRUCTIVE:
            return Risk.HIGH
        confidence = situation.diagnosis.confidence
        if confidence >= self.acting_confidence and found.tool.fix in {FixScope.CREDENTIALS, FixScope.CONNECTIVITY}:
            return Risk.LOW
        return Risk.MEDIUM if confidence >= self.asking_confidence else Risk.HIGH

    def _by_risk(self, situation: Situation, found: remedy.Remedy, risk: Risk) -> Decision:
        reason = f"{situation.diagnosis.because.rstrip('.')}; {found.plan.call.tool} may repair that in {found.domain}"
        if situation.mode is HealMode.SUGGEST:
            return LeaveAlone(because=f"{reason}, but healing may only suggest here.", suggestion=found.plan.call)
        doubt = self._doubt(situation, found, risk)
        probe = (
            " This is the breaker's one probe." if _breaker_state(situation, found) is BreakerState.HALF_OPEN else ""
        )
        return ApplyFix(
            role=found.role,
            plan=found.plan,
            domain=found.domain,
            risk=risk,
            ask=bool(doubt),
            because=f"{reason}{doubt}{self._then(situation)}{probe}",
        )

    def _doubt(self, situation: Situation, found: remedy.Remedy, risk: Risk) -> str:
        """Why a person must agree first; empty if nobody must."""
        if situation.mode is HealMode.ASK:
            return f"; healing asks first in {found.domain}"
        if risk is Risk.HIGH:
            return f"; {self._high(situation, found)}"
        tried, helped = situation.effectiveness(found.plan.call.tool, found.domain)
        if risk is Risk.MEDIUM and tried < self.enough:
            return f"; it was tried {tried} times there, too few to know whether it helps, so a person decides"
        if risk is Risk.MEDIUM and lower_bound(helped, tried) <= 0:
            return f"; it never helped in {tried} cases, so a person decides"
        return ""

    def _high(self, situation: Situation, found: remedy.Remedy) -> str:
        if found.tool.effect is Effect.DESTRUCTIVE:
            return "what it does cannot be taken back, so a person decides"
        return f"the diagnosis is only {situation.diagnosis.confidence:.0%} sure, so a person decides"

    def _then(self, situation: Situation) -> str:
        return f"; {situation.tool.name} is called again afterwards{self._after_verifying(situation)}"


def _was_reset(diagnosis: Diagnosis) -> bool:
    return diagnosis.kind is FailureKind.CONNECTION_REFUSED and not diagnosis.untouched


def _breaker_state(situation: Situation, found: remedy.Remedy) -> BreakerState:
    failure = situation.failure
    text = failure.evidence.text or failure.message
    seen = signature(situation.tool.name, situation.diagnosis, text)
    return situation.breaker(found.plan.call.tool, found.domain, seen)


def _hint(situation: Situation) -> ToolCall | None:
    """The fix a person could run, where one is known."""
    found = remedy.find(situation.diagnosis, situation.tool, situation.domain, situation.fix_tool)
    return found.suggestion if isinstance(found, LeaveAlone) else found.plan.call


def _where(situation: Situation) -> str:
    return situation.domain.name if situation.domain is not None and situation.domain.mode else "this workspace"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
