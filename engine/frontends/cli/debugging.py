"""`skill tools debug NAME`: all that helps to mend a tool that fails."""

from __future__ import annotations

import click

from engine.frontends.cli.answering import answered, value_of
from engine.frontends.cli.completing import tool_names
from engine.frontends.cli.known import show_known
from engine.frontends.cli.layout import beside, json_text, short_path
from engine.frontends.cli.screen import Screen, screen_options
from engine.frontends.cli.session import Session
from engine.memory_tools.debugging import debug_tool
from engine.memory_tools.results import ToolReport, as_json


@click.command("debug")
@click.argument("name", shell_complete=tool_names)
@click.option("-e", "--error", "text", default="", metavar="TEXT", help="What it said; @FILE for a file's text.")
@screen_options
def debug_command(session: Session, name: str, text: str, screen: Screen) -> None:
    """Show where the tool NAME stands, what it promises, how it failed, what is known, and what to do."""
    report = answered(session, lambda engine: debug_tool(engine, name, str(value_of(text))))
    if screen.is_text:
        _show(report, screen)
    else:
        screen.result(as_json(report))


def _show(report: ToolReport, screen: Screen) -> None:
    place = short_path(report.file)
    screen.text(report.tool_name, bold=True)
    screen.text(f"  {place}:{report.first_line}-{report.last_line}" if report.first_line else f"  {place}", dim=True)
    _contract(report, screen)
    if screen.verbose:
        screen.text("\ntext", bold=True)
        for number, line in enumerate(report.code.splitlines(), start=report.first_line):
            screen.text(f"{number:>6} | {line}")
    screen.text("\nrecent failures", bold=True)
    for failure in report.recent_failures:
        healed = f", healed by {failure.fix}" if failure.healed else ""
        for line in beside(f"  {failure.at}  {failure.kind}{healed}  ", failure.error, screen.width):
            screen.text(line)
    if not report.recent_failures:
        screen.text("  none in history")
    screen.text("\nwhat is known", bold=True)
    show_known(report.known, screen)
    _steps(report, screen)


def _contract(report: ToolReport, screen: Screen) -> None:
    told = report.contract
    screen.text("\ncontract", bold=True)
    rows = {name: told[name] for name in ("effect", "idempotent", "domain", "timeout", "fix", "verify")}
    rows |= {f"needs {name}": value for name, value in told["needs"].items() if value}
    rows |= {"takes": list(told["parameters"].get("properties", {}))}
    for name, value in rows.items():
        if value not in (None, []):
            shown = value if isinstance(value, str) else ", ".join(value) if _words(value) else json_text(value)
            for line in beside(f"  {name:<18} ", shown, screen.width, lines=6):
                screen.text(line)


def _words(value: object) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(each, str) for each in value)


def _steps(report: ToolReport, screen: Screen) -> None:
    screen.text("\nwhat to do", bold=True)
    for number, step in enumerate(report.steps, start=1):
        for line in beside(f"  {number}. ", step, screen.width, lines=10):
            screen.text(line)
    for line in beside("  ", report.reminder, screen.width, lines=5):
        screen.note(line, dim=True)
