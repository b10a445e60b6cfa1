"""`skill watch RUN`: a run of another process as that process shows it, from its beginning to its end."""

from __future__ import annotations

import sys

import click

from engine.frontends.background.following import follow, result_of
from engine.frontends.cli.choosing import newest, opened, under_way
from engine.frontends.cli.completing import run_ids
from engine.frontends.cli.ending import EXIT_STATUSES, exit_status, show_interrupted, show_result
from engine.frontends.cli.layout import terminal_width
from engine.frontends.cli.progress import Progress
from engine.frontends.cli.screen import Screen, screen_options
from engine.frontends.cli.session import Session
from engine.frontends.cli.starting import INTERRUPTED
from engine.frontends.cli.steps import name_width
from engine.frontends.cli.streaming import stream
from engine.history import History
from engine.history.records import RunRecord
from engine.model.outcome import RunResult, RunStatus

NO_RUN = "there is no run yet"


@click.command("watch")
@click.argument("run", required=False, shell_complete=run_ids)
@screen_options
def watch_command(session: Session, run: str | None, screen: Screen) -> int:
    """Show RUN as it goes on in another process (its id, the beginning of it, or `last`).

    Without RUN, the newest run that is under way, else the newest. The exit status is the run's own. Ctrl-C leaves
    the run alone.
    """
    with opened(session) as history:
        record = meant(history, run)
        try:
            result = watched(history, record, screen)
        except KeyboardInterrupt:
            screen.note(f"\n  no longer watched; the run goes on, and `skill watch {record.id}` shows it again")
            return INTERRUPTED
    return show_end(result, screen)


def show_end(result: RunResult, screen: Screen) -> int:
    """Writes how a run ended, or why nobody works on it, and gives the exit status for that."""
    if result.status is RunStatus.RUNNING:
        show_interrupted(result, screen)
        return EXIT_STATUSES[RunStatus.FAILED]
    show_result(result, screen)
    return exit_status(result)


def meant(history: History, run: str | None) -> RunRecord:
    """The run that was named, else the newest that is under way, else the newest."""
    found = None if run else next((each for each in history.runs() if under_way(each)), None)
    return found or newest(history, run, lambda _: True, none=NO_RUN)


def watched(history: History, record: RunRecord, screen: Screen, *, after: int = 0) -> RunResult:
    """Shows a run from event number `after` on until nobody works on it any more, and gives how it ended."""
    names = name_width((step.name for step in history.steps(record.id)), terminal_width(sys.stderr))
    progress = Progress(screen=screen, headline=f"profile {record.profile}", names=names)
    streamed = screen.format == "jsonl"
    for _, event in history.events(record.id) if after else ():
        progress.recall(event)
    try:
        for event in follow(history, record.id, after=after, tick=None if streamed else progress.tick):
            (stream if streamed else progress)(event)
    finally:
        progress.close()
    return result_of(history, record.id)
