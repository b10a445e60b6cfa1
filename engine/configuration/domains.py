"""Domains as values, of what was written about them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.configuration.sections import laid_over, networks_of
from engine.model.failure import FailureKind
from engine.model.heal import Domain, FixPlan, HealMode, TokenExpiry
from engine.model.outcome import ToolCall
from engine.model.prevention import Check, Lasts


def described(*files: Mapping[str, Any], state: Path) -> dict[str, Domain]:
    """The domains that these files describe, by name; a later file's replaces an earlier one's as a whole.

    The files fit their schema. Networks of any of them count for all; `{state}` in a text is the folder `state`.
    """
    networks = networks_of(*files)
    raw = {name: told for each in files for name, told in laid_over(each, networks).items()}
    return {name: _domain(name, _placed(told, state)) for name, told in raw.items()}


def _domain(name: str, value: Mapping[str, Any]) -> Domain:
    return Domain(
        name=name,
        kind=value.get("kind", ""),
        description=value.get("description", ""),
        settings=value.get("settings", {}),
        fixes={role: _plan(plan) for role, plan in value.get("fixes", {}).items()},
        mode=HealMode(value["mode"]) if "mode" in value else None,
        expiry=_expiry(value["expiry"]) if "expiry" in value else None,
        checks={check: _check(check, told) for check, told in value.get("checks", {}).items()},
        look=_call(value["look"]) if "look" in value else None,
    )


def _check(name: str, value: Mapping[str, Any]) -> Check:
    given = {key: value[key] for key in ("role", "within", "offline") if key in value}
    kind, lasts = FailureKind(value.get("kind", FailureKind.UNKNOWN)), Lasts(value.get("lasts", Lasts.CALL))
    return Check(name=name, call=_call(value), kind=kind, lasts=lasts, **given)


def _expiry(value: Mapping[str, Any]) -> TokenExpiry:
    return TokenExpiry(call=_call(value), offline=value.get("offline", False))


def _plan(value: Mapping[str, Any]) -> FixPlan:
    given: dict[str, Any] = {name: float(value[name]) for name in ("ready_within", "cooldown") if name in value}
    verify = _call(value["verify"]) if "verify" in value else None
    return FixPlan(call=_call(value["call"]), verify=verify, **given)


def _call(value: Mapping[str, Any]) -> ToolCall:
    return ToolCall(tool=value["tool"], args=value.get("args", {}))


def _placed(value: Any, state: Path) -> Any:
    """`value` with `{state}` in its texts replaced by the state folder."""
    match value:
        case str():
            return value.replace("{state}", str(state))
        case dict():
            return {key: _placed(inner, state) for key, inner in value.items()}
        case list():
            return [_placed(inner, state) for inner in value]
        case _:
            return value
