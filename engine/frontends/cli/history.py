"""`skill history`, `skill status RUN`, `skill logs RUN`: what happened, as history kept it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from engine.errors import RunNotFoundError
from engine.frontends.cli.progress import SIGNS
from engine.frontends.cli.screen import Screen, screen_options
from engine.history import History
from engine.history.records import RunRecord, StepRecord
from engine.model.event import Event
from engine.model.outcome import RunStatus
from engine.wiring import Engine
from engine.workspace import find_workspace


@click.command("history")
@click.option("-n", "--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="How many runs.")
@click.option("--skill", help="Only runs of this skill.")
@click.option("--status", type=click.Choice(list(RunStatus)), help="Only runs that ended so.")
@click.pass_obj
@screen_options
def history_command(workspace: str | None, limit: int, skill: str | None, status: str | None, screen: Screen) -> None:
    """List past runs, newest first."""
    with _history(workspace, screen) as history:
        runs = history.runs(limit=limit, skill=skill, status=RunStatus(status) if status else None)
    if not screen.is_text:
        screen.result([run_data(run) for run in runs])
    elif not runs:
        screen.note("no runs yet; `skill demo` makes the first")
    else:
        rows = [
            [run.id, run.skill, shown_status(run), _when(run.started_at), _took(run.duration), str(run.healed)]
            for run in runs
        ]
        screen.table(rows, ["RUN", "SKILL", "STATUS", "STARTED", "TOOK", "HEALED"])


@click.command("status")
@click.argument("run", default="last")
@click.pass_obj
@screen_options
def status_command(workspace: str | None, run: str, screen: Screen) -> None:
    """Show how RUN went, step by step (its id, the beginning of it, or `last`)."""
    with _history(workspace, screen) as history:
        record = history.run(run)
        steps = history.steps(record.id)
    if not screen.is_text:
        screen.result({**run_data(record), "steps": [step_data(step) for step in steps]})
        return
    screen.text(f"{record.skill}  {record.id}  {shown_status(record)}  {_took(record.duration)}", bold=True)
    for step in steps:
        sign, colour = SIGNS.get(step.status or "", ("…", None))
        told = step.reason or (step.failure or {}).get("message", "")
        line = f"  {sign} {step.name:<30} {step.status or 'running':<9} {_took(step.duration):>8}  {told}"
        screen.text(line.rstrip(), **({"fg": colour} if colour else {}))
        for number, way_out in enumerate(step.remediation, start=1):
            screen.text(f"      {number}. {way_out}")
    if record.message:
        screen.text(f"  {record.message}")
    for note in record.notes:
        screen.text(f"  note: {note}")


@click.command("logs")
@click.argument("run", default="last")
@click.option("--step", help="Only the events of this step.")
@click.pass_obj
@screen_options
def logs_command(workspace: str | None, run: str, step: str | None, screen: Screen) -> None:
    """Show every event RUN recorded, in order (its id, the beginning of it, or `last`)."""
    with _history(workspace, screen) as history:
        record = history.run(run)
        events = [event for _, event in history.events(record.id) if step in (None, event.step)]
    if not screen.is_text:
        screen.result([event_data(event) for event in events])
        return
    for event in events:
        told = _told(event)
        screen.text(
            f"{time.strftime('%H:%M:%S', time.localtime(event.at))}  {event.kind:<17} {event.step:<28} {told}".rstrip()
        )


@contextmanager
def _history(workspace: str | None, screen: Screen) -> Iterator[History]:
    """The workspace's history, read only; where nothing ever ran there is none, and asking for a run says so."""
    found = find_workspace(Path(workspace) if workspace else None)
    if not found.history.exists():
        raise RunNotFoundError("no skill has run here yet", hint="`skill demo` makes the first run")
    engine = Engine(found, secrets=screen.secrets)
    try:
        yield engine.journal
    finally:
        engine.journal.close()


def run_data(run: RunRecord) -> dict[str, Any]:
    """A run as JSON-like data."""
    return {
        "run": run.id,
        "skill": run.skill,
        "status": shown_status(run),
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "duration": run.duration,
        "healed": run.healed,
        "message": run.message,
        "profile": run.profile,
        "inputs": dict(run.inputs),
        "outputs": dict(run.outputs),
        "notes": list(run.notes),
    }


def step_data(step: StepRecord) -> dict[str, Any]:
    """A step as JSON-like data."""
    return {
        "name": step.name,
        "section": step.section,
        "action": step.action,
        "status": step.status,
        "started_at": step.started_at,
        "duration": step.duration,
        "attempts": step.attempts,
        "fixes": list(step.fixes),
        "reason": step.reason,
        "failure": step.failure,
        "first_failure": step.first_failure,
        "remediation": list(step.remediation),
        "value": step.value,
    }


def event_data(event: Event) -> dict[str, Any]:
    """An event as JSON-like data; `docs/events.md` gives the fields."""
    return {"event": event.kind, "at": event.at, "run": event.run_id, "step": event.step, **event.data}


def shown_status(run: RunRecord) -> str:
    """A run's status; `interrupted` when its process died before the end."""
    return "interrupted" if run.interrupted else run.status.value


def _when(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))


def _took(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.1f} s"


def _told(event: Event) -> str:
    """The part of an event's data that a person reads first."""
    data = event.data
    for name in ("answer", "text", "message", "call", "skill"):
        if data.get(name):
            return str(data[name]).splitlines()[0]
    if isinstance(data.get("failure"), dict):
        return str(data["failure"]["message"]).splitlines()[0]
    if isinstance(data.get("failure"), str):
        return str(data["failure"])
    return " ".join(f"{name}={data[name]}" for name in ("fix", "tool", "action", "status", "ok") if name in data)
