"""Whether the tokens of a plan's domains hold as long as the run will take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from engine.heal.preflight.spans import spoken
from engine.model.heal import Domain, HealMode
from engine.model.outcome import Attempt
from engine.run.dry.calls import Caller
from engine.run.dry.plan import Expected, Need
from engine.run.dry.surroundings import DryParts

LOGIN = "login"
"""The role of the fix that renews a domain's token."""


async def look_at(
    parts: DryParts, caller: Caller, needs: Iterable[Need], expected: Expected | None, *, reads: bool
) -> tuple[Need, ...]:
    """How long the token of each needed domain holds, where the domain says how that is read.

    Unless `reads`, only what can be read without leaving this machine is.
    """
    found = []
    for need in needs:
        domain = parts.domains.get(need.name) if need.kind == "domain" else None
        if domain is not None and domain.expiry is not None:
            found.append(await _token(parts, caller, domain, need, expected, reads=reads))
    return tuple(found)


async def _token(
    parts: DryParts, caller: Caller, domain: Domain, of: Need, expected: Expected | None, *, reads: bool
) -> Need:
    plan = domain.expiry
    if plan is None or not (reads or plan.offline):
        return _need(of, found="how long it holds is asked with --dry-run=reads")
    tried = await caller.look(plan.call, domain=domain.name, within=10)
    if tried.failure is not None:
        return _need(of, found=f"how long it holds could not be read: {tried.failure.message}")
    left = seconds_left(tried, parts.clock())
    return _told(of, left, expected, _renewal(parts, domain), "pre-flight" if parts.looks_ahead else "")


def seconds_left(tried: Attempt, now: float) -> float | None:
    """The seconds a token still holds, by `expires_in` or `expires_at` of what was read; None without a token."""
    value: Mapping[str, Any] = tried.value if isinstance(tried.value, Mapping) else {}
    match value:
        case {"expires_in": int() | float() as seconds}:
            return float(seconds)
        case {"expires_at": int() | float() as moment}:
            return float(moment) - now
    return None


def _renewal(parts: DryParts, domain: Domain) -> tuple[str, bool]:
    """The fix that renews the token (empty: none), and whether healing runs it by itself."""
    fix = domain.fixes.get(LOGIN)
    return (fix.call.tool, parts.healing(domain.name) is HealMode.AUTO) if fix else ("", False)


def _told(of: Need, left: float | None, expected: Expected | None, renewal: tuple[str, bool], ahead: str) -> Need:
    """The token as a need; `ahead` names what renews it beforehand, empty where nothing does."""
    fix, alone = renewal
    if left is None or left <= 0:
        state = "there is none" if left is None else "it has expired"
        if alone:
            return _need(of, found=f"{state}; {ahead or 'the first call that needs it'} will log in ({fix})")
        return _need(of, found=state, there=False, way_out=_way_out(fix))
    lasts = f"it expires in {spoken(left)}"
    if expected is None:
        return _need(of, found=f"{lasts}; how long the run takes is not known yet")
    if left > expected.seconds:
        return _need(of, found=f"{lasts}, and the run takes about {spoken(expected.seconds)}")
    renewed = f"{ahead} will renew it ({fix})" if ahead else f"it will be renewed in mid-run ({fix})"
    then = renewed if alone else "log in first"
    way_out = "" if alone else _way_out(fix)
    return _need(of, found=f"{lasts}, and the run takes about {spoken(expected.seconds)}: {then}", way_out=way_out)


def _way_out(fix: str) -> str:
    return f"log in first: {fix} does it" if fix else "log in first"


def _need(of: Need, *, found: str, there: bool = True, way_out: str = "") -> Need:
    return Need(kind="token", name=of.name, there=there, found=found, way_out=way_out, steps=of.steps, needed=of.needed)
