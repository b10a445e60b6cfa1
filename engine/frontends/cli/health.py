"""`skill health`: look at tokens, networks and logins once or again and again, and say what the last look found."""

from __future__ import annotations

import click

from engine.frontends.cli.commands import NearestGroup
from engine.frontends.cli.layout import beside
from engine.frontends.cli.screen import Screen, screen_options
from engine.frontends.cli.session import Session

UNWELL = 1
"""Exit status when something is not well, or not known to be."""


@click.group("health", cls=NearestGroup)
def health_command() -> None:
    """Look at tokens, networks, logins and health skills; repair beforehand; tell what changes."""


@health_command.command("check")
@click.option("--no-fix", is_flag=True, help="Only look: nothing is repaired.")
@screen_options
def check_command(session: Session, no_fix: bool, screen: Screen) -> int:
    """Look at everything once, and repair what may be repaired beforehand.

    Exit status: 0 all is well, 1 something is not.
    """
    from engine.frontends.cli.health_lines import report_lines, report_record  # noqa: PLC0415 - late, with the room
    from engine.frontends.cli.watching import looked  # noqa: PLC0415 - late: the room is only built to look

    report, notices = looked(session, screen, repairs=not no_fix)
    if not screen.is_text:
        screen.result(report_record(report))
    for head, told, colour in report_lines(report) if screen.is_text else ():
        for line in beside(head, told, screen.width, lines=10):
            screen.text(line, fg=colour)
    for notice in notices if screen.verbose else ():
        screen.note(f"  told: {notice}", dim=True)
    return UNWELL if report.needs_somebody else 0


@health_command.command("watch")
@click.option("--interval", metavar="DURATION", help="Time between two looks (30s, 5m, 1h); 5m unless set.")
@click.option("--no-fix", is_flag=True, help="Only look and tell: nothing is repaired.")
@screen_options
def watch_command(session: Session, interval: str | None, no_fix: bool, screen: Screen) -> int:
    """Look again and again, until SIGTERM or Ctrl-C; one process for each workspace.

    Says on standard error what changes; `-o jsonl` writes everything to standard output, a line each. Exit status: 0
    ended by SIGTERM, 130 by Ctrl-C, 5 another process watches this workspace.
    """
    from engine.frontends.cli.watching import watched  # noqa: PLC0415 - late: the room is only built to look

    if screen.format not in {"text", "jsonl"}:
        raise click.BadParameter("what never ends is written as text or jsonl", param_hint="-o")
    return watched(session, screen, interval=interval, repairs=not no_fix)


@health_command.command("status")
@screen_options
def status_command(session: Session, screen: Screen) -> int:
    """Show what the last look found, how long ago that was, and who watches.

    Exit status: 0 all was well, 1 something was not, or nothing was looked at yet.
    """
    from engine.frontends.cli.health_status import show_status  # noqa: PLC0415 - late: reads what others wrote

    return show_status(session, screen)


@health_command.command("install")
@click.option("--systemd", is_flag=True, help="A user unit for systemd (the default, and the only kind there is).")
@click.option("--interval", metavar="DURATION", help="Time between two looks; the workspace's setting unless given.")
@click.option("--dry-run", is_flag=True, help="Only show the unit.")
@click.option("--remove", is_flag=True, help="Take the unit away again.")
@screen_options
def install_command(
    session: Session, systemd: bool, interval: str | None, dry_run: bool, remove: bool, screen: Screen
) -> None:
    """Write a systemd user unit that watches this workspace, and say how it is started."""
    from engine.frontends.cli.health_install import installed, removed  # noqa: PLC0415 - late: used once a machine

    del systemd
    workspace = session.workspace()
    if remove:
        removed(workspace, screen)
    else:
        installed(workspace, screen, interval=interval, dry_run=dry_run)
