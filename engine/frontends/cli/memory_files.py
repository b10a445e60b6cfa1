"""`skill memory view`, `append`, `update`, `remove` and `log`: memory's files, value by value."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem

from engine.documents import dump
from engine.frontends.cli.answering import answered, value_of
from engine.frontends.cli.layout import beside, json_text
from engine.frontends.cli.screen import Screen, screen_options
from engine.frontends.cli.session import Session
from engine.memory.places import KNOWN
from engine.memory_tools.files import memory_append, memory_read, memory_remove, memory_session_log, memory_update
from engine.memory_tools.results import Changed, Remembered, as_json


def file_names(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Short names of memory files."""
    return [CompletionItem(name, help=file) for name, file in KNOWN.items() if name.startswith(incomplete)]


@click.command("view")
@click.argument("file", required=False, default="", shell_complete=file_names)
@click.argument("path", required=False, default="")
@screen_options
def view_command(session: Session, file: str, path: str, screen: Screen) -> int:
    """Show FILE of memory as it is written, or what stands at PATH in it; without FILE, which files there are.

    Exit status 1 when nothing stands at PATH.
    """
    found = answered(session, lambda engine: memory_read(engine, file, path))
    if screen.is_text:
        _show(found, screen)
    else:
        screen.result(as_json(found))
    return 0 if found.found else 1


@click.command("append")
@click.argument("file", shell_complete=file_names)
@click.argument("value")
@click.option("--path", default="", metavar="PATH", help="Where the list stands in a YAML file.")
@screen_options
def append_command(session: Session, file: str, value: str, path: str, screen: Screen) -> None:
    """Add VALUE to a list of FILE, or a line to a Markdown file.

    VALUE is text; `:=JSON` for anything else, `@FILE` for a file's text.
    """
    given = value_of(value)
    _tell(answered(session, lambda engine: memory_append(engine, file, given, path)), "added", screen)


@click.command("update")
@click.argument("file", shell_complete=file_names)
@click.argument("path")
@click.argument("value")
@screen_options
def update_command(session: Session, file: str, path: str, value: str, screen: Screen) -> None:
    """Put VALUE at PATH of FILE, after a back-up; comments stay.

    VALUE is text; `:=JSON` for anything else, `@FILE` for a file's text.
    """
    given = value_of(value)
    _tell(answered(session, lambda engine: memory_update(engine, file, path, given)), "set", screen)


@click.command("remove")
@click.argument("file", shell_complete=file_names)
@click.argument("path")
@screen_options
def remove_command(session: Session, file: str, path: str, screen: Screen) -> None:
    """Take out what stands at PATH of FILE, after a back-up."""
    _tell(answered(session, lambda engine: memory_remove(engine, file, path)), "removed", screen)


@click.command("log")
@click.argument("action")
@click.argument("details", required=False, default="")
@screen_options
def log_command(session: Session, action: str, details: str, screen: Screen) -> None:
    """Note ACTION with the time in today's file of `sessions/`."""
    _tell(answered(session, lambda engine: memory_session_log(engine, action, details)), "noted", screen)


def _show(found: Remembered, screen: Screen) -> None:
    if found.files:
        for name in found.files:
            screen.text(name)
    elif not found.found:
        screen.note(f"nothing stands at {found.path} of {found.file}", fg="yellow")
    else:
        text = found.value if isinstance(found.value, str) else dump(found.value)
        for line in text.splitlines():
            screen.text(line)


def _tell(changed: Changed, done: str, screen: Screen) -> None:
    if not screen.is_text:
        screen.result(as_json(changed))
        return
    place = f" at {changed.path}" if changed.path else ""
    value = changed.value if isinstance(changed.value, str) else json_text(changed.value)
    head = f"{changed.file}{place}: {done if changed.changed else 'was so already:'} "
    for line in beside(head, value, screen.width, lines=6):
        screen.text(line)
    if changed.backup:
        screen.note(f"  undo: skill memory restore {changed.backup}", dim=True)
