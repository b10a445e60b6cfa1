"""`skill run -o jsonl`: every event as one line of JSON, as it happens; the result is the last line."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from engine.frontends.cli.layout import json_text
from engine.model.event import Event

Listener = Callable[[Event], None]


def event_record(event: Event) -> dict[str, Any]:
    """An event as JSON-like data; `docs/events.md` gives the fields."""
    return {"event": event.kind, "at": event.at, "run": event.run_id, "step": event.step, **event.data}


def stream(event: Event) -> None:
    """Writes the event to standard output now, whoever reads it may be waiting."""
    sys.stdout.write(json_text(event_record(event)) + "\n")
    sys.stdout.flush()


@dataclass(slots=True)
class UntilGone:
    """A listener that is not asked again once nobody reads what it writes: a run must still clean up after itself."""

    listen: Listener
    gone: bool = False

    def __call__(self, event: Event) -> None:
        """Hands the event on while there is somebody to read it."""
        if self.gone:
            return
        try:
            self.listen(event)
        except OSError:
            self.gone = True
