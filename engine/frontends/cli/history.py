"""`skill history` and `skill status RUN`: which runs there were, and how one went."""

from __future__ import annotations

import time
from typing import Any

import click

from engine.frontends.cli.checks_made import check_lines, check_record
from engine.frontends.cli.choosing import opened
from engine.frontends.cli.completing import run_ids, skill_names
from engine.frontends.cli.ending import INTERRUPTED
from engine.frontends.cli.layout import beside, took
from engine.frontends.cli.questions import question_record, waiting_lines
from engine.frontends.cli.remembered import past_lines
from engine.frontends.cli.screen import Screen, screen_options
from engine.frontends.cli.session import Session
from engine.history import History
from engine.history.records import CheckRecord, RunRecord, StepRecord
from engine.model.outcome import RunStatus

COLOURS = {"failed": "red", "blocked": "yellow", "cancelled": "yellow", INTERRUPTED: "red", "waiting": "yellow"}
UNFINISHED = {"running": "running", "waiting": "waits"}
"""What a step without an end is called in a run that goes on or waits; in any other it was `stopped`."""
STATUSES = [*(each.value for each in RunStatus), INTERRUPTED]
LONGEST_SEARCH = 10_000


@click.command("history")
@click.option("-n", "--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="How many runs.")
@click.option("--skill", shell_complete=skill_names, help="Only runs of this skill.")
@click.option("--status", type=click.Choice(STATUSES), help="Only runs that ended so.")
@screen_options
def history_command(session: Session, limit: int, skill: str | None, status: str | None, screen: Screen) -> None:
    """List past runs, newest first."""
    if not session.workspace().history.exists():
        _no_runs(screen)
        return
    with opened(session) as history:
        runs = _runs(history, limit=limit, skill=skill, status=status)
    if not screen.is_text:
        screen.result([run_record(run) for run in runs])
    elif not runs:
        screen.note("no run is like that" if skill or status else "no runs yet; `skill demo` makes the first")
    else:
        _show_runs(runs, screen)


def _runs(history: History, *, limit: int, skill: str | None, status: str | None) -> list[RunRecord]:
    """The newest runs with that status; a run that is interrupted is kept as one that is running."""
    if status not in {INTERRUPTED, RunStatus.RUNNING.value}:
        return list(history.runs(limit=limit, skill=skill, status=status))
    found = history.runs(limit=LONGEST_SEARCH, skill=skill, status=RunStatus.RUNNING)
    return [run for run in found if shown_status(run) == status][:limit]


def _show_runs(runs: list[RunRecord], screen: Screen) -> None:
    rows = [_row(run) for run in runs]
    screen.table(
        rows,
        ["RUN", "STATUS", "STARTED", "TOOK", "HEALED", "SKILL"],
        spare=["TOOK", "HEALED"],
        colours=[COLOURS.get(shown_status(run)) if _needs_somebody(run) else None for run in runs],
    )
    waiting = next((run for run in runs if run.status is RunStatus.WAITING), None)
    interrupted = next((run for run in runs if run.interrupted), None)
    if waiting:
        screen.note(f"  waiting: `skill status {waiting.id}` shows what it asks, and how to answer", dim=True)
    if interrupted:
        screen.note(f"  interrupted: `skill resume {interrupted.id}` goes on with it", dim=True)


@click.command("status")
@click.argument("run", default="last", shell_complete=run_ids)
@screen_options
def status_command(session: Session, run: str, screen: Screen) -> None:
    """Show how RUN went, step by step (its id, the beginning of it, or `last`)."""
    with opened(session) as history:
        record = history.run(run)
        steps, checks = history.steps(record.id), history.checks(record.id)
    if screen.is_text:
        _show_run(record, steps, checks, screen)
        return
    told = {"steps": [step_record(step) for step in steps], "checks": [check_record(check) for check in checks]}
    screen.result({**run_record(record), **told})


def _show_run(
    record: RunRecord, steps: tuple[StepRecord, ...], checks: tuple[CheckRecord, ...], screen: Screen
) -> None:
    status = shown_status(record)
    screen.text(f"{_what(record)}  {record.id}  {status}  {took(record.duration)}".rstrip(), bold=True)
    screen.text(f"  {_when(record.started_at)}, profile {record.profile}", dim=True)
    if record.reused_from:
        screen.text(f"  with what run {record.reused_from} had done", dim=True)
    for line in check_lines(checks, width=screen.width):
        screen.text(line.text, **line.style)
    unfinished = UNFINISHED.get(status, "stopped")
    for line in past_lines(steps, unfinished=unfinished, verbose=screen.verbose, width=screen.width):
        screen.text(line.text, **line.style)
    for text in (*record.message.splitlines(), *(f"note: {note}" for note in record.notes)):
        for told in beside("  ", text, screen.width, lines=20):
            screen.text(told, fg=COLOURS.get(status))
    for told in _way_on(record, screen.width):
        screen.text(told)


def _way_on(record: RunRecord, width: int | None) -> list[str]:
    """What a person may do about a run that nobody works on."""
    if record.status is RunStatus.WAITING:
        return waiting_lines(record.id, record.questions, width)
    if record.interrupted:
        return [f"      skill resume {record.id}", f"      skill cancel {record.id}"]
    return []


def _no_runs(screen: Screen) -> None:
    if screen.is_text:
        screen.note("no runs yet; `skill demo` makes the first")
    else:
        screen.result([])


def _row(run: RunRecord) -> list[str]:
    healed = str(run.healed) if run.healed else ""
    return [run.id, shown_status(run), _when(run.started_at), took(run.duration), healed, _what(run)]


def _what(run: RunRecord) -> str:
    """What was run: a skill, or a single call of a tool."""
    return f"{run.tool}()" if run.tool else run.skill


def run_record(run: RunRecord) -> dict[str, Any]:
    """A run as JSON-like data."""
    names = [question.name for question in run.questions]
    return {
        "run": run.id,
        "skill": run.skill,
        "tool": run.tool or None,
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
        "questions": [question_record(run.id, question, names) for question in run.questions],
        "reused_from": run.reused_from or None,
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
        "root_cause": step.root_cause.record if step.root_cause else None,
        "value": step.value,
    }


def shown_status(run: RunRecord) -> str:
    """A run's status; `interrupted` when its process died before the end."""
    return INTERRUPTED if run.interrupted else run.status.value


def _needs_somebody(run: RunRecord) -> bool:
    return run.interrupted or run.status is RunStatus.WAITING


def _when(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))
