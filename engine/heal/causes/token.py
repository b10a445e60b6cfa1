"""A token that is missing, expired or revoked: since when, and the login."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from engine.heal.causes import registry_login
from engine.heal.causes.case import Case
from engine.heal.causes.looks import Looks, Seen
from engine.heal.preflight.spans import NO_YEAR, spoken
from engine.model.lazy_dataclass import dataclass
from engine.model.remediation import RemedyStep, RootCause

ID = "token"
EXPIRED, MISSING, REVOKED, REFUSED = "expired", "missing", "revoked", "refused"
"""What may be wrong with a token: `found` calls it its `state`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Token:
    """What is known of a token; `ends` in seconds since the epoch, `said` as the server wrote it."""

    user: str = ""
    ends: float | None = None
    said: str = ""
    missing: bool = False
    revoked: bool = False


async def find(case: Case, looks: Looks) -> RootCause | None:
    """What is wrong with the token, by the server's words and by what the token says of itself; and the login."""
    if registry_login.is_registry(case):
        return None
    expiry = case.domain.expiry if case.domain else None
    seen = Seen()
    if expiry is not None and case.domain is not None:
        seen = await looks.at(expiry.call.tool, expiry.call.args, domain=case.domain.name)
    token = _known(case, seen)
    state, because = _judged(case, token)
    login = case.fix("login")
    step = case.repair("Log in", login) if login else RemedyStep(text=f"Log in to {case.place}, and run it again")
    found = {"state": state, "user": token.user, "expires_at": token.ends or token.said}
    return RootCause(
        id=ID,
        because=because,
        steps=(step,),
        found={key: value for key, value in found.items() if value},
        source=ID,
        confirmed=state in {EXPIRED, MISSING, REVOKED} or None,
    )


def _known(case: Case, seen: Seen) -> _Token:
    details: Mapping[str, Any] = case.details
    told = details.get("expired_at") or details.get("expires_at") or seen.get("expires_at")
    looked = isinstance(seen.value, Mapping) and "expires_at" in seen.value
    return _Token(
        user=str(details.get("user") or seen.get("user") or ""),
        ends=_moment(told),
        said=told if isinstance(told, str) else "",
        missing=looked and not told and seen.get("ok") is not True,
        revoked=details.get("reason") == "revoked",
    )


def _moment(told: Any) -> float | None:
    """A moment that a calendar has; None for anything else that a server may say."""
    if isinstance(told, bool) or not isinstance(told, int | float) or not abs(told) < NO_YEAR:
        return None
    return float(told)


def _judged(case: Case, token: _Token) -> tuple[str, str]:
    """The token's state, and the sentence."""
    whose = f"The token{f' of {token.user}' if token.user else ''}{f' for {case.domain.name}' if case.domain else ''}"
    if token.revoked:
        return REVOKED, f"{whose} was revoked; it will not work again."
    if token.said:
        return EXPIRED, f"{whose} expired at {token.said}."
    if token.missing:
        return (
            MISSING,
            f"There is no token{f' for {case.domain.name}' if case.domain else ''} yet; nobody has logged in.",
        )
    if token.ends is None:
        return REFUSED, "The credentials are missing or no longer valid."
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(token.ends))
    if token.ends <= case.now:
        return EXPIRED, f"{whose} expired at {when}, {spoken(case.now - token.ends)} ago."
    because = f"{whose} holds until {when} by what it says itself, but the server refuses it"
    return REFUSED, f"{because}: it was revoked, or it is another server's."
