"""`skill memory edit`: a memory file in an editor, put in place only when it is right."""

from __future__ import annotations

import sys

import click

from engine.bundle import bundle
from engine.errors import DocumentError
from engine.frontends.cli.asking import may_ask
from engine.frontends.cli.layout import short_path, terminal_width
from engine.frontends.cli.memory_files import file_names
from engine.frontends.cli.screen import Screen, screen_options
from engine.frontends.cli.session import Session
from engine.frontends.cli.source import show_finding
from engine.memory import Memory
from engine.memory.places import named
from engine.memory_tools import drafts
from engine.memory_tools.results import Changed, as_json


@click.command("edit")
@click.argument("file", default="patterns", shell_complete=file_names)
@click.option("--fresh", is_flag=True, help="Begin anew, without an edit that was kept.")
@screen_options
def edit_command(session: Session, file: str, fresh: bool, screen: Screen) -> int:
    """Edit FILE of memory (patterns) in $VISUAL or $EDITOR.

    What is edited is a copy. It takes the file's place when it is right; else it is kept beside it, and edited on the
    next time. A back-up is made before. Exit status 6 when the edit is kept.
    """
    memory = Memory(session.workspace().memory, seeds=bundle("memory"), secrets=session.secrets)
    draft = drafts.begin(memory, named(file), fresh=fresh)
    if draft.resumed:
        screen.note(f"going on with the edit in {short_path(draft.path)} (--fresh begins anew)")
    if not _edited(memory, draft, screen):
        return DocumentError.exit_status
    if not draft.changed:
        drafts.drop(draft)
        changed = Changed(file=draft.name, path="", changed=False)
    else:
        changed = drafts.install(memory, draft)
    _tell(changed, screen)
    return 0


def _edited(memory: Memory, draft: drafts.Draft, screen: Screen) -> bool:
    """Whether the copy is right in the end; as long as somebody is there and wants it, it is edited again."""
    while True:
        _open(draft)
        found = drafts.problems(memory, draft)
        if not found:
            return True
        for finding in found:
            show_finding(finding, screen.note, width=terminal_width(sys.stderr))
        if not (may_ask(no_input=False) and click.confirm("edit it again?", default=True, err=True)):
            screen.note(f"{draft.name} is as it was; your edit is kept in {short_path(draft.path)}", fg="red")
            screen.note(f"  `skill memory edit {draft.name}` goes on with it")
            return False


def _open(draft: drafts.Draft) -> None:
    """Lets the person edit; where no editor can be started, a copy nobody has touched is not kept."""
    try:
        click.edit(filename=str(draft.path))
    except click.ClickException:
        if not draft.changed:
            drafts.drop(draft)
        raise


def _tell(changed: Changed, screen: Screen) -> None:
    if not screen.is_text:
        screen.result(as_json(changed))
        return
    screen.text(f"{changed.file}: {'changed' if changed.changed else 'nothing was changed'}")
    if changed.backup:
        screen.note(f"  undo: skill memory restore {changed.backup}", dim=True)
