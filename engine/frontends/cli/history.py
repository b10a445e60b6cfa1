"""`skill history`, `skill status RUN`, `skill logs RUN`: what happened, as history kept it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from engine.errors import RunNotFoundError
from engine.frontends.cli.completing import run_ids, skill_names
from engine.frontends.cli.layout import beside, one_line, took
from engine.frontends.cli.screen import Screen, screen_options
from engine.frontends.cli.session import Session
from engine.frontends.cli.steps import colour_of, name_width, step_lines, way_out_lines
from engine.frontends.cli.streaming import event_record
from engine.history import History
from engine.history.records import RunRecord, StepRecord
from engine.model.event import Event, EventKind
from engine.model.outcome import RunStatus

KIND_WIDTH = 16
COLOURS = {"failed": "red", "blocked": "yellow", "cancelled": "yellow", "interrupted": "red"}


@click.command("history")
@click.option("-n", "--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="How many runs.")
@click.option("--skill", shell_complete=skill_names, help="Only runs of this skill.")
@click.option("--status", type=click.Choice([each.value for each in RunStatus]), help="Only runs that ended so.")
@screen_options
def history_command(session: Session, limit: int, skill: str | None, status: str | None, screen: Screen) -> None:
    """List past runs, newest first."""
    if not session.workspace().history.exists():
        _no_runs(screen)
        return
    with _history(session) as history:
        runs = history.runs(limit=limit, skill=skill, status=RunStatus(status) if status else None)
    if not screen.is_text:
        screen.result([run_record(run) for run in runs])
    elif not runs:
        screen.note("no run is like that" if skill or status else "no runs yet; `skill demo` makes the first")
    else:
        rows = [_row(run) for run in runs]
        screen.table(rows, ["RUN", "STATUS", "STARTED", "TOOK", "HEALED", "SKILL"], spare=["TOOK", "HEALED"])


@click.command("status")
@click.argument("run", default="last", shell_complete=run_ids)
@screen_options
def status_command(session: Session, run: str, screen: Screen) -> None:
    """Show how RUN went, step by step (its id, the beginning of it, or `last`)."""
    with _history(session) as history:
        record = history.run(run)
        steps = history.steps(record.id)
    if screen.is_text:
        _show_run(record, steps, screen)
    else:
        screen.result({**run_record(record), "steps": [step_record(step) for step in steps]})


def _show_run(record: RunRecord, steps: tuple[StepRecord, ...], screen: Screen) -> None:
    status = shown_status(record)
    screen.text(f"{record.skill}  {record.id}  {status}  {took(record.duration)}".rstrip(), bold=True)
    screen.text(f"  {_when(record.started_at)}, profile {record.profile}", dim=True)
    names = name_width(step.name for step in steps)
    for step in steps:
        told = _step_told(step)
        state = step.status or ("running" if status == "running" else "stopped")
        drawn = step_lines(step.name, state, duration=step.duration, told=told, names=names, width=screen.width)
        for line in drawn:
            screen.text(line, fg=colour_of(step.status), dim=step.status == "skipped" or None)
        for line in way_out_lines(step.remediation, screen.width):
            screen.text(line)
    for text in (*record.message.splitlines(), *(f"note: {note}" for note in record.notes)):
        for line in beside("  ", text, screen.width, lines=20):
            screen.text(line, fg=COLOURS.get(status))


def _step_told(step: StepRecord) -> str:
    """Why a step ended as it did: its failure, and what was done about it."""
    message = one_line(str((step.failure or {}).get("message", "")))
    if step.status == "healed":
        first = one_line(str((step.first_failure or {}).get("message", "")))
        return f"{step.reason.removeprefix('healed ')}; it had failed with: {first}" if first else step.reason
    return message or step.reason


@click.command("logs")
@click.argument("run", default="last", shell_complete=run_ids)
@click.option("--step", help="Only the events of this step.")
@screen_options
def logs_command(session: Session, run: str, step: str | None, screen: Screen) -> None:
    """Show every event RUN recorded, in order (its id, the beginning of it, or `last`)."""
    with _history(session) as history:
        record = history.run(run)
        events = [event for _, event in history.events(record.id) if step in (None, event.step)]
    if not screen.is_text:
        screen.result([event_record(event) for event in events])
        return
    if not events and step:
        screen.note(f"run {record.id} has no step called {step}; `skill status {record.id}` lists its steps")
    names = name_width(event.step for event in events)
    for event in events:
        at = time.strftime("%H:%M:%S", time.localtime(event.at))
        head = f"{at}  {event.kind:<{KIND_WIDTH}}  {event.step:<{names}}  "
        for line in beside(head, _told(event), screen.width):
            screen.text(line, fg=_log_colour(event))


@contextmanager
def _history(session: Session) -> Iterator[History]:
    """The workspace's history, read only; where nothing ever ran there is none, and asking for a run says so."""
    found = session.workspace()
    if not found.history.exists():
        raise RunNotFoundError("no skill has run here yet", hint="`skill demo` makes the first run")
    with History.open(found.history, secrets=session.secrets) as history:
        yield history


def _no_runs(screen: Screen) -> None:
    if screen.is_text:
        screen.note("no runs yet; `skill demo` makes the first")
    else:
        screen.result([])


def _row(run: RunRecord) -> list[str]:
    healed = str(run.healed) if run.healed else ""
    return [run.id, shown_status(run), _when(run.started_at), took(run.duration), healed, run.skill]


def run_record(run: RunRecord) -> dict[str, Any]:
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


def step_record(step: StepRecord) -> dict[str, Any]:
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


def shown_status(run: RunRecord) -> str:
    """A run's status; `interrupted` when its process died before the end."""
    return "interrupted" if run.interrupted else run.status.value


def _when(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))


def _log_colour(event: Event) -> str | None:
    """Failures stand out, and what healed them."""
    if event.data.get("failure"):
        return "yellow"
    return "cyan" if event.kind in {"fix_started", "fix_finished"} else None


def _told(event: Event) -> str:
    """The part of an event's data that a person reads first."""
    data = event.data
    failure = data.get("failure") or ""
    message = failure["message"] if isinstance(failure, dict) else failure
    match event.kind:
        case EventKind.HEAL_STAGE:
            told = f"{data['stage']}: {data.get('answer', '')}"
        case EventKind.STEP_FINISHED:
            told = f"{data['status']}  {data.get('reason') or message}"
        case EventKind.ATTEMPT_FINISHED | EventKind.FIX_FINISHED:
            name = data.get("fix") or data["tool"]
            told = f"{name} worked" if data["ok"] else f"{name} failed: {message}"
        case EventKind.RUN_FINISHED:
            told = f"{data['status']}  {data['message']}"
        case EventKind.RUN_STARTED:
            told = data["skill"]
        case _:
            told = data.get("text") or data.get("call") or data.get("action") or ""
    return " ".join(map(one_line, told.split("  ")))
