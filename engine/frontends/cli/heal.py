"""`skill heal`: the figures of healing, the circuit breakers, and what a failure means."""

from __future__ import annotations

import time
from importlib import import_module
from typing import Any

import click

from engine.errors import EngineError
from engine.frontends.cli.choosing import opened
from engine.frontends.cli.commands import NearestGroup
from engine.frontends.cli.layout import short_path
from engine.frontends.cli.screen import Screen, screen_options
from engine.frontends.cli.session import Session
from engine.frontends.cli.since import SINCE
from engine.history import History
from engine.model.figures import Dimension

ELSEWHERE = {"classify": "classifying", "exec": "executing"}
"""Commands of the group with a module of their own, imported when they are asked for."""


class HealGroup(NearestGroup):
    """The group, with the commands whose modules are imported late."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order people meet them."""
        return [*super().list_commands(ctx), *ELSEWHERE]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command; None if there is none."""
        if cmd_name not in ELSEWHERE:
            return super().get_command(ctx, cmd_name)
        command: click.Command = getattr(
            import_module(f"engine.frontends.cli.{ELSEWHERE[cmd_name]}"), f"{cmd_name}_command"
        )
        return command


@click.group("heal", cls=HealGroup)
def heal_command() -> None:
    """Figures of healing, circuit breakers, and what a failure means."""


@heal_command.command("stats")
@click.option("--by", type=click.Choice([each.value for each in Dimension]), help="Tell the figures apart by this.")
@click.option("--since", type=SINCE, help="Only what happened since: `7d`, `36h`, or a day such as 2026-11-01 (UTC).")
@screen_options
def stats_command(session: Session, by: str | None, since: float | None, screen: Screen) -> None:
    """Show what failed and was healed, prevented, foretold, and how well that works.

    Without --since it also brings memory/stats/auto_heal_dashboard.yaml up to date.
    """
    from engine.frontends.cli import heal_lines  # noqa: PLC0415 - late: the group's other commands do not need it
    from engine.improve.dashboard import figures_of  # noqa: PLC0415 - late: as the next

    with opened(session) as history:
        figures = figures_of(history, since or 0.0)
        written = _dashboard(session, history, screen) if since is None and figures.runs else ""
    if not screen.is_text:
        screen.result(heal_lines.record(figures, Dimension(by) if by else None))
        return
    for line in heal_lines.summary(figures, screen.width):
        screen.text(line)
    if by and figures.by(Dimension(by)):
        screen.text()
        heal_lines.show_table(figures, Dimension(by), screen)
    if written:
        screen.note(f"  written to {written}", dim=True)


def _dashboard(session: Session, history: History, screen: Screen) -> str:
    """Writes the dashboard; where it is, or nothing when it could not be written."""
    from engine.bundle import bundle  # noqa: PLC0415 - late: only these figures need memory
    from engine.improve.dashboard import write_dashboard  # noqa: PLC0415 - late: so do they
    from engine.memory import Memory  # noqa: PLC0415 - late: so do they
    from engine.memory.dashboard import FILE  # noqa: PLC0415 - late: so do they

    memory = Memory(session.workspace().memory, seeds=bundle("memory"), secrets=session.secrets)
    try:
        write_dashboard(memory, history, time.time())
    except EngineError as error:
        screen.note(f"the dashboard was not written: {error}", fg="yellow")
        return ""
    return short_path(memory.folder / FILE)


@heal_command.command("breakers")
@screen_options
def breakers_command(session: Session, screen: Screen) -> None:
    """List the fixes that ran, and whether each is still trusted."""
    from engine.heal.learn import HistoryFacts  # noqa: PLC0415 - late: the group's other commands do not need it

    strict = session.workspace().settings.get("heal", {}).get("breaker") == "strict"
    with opened(session) as history:
        facts = HistoryFacts(history=history, clock=time.time, strict=strict)
        rows = [_breaker(facts, fix, domain, counts) for (fix, domain), counts in sorted(history.fix_counts().items())]
    if not screen.is_text:
        screen.result(rows)
    elif not rows:
        screen.note("no fix has run yet")
    else:
        screen.table(
            [[row["fix"], row["domain"], row["state"].replace("_", " "), row["because"]] for row in rows],
            ["FIX", "DOMAIN", "BREAKER", "WHY"],
            lines=3,
        )


def _breaker(facts: Any, fix: str, domain: str, counts: tuple[int, int]) -> dict[str, Any]:
    """A breaker as JSON-like data."""
    verdict = facts.verdict(fix, domain)
    return {
        "fix": fix,
        "domain": domain,
        "state": verdict.state.value,
        "because": verdict.because,
        "since": verdict.since,
        "tried": counts[0],
        "helped": counts[1],
    }
