"""`skill learn --install-timer`: the timer of the nightly job, put in its place or taken away."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import anyio
import click

from engine.errors import WorkspaceError
from engine.frontends.cli.itself import own_environment, own_program
from engine.frontends.cli.screen import Screen
from engine.improve.timers import Job, line, remove, units, with_line, without_line, write
from engine.systemd import units_folder
from engine.workspace import Workspace
from tool_registry.sources.process import Completed, run_program
from tool_registry.tool import ToolError

BOOTED = Path("/run/systemd/system")
"""There while systemd runs this machine (sd_booted(3))."""
PATIENCE = 20.0
"""Seconds the program crontab may take."""


def install(workspace: Workspace, screen: Screen, kind: str, *, at: str, dry_run: bool) -> int:
    """Installs the timer, or shows it; returns the exit status."""
    if not re.fullmatch(r"(?:[01]?\d|2[0-3]):[0-5]\d", at):
        raise click.BadParameter(f"{at!r} is no time of day such as 03:30", param_hint="--at")
    job = _job(workspace, at)
    chosen = ("systemd" if BOOTED.is_dir() else "cron") if kind == "auto" else kind
    if chosen == "cron":
        _install_line(job, screen, dry_run=dry_run)
    else:
        _install_units(job, screen, dry_run=dry_run)
    return 0


def take_away(workspace: Workspace, screen: Screen, *, dry_run: bool) -> int:
    """Takes away what `install` put anywhere; returns the exit status."""
    job = _job(workspace, "03:30")
    files = units(job, units_folder(os.environ))
    gone = [path for path in files if path.is_file()] if dry_run else remove(files)
    gone_lines = _edited(job, without_line, dry_run=dry_run)
    told = [f"{path} is gone" for path in gone] + (["its lines in the crontab are gone"] if gone_lines else [])
    if not screen.is_text:
        screen.result({"dry_run": dry_run, "removed": list(map(str, gone)), "crontab": gone_lines})
        return 0
    for each in told or ["there was no timer"]:
        screen.text(each.replace("is gone", "would go").replace("are gone", "would go") if dry_run else each)
    if gone:
        screen.text(f"  systemctl --user disable --now {_timer(job)}")
    return 0


def _install_units(job: Job, screen: Screen, *, dry_run: bool) -> None:
    files = units(job, units_folder(os.environ))
    written = [] if dry_run else write(files)
    start = ["systemctl --user daemon-reload", f"systemctl --user enable --now {_timer(job)}"]
    if not screen.is_text:
        texts = {str(path): text for path, text in files.items()}
        screen.result({"timer": "systemd", "files": texts, "written": list(map(str, written)), "start": start})
        return
    for path, text in files.items():
        if dry_run:
            screen.note(f"{path}:", dim=True)
            screen.text(text)
        else:
            screen.text(f"{path} {'is written' if path in written else 'was there already'}")
    screen.text("to start it, now and at every login:")
    for each in start:
        screen.text(f"  {each}")
    screen.note("  `loginctl enable-linger` keeps it going while nobody is logged in", dim=True)


def _install_line(job: Job, screen: Screen, *, dry_run: bool) -> None:
    changed = False if dry_run else _edited(job, with_line, dry_run=False, needed=True)
    if not screen.is_text:
        screen.result({"timer": "cron", "lines": line(job), "written": changed})
    elif dry_run:
        screen.text(line(job).rstrip())
        screen.note("  would be added to your crontab", dim=True)
    else:
        screen.text("your crontab has it now" if changed else "your crontab had it already")


def _edited(job: Job, change: Callable[[str, Job], str], *, dry_run: bool, needed: bool = False) -> bool:
    """Whether the crontab is another one now; one that cannot be asked for is an error only where it is `needed`."""
    try:
        table = anyio.run(_read_table)
        wanted = change(table, job)
        if wanted != table and not dry_run:
            anyio.run(_write_table, wanted)
    except ToolError as error:
        if not needed:
            return False
        hint = "install cron, or put this line into a table of your own:\n" + line(job)
        raise WorkspaceError(f"the crontab cannot be changed: {error}", hint=hint) from error
    return wanted != table


async def _read_table() -> str:
    """The crontab; empty where there is none. ToolError when it cannot be asked for: it would be written over."""
    done = await _crontab("-l")
    if done.exit_status and "no crontab" not in done.stderr:
        raise done.failure()
    return "" if done.exit_status else done.stdout


async def _write_table(table: str) -> None:
    done = await _crontab("-", stdin=table.encode())
    if done.exit_status:
        raise done.failure()


async def _crontab(*words: str, stdin: bytes | None = None) -> Completed:
    environment = {**os.environ, "LC_ALL": "C"}
    return await run_program(["crontab", *words], environment=environment, stdin=stdin, timeout=PATIENCE)


def _job(workspace: Workspace, at: str) -> Job:
    return Job(folder=workspace.folder, program=own_program(), environment=own_environment(), at=at)


def _timer(job: Job) -> str:
    return f"skill-learn-{job.slug}.timer"
