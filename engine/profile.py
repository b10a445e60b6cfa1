"""Profiles and tool definitions: which domains there are, how they are repaired, and the tools written in YAML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from functools import partial
from pathlib import Path
from typing import Any

from engine.documents import Document, findings, read
from engine.errors import DocumentError
from engine.model.failure import FailureKind
from engine.model.heal import Domain, FixPlan, HealMode, TokenExpiry
from engine.model.lazy_dataclass import dataclass
from engine.model.outcome import ToolCall
from engine.model.place import Place
from engine.model.prevention import Check, Lasts
from engine.workspace import Workspace
from tool_registry.registry import ToolRegistry, defined, definitions_folder
from tool_registry.tool import Tool

PROFILE_SUFFIX = "_profile.yaml"
DEFINITIONS = definitions_folder()


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
    check_settings(workspace)
    name = str(workspace.settings.get("profile", "local"))
    own, shipped = workspace.folder / "config" / f"{name}{PROFILE_SUFFIX}", DEFINITIONS / f"{name}{PROFILE_SUFFIX}"
    if not own.is_file() and not shipped.is_file():
        raise DocumentError(
            f"there is no profile called {name}", hint=f"write {own}, or remove `profile` from skill.toml"
        )
    document = read(own if own.is_file() else shipped)
    _insist(document, "profile", workspace)
    raw = {**document.value["domains"], **workspace.settings.get("domains", {})}
    return Profile(
        name=name,
        description=document.value.get("description", ""),
        domains={domain: _domain(domain, value, workspace.state) for domain, value in raw.items()},
        config=document.value.get("config", {}),
    )


def check_settings(workspace: Workspace) -> None:
    """Refuses settings that break their schema, each mistake at its place in the file.

    Raises DocumentError.
    """
    path = workspace.settings_file
    if path is not None or workspace.settings:
        text, name = (
            (path.read_text(encoding="utf-8"), str(path)) if path else (_written(workspace), "Workspace.settings")
        )
        document = Document(value=dict(workspace.settings), name=name, text=text, root=None)
        if findings(document, "settings", cache=workspace.valid):
            from engine.documents.toml import toml_document  # noqa: PLC0415 - late: only mistakes need their places

            _insist(toml_document(text, name) if path else document, "settings", workspace)


def _written(workspace: Workspace) -> str:
    """Settings made in code, as text to know them by."""
    import json  # noqa: PLC0415 - late: only programs make settings

    return json.dumps(workspace.settings, default=str)


def load_tools(registry: ToolRegistry, workspace: Workspace) -> None:
    """Adds the tools defined in YAML, the shipped ones and the workspace's own; a file is named like its tool.

    A file is read when its tool is asked for; DocumentError comes then, if it breaks its schema.
    """
    for folder in (DEFINITIONS, *workspace.tool_folders):
        for path in sorted(folder.glob("*.yaml")):
            if path.is_file() and not path.name.endswith(PROFILE_SUFFIX):
                if registry.is_taken(path.stem):
                    raise DocumentError(
                        f"there is already a tool called {path.stem}",
                        place=Place(file=str(path), line=1, column=1),
                        hint="call yours something else, in its name and its file's",
                    )
                registry.add_later(path.stem, str(path), partial(_read_tool, path, workspace))


def _read_tool(path: Path, workspace: Workspace) -> Tool:
    document = read(path)
    _insist(document, "tool", workspace)
    if document.value["name"] != path.stem:
        place = document.place(("name",))
        message = f"the tool {document.value['name']} must be in a file of its own name"
        raise DocumentError(message, place=place, hint=f"call the file {document.value['name']}.yaml")
    try:
        return defined(document.value, str(path))
    except ValueError as error:
        message = str(error).removeprefix(f"{path}: ")
        hint = "docs/tools-authoring.md shows the forms"
        raise DocumentError(message, place=document.place(()), hint=hint) from error


def _insist(document: Document, schema: str, workspace: Workspace) -> None:
    found = findings(document, schema, cache=workspace.valid)
    if found:
        raise DocumentError(f"{document.name} is not a valid {schema}: {found[0].message}", findings=found)


def _domain(name: str, value: Mapping[str, Any], state: Path) -> Domain:
    return Domain(
        name=name,
        description=value.get("description", ""),
        settings=_placed(value.get("settings", {}), state),
        fixes={role: _plan(plan) for role, plan in value.get("fixes", {}).items()},
        mode=HealMode(value["mode"]) if "mode" in value else None,
        expiry=_expiry(value["expiry"]) if "expiry" in value else None,
        checks={check: _check(check, told) for check, told in value.get("checks", {}).items()},
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
