"""A registry that wants a login: which one, whether somebody is logged in there, and the command."""

from __future__ import annotations

import json
import shlex

from engine.heal.causes.case import LOOPBACK, Case
from engine.heal.causes.looks import Looks
from engine.heal.remedy import role_of
from engine.model.remediation import RemedyStep, RootCause

ID = "registry_login"
CODES = frozenset({"UNAUTHORIZED", "DENIED"})
"""Error codes by which the distribution specification says that a login is missing or not enough."""


async def find(case: Case, looks: Looks) -> RootCause | None:
    """The registry, and the login it lacks."""
    if not is_registry(case):
        return None
    address = case.address()
    host, port = address.host, address.port
    registry = case.value("registry") or (f"{host}:{port}" if host and port not in {None, 80, 443} else host)
    state = await looks.at("registry_login_state", _asked(case, registry)) if registry and address.known else None
    user = state.text("user") if state else ""
    return RootCause(
        id=ID,
        because=_because(registry, user),
        steps=(_login(case, registry),),
        found={"registry": registry} | ({"user": user} if user else {}),
        source=ID,
        confirmed=(state.get("ok") is False or None) if state else None,
    )


def _asked(case: Case, registry: str) -> dict[str, str]:
    """What the look takes: on the loopback a registry speaks plain HTTP; the domain may name where logins are kept."""
    where = f"http://{registry}" if _is_here(registry) else registry
    kept = case.domain.settings.get("auth_file") if case.domain else None
    return {"registry": where, **({"auth_file": str(kept)} if kept else {})}


def _is_here(registry: str) -> bool:
    return LOOPBACK.fullmatch(registry.rpartition(":")[0] or registry) is not None


def is_registry(case: Case) -> bool:
    """Whether it was a registry that refused: by what named the failure, or by the registry's own error code."""
    if role_of(case.diagnosis) == "registry_login" or case.told_by.startswith("registry-"):
        return True
    try:
        errors = json.loads(case.failure.evidence.text)["errors"]
        return any(error["code"] in CODES for error in errors)
    except (ValueError, LookupError, TypeError, RecursionError):
        return False


def _because(registry: str, user: str) -> str:
    if not registry:
        return "A login at the registry is missing."
    if user:
        return f"The registry {registry} refuses the login that is kept for {user}."
    return f"There is no valid login for the registry {registry}."


def _login(case: Case, registry: str) -> RemedyStep:
    if call := case.fix("registry_login"):
        return case.repair("Log in", call)
    plain = " --tls-verify=false" if _is_here(registry) else ""  # podman and skopeo have to be told
    return RemedyStep(text="Log in", command=f"podman login{plain} {shlex.quote(registry or 'REGISTRY')}")
