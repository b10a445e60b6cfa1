"""What will fail soon: tokens that end, and what history foretells of the next call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from engine.errors import DocumentError, JournalError
from engine.heal.predict.foretell import foretell, probability
from engine.heal.predict.situations import Before, Situations
from engine.heal.preflight.look import LOGIN, TOKEN
from engine.model.heal import Domain
from engine.model.health import HealthCheck, PredictedIssue
from engine.model.lazy_dataclass import dataclass
from engine.model.prevention import Sequence
from tool_registry.registry import ToolRegistry

AHEAD = 2.0
"""How many times the time in which a token is renewed is looked ahead."""

AUTH_EXPIRY = "auth_expiry"
CERTAIN = 1.0
"""How likely it is that a token that says when it ends has ended by then."""


def expiries(
    checks: Iterable[HealthCheck], domains: Mapping[str, Domain], *, now: float, ahead: float
) -> Iterator[PredictedIssue]:
    """The tokens that end within `ahead` seconds, the first first, and the fix that would renew each."""
    found = []
    for check in checks:
        domain = domains.get(check.name)
        for part in check.parts:
            if part.expires_at is not None and 0 < part.expires_at - now < ahead:
                plan = domain.fixes.get(LOGIN) if domain and part.name == TOKEN else None
                found.append(
                    PredictedIssue(
                        type=AUTH_EXPIRY,
                        domain=check.name,
                        probability=CERTAIN,
                        left=part.expires_at - now,
                        proactive_fix=str(plan.call) if plan else "",
                    )
                )
    yield from sorted(found, key=lambda issue: issue.left or 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Foresight:
    """What memory foretells of a call that would be made now in each domain."""

    domains: Mapping[str, Domain]
    sequences: Callable[[], tuple[Sequence, ...]]
    before: Before
    registry: ToolRegistry
    clock: Callable[[], float]
    awake: Callable[[], float | None]

    def __call__(self, checks: Iterable[HealthCheck]) -> tuple[PredictedIssue, ...]:
        """The issues, by domain; none where memory or history cannot be read, for runs say so themselves."""
        try:
            known = self.sequences()
            return tuple(self._issues(known, {check.name: check.expires_at for check in checks})) if known else ()
        except (DocumentError, JournalError):
            return ()

    def _issues(self, known: tuple[Sequence, ...], ends: Mapping[str, float | None]) -> Iterator[PredictedIssue]:
        situations = Situations(
            before=self.before,
            registry=self.registry,
            clock=self.clock,
            awake=self.awake,
            token_left=lambda _, domain: _left(ends.get(domain), self.clock()),
        )
        for name, domain in self.domains.items():
            found = foretell(known, situations.of("", "", name))
            if found is not None:
                plan = domain.fixes.get(found.fix or "")
                yield PredictedIssue(
                    type=found.kind,
                    domain=name,
                    probability=probability(found),
                    proactive_fix=str(plan.call) if plan else found.fix or "",
                    sequence=found.trigger,
                )


def _left(end: float | None, now: float) -> float | None:
    return None if end is None else end - now


def attention_at(checks: Iterable[HealthCheck], refresh_within: float) -> float | None:
    """When the first token will have so little time left that it is to be renewed (seconds since the epoch)."""
    ends = [part.expires_at for check in checks for part in check.parts if part.expires_at is not None]
    return min(ends) - refresh_within if ends else None
