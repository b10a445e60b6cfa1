"""`skill run -o jsonl`: every event as one line of JSON, as it happens; the result is the last line."""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from engine.frontends.cli.layout import json_text
from engine.model.event import Event
from engine.model.lazy_dataclass import dataclass

Listener = Callable[[Event], None]


def event_record(event: Event) -> dict[str, Any]:
    """An event as JSON-like data; `docs/events.md` gives the fields."""
    return {"event": event.kind, "at": event.at, "run": event.run_id, "step": event.step, **event.data}


def stream(event: Event) -> None:
    """Writes the event to standard output now, whoever reads it may be waiting."""
    sys.stdout.write(json_text(event_record(event)) + "\n")
    sys.stdout.flush()


@contextmanager
def whoever_reads() -> Iterator[None]:
    """What is written inside goes nowhere once the terminal has gone; a pipe that nobody reads stays an error."""
    try:
        yield
        sys.stdout.flush()
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (sys.stdout, sys.stderr):
            if stat.S_ISCHR(os.fstat(stream.fileno()).st_mode):
                os.dup2(nowhere, stream.fileno())


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
