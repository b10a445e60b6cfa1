"""`skill import`: a skill that was written for other agents as one of ours."""

from __future__ import annotations

from pathlib import Path

import click

from engine.agent_skills.taking import Taking, taking
from engine.agent_skills.writing import write_all
from engine.frontends.cli.layout import short_path
from engine.frontends.cli.screen import Screen, screen_options
from engine.frontends.cli.session import Session
from engine.wiring import Engine


@click.command("import")
@click.argument("path", type=click.Path(exists=True, path_type=Path), metavar="PATH|FOLDER")
@click.option("--as", "name", default="", metavar="NAME", help="What it is to be called here.")
@click.option("--force", is_flag=True, help="Replace a skill of this name.")
@click.option("--dry-run", is_flag=True, help="Only check it, and say what would be written.")
@screen_options
def import_command(session: Session, path: Path, name: str, force: bool, dry_run: bool, screen: Screen) -> None:
    """Take in the Agent Skill at PATH (a SKILL.md) or in FOLDER, as a skill of this workspace.

    One that `skill export` wrote comes back as it was. Any other becomes a manual skill: its run asks a person or an
    agent to do what it says, and to say what came of it. Nothing in it is run or read as a template.

    Exit status: 0 done, 2 there is one of this name already, or the name cannot be used, 6 it cannot be read.
    """
    engine = Engine(session.workspace(), secrets=session.secrets)
    found = taking(path, engine.workspace, engine.registry, engine.sandbox, name=name, force=force)
    if not dry_run:
        write_all(found.changes)
    _tell(found, screen, dry=dry_run)


def _tell(found: Taking, screen: Screen, *, dry: bool) -> None:
    files = [str(change.path) for change in found.changes]
    following = [f"skill check {found.name}", f"skill run {found.name}"]
    if not screen.is_text:
        record = {"skill": found.name, "file": str(found.path), "manual": not found.ours, "files": files}
        screen.result({**record, "written": bool(files) and not dry, "notes": list(found.notes), "next": following})
        return
    for change in found.changes:
        verb = "would write" if dry else "wrote" if change.was is None else "replaced"
        screen.text(short_path(change.path) if screen.quiet else f"{verb} {short_path(change.path)}")
    if not files:
        screen.note(f"{found.name} is here already, and says the same", fg="green")
    for note in found.notes:
        screen.note(note, fg="yellow")
    screen.note("\nnext:", dim=True)
    for command in following:
        screen.note(f"  {command}")
