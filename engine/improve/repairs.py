"""Repairs by hand: a step failed, somebody ran something, and then the same call worked."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from engine.heal.remedy import ROLES
from engine.history.lessons import FailedCall, PastCall
from engine.improve.groups import Sighting
from engine.model.failure import FailureKind
from engine.model.heal import Domain
from engine.model.lazy_dataclass import dataclass
from tool_registry.tool import Effect, Tool

WITHIN = 4 * 3600.0
"""Seconds between failure and success for the one to have to do with the other: a morning, not the next day."""
MOST = 1_000
"""Failures that are looked at, the newest first."""
UNRESOLVED = frozenset({"failed", "tolerated"})
NOBODY = frozenset({"health"})
"""Skills that nobody runs by hand."""
ONE_CALL = "tool_exec"
"""The skill that any single call is a run of: two of its runs have nothing in common but that."""
PROVEN = {"login": FailureKind.AUTH_EXPIRED, "connect": FailureKind.NETWORK_UNREACHABLE}
"""What a failure was that a fix in this role repaired."""

Outcomes = Mapping[tuple[str, str], FailureKind]
"""What a repair proved of a failed step, by run and step."""


class Arguments(Protocol):
    """What is asked about past calls."""

    def arguments(self, call: PastCall) -> Mapping[str, Any]:
        """What a call was called with, secrets masked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """A failure, the call after which the same call worked (None: nothing was run), and when it worked."""

    failed: Sighting
    by: PastCall | None
    worked: PastCall


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Which tools and domains there are, to tell a repair from a look."""

    tools: Mapping[str, Tool]
    domains: Mapping[str, Domain]

    def changes(self, tool: str) -> bool:
        """Whether the tool does more than look."""
        known = self.tools.get(tool)
        return known is not None and (known.fix is not None or known.effect is not Effect.READ)

    def is_fix(self, tool: str) -> bool:
        """Whether the tool is marked as a fix."""
        known = self.tools.get(tool)
        return known is not None and known.fix is not None

    def role(self, failed: str, fix: str) -> str:
        """As what the fix stands in the domain of the tool that failed; empty if it does not."""
        tool = self.tools.get(failed)
        domain = self.domains.get(tool.domain or "") if tool else None
        plans = domain.fixes.items() if domain else ()
        return next((role for role, plan in plans if plan.call.tool == fix), "")

    def had_named(self, call: FailedCall, fix: str) -> bool:
        """Whether the engine had named this fix for the failure by itself: then there is nothing to learn."""
        kinds = FailureKind.__members__.values()
        role = ROLES.get(FailureKind(call.kind)) if call.kind in kinds else None
        return role is not None and self.role(call.tool, fix) == role


class Timeline:
    """The calls of the past in the order they began."""

    def __init__(self, calls: Iterable[PastCall]) -> None:
        self._calls = sorted(calls, key=lambda call: call.started_at)
        self._by_tool: dict[str, list[PastCall]] = {}
        self._failed: dict[tuple[str, str, str], PastCall] = {}
        for call in self._calls:
            if call.ok:
                self._by_tool.setdefault(call.tool, []).append(call)
            else:
                self._failed[call.run_id, call.step, call.tool] = call

    def between(self, begin: float, end: float) -> Sequence[PastCall]:
        """Calls that began then and worked, oldest first."""
        return [call for call in _slice(self._calls, begin, end) if call.ok]

    def worked(self, tool: str, begin: float, end: float) -> Sequence[PastCall]:
        """Calls of one tool that began then and worked, oldest first."""
        return _slice(self._by_tool.get(tool, ()), begin, end)

    def failed(self, call: FailedCall) -> PastCall | None:
        """The last attempt of a step that failed."""
        return self._failed.get((call.run_id, call.step, call.tool))


def repairs(
    sightings: Iterable[Sighting], timeline: Timeline, around: Surroundings, history: Arguments
) -> tuple[Repair, ...]:
    """What was repaired without the engine's doing, newest failure first.

    The same call is one of the same tool, in the same step of the same skill or with the same arguments. What was run
    in between and does more than look is taken for the repair: a fix before anything else, the last before earlier.
    """
    unresolved = [each for each in sightings if each.call.status in UNRESOLVED and not each.call.auto_fixed]
    found: list[Repair] = []
    for each in sorted(unresolved, key=lambda one: -one.call.at)[:MOST]:
        worked = _worked(each.call, timeline, history)
        if worked is not None:
            found.append(Repair(failed=each, by=_run_between(each.call, worked, timeline, around), worked=worked))
    return tuple(found)


def outcomes(found: Iterable[Repair], around: Surroundings) -> Outcomes:
    """What the repairs prove of the failures they were for: who logs in and then gets through had no credentials."""
    roles = ((each, around.role(each.failed.call.tool, each.by.tool)) for each in found if each.by is not None)
    return {(each.failed.call.run_id, each.failed.call.step): PROVEN[role] for each, role in roles if role in PROVEN}


def _worked(failed: FailedCall, timeline: Timeline, history: Arguments) -> PastCall | None:
    """The first time afterwards, in another run, that the same call worked."""
    last, args = timeline.failed(failed), None
    for call in timeline.worked(failed.tool, failed.at, failed.at + WITHIN):
        if call.run_id == failed.run_id:
            continue
        if (call.skill, call.step) == (failed.skill, failed.step) and call.skill != ONE_CALL:
            return call
        args = history.arguments(last) if args is None and last is not None else args
        if args and history.arguments(call) == args:
            return call
    return None


def _run_between(failed: FailedCall, worked: PastCall, timeline: Timeline, around: Surroundings) -> PastCall | None:
    """What was run in between and does more than look; steps of the failed skill itself are no repair of it."""
    own = {failed.skill, *NOBODY} - {ONE_CALL}
    run = [
        call
        for call in timeline.between(failed.at, worked.started_at)
        if failed.run_id != call.run_id
        and call.tool != failed.tool
        and call.skill not in own
        and around.changes(call.tool)
    ]
    fixes = [call for call in run if around.is_fix(call.tool)]
    return next(reversed(fixes or run), None)


def _slice(calls: Sequence[PastCall], begin: float, end: float) -> Sequence[PastCall]:
    first = bisect_left(calls, begin, key=lambda call: call.started_at)
    last = bisect_left(calls, end, lo=first, key=lambda call: call.started_at)
    return calls[first:last]
