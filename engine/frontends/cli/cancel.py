"""`skill cancel`: ends a run of whatever process, or of none; what it did is undone."""

from __future__ import annotations

import click

from engine.errors import RunStateError
from engine.frontends.cli.choosing import Chosen, chosen, only, opened, under_way, unfinished
from engine.frontends.cli.completing import runs_that
from engine.frontends.cli.ending import exit_status
from engine.frontends.cli.given import Given, read_pairs
from engine.frontends.cli.resume import GIVEN
from engine.frontends.cli.running import Manner, conduct
from engine.frontends.cli.screen import Screen, screen_options
from engine.frontends.cli.session import Session
from engine.frontends.cli.starting import INTERRUPTED
from engine.frontends.cli.watch import show_end, watched
from engine.history import History
from engine.history.records import RunRecord
from engine.model.outcome import RunResult, RunStatus
from engine.run.executor import SkillExecutor
from engine.wiring import Engine


@click.command("cancel")
@click.argument("run", required=False, shell_complete=runs_that(unfinished))
@click.option("--no-wait", is_flag=True, help="Only ask its process to cancel it; do not wait until it has cleaned up.")
@GIVEN
@screen_options
def cancel_command(session: Session, run: str | None, no_wait: bool, pairs: tuple[str, ...], screen: Screen) -> int:
    """Cancel RUN: its steps are stopped, what it did is undone, and `always` is run.

    A run under way is cancelled by its own process, any other here. RUN may be left out when only one run has no end.
    Exit status 0 when it was cancelled; when it ended by itself in the meantime, as for `skill run`.
    """
    with opened(session) as history:
        record = only(history, run, unfinished, none="every run has ended")
        if not unfinished(record):
            raise RunStateError(
                f"run {record.id} has ended already: {record.status}", hint=f"`skill status {record.id}` shows how"
            )
        if under_way(record):
            return _asked(history, record, screen, waits=not no_wait)
    return _ended_here(session, chosen(session, lambda history: history.run(record.id)), read_pairs(pairs), screen)


def _asked(history: History, record: RunRecord, screen: Screen, *, waits: bool) -> int:
    """Asks the run's own process, and shows how it cleans up."""
    after = max((number for number, _ in history.events(record.id)), default=0)
    history.request_cancel(record.id)
    screen.note(f"asked process {record.pid} to cancel run {record.id}", dim=True)
    if not waits:
        return 0
    try:
        result = watched(history, record, screen, after=after)
    except KeyboardInterrupt:
        screen.note(f"\n  no longer watched; the run is being cancelled, and `skill watch {record.id}` shows it")
        return INTERRUPTED
    return _status(result, show_end(result, screen))


def _ended_here(session: Session, meant: Chosen, given: Given, screen: Screen) -> int:
    """Ends a run that nobody works on: undoes, and runs `always`."""
    engine = Engine(session.workspace(), secrets=session.secrets)

    async def end(executor: SkillExecutor) -> RunResult:
        return await executor.end(meant.record.id, given.values, from_text=given.from_text)

    result = conduct(engine, end, screen=screen, manner=Manner(), paths=meant.paths, past=meant.events)
    return _status(result, exit_status(result))


def _status(result: RunResult, status: int) -> int:
    """Cancelling was what was asked for."""
    return 0 if result.status is RunStatus.CANCELLED else status
