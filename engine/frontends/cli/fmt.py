"""`skill fmt`: skill files in one layout, with every comment where it was."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from engine.bundle import bundle
from engine.documents.events import decode
from engine.documents.formatting import format_file, formatted
from engine.errors import DocumentError, WorkspaceError
from engine.frontends.cli.completing import skill_names
from engine.frontends.cli.layout import short_path, terminal_width
from engine.frontends.cli.screen import Screen, screen_options
from engine.frontends.cli.session import Session
from engine.frontends.cli.source import show_finding
from engine.library import SkillLibrary
from engine.library.key_order import skill_order
from engine.model.lazy_dataclass import dataclass
from engine.model.place import Finding, Place
from engine.sandbox import Sandbox

INVALID = 6
CHANGED = 1
STANDARD_INPUT = "standard input"


@dataclass(frozen=True, slots=True, kw_only=True)
class Formatted:
    """What formatting did, or would do, to one file; `findings` say why it cannot be formatted."""

    file: str
    before: str = ""
    after: str = ""
    findings: tuple[Finding, ...] = ()

    @property
    def changes(self) -> bool:
        """Whether the file is not yet as it should be."""
        return self.before != self.after


@click.command("fmt")
@click.argument("names", nargs=-1, metavar="[SKILL|FILE|FOLDER|-]...", shell_complete=skill_names)
@click.option("--check", is_flag=True, help="Change nothing; exit with 1 when a file would change.")
@click.option("--diff", is_flag=True, help="Change nothing; show what would change.")
@screen_options
def fmt_command(session: Session, names: tuple[str, ...], check: bool, diff: bool, screen: Screen) -> int:
    """Lay out the named skill files in the one way; without a name, all of this workspace. `-` is standard input.

    Comments stay, and what a file says stays: a file of which that cannot be shown is left alone.

    Exit status: 0 done, 1 with --check when a file would change, 6 a file cannot be read or formatted.
    """
    if "-" in names:
        return _of_standard_input(names, screen, check=check, diff=diff)
    done = [_format(path, write=not (check or diff)) for path in _files(session, names)]
    if not screen.is_text:
        screen.result([_record(each) for each in done])
    else:
        _show(done, screen, check=check, diff=diff)
    return _status(done, check=check)


def _files(session: Session, names: Sequence[str]) -> list[Path]:
    """The files meant, each once. Raises SkillNotFoundError."""
    own = session.workspace().folder / "skills"
    library = SkillLibrary(session.workspace().skill_folders, sandbox=Sandbox(), tools={})
    found = [path for name in names for path in _named(library, name, own)] if names else _inside(own)
    return list(dict.fromkeys(found))


def _named(library: SkillLibrary, name: str, own: Path) -> list[Path]:
    if Path(name).is_dir():
        return _inside(Path(name))
    path, shipped = library.path(name), bundle("skills")
    if path.parent == shipped and name == path.stem and own.resolve() != shipped:
        message = f"{name} came with the engine, and the next version would bring it back as it was"
        raise WorkspaceError(message, hint=f"`skill new my_{name} --from {name}` makes a copy of your own")
    return [path]


def _inside(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.yaml") if path.is_file())


def _format(path: Path, *, write: bool) -> Formatted:
    try:
        before, after = format_file(path, order=skill_order, write=write)
    except DocumentError as error:
        place = error.place or Place(file=str(path), line=1, column=1)
        alone = Finding(place=place, code="cannot-format", message=error.message, hint=error.hint)
        return Formatted(file=str(path), findings=error.findings or (alone,))
    return Formatted(file=str(path), before=before, after=after)


def _of_standard_input(names: Sequence[str], screen: Screen, *, check: bool, diff: bool) -> int:
    if len(names) > 1:
        raise click.UsageError("`-` is standard input and stands alone", click.get_current_context())
    raw = sys.stdin.buffer.read()
    before = decode(raw, STANDARD_INPUT)
    done = Formatted(file=STANDARD_INPUT, before=before, after=formatted(before, STANDARD_INPUT, order=skill_order))
    if diff:
        _show_diff(done, screen)
    elif not check:
        mark = raw[: len(raw) - len(before.encode())]
        sys.stdout.buffer.write(mark + done.after.encode())
    return _status([done], check=check)


def _status(done: Sequence[Formatted], *, check: bool) -> int:
    if any(each.findings for each in done):
        return INVALID
    return CHANGED if check and any(each.changes for each in done) else 0


def _show(done: Sequence[Formatted], screen: Screen, *, check: bool, diff: bool) -> None:
    """A line for each file that changes, or what changes in it; a sentence of all in the end."""
    verb = "would change" if check or diff else "formatted"
    for each in done:
        for finding in each.findings:
            show_finding(finding, screen.note, width=terminal_width(sys.stderr))
        if each.changes and diff:
            _show_diff(each, screen)
        elif each.changes:
            screen.text(short_path(each.file) if screen.quiet else f"{verb} {short_path(each.file)}")
    changed, wrong = sum(each.changes for each in done), sum(bool(each.findings) for each in done)
    colour = "red" if wrong else "yellow" if changed and check else "green"
    screen.note(_summary(len(done), changed, wrong, would=check or diff), fg=colour)


def _summary(files: int, changed: int, wrong: int, *, would: bool) -> str:
    if not files:
        return "there are no skill files here; `skill new NAME` writes one"
    verb = "would change" if would else "changed"
    told = f"{changed} file{'' if changed == 1 else 's'} {verb}, {files - changed - wrong} already as they should be"
    return f"{told}, {wrong} cannot be formatted" if wrong else told


def _show_diff(done: Formatted, screen: Screen) -> None:
    colours = {"+": "green", "-": "red", "@": "cyan"}
    for number, line in enumerate(_diff(done)):
        screen.text(line, fg=colours.get(line[:1]) if number > 1 else None)


def _diff(done: Formatted) -> Iterator[str]:
    """The change as a unified diff."""
    from difflib import unified_diff  # noqa: PLC0415 - late: only this option needs it

    name = short_path(done.file)
    for line in unified_diff(done.before.splitlines(keepends=True), done.after.splitlines(keepends=True), name, name):
        yield line.rstrip("\r\n")
        if not line.endswith("\n"):
            yield "\\ No newline at end of file"


def _record(done: Formatted) -> dict[str, Any]:
    wrong = [
        {"line": each.place.line, "column": each.place.column, "message": each.message, "hint": each.hint}
        for each in done.findings
    ]
    return {"file": done.file, "changed": done.changes, "diff": "\n".join(_diff(done)), "errors": wrong}
