"""`skill new`: a skill to start from, right as it stands, in a file of its own."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path
from typing import Any

import click

from engine.bundle import bundle
from engine.documents import files, read
from engine.errors import DocumentError, WorkspaceError
from engine.frontends.cli.completing import skill_names, tool_names
from engine.frontends.cli.editor_schema import SCHEMA, provide_schema
from engine.frontends.cli.layout import short_path
from engine.frontends.cli.screen import Screen, screen_options
from engine.frontends.cli.session import Session
from engine.library.draft import copied, draft
from engine.model.lazy_dataclass import dataclass
from engine.model.skill import Skill
from engine.sandbox import helper_names
from engine.wiring import Engine
from engine.workspace import Workspace

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a new skill should be."""

    name: str
    description: str
    tools: tuple[str, ...]
    source: str | None
    folder: Path | None
    force: bool


@click.command("new")
@click.argument("name")
@click.option("--description", default="", help="What the skill is for, in a sentence.")
@click.option(
    "--tool",
    "tools",
    multiple=True,
    metavar="TOOL",
    shell_complete=tool_names,
    help="A step that calls TOOL; may be given again.",
)
@click.option("--from", "source", metavar="SKILL", shell_complete=skill_names, help="Copy SKILL, a name or a file.")
@click.option(
    "--folder", type=click.Path(path_type=Path), help="Where to write it; skills/ of the workspace if left out."
)
@click.option("--force", is_flag=True, help="Replace a skill of this name.")
@screen_options
def new_command(session: Session, screen: Screen, **options: Any) -> None:
    """Write a skill called NAME that can be checked and run at once, with comments that say what to change.

    Each --tool becomes a step, and what it must be given becomes an input of the skill.

    Exit status: 0 done, 2 the name or the folder cannot be used, 3 no such skill to copy, 6 that skill has errors.
    """
    wish, workspace = Wish(**options), session.workspace()
    _refuse_name(wish.name)
    if wish.tools and wish.source:
        raise click.UsageError("--from copies a whole skill, so --tool has no place", click.get_current_context())
    folder = wish.folder or workspace.folder / "skills"
    path = folder / f"{wish.name}.yaml"
    before = _before(path, force=wish.force)
    engine = Engine(workspace, secrets=session.secrets)
    text = _text(wish, engine, os.path.relpath(workspace.folder / SCHEMA, folder))
    skill = engine.library.parse(text, str(path))
    _write(path, text, before)
    _tell(skill, path, session, screen, replaced=before is not None, schema=provide_schema(session))


def _refuse_name(name: str) -> None:
    """Raises WorkspaceError for what cannot be both a file's name and a word on the command line."""
    if _NAME.fullmatch(name):
        return
    near = re.sub(r"[^A-Za-z0-9_-]+", "-", Path(name).name.removesuffix(".yaml")).strip("-_")[:100]
    hint = "use letters, digits, _ and -, and begin with a letter or digit" + (f": {near}" if near else "")
    if "/" in name or name.endswith(".yaml"):
        hint = f"give a name, and say with --folder where it goes{': ' + near if near else ''}"
    raise WorkspaceError(f"{name!r} is no name for a skill", hint=hint)


def _before(path: Path, *, force: bool) -> bytes | None:
    """What the file says now; None when there is none. Raises WorkspaceError when it may not be replaced."""
    if not os.path.lexists(path):
        return None
    if not path.is_file() or path.is_symlink():
        raise WorkspaceError(f"{short_path(path)} is there already, and is no plain file", hint="take another name")
    if not force:
        raise WorkspaceError(
            f"{short_path(path)} is there already", hint="take another name, or replace it with --force"
        )
    return path.read_bytes()


def _text(wish: Wish, engine: Engine, schema: str) -> str:
    if wish.source is not None:
        source = engine.library.load(wish.source)
        return copied(read(Path(source.file)), wish.name, schema=schema, description=wish.description)
    tools = [engine.registry.get_tool(name) for name in wish.tools]
    return draft(wish.name, schema=schema, description=wish.description, tools=tools, taken=helper_names())


def _write(path: Path, text: str, before: bytes | None) -> None:
    """Writes the file whole or not at all, and the folder if it is missing. Raises WorkspaceError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if before is not None:
            files.refuse_read_only(path)
        files.exchange(path, text, was=before)
    except FileExistsError:
        raise WorkspaceError(
            f"{short_path(path.parent)} is a file, not a folder", hint="give another folder with --folder"
        ) from None
    except OSError as error:
        message = f"the folder {short_path(path.parent)} cannot be made: {error.strerror}"
        raise WorkspaceError(message, hint="give another one with --folder, or work elsewhere with -C") from None
    except DocumentError as error:
        raise WorkspaceError(f"{short_path(path)}: {error.message}", hint=error.hint) from None


def _tell(skill: Skill, path: Path, session: Session, screen: Screen, *, replaced: bool, schema: str) -> None:
    steps = _next_steps(skill, path, session)
    if not screen.is_text:
        screen.result({"skill": skill.name, "file": str(path), "replaced": replaced, "next": steps})
        return
    screen.text(short_path(path) if screen.quiet else f"{'replaced' if replaced else 'wrote'} {short_path(path)}")
    if schema:
        screen.note(schema)
    if hidden := _hidden(path, session.workspace()):
        screen.note(f"it hides the shipped skill of the same name, {hidden}", fg="yellow")
    screen.note("\nnext, once you have changed it:", dim=True)
    for command in steps:
        screen.note(f"  {command}")


def _hidden(path: Path, workspace: Workspace) -> str:
    """The shipped skill that is not seen any more because of this one; empty when there is none."""
    shipped = bundle("skills") / path.name
    own = path.parent.resolve() == (workspace.folder / "skills").resolve() != shipped.parent
    return short_path(shipped, shipped=shipped.parent) if own and shipped.exists() else ""


def _next_steps(skill: Skill, path: Path, session: Session) -> list[str]:
    """What one does with a new skill, as commands; one that lies elsewhere is called by its path."""
    near = path.parent.resolve() == (session.workspace().folder / "skills").resolve()
    called = skill.name if near else shlex.quote(str(path))
    where = f" -C {shlex.quote(str(session.folder))}" if session.folder else ""
    given = "".join(f" -i {each.name}=..." for each in skill.inputs if each.must_be_given)
    return [f"skill check{where} {called}", f"skill fmt{where} {called}", f"skill run{where} {called}{given}"]
