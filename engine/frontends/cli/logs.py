"""`skill logs RUN`: every event of a run as a line; with `-f`, as they come."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

import click

from engine.frontends.background.following import follow
from engine.frontends.cli.choosing import opened
from engine.frontends.cli.completing import run_ids
from engine.frontends.cli.layout import beside, one_line
from engine.frontends.cli.screen import Screen, screen_options
from engine.frontends.cli.session import Session
from engine.frontends.cli.starting import INTERRUPTED
from engine.frontends.cli.steps import NARROW
from engine.frontends.cli.streaming import event_record, stream
from engine.frontends.cli.tree import above
from engine.history import History
from engine.history.records import RunRecord
from engine.model.event import Event, EventKind

KIND_WIDTH = 17
WIDEST_PATH = 40


@click.command("logs")
@click.argument("run", default="last", shell_complete=run_ids)
@click.option("--step", help="Only the events of this step, and of those inside it.")
@click.option("-f", "--follow", "following", is_flag=True, help="Go on with what happens, until the run ends or waits.")
@screen_options
def logs_command(session: Session, run: str, step: str | None, following: bool, screen: Screen) -> int:
    """Show every event RUN recorded, in order (its id, the beginning of it, or `last`)."""
    with opened(session) as history:
        record = history.run(run)
        found = follow(history, record.id) if following else (event for _, event in history.events(record.id))
        events = (event for event in found if step is None or step in {event.step, *above(event.step)})
        try:
            count = _shown(events, history, record, screen, at_once=following)
        except KeyboardInterrupt:
            return INTERRUPTED
        if not count and step and screen.is_text:
            screen.note(f"run {record.id} has no step called {step}; `skill status {record.id}` lists its steps")
        if following and history.run(record.id).interrupted:
            screen.note(f"its process has died; `skill resume {record.id}` goes on with it", fg="red")
    return 0


def _shown(events: Iterator[Event], history: History, record: RunRecord, screen: Screen, *, at_once: bool) -> int:
    """Writes the events, and counts them."""
    count = 0
    if screen.is_text:
        names = _path_width(each.name for each in history.steps(record.id))
        for event in events:
            count += 1
            for line in event_lines(event, names, screen.width):
                screen.text(line, fg=_colour(event))
    elif at_once and screen.format == "jsonl":
        for event in events:
            count += 1
            stream(event)
    else:
        told = [event_record(event) for event in events]
        count = len(told)
        screen.result(told)
    return count


def event_lines(event: Event, names: int, width: int | None) -> list[str]:
    """An event as a person reads it: when, what, in which step, and what is said of it; indented as the step stands."""
    at = time.strftime("%H:%M:%S", time.localtime(event.at))
    pad = "  " * event.step.count("/")
    head = f"{at}  {event.kind:<{KIND_WIDTH}}  {pad}{event.step:<{max(0, names - len(pad))}}  "
    return beside(head, _told(event), width)


def _path_width(paths: Iterable[str]) -> int:
    return min(WIDEST_PATH, max([NARROW, *(2 * path.count("/") + len(path) for path in paths)]))


def _colour(event: Event) -> str | None:
    """Failures stand out, what healed them, and what waits for somebody."""
    if event.data.get("failure"):
        return "yellow"
    if event.kind in {EventKind.QUESTION_ASKED, EventKind.RUN_WAITING}:
        return "magenta"
    return "cyan" if event.kind in {EventKind.FIX_STARTED, EventKind.FIX_FINISHED} else None


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
            failed = message if message.startswith(f"{name} ") else f"{name} failed: {message}"
            told = f"{name} worked" if data["ok"] else failed
        case EventKind.RUN_FINISHED | EventKind.RUN_ENDING:
            told = f"{data['status']}  {data['message']}"
        case _:
            told = _word(event)
    return " ".join(map(one_line, told.split("  ")))


def _word(event: Event) -> str:
    data = event.data
    match event.kind:
        case EventKind.RUN_WAITING:
            return ", ".join(str(each["name"]) for each in data.get("questions") or ())
        case EventKind.RUN_RESUMED:
            return f"by process {data.get('pid')}"
        case EventKind.QUESTION_ANSWERED:
            return f"{data.get('answer')} ({data.get('by')})"
        case EventKind.ATTEMPT_STARTED:
            return f"{data['tool']}, attempt {data['number']}"
    for name in ("text", "question", "call", "skill", "action"):
        if data.get(name) and not (name == "text" and event.kind in {EventKind.RUN_STARTED, EventKind.STEP_STARTED}):
            return str(data[name])
    return ""
