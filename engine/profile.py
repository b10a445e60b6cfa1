"""Profiles and tool definitions: which domains there are, how they are repaired, and the tools written in YAML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tool_registry
from engine.documents import Document, findings, read
from engine.errors import DocumentError
from engine.model.heal import Domain, FixPlan, HealMode
from engine.model.outcome import ToolCall
from engine.workspace import Workspace
from tool_registry.registry import ToolRegistry

PROFILE_SUFFIX = "_profile.yaml"
DEFINITIONS = Path(tool_registry.__file__).parent / "definitions"
"""Where the shipped profile and YAML tools are; they travel inside the package."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A set of domains under a name; `config` is what skills see of it."""

    name: str
    description: str = ""
    domains: Mapping[str, Domain] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)


def load_profile(workspace: Workspace) -> Profile:
    """The profile the workspace names, else the embedded local one; the workspace's own domains are laid over it.

    Raises DocumentError when the profile or a domain breaks its schema.
    """
    name = str(workspace.settings.get("profile", "local"))
    own = workspace.folder / "config" / f"{name}{PROFILE_SUFFIX}"
    document = read(own if own.is_file() else DEFINITIONS / f"{name}{PROFILE_SUFFIX}")
    _insist(document, "profile", workspace)
    raw = {**document.value["domains"], **workspace.settings.get("domains", {})}
    return Profile(
        name=name,
        description=document.value.get("description", ""),
        domains={domain: _domain(domain, value, workspace.state) for domain, value in raw.items()},
        config=document.value.get("config", {}),
    )


def load_tools(registry: ToolRegistry, workspace: Workspace) -> None:
    """Adds the tools defined in YAML: the shipped ones, then the workspace's own.

    Raises DocumentError when a definition breaks its schema.
    """
    for folder in (DEFINITIONS, *workspace.tool_folders):
        for path in sorted(folder.glob("*.yaml")):
            if not path.name.endswith(PROFILE_SUFFIX):
                document = read(path)
                _insist(document, "tool", workspace)
                registry.define(document.value, str(path))


def _insist(document: Document, schema: str, workspace: Workspace) -> None:
    found = findings(document, schema, cache=workspace.cache / "valid")
    if found:
        raise DocumentError(f"{document.name} is not a valid {schema}: {found[0].message}", findings=found)


def _domain(name: str, value: Mapping[str, Any], state: Path) -> Domain:
    return Domain(
        name=name,
        description=value.get("description", ""),
        settings=_placed(value.get("settings", {}), state),
        fixes={role: _plan(plan) for role, plan in value.get("fixes", {}).items()},
        mode=HealMode(value["mode"]) if "mode" in value else None,
    )


def _plan(value: Mapping[str, Any]) -> FixPlan:
    given = {name: float(value[name]) for name in ("ready_within", "cooldown") if name in value}
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
