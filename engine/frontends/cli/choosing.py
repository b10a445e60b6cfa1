"""Which run a command is about, when it was not said."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from engine.errors import RunNotFoundError
from engine.frontends.cli.session import Session
from engine.history import History
from engine.history.records import RunRecord
from engine.model.event import Event
from engine.model.lazy_dataclass import dataclass
from engine.model.outcome import RunStatus

MOST = 200
"""Runs that are looked at, the newest first."""
NAMED = 5
"""Runs that are named when several could be meant."""

Suits = Callable[[RunRecord], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A run of the past: what it was, what happened in it, and the paths of its steps."""

    record: RunRecord
    events: tuple[Event, ...]
    paths: tuple[str, ...]


def under_way(run: RunRecord) -> bool:
    """A process works on it."""
    return run.status is RunStatus.RUNNING and not run.interrupted


def waits(run: RunRecord) -> bool:
    """It waits for an answer."""
    return run.status is RunStatus.WAITING


def resumable(run: RunRecord) -> bool:
    """Its process has died, or it waits."""
    return run.interrupted or waits(run)


def unfinished(run: RunRecord) -> bool:
    """It has no end yet."""
    return run.status in {RunStatus.RUNNING, RunStatus.WAITING}


def failed(run: RunRecord) -> bool:
    """It has ended, and not well."""
    return not unfinished(run) and run.status is not RunStatus.OK


def ended(run: RunRecord) -> bool:
    """It has ended, well or not."""
    return not unfinished(run)


@contextmanager
def opened(session: Session) -> Iterator[History]:
    """The workspace's history; where nothing ever ran there is none, and asking for a run says so."""
    found = session.workspace()
    if not found.history.exists():
        raise RunNotFoundError("no skill has run here yet", hint="`skill demo` makes the first run")
    with History.open(found.history, secrets=session.secrets) as history:
        history.recover()
        yield history


def chosen(session: Session, choose: Callable[[History], RunRecord]) -> Chosen:
    """The run that `choose` finds in the workspace's history, with its past."""
    with opened(session) as history:
        record = choose(history)
        events = tuple(event for _, event in history.events(record.id))
        paths = tuple(step.name for step in history.steps(record.id))
    return Chosen(record=record, events=events, paths=paths)


def newest(history: History, run_id: str | None, suits: Suits, *, none: str) -> RunRecord:
    """The run that was named, else the newest that suits; RunNotFoundError, which says `none`, if none does."""
    if run_id is not None:
        return history.run(run_id)
    found = next(iter(candidates(history, suits)), None)
    if found is None:
        raise RunNotFoundError(none, hint="`skill history` lists the runs")
    return found


def only(history: History, run_id: str | None, suits: Suits, *, none: str) -> RunRecord:
    """The run that was named, else the only one that suits; click.UsageError names them when there are several."""
    if run_id is not None:
        return history.run(run_id)
    found = candidates(history, suits)
    if len(found) > 1:
        named = ", ".join(f"{run.id} ({run.skill})" for run in found[:NAMED])
        raise click.UsageError(f"which run? There are {len(found)}: {named}{', ...' if len(found) > NAMED else ''}")
    return newest(history, None, suits, none=none)


def candidates(history: History, suits: Suits) -> list[RunRecord]:
    """The runs that suit, newest first."""
    return [run for run in history.runs(limit=MOST) if suits(run)]
