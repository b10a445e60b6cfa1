"""What history could not take when it broke: the end of a run, short enough to be kept beside it until it can.

It stands where the run's lock stood, in a file that was made with room for it, so that a full disk does not refuse it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from engine.model.event import Event, EventKind

ROOM = 8_192
"""Bytes: the end of a run, and some sixty steps that were undone before it."""
LONGEST = 500
"""Characters of a text that are kept."""

_FIELDS: Mapping[EventKind, tuple[str, ...]] = {
    EventKind.STEP_STARTED: ("index", "action", "section"),
    EventKind.STEP_FINISHED: ("status", "duration", "attempts", "reason"),
    EventKind.RUN_ENDING: ("status", "message", "timed_out"),
    EventKind.RUN_FINISHED: ("status", "message", "duration", "timed_out", "healed"),
}


def packed(events: Sequence[Event]) -> bytes:
    """The events in at most ROOM bytes: without their values, and the oldest left out first."""
    lines: list[bytes] = []
    room = ROOM
    for event in reversed(events):
        if event.kind in _FIELDS:
            line = json.dumps([event.kind, event.at, event.step[:LONGEST], _short(event)]).encode() + b"\n"
            room -= len(line)
            if room < 0:
                break
            lines.append(line)
    return b"".join(reversed(lines))


def unpacked(run_id: str, kept: bytes) -> tuple[Event, ...]:
    """The events again; a line that is none is left out."""
    found: list[Event] = []
    for line in kept.splitlines():
        with suppress(ValueError, TypeError):
            kind, at, step, data = json.loads(line)
            found.append(Event(kind=EventKind(kind), run_id=run_id, at=float(at), step=str(step), data=dict(data)))
    return tuple(found)


def _short(event: Event) -> dict[str, Any]:
    told = {name: event.data[name] for name in _FIELDS[event.kind] if name in event.data}
    short = {name: value[:LONGEST] if isinstance(value, str) else value for name, value in told.items()}
    return short | ({"lost": ["value"]} if event.data.get("value") is not None else {})
