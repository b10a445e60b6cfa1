"""What an import would write: the YAML of ours that lies in an exported folder, or a manual skill for one of others."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path

from engine.agent_skills.contents import GENERATOR
from engine.agent_skills.manual import manual_skill
from engine.agent_skills.naming import REFERENCES, is_ours
from engine.agent_skills.reading import AgentSkill, agent_skill
from engine.agent_skills.standing import Change, untouched
from engine.documents import Document, Editing, parse
from engine.documents.events import decode
from engine.documents.reader import read_bytes
from engine.errors import InputError, WorkspaceError
from engine.library import SkillLibrary
from engine.library.check_skills import called_by
from engine.model.lazy_dataclass import dataclass
from engine.sandbox import Sandbox
from engine.workspace import Workspace
from tool_registry.tool import Tool

SUFFIX = ".yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Taking:
    """The skill that comes of an import: its file, what is to be written, and what a person should know."""

    name: str
    path: Path
    ours: bool
    changes: tuple[Change, ...] = ()
    notes: tuple[str, ...] = field(default_factory=tuple)


def taking(
    given: Path,
    workspace: Workspace,
    tools: Mapping[str, Tool],
    sandbox: Sandbox,
    *,
    name: str = "",
    force: bool = False,
) -> Taking:
    """What importing the SKILL.md, or the folder that holds one, comes to; nothing is written yet.

    Every skill is checked like any other. Raises InputError, DocumentError with places, and WorkspaceError for a skill
    of the same name that says something else, unless `force`.
    """
    found = agent_skill(given)
    texts = _of_ours(found, name)
    own = workspace.folder / "skills"
    called = name or (found.metadata["skill"] if texts else found.name)
    _refuse_name(called, given=bool(name))
    if not texts:
        folder = os.path.relpath(found.path.parent, workspace.folder) if found.beside else ""
        texts = {called: manual_skill(found, called, folder=folder)}
    references = found.path.parent / REFERENCES
    folders = (references, *workspace.skill_folders) if _is_ours(found) else workspace.skill_folders
    library = SkillLibrary(folders, sandbox=sandbox, tools=tools)
    for each, text in texts.items():
        there = references / f"{each}{SUFFIX}"
        library.parse(text.removeprefix("\ufeff"), str(there if there.is_file() else own / there.name))
    return Taking(
        name=called,
        path=own / f"{called}{SUFFIX}",
        ours=_is_ours(found),
        changes=_changes(texts, workspace, force=force),
        notes=_notes(found),
    )


def _is_ours(found: AgentSkill) -> bool:
    return found.metadata.get("generator") == GENERATOR and is_ours(found.metadata.get("skill", ""))


def _of_ours(found: AgentSkill, name: str) -> dict[str, str]:
    """The YAML of an exported skill and of those it runs, by name; empty for a skill of somebody else's."""
    if not _is_ours(found):
        return {}
    texts: dict[str, str] = {}
    pending, skill = [found.metadata["skill"]], found.metadata["skill"]
    while pending:
        one = pending.pop()
        path = found.path.parent / REFERENCES / f"{one}{SUFFIX}"
        if one in texts or not is_ours(one) or (one != skill and not path.is_file()):
            continue
        text = _exact(path)
        document = parse(text.removeprefix("\ufeff"), str(path), tolerant=True)
        pending += sorted(called_by(document.value))
        texts[one] = _renamed(document, name) if one == skill and name and name != skill else text
    return {name or skill: texts.pop(skill), **texts}


def _renamed(document: Document, name: str) -> str:
    editing = Editing(document)
    editing.set(("name",), name)
    return editing.finished().text


def _exact(path: Path) -> str:
    """Every character of a file, its mark at the beginning too; never by a link."""
    if path.is_symlink() or path.parent.is_symlink():
        raise InputError(f"{path} is a link, and links are not followed", hint="copy the file")
    if not path.is_file():
        raise InputError(f"{path} is missing", hint="export the skill again")
    raw = read_bytes(path, str(path), 1_000_000)
    text = decode(raw, str(path))
    return f"\ufeff{text}" if raw.startswith("\ufeff".encode()) else text


def _refuse_name(name: str, *, given: bool) -> None:
    if not is_ours(name):
        hint = "use letters, digits, _ and -" if given else "give it another one with --as NAME"
        raise InputError(f"{name[:100]!r} is no name for a skill", hint=hint)


def _changes(texts: Mapping[str, str], workspace: Workspace, *, force: bool) -> tuple[Change, ...]:
    """The files to be written; one that says the same already is left alone, also where it was shipped."""
    own = workspace.folder / "skills"
    found = []
    for name, text in texts.items():
        seen = next(
            (path for folder in workspace.skill_folders if (path := folder / f"{name}{SUFFIX}").is_file()), None
        )
        if seen is not None and not seen.is_symlink() and seen.read_bytes() == text.encode():
            continue
        path = own / f"{name}{SUFFIX}"
        found.append(Change(path=path, text=text, was=_before(path, force=force)))
    return tuple(found)


def _before(path: Path, *, force: bool) -> bytes | None:
    if not os.path.lexists(path):
        return None
    if path.is_symlink() or not path.is_file():
        raise WorkspaceError(f"{path} is there already, and is no plain file", hint="take another name: --as NAME")
    if not force:
        hint = "take another name with --as NAME, or replace it with --force; nothing was written"
        raise WorkspaceError(f"{path} is there already, and says something else", hint=hint)
    return path.read_bytes()


def _notes(found: AgentSkill) -> tuple[str, ...]:
    if not _is_ours(found):
        return ()
    changed = f"{found.path.name} was changed since it was exported; what counts is the YAML beside it"
    return () if untouched(found.text) else (changed,)
