"""`skill memory init`, `cleanup`, `backups` and `restore`: the folder itself, tidied and put back."""

from __future__ import annotations

import time
from dataclasses import asdict

import click
from click.shell_completion import CompletionItem

from engine.bundle import bundle
from engine.frontends.cli.layout import beside
from engine.frontends.cli.screen import Screen, screen_options
from engine.frontends.cli.session import Session
from engine.memory import Memory
from engine.memory.backups import KEPT
from engine.memory.places import named
from engine.memory_tools.upkeep import chores, make_ready, tidy


def opened_memory(session: Session) -> Memory:
    """The workspace's memory."""
    return Memory(session.workspace().memory, seeds=bundle("memory"), secrets=session.secrets)


def backup_ids(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """`last` and the back-ups there are."""
    found = opened_memory(context.find_object(Session) or Session()).backups.all()
    items = [CompletionItem("last"), *(CompletionItem(each.id, help=each.reason) for each in found)]
    return [item for item in items if item.value.startswith(incomplete)]


@click.command("init")
@screen_options
def init_command(session: Session, screen: Screen) -> None:
    """Make the files that people write, each empty but for what it is for; what is there stays."""
    memory = opened_memory(session)
    made = make_ready(memory)
    if not screen.is_text:
        screen.result({"folder": str(memory.folder), "made": [name for name, new in made.items() if new]})
        return
    screen.text(f"memory is in {memory.folder}", bold=True)
    for name, new in made.items():
        screen.text(f"  {name:<26} {'made' if new else 'was there'}")
    screen.note("  what is shipped counts beside them; `skill memory edit` opens one", dim=True)


@click.command("cleanup")
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@click.option("--days", type=click.IntRange(1, 3650), default=90, show_default=True, help="Notes older than this go.")
@click.option("--keep", type=click.IntRange(1, KEPT), default=20, show_default=True, help="Back-ups that stay.")
@screen_options
def cleanup_command(session: Session, dry_run: bool, days: int, keep: int, screen: Screen) -> None:
    """Take out what nobody needs: copies of shipped rows, old notes and sessions, old back-ups. A back-up is made."""
    memory = opened_memory(session)
    found = chores(memory, now=time.time(), days=days, keep=keep)
    backup = "" if dry_run else tidy(memory, found)
    if not screen.is_text:
        told = [{"file": each.file, "what": each.what} for each in found]
        screen.result({"done": not dry_run, "chores": told, "backup": backup})
        return
    for each in found:
        for line in beside(f"{each.file}: ", each.what, screen.width, lines=3):
            screen.text(line)
    screen.text(f"{len(found)} {'to tidy' if dry_run else 'tidied'}" if found else "nothing to tidy", bold=True)
    if backup:
        screen.note(f"  undo: skill memory restore {backup}", dim=True)


@click.command("backups")
@screen_options
def backups_command(session: Session, screen: Screen) -> None:
    """List the back-ups of memory files, newest first."""
    found = opened_memory(session).backups.all()
    if not screen.is_text:
        screen.result([asdict(each) for each in found])
        return
    if not found:
        screen.note("no back-up yet; one is made before a command changes a file", dim=True)
        return
    rows = [[each.id, each.made_at, each.reason, ", ".join((*each.files, *each.absent))] for each in found]
    screen.table(rows, ["BACK-UP", "MADE (UTC)", "BEFORE", "FILES"], lines=3)


@click.command("restore")
@click.argument("backup", shell_complete=backup_ids)
@click.argument("file", nargs=-1)
@screen_options
def restore_command(session: Session, backup: str, file: tuple[str, ...], screen: Screen) -> None:
    """Put the files of a BACKUP (its id, the beginning of it, or `last`) back as they were then; only FILE if named.

    A file that was not there then is removed. What the files say now is backed up first.
    """
    kept = opened_memory(session).backups
    chosen = kept.get(backup)
    names = tuple(named(each) for each in file)
    before = kept.restore(chosen, names)
    if not screen.is_text:
        screen.result(
            {"restored": chosen.id, "files": list(names or (*chosen.files, *chosen.absent)), "backup": before.id}
        )
        return
    for name in names or (*chosen.files, *chosen.absent):
        screen.text(
            f"{name}: {'as it was' if name in chosen.files else 'removed; it was not there'} at {chosen.made_at}"
        )
    screen.note(f"  undo: skill memory restore {before.id}", dim=True)
