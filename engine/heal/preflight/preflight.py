"""Pre-flight: before a run all that it certainly stands on, before a call only what may have changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from functools import partial

import anyio

from engine.heal.preflight.arguments import refusal
from engine.heal.preflight.known import Known, KnownRuns
from engine.heal.preflight.look import checks_of
from engine.heal.preflight.needs import Lack, lacks, minimums, no_place, too_old, undescribed
from engine.heal.preflight.repair import Repairs, tell
from engine.heal.proactive import Around
from engine.heal.request import Ahead, HealRequest, Upcoming
from engine.heal.turn import turn
from engine.model.failure import Failure, FailureKind
from engine.model.heal import Domain, Healing
from engine.model.lazy_dataclass import dataclass
from engine.model.outcome import Attempt
from engine.model.prevention import CheckAction, CheckResult
from engine.model.remediation import RemedyStep, RootCause
from tool_registry.tool import Needs

LEAST = 60.0
"""Seconds that a token must hold when a run begins, however short such runs were. (The reference blocks below five
minutes; that would renew tokens that live five minutes before every run.)"""

MARGIN = 5.0
"""Seconds that a token must hold when a call begins: it is checked when the request arrives, not when it was sent."""

VERSION_WITHIN = 5.0
"""Seconds a program has to say which version it is."""

NOTHING = Needs()
ARGUMENTS, NEEDS = "arguments", "needs"
"""The checks of a call that no domain declares."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preflight:
    """Looks before runs and calls; `average` is the mean seconds that a skill's good runs took, None if unknown."""

    repairs: Repairs
    domains: Mapping[str, Domain]
    average: Callable[[str], float | None]
    runs: KnownRuns = field(default_factory=KnownRuns)

    async def before_run(self, ahead: Ahead) -> tuple[CheckResult, ...]:
        """What was found, and repaired where that may be. Raises JournalError.

        What no fix can mend comes first: a program that is missing, an argument that no tool would take. With such a
        one, nothing else is looked at.
        """
        self.runs.forget(ahead.run_id)
        return await self._hopeless(ahead) or await self._domains(ahead)

    async def before_call(self, request: HealRequest) -> Healing | None:
        """None: the call may be made. Else how it ended without being made. Raises JournalError."""
        if not request.narrowing.enabled:
            return None
        call = Upcoming(step=request.step, tool=request.tool, domain=request.domain, args=request.call.args)
        found = await self._unfit(request, call, whole=True) or await self._changed(request)
        return None if found is None or request.cleaning else _refused(request, found)

    async def _hopeless(self, ahead: Ahead) -> tuple[CheckResult, ...]:
        found: dict[str, CheckResult] = {}
        versions: dict[str, Attempt] = {}
        for call in ahead.calls:
            for lack in await self._lacking(ahead, call, versions):
                if lack.message not in found:  # once, by the first step that needs it
                    found[lack.message] = self._lack(ahead, call, lack)
            if (unfit := await self._unfit(ahead, call, whole=False)) is not None:
                found[unfit.message] = unfit
        return tuple(found.values())

    async def _lacking(self, ahead: Ahead, call: Upcoming, versions: dict[str, Attempt]) -> list[Lack]:
        """What the call needs and would not find; `versions` are the looks at programs, of which each is made once."""
        calls, tool = self.repairs.calls, call.tool
        if call.named and call.domain not in self.domains:
            return [undescribed(call.domain or "", self.domains)]
        if call.domain and call.domain not in self.domains and tool.needs.settings:
            return [no_place(call.domain)]
        if tool.needs == NOTHING:
            return []
        context = calls.contexts(domain=call.domain, run_id=ahead.run_id, step=call.step, timeout=tool.timeout)
        found = list(lacks(tool, self.domains.get(call.domain or ""), context))
        for wanted in minimums(tool, context):
            if str(wanted) not in versions:
                versions[str(wanted)] = await calls.beside(ahead, wanted, within=VERSION_WITHIN)
            found += too_old(versions[str(wanted)].value)
        return found

    def _lack(self, ahead: Ahead, call: Upcoming, lack: Lack) -> CheckResult:
        message = f"{lack.message}, and {call.step} needs it"
        steps = (RemedyStep(text=_capital(lack.way_out)),)
        cause = RootCause(id=lack.kind.value, because=f"{_capital(message)}.", steps=steps, source="preflight")
        found = self._blocked(NEEDS, call, f"{message}; {lack.way_out}", lack.kind, cause)
        tell(ahead, found)
        return found

    async def _unfit(self, around: Around, call: Upcoming, *, whole: bool) -> CheckResult | None:
        """Arguments that the tool does not take; unless they are `whole`, others may come."""
        refused = refusal(call.tool, call.args, whole=whole)
        if refused is None:
            return None
        from engine.heal.preflight.explained import explained  # noqa: PLC0415 - late: most arguments are right

        domain = self.domains.get(call.domain or "")
        cause = await explained(self.repairs.calls, around, call, refused, domain) or refused.cause
        message = refused.message if whole else f"{call.step}: {refused.message}"
        found = self._blocked(ARGUMENTS, call, message, refused.kind, cause)
        tell(around, found)
        return found

    def _blocked(
        self, check: str, call: Upcoming, message: str, kind: FailureKind, cause: RootCause | None
    ) -> CheckResult:
        return CheckResult(
            check=check,
            domain=call.domain or "",
            ok=False,
            at=self.repairs.calls.clock(),
            message=message,
            kind=kind,
            action=CheckAction.BLOCKED,
            cause=cause,
            tool=call.tool.name,
        )

    async def _domains(self, ahead: Ahead) -> tuple[CheckResult, ...]:
        """The checks of all domains: side by side where they share no fix, else one after another."""
        names = dict.fromkeys(call.domain for call in ahead.calls if call.domain and not self._looks(call))
        domains = [self.domains[name] for name in names if name in self.domains]
        needed = max(LEAST, self.average(ahead.skill) or 0.0)
        known = self.runs.of(ahead.run_id)
        results: dict[str, tuple[CheckResult, ...]] = {}
        broken: list[Exception] = []

        async def look_at(together: list[Domain]) -> None:
            try:
                for domain in together:
                    results[domain.name] = await self._checks(ahead, domain, known, needed=needed, margin=needed)
            except Exception as error:  # noqa: BLE001 - a task group would wrap it; it is raised just below
                broken.append(error)

        async with anyio.create_task_group() as tasks:
            for together in sharing(domains):
                tasks.start_soon(partial(look_at, together))
        if broken:
            raise broken[0]
        return tuple(result for domain in domains for result in results[domain.name])

    async def _checks(
        self, around: Ahead | HealRequest, domain: Domain, known: Known, *, needed: float, margin: float
    ) -> tuple[CheckResult, ...]:
        """The checks of one domain that have to be made, up to the first that blocks: no login without a network.

        None is made where others look at the domain for as long as there is time: the call then says that it is over.
        """
        results = []
        async with turn(known.lock(domain.name), within=around.time_left) as mine:
            for check in checks_of(domain) if mine else ():
                if known.stale(domain.name, check, now=self.repairs.calls.clock(), margin=margin):
                    result = await self.repairs.settle(around, domain, check, needed=needed)
                    known.note(result)
                    results.append(result)
                    if result.action is CheckAction.BLOCKED:
                        break
        return tuple(results)

    async def _changed(self, request: HealRequest) -> CheckResult | None:
        """What blocks the call, of what may have changed since it was looked at; None when nothing does."""
        domain = self.domains.get(request.domain or "")
        upcoming = Upcoming(step=request.step, tool=request.tool, domain=request.domain)
        if domain is None or self._looks(upcoming):
            return None
        known, now = self.runs.of(request.run_id), self.repairs.calls.clock()
        if not any(known.stale(domain.name, check, now=now, margin=MARGIN) for check in checks_of(domain)):
            return None
        results = await self._checks(request, domain, known, needed=MARGIN, margin=MARGIN)
        return next((result for result in results if result.action is CheckAction.BLOCKED), None)

    def _looks(self, call: Upcoming) -> bool:
        """Whether the call is itself one of those that look at its domain or repair it: nothing comes before these."""
        domain = self.domains.get(call.domain or "")
        if domain is None or call.tool.fix is not None:
            return call.tool.fix is not None
        own = {check.call.tool for check in checks_of(domain)}
        for plan in domain.fixes.values():
            own |= {plan.call.tool} | ({plan.verify.tool} if plan.verify is not None else set())
        return call.tool.name in own


def sharing(domains: list[Domain]) -> list[list[Domain]]:
    """The domains in groups: those that a fix of one may repair for another too stand together, in their order."""
    groups: list[tuple[set[str], list[Domain]]] = []
    for domain in domains:
        fixes = {str(plan.call) for plan in domain.fixes.values()}
        mine = [group for group in groups if group[0] & fixes]
        joined = (fixes.union(*(group[0] for group in mine)), [each for group in mine for each in group[1]])
        groups = [group for group in groups if group not in mine] + [(joined[0], [*joined[1], domain])]
    return [group[1] for group in groups]


def _refused(request: HealRequest, found: CheckResult) -> Healing:
    """The end of a call that was not made."""
    failure = Failure(message=found.message, tool=request.tool.name, kind=found.kind)
    return Healing(
        failure=failure,
        first_failure=failure,
        remediation=found.cause.sentences if found.cause is not None else (),
        root_cause=found.cause,
        reason=f"{request.tool.name} was not called",
        repeatable=True,
        recorded=True,
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
