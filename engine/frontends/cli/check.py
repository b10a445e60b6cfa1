"""`skill check`: every mistake in skill files, for people with the line it is about, and for machines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from engine.frontends.cli.completing import skill_names
from engine.frontends.cli.screen import Screen, screen_options
from engine.frontends.cli.session import Session
from engine.frontends.cli.source import show_finding
from engine.library.reports import ReportFormat, as_json, report
from engine.model.place import Finding, Severity
from engine.wiring import Engine

INVALID = 6


@click.command("check")
@click.argument("names", nargs=-1, metavar="[SKILL|FILE]...", shell_complete=skill_names)
@click.option(
    "--format",
    "form",
    type=click.Choice([form.value for form in ReportFormat]),
    help="For machines: json, GitHub annotations, or SARIF.",
)
@screen_options
def check_command(session: Session, names: tuple[str, ...], form: str | None, screen: Screen) -> int:
    """Find every mistake in the named skills or files; without a name, in every skill.

    Exit status: 0 no errors (there may be warnings), 6 at least one error.
    """
    library = Engine(session.workspace(), secrets=session.secrets).library
    wanted = names or tuple(entry.name for entry in library.entries())
    found = [finding for name in wanted for finding in library.check(name)]
    if form and form != ReportFormat.TEXT:
        click.echo(report(found, ReportFormat(form), root=session.workspace().folder))
    elif form is None and not screen.is_text:
        screen.result(_records(found))
    else:
        _show(found, wanted, screen)
    return INVALID if any(finding.severity is Severity.ERROR for finding in found) else 0


def _records(found: Sequence[Finding]) -> Any:
    """The findings as JSON-like data, as `--format json` writes them."""
    import json  # noqa: PLC0415 - late: only data needs it

    return json.loads(as_json(found))


def _show(found: Sequence[Finding], wanted: Sequence[str], screen: Screen) -> None:
    for finding in found:
        show_finding(finding, screen.text, width=screen.width)
    errors = sum(finding.severity is Severity.ERROR for finding in found)
    told = f"{_counted(len(wanted), 'skill')} checked: {_counted(errors, 'error')}"
    colour = "red" if errors else "yellow" if found else "green"
    screen.note(f"{told}, {_counted(len(found) - errors, 'warning')}", fg=colour)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
