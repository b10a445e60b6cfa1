"""`skill resume` and `skill retry`: going on with a run, and beginning anew with what one had done."""

from __future__ import annotations

from collections.abc import Iterable

import click

from engine.frontends.background.manner import manner_of
from engine.frontends.cli.choosing import chosen, ended, failed, newest, resumable
from engine.frontends.cli.completing import runs_that
from engine.frontends.cli.given import read_pairs
from engine.frontends.cli.running import Manner, conducted, manner_options
from engine.frontends.cli.screen import Screen, screen_options
from engine.frontends.cli.session import Session
from engine.model.event import Event
from engine.model.outcome import RunResult
from engine.run.executor import SkillExecutor
from engine.wiring import Engine

GIVEN = click.option(
    "-i",
    "--input",
    "pairs",
    multiple=True,
    metavar="NAME=VALUE",
    help="An input, as for `skill run`; a secret one again.",
)


@click.command("resume")
@click.argument("run", required=False, shell_complete=runs_that(resumable))
@GIVEN
@click.option(
    "--with-new-version", is_flag=True, help="Go on with the skill as it is now, if what was done still fits."
)
@manner_options
@screen_options
def resume_command(
    session: Session,
    run: str | None,
    pairs: tuple[str, ...],
    with_new_version: bool,
    manner: Manner,
    screen: Screen,
) -> int:
    """Go on with RUN, whose process has died or which waits, after its last finished step.

    No finished step is run again. Without RUN, the newest run that was interrupted or waits. The exit status is as for
    `skill run`.
    """
    given = read_pairs(pairs)
    none = "no run was interrupted, and none waits"
    meant = chosen(session, lambda history: newest(history, run, resumable, none=none))

    async def resume(executor: SkillExecutor) -> RunResult:
        return await executor.resume(
            meant.record.id,
            given.values,
            from_text=given.from_text,
            timeout=manner.timeout,
            with_new_version=with_new_version,
        )

    return conducted(
        engine_for(session, manner, meant.events),
        resume,
        screen=screen,
        manner=manner,
        paths=meant.paths,
        past=meant.events,
    )


@click.command("retry")
@click.argument("run", required=False, shell_complete=runs_that(ended))
@GIVEN
@click.option("--from-step", metavar="STEP", help="Run this step and those after it; reuse those before.")
@manner_options
@screen_options
def retry_command(
    session: Session, run: str | None, pairs: tuple[str, ...], from_step: str | None, manner: Manner, screen: Screen
) -> int:
    """Begin a new run of RUN's skill that reuses what RUN's steps gave, up to the first that failed.

    Without RUN, the newest run that did not end well (with --from-step, the newest that ended). The exit status is as
    for `skill run`.
    """
    given = read_pairs(pairs)
    suits, none = ended if from_step else failed, "there is no run to be tried again"
    meant = chosen(session, lambda history: newest(history, run, suits, none=none))

    async def retry(executor: SkillExecutor) -> RunResult:
        return await executor.retry(
            meant.record.id, from_step=from_step, inputs=given.values, from_text=given.from_text, timeout=manner.timeout
        )

    return conducted(engine_for(session, manner), retry, screen=screen, manner=manner, paths=meant.paths)


def engine_for(session: Session, manner: Manner, past: Iterable[Event] = ()) -> Engine:
    """The engine of the workspace, healing as it was asked to; by the events of a run's past, its profile too."""
    session.profile, heal = manner_of(past)
    return Engine(session.workspace(), heal_mode=manner.heal or heal, secrets=session.secrets)
