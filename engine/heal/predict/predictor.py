"""The predictor: looks at the situation of a call, and runs the fix of what is foretold if that is worth it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from dataclasses import field, replace
from typing import Protocol

import anyio

from engine.errors import DocumentError
from engine.heal.predict.costs import Costs, costs
from engine.heal.predict.effect import alike
from engine.heal.predict.foretell import foretell, in_shadow, probability
from engine.heal.predict.situations import Situations
from engine.heal.predict.told import prediction_data
from engine.heal.proactive import Proactive
from engine.heal.remedy import ROLES
from engine.heal.request import HealRequest
from engine.heal.turn import turn
from engine.model.event import EventKind
from engine.model.heal import Domain, FixOutcome, FixPlan, LeaveAlone, Stage
from engine.model.lazy_dataclass import dataclass
from engine.model.outcome import ToolCall
from engine.model.prevention import FixCause, PredictAction, Prediction, Sequence, Situation
from engine.model.skill import HealOption

FRESH = 60.0
"""Seconds for which a look at a domain's situation is good enough for the other calls of the run."""
REMEMBERED = 256
"""Runs and domains whose last look is kept; one that was forgotten is only looked at once more."""


class Measured(Protocol):
    """What history measured of fixes and failures, and of what a sequence foretold."""

    def fix_seconds(self, fix: str, domain: str) -> tuple[float, ...]:
        """How long the newest runs of the fix took in the domain."""

    def failure_seconds(self, domain: str, kinds: Collection[str]) -> tuple[float, ...]:
        """What the newest failures of these kinds cost."""

    def last_compared(self, sequence: str) -> str | None:
        """What came of the newest call that the sequence foretold and no fix was run for."""


