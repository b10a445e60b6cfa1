"""`skill check`: every mistake in skill files, for people with the line it is about, and for machines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from engine.frontends.cli.completing import skill_names
from engine.frontends.cli.screen import Screen, screen_options
from engine.frontends.cli.session import Session
from engine.frontends.cli.settings_check import settings_findings
from engine.frontends.cli.source import show_finding
from engine.library.reports import ReportFormat, as_json, report
from engine.model.place import Finding, Severity
from engine.wiring import Engine
from engine.workspace import SETTINGS_FILE

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
    """Find every mistake in the named skills or files; without a name, in every skill and in skill.toml.

    Exit status: 0 no errors (there may be warnings), 6 at least one error.
    """
    engine = Engine(session.workspace(), secrets=session.secrets)
    wanted = names or tuple(entry.name for entry in engine.library.entries())
    found = [] if names else [*settings_findings(engine), *(engine.mcp.findings if engine.mcp else ())]
    for name in wanted:
        found += settings_findings(engine) if _is_settings(engine, name) else engine.library.check(name)
    if form and form != ReportFormat.TEXT:
        click.echo(report(found, ReportFormat(form), root=session.workspace().folder))
    elif form is None and not screen.is_text:
        screen.result(_records(found))
    else:
        what = "file" if any(_is_settings(engine, name) for name in wanted) else "skill"
        _show(found, _counted(len(wanted), what), screen)
        _show_unasked(engine, screen)
    return INVALID if any(finding.severity is Severity.ERROR for finding in found) else 0


def _is_settings(engine: Engine, name: str) -> bool:
    """Whether it is the path of this workspace's `skill.toml`."""
    own = engine.workspace.settings_file
    return Path(name).name == SETTINGS_FILE and own is not None and Path(name).absolute() == own.absolute()


def _records(found: Sequence[Finding]) -> Any:
    """The findings as JSON-like data, as `--format json` writes them."""
    import json  # noqa: PLC0415 - late: only data needs it

    return json.loads(as_json(found))


def _show(found: Sequence[Finding], looked_at: str, screen: Screen) -> None:
    for finding in found:
        show_finding(finding, screen.text, width=screen.width)
    errors = sum(finding.severity is Severity.ERROR for finding in found)
    told = f"{looked_at} checked: {_counted(errors, 'error')}"
    colour = "red" if errors else "yellow" if found else "green"
    screen.note(f"{told}, {_counted(len(found) - errors, 'warning')}", fg=colour)


def _show_unasked(engine: Engine, screen: Screen) -> None:
    """Which calls nobody could check, because their servers have never said what they have."""
    unasked = engine.mcp.unasked if engine.mcp else ()
    for server in dict.fromkeys(name.partition(".")[0] for name in unasked):
        calls = ", ".join(name for name in unasked if name.startswith(f"{server}."))
        screen.note(f"{calls}: not checked; `skill mcp tools {server}` asks the server what it has", fg="yellow")


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
