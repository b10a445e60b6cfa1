"""One look at one check of one domain: good, not good, or not known; whoever looks decides what to do about it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

import anyio

from engine.errors import DocumentError
from engine.heal.detect import certain
from engine.heal.policy import PASSING
from engine.heal.preflight.spans import NO_YEAR, spoken
from engine.heal.remedy import role_of
from engine.model.failure import Basis, Diagnosis, Failure, FailureKind
from engine.model.heal import Domain
from engine.model.lazy_dataclass import dataclass
from engine.model.outcome import Attempt, ToolCall
from engine.model.prevention import Check, CheckResult, Lasts
from tool_registry.tool import ToolError

TOKEN = "token"  # noqa: S105 - the name of a check
"""What a domain's `expiry` is called as a check."""

LOGIN, CONNECT = "login", "connect"

TOKEN_WITHIN = 5.0
"""Seconds a look at a token may take: an exec plug-in of a kubeconfig is a program that asks its own server."""

UNMADE = PASSING | {
    FailureKind.USAGE_ERROR,
    FailureKind.API_CONTRACT_MISMATCH,
    FailureKind.CODE_ERROR,
    FailureKind.IMPORT_ERROR,
    FailureKind.DEPENDENCY_MISSING,
    FailureKind.CONFIGURATION_ERROR,
    FailureKind.SYNTAX_ERROR,
    FailureKind.CANCELLED,
}
"""Failures of a look that say nothing of what it looked at: the look itself broke, or what it met passes by itself."""

Call = Callable[[ToolCall], Awaitable[Attempt]]


def checks_of(domain: Domain) -> tuple[Check, ...]:
    """What can be looked at in a domain: what it declares, and `token` where it has an `expiry`; connections first.

    A login needs the network, so what repairs the network is looked at before what repairs a login.
    """
    found = list(domain.checks.values())
    if domain.expiry is not None and TOKEN not in domain.checks:
        found.append(
            Check(
                name=TOKEN,
                call=domain.expiry.call,
                role=LOGIN,
                kind=FailureKind.AUTH_EXPIRED,
                lasts=Lasts.RUN,
                within=TOKEN_WITHIN,
                offline=domain.expiry.offline,
            )
        )
    return tuple(sorted(found, key=_rank))


async def look(domain: Domain, check: Check, call: Call, *, now: float, needed: float) -> CheckResult:
    """What the check finds, in at most `check.within` seconds; never raises but for cancellation.

    `now` is in seconds since the epoch; what ends before `now + needed` is not good. `ok` is None when the look could
    not be made, did not end in time, or met what passes by itself (5xx, rate limits, a time-out after connecting).
    `role` is what repairs it: the check's, unless the look names a failure of another sort (a refused connection is
    never a reason to log in); None where nothing is known to.
    """
    seen = _Seen(domain=domain, check=check, now=now, needed=needed)
    tried: Attempt | None = None
    try:
        with anyio.move_on_after(check.within):
            tried = await call(check.call)
    except (ToolError, DocumentError) as error:  # there is no such tool, or its definition is broken
        return seen.unknown(f"{check.name} of {domain.name} could not be looked at: {error}")
    if tried is None:
        return seen.unknown(
            f"{check.name} of {domain.name}: no answer from {check.call.tool} within {check.within:g} s"
        )
    return seen.failed(tried.failure) if tried.failure is not None else seen.answered(tried.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """A look that has ended, about to be judged."""

    domain: Domain
    check: Check
    now: float
    needed: float

    @property
    def _good(self) -> CheckResult:
        return CheckResult(check=self.check.name, domain=self.domain.name, ok=True, at=self.now)

    def unknown(self, message: str) -> CheckResult:
        return replace(self._good, ok=None, message=message)

    def bad(self, message: str, kind: FailureKind | None = None, role: str | None = None) -> CheckResult:
        named = kind or self.check.kind
        return replace(self._good, ok=False, message=message, kind=named, role=role or self._role(named))

    def failed(self, failure: Failure) -> CheckResult:
        """Not good by a failure, unless that says only that the look could not be made."""
        meant = certain(failure)
        if meant is None:
            # What reads an expiry and cannot has not seen that it is over; an exception is no word of the tool's own.
            broke = failure.evidence.exception is not None or self._reads_expiry
            return self.unknown(self._said(failure.message)) if broke else self.bad(self._said(failure.message))
        if meant.kind in UNMADE and meant.kind is not self.check.kind and role_of(meant) is None:
            return self.unknown(self._said(failure.message))
        return self.bad(
            self._said(failure.message), meant.kind, role_of(meant) if meant.kind is FailureKind.TIMEOUT else None
        )

    def answered(self, value: Any) -> CheckResult:
        """By what the tool gave: its own `ok`, else until when that holds, else that it worked."""
        said: Mapping[str, Any] = value if isinstance(value, Mapping) else {"ok": value is not False}
        user, message = str(said.get("user") or ""), str(said.get("message") or "")
        ends = _ends(said, self.now)
        if said.get("ok") is False:
            found = self.bad(self._said(message or "it is not good"), _kind(said.get("kind")))
        elif ends is None and said.get("ok") is None and {"expires_at", "expires_in"} & said.keys():
            found = self.bad(self._said(message) if message else f"{self._subject} is missing")
        elif ends is not None and ends - self.now < self.needed:
            found = self.bad(self._too_short(ends))
        else:
            found = replace(self._good, message=message)
        return replace(found, expires_at=ends, user=user)

    def _too_short(self, ends: float) -> str:
        left = ends - self.now
        if left <= 0:
            return f"{self._subject} expired {spoken(-left)} ago"
        return f"{self._subject} holds only {spoken(left)} more, and {spoken(self.needed)} are needed"

    @property
    def _reads_expiry(self) -> bool:
        return self.domain.expiry is not None and self.check.call == self.domain.expiry.call

    def _said(self, message: str) -> str:
        """What a look said, with what it looked at before it."""
        return f"{self.check.name.replace('_', ' ')} of {self.domain.name}: {message}"

    @property
    def _subject(self) -> str:
        return f"the {self.check.name.replace('_', ' ')} of {self.domain.name}"

    def _role(self, kind: FailureKind) -> str | None:
        """What repairs that kind here; the check's own role only where the kind is of the sort it was declared for."""
        natural = _natural(kind)
        if kind is self.check.kind or natural == (_natural(self.check.kind) or self.check.role):
            return self.check.role
        return natural


def _natural(kind: FailureKind) -> str | None:
    """What repairs the kind wherever it is met (`login`, `connect`); None where neither can."""
    return role_of(Diagnosis(kind=kind, confidence=1.0, basis=Basis.DEFINITION, because="", untouched=True))


def _rank(check: Check) -> int:
    natural = _natural(check.kind) or check.role
    return {CONNECT: 0, LOGIN: 2}.get(natural or "", 1)


def _ends(said: Mapping[str, Any], now: float) -> float | None:
    """Until when it holds, in seconds since the epoch; None where that is not told."""
    match said:
        case {"expires_at": bool()} | {"expires_in": bool()}:
            return None
        case {"expires_at": int() | float() as moment} if abs(moment) < NO_YEAR:
            return float(moment)
        case {"expires_in": int() | float() as seconds} if abs(seconds) < NO_YEAR:
            return now + float(seconds)
    return None


def _kind(name: Any) -> FailureKind | None:
    """The kind of that name, None for none and for a name that is not on the list."""
    return FailureKind(name) if isinstance(name, str) and name in FailureKind.__members__.values() else None
