"""`skill cancel`: ends a run of whatever process, or of none; what it did is undone."""

from __future__ import annotations

import time

import click

from engine.errors import RunBusyError, RunStateError
from engine.frontends.cli.choosing import Chosen, chosen, only, opened, under_way, unfinished
from engine.frontends.cli.completing import runs_that
from engine.frontends.cli.ending import exit_status
from engine.frontends.cli.given import Given, read_pairs
from engine.frontends.cli.resume import GIVEN, engine_for
from engine.frontends.cli.running import Manner, conduct
from engine.frontends.cli.screen import Screen, screen_options
from engine.frontends.cli.session import Session
from engine.frontends.cli.starting import INTERRUPTED
from engine.frontends.cli.watch import show_end, watched
from engine.history.records import RunRecord
from engine.model.outcome import RunResult, RunStatus
from engine.run.executor import SkillExecutor

LOOKS, PAUSE = 100, 0.1
"""How often, and after how many seconds, a run is looked at that another process is just beginning to go on with."""


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
    given = read_pairs(pairs)
    with opened(session) as history:
        run_id = only(history, run, unfinished, none="every run has ended").id
    for _ in range(LOOKS):
        meant = chosen(session, lambda history: history.run(run_id))
        if not unfinished(meant.record):
            raise RunStateError(
                f"run {run_id} has ended already: {meant.record.status}", hint=f"`skill status {run_id}` shows how"
            )
        if under_way(meant.record):
            return _asked(session, meant.record, screen, waits=not no_wait)
        try:
            return _ended_here(session, meant, given, screen)
        except* RunBusyError:
            time.sleep(PAUSE)  # another process has just taken the run, and is asked as soon as it can be
    raise RunStateError(f"run {run_id} is being taken over by another process", hint=f"skill cancel {run_id}")


def _asked(session: Session, record: RunRecord, screen: Screen, *, waits: bool) -> int:
    """Asks the run's own process, and shows how it cleans up."""
    with opened(session) as history:
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
    engine = engine_for(session, Manner(), meant.events)

    async def end(executor: SkillExecutor) -> RunResult:
        return await executor.end(meant.record.id, given.values, from_text=given.from_text)

    result = conduct(engine, end, screen=screen, manner=Manner(), paths=meant.paths, past=meant.events)
    return _status(result, exit_status(result))


def _status(result: RunResult, status: int) -> int:
    """Cancelling was what was asked for."""
    return 0 if result.status is RunStatus.CANCELLED else status
