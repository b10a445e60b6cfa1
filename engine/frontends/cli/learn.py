"""`skill learn`: what history teaches, and the timer that asks it every night."""

from __future__ import annotations

import sys
from typing import Any

import click

from engine.frontends.cli.layout import beside, terminal_width
from engine.frontends.cli.proposed import proposal_record, told_kind
from engine.frontends.cli.screen import Screen, screen_options
from engine.frontends.cli.session import Session
from engine.frontends.cli.since import SINCE
from engine.improve.night import Night
from engine.improve.nightly import Part, Report
from engine.model.improvement import Proposal
from engine.wiring import Engine

KINDS = ("systemd", "cron")


@click.command("learn")
@click.option("--since", type=SINCE, default=0.0, metavar="WHEN", help="Only failures since then (7d, 2026-11-01).")
@click.option("-n", "--dry-run", is_flag=True, help="Show what would be proposed or installed; write nothing.")
@click.option(
    "--install-timer",
    "timer",
    is_flag=False,
    flag_value="auto",
    type=click.Choice(["auto", *KINDS]),
    help="Do this every night, by systemd or cron; auto: systemd where it runs.",
)
@click.option("--uninstall-timer", "uninstall", is_flag=True, help="Take the timer away again.")
@click.option("--at", default="03:30", show_default=True, metavar="HH:MM", help="When the timer starts the job.")
@screen_options
def learn_command(
    session: Session, since: float, dry_run: bool, timer: str | None, uninstall: bool, at: str, screen: Screen
) -> int:
    """Learn from history: group failures, propose patterns and repairs, bring confidence up to date.

    What is proposed does nothing before you have accepted it (`skill memory patterns review`).

    Exit status: 0 done, 1 a part of it could not be done, 5 another process is learning.
    """
    if timer or uninstall:
        from engine.frontends.cli.learn_timer import install, take_away  # noqa: PLC0415 - late: rarely wanted

        if timer and uninstall:
            raise click.UsageError("give either --install-timer or --uninstall-timer")
        workspace = session.workspace()
        if uninstall:
            return take_away(workspace, screen, dry_run=dry_run)
        return install(workspace, screen, timer or "auto", at=at, dry_run=dry_run)
    if click.get_current_context().get_parameter_source("at") is click.core.ParameterSource.COMMANDLINE:
        raise click.UsageError("--at says when the timer starts the job; give --install-timer, too")
    engine = Engine(session.workspace(), secrets=session.secrets)
    try:
        night, now = night_of(engine), engine.clock()
        if dry_run:
            report, offered = night.preview(now, since=since)
        else:
            report = night.learn(now, since=since)
            offered = report.offered
    finally:
        engine.journal.close()
    _show(report, offered, screen, dry_run=dry_run)
    return int(not report.ok)


def night_of(engine: Engine) -> Night:
    """What learns in the engine's workspace."""
    engine.journal.recover()
    return Night(
        memory=engine.memory,
        history=engine.journal,
        tools=dict(engine.registry.items()),
        domains=engine.domains,
        secrets=engine.secrets,
        state=engine.workspace.state,
        settings=engine.workspace.settings.get("learn", {}),
    )


def _show(report: Report, offered: tuple[Proposal, ...], screen: Screen, *, dry_run: bool) -> None:
    if not screen.is_text:
        screen.result(_record(report, offered, dry_run=dry_run))
        return
    found = report.found
    head = f"{_count(found.failures, 'failure')}, {_count(len(found.groups), 'group')}"
    screen.note(f"{head}; nothing is written" if dry_run else head)
    for part in report.parts:
        _show_part(part, screen)
    if offered:
        rows = [[each.id, each.about.value, told_kind(each), str(each.times), each.text] for each in offered]
        screen.table(rows, ["PROPOSED", "ABOUT", "KIND", "TIMES", "SAYS"], spare=["ABOUT"])
    elif dry_run:
        screen.note("nothing new would be proposed")
    if report.waiting:
        screen.note(f"  {report.waiting} to decide: `skill memory patterns review`", dim=True)


def _show_part(part: Part, screen: Screen) -> None:
    head = f"  {'✓' if part.ok else '✗'} {part.name:<11} "
    for line in beside(head, part.told, terminal_width(sys.stderr), lines=10):
        screen.note(line, fg=None if part.ok else "red")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _record(report: Report, offered: tuple[Proposal, ...], *, dry_run: bool) -> dict[str, Any]:
    return {
        "dry_run": dry_run,
        "failures": report.found.failures,
        "groups": len(report.found.groups),
        "repairs": len(report.found.repairs),
        "parts": [{"name": part.name, "ok": part.ok, "told": part.told} for part in report.parts],
        "proposals": [proposal_record(each) for each in offered],
        "waiting": report.waiting,
    }