@dataclass(slots=True)
class _Looked:
    """When the situation of one run in one domain was looked at; others wait while somebody is looking."""

    turn: anyio.Lock = field(default_factory=anyio.Lock)
    at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictor:
    """Looks at each run's first call in a domain, and again when a minute has passed.

    `sequences` gives what memory foretells by (DocumentError when it cannot be read), `shadow` is the share of calls
    that run without the fix for comparison.
    """

    proactive: Proactive
    domains: Mapping[str, Domain]
    sequences: Callable[[], tuple[Sequence, ...]]
    situations: Situations
    measured: Measured
    shadow: float
    _looks: OrderedDict[tuple[str, str], _Looked] = field(default_factory=OrderedDict)

    async def before_call(self, request: HealRequest) -> None:
        """Looks at the situation of the call, and runs the fix of what is foretold if that is worth it.

        Calls of the same run and domain wait meanwhile, for the fix is theirs as well. Raises JournalError.
        """
        domain = self.domains.get(request.domain or "")
        if domain is None or request.cleaning or request.tool.fix is not None:
            return
        looked = self._looked(request.run_id, domain.name)
        async with turn(looked.turn, within=request.time_left) as mine:
            first, now = looked.at is None, self.situations.clock()
            if mine and (looked.at is None or not 0 <= now - looked.at < FRESH):
                looked.at = now
                await self._look(request, domain, first=first)

    def _looked(self, run_id: str, domain: str) -> _Looked:
        looked = self._looks.setdefault((run_id, domain), _Looked())
        while len(self._looks) > REMEMBERED:
            self._looks.popitem(last=False)
        return looked

    async def _look(self, request: HealRequest, domain: Domain, *, first: bool) -> None:
        """One look; a situation that foretells nothing is told once a run, so that there is something to learn from."""
        situation = self.situations.of(request.run_id, request.tool.name, domain.name)
        sequence = foretell(self._sequences(request), situation)
        if sequence is not None:
            await self._foretold(request, domain, sequence, situation)
        elif first:
            _tell(request, Prediction(situation=situation), None)

    async def _foretold(self, request: HealRequest, domain: Domain, sequence: Sequence, situation: Situation) -> None:
        remedy = _remedy(domain, sequence)
        prediction = self._weighed(request, remedy, sequence, situation)
        if remedy.plan is None or prediction.action is not PredictAction.FIX:
            _tell(request, prediction, None)
            return
        done = await self.proactive.run(
            request,
            domain=replace(domain, fixes={**domain.fixes, remedy.role: remedy.plan}),
            role=remedy.role,
            cause=FixCause.PREDICTION,
            kind=sequence.kind,
            since=situation.at - remedy.plan.cooldown,
        )
        match done:
            case FixOutcome():
                _tell(request, prediction, done)
            case LeaveAlone():
                _tell(request, replace(prediction, action=PredictAction.NOTED, because=done.because), None)

    def _sequences(self, request: HealRequest) -> tuple[Sequence, ...]:
        """What memory foretells by; nothing where it cannot be read, which is told once a run, with its line."""
        try:
            return self.sequences()
        except DocumentError as error:
            if (request.run_id, "") not in self._looks:
                self._looked(request.run_id, "")
                where = f"{error.place}: " if error.place else ""
                said = f"nothing is predicted, because memory cannot be read: {where}{error.message}"
                request.emit(EventKind.NOTICE, {"text": said, "level": "warning"}, durable=False)
            return ()

    def _weighed(self, request: HealRequest, remedy: _Remedy, sequence: Sequence, situation: Situation) -> Prediction:
        """What is to be done about what is foretold, and why."""
        price = self._price(remedy, sequence)
        why = self._objection(request, remedy, sequence, price)
        action = PredictAction.NOTED if why else PredictAction.FIX
        if not why and in_shadow(request.run_id, request.step, self.shadow):
            action, why = PredictAction.SHADOW, "This call runs without the fix, for comparison."
        return Prediction(
            situation=situation,
            sequence=sequence.trigger,
            kind=sequence.kind,
            probability=round(probability(sequence), 3),
            fix=remedy.plan.call.tool if remedy.plan else "",
            cost_of_fix=round(price.fix, 3),
            cost_of_failure=round(price.failure, 3),
            action=action,
            because=why,
        )

    def _price(self, remedy: _Remedy, sequence: Sequence) -> Costs:
        failures = self.measured.failure_seconds(remedy.domain.name, alike(sequence.kind))
        fix = remedy.plan.call.tool if remedy.plan else ""
        return costs(self.measured.fix_seconds(fix, remedy.domain.name), failures)

    def _objection(self, request: HealRequest, remedy: _Remedy, sequence: Sequence, price: Costs) -> str:
        """Why the fix is not run, in a sentence; empty when it may be."""
        domain, plan = remedy.domain, remedy.plan
        if plan is None:
            return f"The domain {domain.name} does not say how to {remedy.role}."
        why = _narrowed(request.narrowing, remedy.role, plan) or self.proactive.refusal(domain, plan, sequence.kind)
        if why:
            return why
        if not price.worth_it(probability(sequence)):
            return (
                f"The fix takes {price.fix:.3g} s and the failure costs {price.failure:.3g} s, "
                "so it is cheaper to wait for it."
            )
        if self.measured.last_compared(sequence.trigger) == "":
            return "The last call without the fix worked, so it has to be right once more first."
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Remedy:
    """What repairs beforehand in a domain; `plan` None where the domain does not say how."""

    domain: Domain
    role: str
    plan: FixPlan | None


def _remedy(domain: Domain, sequence: Sequence) -> _Remedy:
    """The fix a sequence names: a role of the domain, a fix the domain has a plan for, or a registered one."""
    named = sequence.fix or ROLES.get(sequence.kind) or ""
    plans = domain.fixes
    role = named if named in plans else next((each for each in plans if plans[each].call.tool == named), named)
    plan = plans.get(role)
    if plan is None and sequence.fix is not None and sequence.fix not in ROLES.values():
        plan = FixPlan(call=ToolCall(tool=sequence.fix, args=sequence.fix_args))
    return _Remedy(domain=domain, role=role, plan=plan)


def _narrowed(narrowing: HealOption, role: str, plan: FixPlan) -> str:
    """Why the step's author does not want the fix, in a sentence; empty when nothing was said against it."""
    if not narrowing.enabled or narrowing.max_fixes == 0:
        return "The step says that it is not to be healed."
    if narrowing.fixes is not None and not {role, plan.call.tool} & set(narrowing.fixes):
        return f"The step allows only {', '.join(narrowing.fixes) or 'no fix'}."
    return ""


def _tell(request: HealRequest, prediction: Prediction, done: FixOutcome | None) -> None:
    request.emit(EventKind.HEAL_STAGE, {"stage": Stage.PREDICT, **prediction_data(prediction, done)}, durable=False)
