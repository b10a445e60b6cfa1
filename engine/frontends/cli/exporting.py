"""`skill export`: skills of ours as folders that other agents read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from engine.agent_skills.contents import folders
from engine.agent_skills.standing import Standing, standing
from engine.agent_skills.writing import refuse_blocked, write_all
from engine.errors import InputError
from engine.frontends.cli.completing import skill_names
from engine.frontends.cli.layout import short_path
from engine.frontends.cli.screen import Screen, screen_options
from engine.frontends.cli.session import Session
from engine.wiring import Engine


@click.command("export")
@click.option(
    "--format", "form", type=click.Choice(["agent-skills"]), default="agent-skills", help="The form to write."
)
@click.argument("directory", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=skill_names)
@click.option("--tags", metavar="TAG,...", help="Only skills that have one of these tags.")
@click.option("--license", "license_", default="", metavar="TEXT", help="The licence the folders are to name.")
@click.option("--force", is_flag=True, help="Replace files that are in the way.")
@click.option("--dry-run", is_flag=True, help="Only say what would be written.")
@screen_options
def export_command(
    session: Session, directory: Path, names: tuple[str, ...], tags: str | None, screen: Screen, **options: Any
) -> None:
    """Write skills into DIR as Agent Skills: a folder each, with a SKILL.md and the skill itself.

    Without a NAME all skills of the workspace and the shipped ones. All folders are written or none; a file that no
    export wrote, or that was changed since, is left alone, and so is everything then. --force replaces it.

    Exit status: 0 done, 2 something is in the way, 3 no such skill, 6 a skill has errors.
    """
    engine = Engine(session.workspace(), secrets=session.secrets)
    wanted = _wanted(engine, names, tags)
    made = folders(engine.library, wanted, engine.registry, license_=options["license_"])
    found = [standing(folder, directory, force=options["force"]) for folder in made]
    refuse_blocked(found)
    if not options["dry_run"]:
        write_all(change for each in found for change in each.changes)
    _tell(found, screen, dry=options["dry_run"])


def _wanted(engine: Engine, names: tuple[str, ...], tags: str | None) -> list[str]:
    """The skills meant, each once. Raises InputError when a tag leaves none."""
    asked = {tag.strip() for tag in (tags or "").split(",") if tag.strip()}
    entries = {entry.name: entry for entry in engine.library.entries()}
    chosen = [
        name
        for name in dict.fromkeys(names or entries)
        if not asked or name not in entries or asked & {*entries[name].tags}
    ]
    if not chosen:
        told = f"no skill has the tag {' or '.join(sorted(asked))}" if asked else "there are no skills"
        raise InputError(told, hint="`skill list` shows skills and tags")
    return chosen


def _tell(found: list[Standing], screen: Screen, *, dry: bool) -> None:
    if not screen.is_text:
        screen.result([_record(each, dry=dry) for each in found])
        return
    rows = [[short_path(each.path), each.what, each.folder.skill] for each in found]
    screen.table(rows, ["FOLDER", "IS", "SKILL"])
    changed = sum(bool(each.changes) for each in found)
    verb = "would be written" if dry else "written"
    screen.note(f"{changed} folder{'' if changed == 1 else 's'} {verb}, {len(found) - changed} unchanged", fg="green")


def _record(each: Standing, *, dry: bool) -> dict[str, Any]:
    files = [str(change.path.relative_to(each.path)) for change in each.changes]
    return {
        "name": each.folder.name,
        "skill": each.folder.skill,
        "folder": str(each.path),
        "is": each.what,
        "files": files,
        "written": bool(files) and not dry,
    }
