"""Profiles and tool definitions: which domains there are, how they are repaired, and the tools written in YAML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from functools import partial
from pathlib import Path
from typing import Any

from engine.configuration import (
    SECTIONS,
    check_settings,
    described,
    insist,
    mistakes,
    networks_of,
    refuse,
    settings_document,
)
from engine.documents import Document, read
from engine.errors import DocumentError
from engine.model.heal import Domain
from engine.model.lazy_dataclass import dataclass
from engine.model.place import Place
from engine.workspace import Workspace
from tool_registry.registry import ToolRegistry, defined, definitions_folder
from tool_registry.tool import Tool

PROFILE_SUFFIX = "_profile.yaml"
MOST_NAMES = 4
"""How many of the places that skill.toml adds are named where a profile is told."""
DEFINITIONS = definitions_folder()


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A set of domains under a name; `config` is what skills see of it."""

    name: str
    description: str = ""
    domains: Mapping[str, Domain] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)


def _description(profile: Mapping[str, Any], settings: Mapping[str, Any]) -> str:
    """What the profile says of itself; where the workspace adds places, its first sentence and their names.

    What follows the first sentence may be true of the profile alone: that nothing leaves the machine, say.
    """
    said = str(profile.get("description", ""))
    added = list(dict.fromkeys(name for section in SECTIONS for name in settings.get(section, {})))
    if not added:
        return said
    more = f" and {len(added) - MOST_NAMES} more" if len(added) > MOST_NAMES else ""
    first = said.partition(". ")[0].rstrip(".")
    return f"{first}. skill.toml adds {', '.join(added[:MOST_NAMES])}{more}.".removeprefix(". ")


def load_profile(workspace: Workspace) -> Profile:
    """The profile the workspace names, else the embedded local one; the workspace's own domains are laid over it.

    Raises DocumentError when the profile or what the workspace says of its places is wrong, each mistake at its place.
    """
    check_settings(workspace)
    name = str(workspace.settings.get("profile", "local"))
    document, settings = _profile_document(name, workspace), settings_document(workspace)
    networks = networks_of(document.value, settings.value)
    for written in (document, settings):
        refuse(written, mistakes(written, networks))
    return Profile(
        name=name,
        description=_description(document.value, settings.value),
        domains=described(document.value, settings.value, state=workspace.state),
        config=document.value.get("config", {}),
    )


def _profile_document(name: str, workspace: Workspace) -> Document:
    own, shipped = workspace.folder / "config" / f"{name}{PROFILE_SUFFIX}", DEFINITIONS / f"{name}{PROFILE_SUFFIX}"
    if not own.is_file() and not shipped.is_file():
        raise DocumentError(
            f"there is no profile called {name}", hint=f"write {own}, or remove `profile` from skill.toml"
        )
    document = read(own if own.is_file() else shipped)
    insist(document, "profile", workspace)
    return document


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
    insist(document, "tool", workspace)
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
