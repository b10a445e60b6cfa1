"""`skill init`: a `skill.toml` to start from, with what this machine has if wished; none that is there is touched."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path

import anyio
import click

from engine.documents import files
from engine.errors import DocumentError, UnansweredError, WorkspaceError
from engine.frontends.cli import doctor_asking
from engine.frontends.cli.asking import may_ask
from engine.frontends.cli.layout import beside, short_path
from engine.frontends.cli.screen import Screen, screen_options
from engine.frontends.cli.session import Session
from engine.model.lazy_dataclass import dataclass
from engine.surroundings.found import Asked, Lines
from engine.surroundings.lines import headed, lines_of
from engine.wiring import Engine
from engine.workspace import SETTINGS_FILE, find_workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What would be written, and what was found and is left out, each with the reason."""

    lines: Lines
    left_out: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The whole file."""
        cluster = next(iter(self.lines.get("clusters", {})), "")
        return "\n".join(headed(self.lines, cluster=cluster)) + "\n"


@click.command("init")
@click.option("--from-machine", is_flag=True, help="Write what works here: clusters, a registry, GitLab.")
@click.option("--offline", is_flag=True, help="With --from-machine: ask nobody whether it works.")
@click.option("-y", "--yes", is_flag=True, help="Write without asking first.")
@click.option("--dry-run", is_flag=True, help="Only show what would be written.")
@screen_options
def init_command(session: Session, from_machine: bool, offline: bool, yes: bool, dry_run: bool, screen: Screen) -> None:
    """Write a skill.toml into this folder, which makes it a workspace.

    With --from-machine it says where the clusters, the registry and the GitLab are that this machine has logins for.
    Secrets stand in it by reference only. A skill.toml that is there already is never changed.

    Exit status: 0 written, or shown by --dry-run, 2 there is one already, 4 nobody is there to agree and --yes is
    missing.
    """
    folder = (session.folder or Path.cwd()).absolute()
    path = folder / SETTINGS_FILE
    _refuse_existing(path, from_machine=from_machine)
    draft = anyio.run(_drafted, session, offline) if from_machine else Draft(lines={})
    if dry_run or (from_machine and not yes):
        _show(draft, path, screen)
    if not dry_run:
        _agree(path, asks=from_machine and not yes)
        _write(path, draft.text)
    _tell(draft, path, screen, written=not dry_run)


async def _drafted(session: Session, offline: bool) -> Draft:
    """What the ladder finds; services and clusters the workspace knows already are left out."""
    async with aclosing(Engine(session.workspace(), secrets=session.secrets)) as engine:
        found = (await doctor_asking.answers(engine, domains={}, ladder=True, offline=offline)).ladder
    lines = lines_of(found)
    return Draft(lines=lines, left_out=tuple(_left_out(found, lines)))


def _left_out(found: tuple[Asked, ...], lines: Lines) -> Iterator[str]:
    """What was found and does not stand in the lines, with the reason."""
    for each in found:
        kept = all(
            lines.get(section, {}).get(name) == settings
            for section, named in each.find.lines.items()
            for name, settings in named.items()
        )
        if each.find.hint:
            yield f"{each.find.rung.value}: {each.find.told}; {each.find.hint}"
        elif each.find.lines and not kept:
            why = "described already" if each.find.used else each.message or "another one of its kind comes first"
            yield f"{each.find.rung.value}: {each.find.told}; {why}"


def _refuse_existing(path: Path, *, from_machine: bool) -> None:
    """Raises WorkspaceError where there is a file already."""
    if os.path.lexists(path):
        hint = "add by hand what is missing; `skill doctor` shows the lines" if from_machine else "change it by hand"
        raise WorkspaceError(f"{short_path(path)} is there already, and stays as it is", hint=hint)


def _show(draft: Draft, path: Path, screen: Screen) -> None:
    """The file on the screen, as it would be written; with --dry-run it is the result."""
    if screen.is_text:
        screen.note(f"{short_path(path)} would say:\n", dim=True)
        for line in draft.text.splitlines():
            screen.text(line)


def _agree(path: Path, *, asks: bool) -> None:
    """Raises UnansweredError unless a person agrees, or has agreed."""
    if not asks:
        return
    if not may_ask(no_input=False):
        raise UnansweredError(f"nobody is there to agree to {short_path(path)}", hint="write it with --yes")
    if not click.confirm(f"\nwrite {short_path(path)}?", default=True, err=True):
        raise UnansweredError(f"{short_path(path)} was not written", hint="`skill init` writes one without these")


def _write(path: Path, text: str) -> None:
    """Raises WorkspaceError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        files.exchange(path, text, was=None)
    except DocumentError as error:
        raise WorkspaceError(f"{short_path(path)}: {error.message}", hint=error.hint) from None
    except OSError as error:
        message = f"the folder {short_path(path.parent)} cannot be made: {error.strerror}"
        raise WorkspaceError(message, hint="work elsewhere with -C") from None


def _tell(draft: Draft, path: Path, screen: Screen, *, written: bool) -> None:
    above = find_workspace(path.parent.parent).settings_file if path.parent != path.parent.parent else None
    if not screen.is_text:
        screen.result(
            {
                "file": str(path),
                "written": written,
                "text": draft.text,
                "lines": draft.lines,
                "left_out": list(draft.left_out),
            }
        )
        return
    if written:
        screen.text(short_path(path) if screen.quiet else f"wrote {short_path(path)}")
    for each in draft.left_out:
        for line in beside("  left out: ", each, screen.width, lines=6):
            screen.note(line, fg="yellow")
    if above is not None:
        screen.note(f"  {short_path(above)} is not seen from here any more", fg="yellow")
    if written:
        screen.note("\nnext: `skill doctor` asks everything that it names", dim=True)
