"""What history knows of a call that was cut off, as the values healing works with; nothing is decided here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.heal.request import HealRequest
from engine.model.failure import Evidence, Failure, FailureKind
from engine.model.heal import Domain, FixOutcome
from engine.model.lazy_dataclass import dataclass
from engine.model.outcome import Attempt, ToolCall
from engine.model.past import PastAttempt, PastFix, PastStep


@dataclass(frozen=True, slots=True, kw_only=True)
class Recollection:
    """One call as an earlier process left it.

    `attempts` are those whose end is known, `fixes` those that came before the newest attempt; `last` is that attempt,
    None when there was none. `pending` is the fix that was begun after it. `begun` is the newest attempt's number;
    `doubts` counts the step's attempts, this one included, that did not simply fail: each may be asked about once.
    """

    attempts: tuple[Attempt, ...] = ()
    fixes: tuple[FixOutcome, ...] = ()
    last: PastAttempt | None = None
    pending: PastFix | None = None
    begun: int = 0
    doubts: int = 0
    retried_plain: bool = False
    fixes_before: int = 0


def recollect(request: HealRequest, past: PastStep, domain: Domain | None) -> Recollection:
    """What was done for this call; what belongs to earlier calls of the same step is left out.

    A call ends with the attempt that worked, so all up to such a one, if more came after it, belongs to earlier calls.
    """
    ended = [spot for spot, tried in enumerate(past.attempts[:-1], 1) if tried.ok]
    first = max([request.attempts_before, *ended])
    mine = past.attempts[first:]
    fixes = _once_each(past.fixes)
    own = [fix for fix in fixes if fix.after > first]
    pending = own[-1] if own and own[-1].after >= len(past.attempts) else None
    return Recollection(
        attempts=tuple(_attempt(tried, request.call) for tried in mine if tried.ok is not None),
        fixes=tuple(outcome_of(fix, domain) for fix in own if fix is not pending),
        last=mine[-1] if mine else None,
        pending=pending,
        begun=max((tried.number for tried in past.attempts), default=0),
        doubts=sum(tried.ok is not False for tried in past.attempts),
        retried_plain=_retried_plain(mine, {fix.after - first for fix in own if fix.ok}),
        fixes_before=max(request.fixes_before, len(fixes) - len(own)),
    )


def outcome_of(fix: PastFix, domain: Domain | None) -> FixOutcome:
    """What a fix had done; its arguments are those of the domain's plan, where that still reads the same."""
    plans = domain.fixes.values() if domain is not None else ()
    call = next((plan.call for plan in plans if str(plan.call) == fix.call), ToolCall(tool=fix.fix))
    failure = None if fix.ok else Failure(message=fix.failure or "nobody knows how it ended", tool=fix.fix)
    return FixOutcome(
        fix=fix.fix,
        domain=fix.domain,
        call=call,
        ok=bool(fix.ok),
        shared=fix.shared,
        started_at=fix.started_at,
        finished_at=fix.finished_at,
        failure=failure,
        signature=fix.signature,
        kind=_kind(fix.kind),
        pattern=fix.pattern,
    )


def failure_of_event(data: Mapping[str, Any] | None, tool: str) -> Failure:
    """A failure as it was before it was told in an event; what was cut away for its size is missing."""
    told = data or {}
    kept = told.get("evidence")
    evidence = kept if isinstance(kept, Mapping) else {}
    return Failure(
        message=str(told.get("message") or "its failure was too large to be kept"),
        tool=str(told.get("tool") or tool),
        kind=_kind(told.get("kind")),
        evidence=Evidence(**{name: evidence[name] for name in Evidence.__dataclass_fields__ if name in evidence}),
    )


def _attempt(tried: PastAttempt, call: ToolCall) -> Attempt:
    return Attempt(
        number=tried.number,
        call=call,
        started_at=tried.started_at,
        finished_at=tried.started_at if tried.finished_at is None else tried.finished_at,
        value=tried.value if tried.ok else None,
        failure=None if tried.ok else failure_of_event(tried.failure, tried.tool),
    )


def _once_each(fixes: Sequence[PastFix]) -> list[PastFix]:
    """The fixes without those that were cut off and begun again."""
    best: dict[tuple[str, str, int], PastFix] = {}
    for fix in fixes:
        key = (fix.fix, fix.domain, fix.after)
        if key not in best or fix.ok is not None:
            best[key] = fix
    return list(best.values())


def _retried_plain(attempts: Sequence[PastAttempt], after_fixes: set[int]) -> bool:
    """Whether a failed attempt was followed by another without a fix between them."""
    followed = enumerate(attempts[:-1], 1)
    return any(tried.ok is False and spot not in after_fixes for spot, tried in followed)


def _kind(name: object) -> FailureKind:
    if isinstance(name, str) and name in FailureKind.__members__.values():
        return FailureKind(name)
    return FailureKind.UNKNOWN
