"""`skill memory check`, `known` and `learn-fix`: what is known of a failure, and what is written down about one."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

import click

from engine.bundle import bundle
from engine.frontends.cli.answering import answered, value_of
from engine.frontends.cli.completing import tool_names
from engine.frontends.cli.layout import beside, terminal_width
from engine.frontends.cli.screen import Screen, screen_options
from engine.frontends.cli.session import Session
from engine.frontends.cli.source import show_finding
from engine.memory import Memory
from engine.memory.fixes import FILE
from engine.memory_tools.known import check_known_issues, learn_tool_fix, of_entry
from engine.memory_tools.results import Issue, KnownIssues, as_json


@click.command("check")
@click.argument("tool", required=False, default="", shell_complete=tool_names)
@click.option("-e", "--error", "text", default="", metavar="TEXT", help="What it said; @FILE for a file's text.")
@screen_options
def check_command(session: Session, tool: str, text: str, screen: Screen) -> None:
    """Show what is known of TOOL, of an error, or of both: fixes that worked, and what the error means."""
    if not tool and not text.strip():
        raise click.UsageError("say which: a TOOL, what it said (-e TEXT), or both")
    found = answered(session, lambda engine: check_known_issues(engine, tool, str(value_of(text))))
    if screen.is_text:
        show_known(found, screen)
    else:
        screen.result(as_json(found))


@click.command("known")
@click.option("--tool", default="", shell_complete=tool_names, help="Only those of this tool.")
@screen_options
def known_command(session: Session, tool: str, screen: Screen) -> None:
    """List the fixes that are known, and how often each mistake was prevented since."""
    memory = Memory(session.workspace().memory, seeds=bundle("memory"), secrets=session.secrets)
    for finding in (each for each in memory.findings() if Path(each.place.file).name == Path(FILE).name):
        show_finding(finding, screen.note, width=terminal_width(sys.stderr))
    issues = [of_entry(entry) for entry in memory.fixes.entries(tool)]
    if not screen.is_text:
        screen.result([asdict(issue) for issue in issues])
        return
    if not issues:
        screen.note(f"nothing is known of {tool}" if tool else "no fix is known yet")
        return
    rows = [[each.tool_name, each.meaning, str(each.times_prevented), each.fix] for each in issues]
    screen.table(rows, ["TOOL", "ERROR", "PREVENTED", "FIX"], lines=3)


@click.command("learn-fix")
@click.argument("tool", shell_complete=tool_names)
@click.argument("error_pattern")
@click.option("--root-cause", required=True, metavar="TEXT", help="Why it failed.")
@click.option("--fix", required=True, metavar="TEXT", help="What helped.")
@click.option("--cause", default="", metavar="ID", help="The root cause the engine finds for it (`short_sha`).")
@screen_options
def learn_fix_command(
    session: Session, tool: str, error_pattern: str, root_cause: str, fix: str, cause: str, screen: Screen
) -> None:
    """Keep a fix that worked for the words ERROR_PATTERN in an error of TOOL (`git_*` for all that begin so)."""
    learned = answered(
        session, lambda engine: learn_tool_fix(engine, tool, error_pattern, root_cause, fix, cause=cause)
    )
    if not screen.is_text:
        screen.result(as_json(learned))
        return
    screen.text(f"{learned.tool_name}: {learned.error_pattern}", bold=True)
    screen.text(f"  {learned.again}")
    screen.note(f"  kept in {learned.file}", dim=True)


def show_known(found: KnownIssues, screen: Screen) -> None:
    """Writes what is known for people."""
    if found.kind and found.kind != "unknown":
        sure = f"confidence {found.confidence:.0%}" if found.confidence else "not counted yet"
        screen.text(f"{found.kind.replace('_', ' ')}  ({sure})", bold=True)
        for line in beside("  ", found.because, screen.width, lines=20):
            screen.text(line)
    if not found.issues:
        screen.text("nothing is known of this")
        screen.note("  `skill memory learn-fix` keeps what helped", dim=True)
    show_issues(found.issues, screen)


def show_issues(issues: Iterable[Issue], screen: Screen) -> None:
    """Writes each issue: its words, why, what helps, and how often it was prevented."""
    for issue in issues:
        whose = f"{issue.tool_name}: " if issue.tool_name else ""
        screen.text(f"{whose}{issue.meaning}")
        told = [("why", issue.root_cause), ("fix", issue.fix), *(("try", command) for command in issue.commands)]
        told += [("prevented", f"{issue.times_prevented} times")] if issue.times_prevented else []
        for word, text in told:
            for line in beside(f"    {word:<9} ", text, screen.width, lines=10) if text else ():
                screen.text(line)
