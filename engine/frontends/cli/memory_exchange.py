"""`skill memory export` and `import`: memory as one file, for another machine or a colleague."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click

from engine.documents import dump, parse, read
from engine.documents.files import exchange
from engine.errors import InputError
from engine.frontends.cli.memory_upkeep import opened_memory
from engine.frontends.cli.screen import Screen, screen_options
from engine.frontends.cli.session import Session
from engine.memory_tools.exchange import exported, taken_in


@click.command("export")
@click.option("--into", type=click.Path(dir_okay=False), metavar="FILE", help="Write it to a new file.")
@screen_options
def export_command(session: Session, into: str | None, screen: Screen) -> None:
    """Write the memory files as one YAML document, for `skill memory import`; secrets are masked."""
    package = exported(opened_memory(session), session.secrets, now=time.time())
    if into is not None and Path(into).exists():
        raise InputError(f"there is {into} already", hint="give another name, or take the file away first")
    if into is not None:
        exchange(Path(into), dump(package), was=None)
        count = len(package["files"])
        screen.note(f"{count} file{'' if count == 1 else 's'} written to {into}")
    elif screen.is_text:
        click.echo(dump(package), nl=False)
    else:
        screen.result(package)


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--replace", is_flag=True, help="Its files take the place of yours; else what you have stays.")
@click.option("--dry-run", is_flag=True, help="Only check it, and say what would be done.")
@screen_options
def import_command(session: Session, file: str, replace: bool, dry_run: bool, screen: Screen) -> None:
    """Take in what `skill memory export` wrote, from FILE or standard input (`-`).

    All of it is checked before anything is touched, and a back-up is made. Counts of another machine are left out.
    """
    package = parse(sys.stdin.read(), "standard input") if file == "-" else read(Path(file))
    taken = taken_in(opened_memory(session), package, replace=replace, dry=dry_run)
    if not screen.is_text:
        screen.result({"done": not dry_run, "files": dict(taken.files), "backup": taken.backup})
        return
    for name, what in taken.files.items():
        screen.text(f"{name}: {what}")
    screen.text("nothing was changed" if dry_run or not taken.backup else "taken in", bold=True)
    if taken.backup:
        screen.note(f"  undo: skill memory restore {taken.backup}", dim=True)
