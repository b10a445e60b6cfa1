"""A run's events as lines for an agent, a bounded page at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.history import History
from engine.model.event import Event, EventKind

MOST = 1_000
"""Lines of a page, at most."""
LONGEST_PAGE = 40_000
"""Characters of a page, at most; one line is always given."""
LONGEST = 1_000
"""Characters of a line."""


def page(history: History, run_id: str, *, after: int, limit: int, step: str | None) -> dict[str, Any]:
    """The events after number `after`, those of `step` and of the steps inside it if one is named."""
    run = history.run(run_id)
    lines: list[dict[str, Any]] = []
    size, last, more = 0, after, False
    for number, event in history.events(run.id, after=after):
        if step is None or event.step == step or event.step.startswith((f"{step}/", f"{step}[", f"{step}#")):
            line = _line(number, event)
            size += len(line["text"])
            if lines and (len(lines) >= min(limit, MOST) or size > LONGEST_PAGE):
                more = True
                break
            lines.append(line)
        last = number
    return {"run_id": run.id, "lines": lines, "next_after": last, "more": more}


def _line(number: int, event: Event) -> dict[str, Any]:
    text = _told(event)
    shown = text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
    return {"number": number, "at": event.at, "kind": event.kind.value, "step": event.step, "text": shown}


def _told(event: Event) -> str:
    """The part of an event's data that tells what happened."""
    data, kind = event.data, event.kind
    match kind:
        case EventKind.ATTEMPT_STARTED:
            told = f"{data.get('tool')} with {data.get('args')}, attempt {data.get('number')}"
        case EventKind.ATTEMPT_FINISHED | EventKind.FIX_FINISHED:
            name = data.get("fix") or data.get("tool")
            told = _ended(str(name), data)
        case EventKind.STEP_FINISHED:
            told = f"{data.get('status')} {data.get('reason') or _failure(data) or _value(data)}"
        case EventKind.RUN_FINISHED | EventKind.RUN_ENDING:
            told = f"{data.get('status')} {data.get('message') or ''}"
        case EventKind.HEAL_STAGE:
            told = f"{data.get('stage')}: {data.get('answer', '')}"
        case EventKind.QUESTION_ANSWERED:
            told = f"{data.get('name')} = {data.get('answer')} (by {data.get('by')})"
        case _:
            told = _asked(event)
    return told.rstrip()


def _ended(name: str, data: Mapping[str, Any]) -> str:
    if data.get("ok"):
        return f"{name} gave {_value(data)}" if _value(data) else f"{name} worked"
    return said if (said := _failure(data)).startswith(f"{name} ") else f"{name} failed: {said}"


def _asked(event: Event) -> str:
    data = event.data
    match event.kind:
        case EventKind.RUN_STARTED:
            return f"{data.get('skill')} with {data.get('inputs')}"
        case EventKind.RUN_WAITING:
            return ", ".join(str(each.get("name")) for each in data.get("questions") or ())
    return str(data.get("text") or data.get("question") or data.get("call") or data.get("action") or "")


def _failure(data: Mapping[str, Any]) -> str:
    failure = data.get("failure") or ""
    return str(failure.get("message") or "") if isinstance(failure, dict) else str(failure)


def _value(data: Mapping[str, Any]) -> str:
    return "" if data.get("value") is None else str(data["value"])
