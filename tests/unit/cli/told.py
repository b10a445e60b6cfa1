"""Events of a made-up run, and the lines they become."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from engine.frontends.cli.story import Story
from engine.model.event import Event, EventKind

FAILURE = {"tool": "look", "kind": "auth_expired", "message": "the server said 401", "evidence": {}}
DONE: dict[str, Any] = {
    "status": "ok",
    "duration": 0.25,
    "reason": "",
    "failure": None,
    "remediation": [],
    "value": None,
    "reused": False,
}


Some = Iterable[Any]
"""Events, and lists of them."""


def event(what: EventKind, step: str = "look", /, *, at: float = 0.0, **data: Any) -> Event:
    """An event of a run."""
    return Event(kind=what, run_id="r1", at=at, step=step, data=data)


def begin(step: str, action: str = "tool", /, *, at: float = 0.0, section: str = "steps", **data: Any) -> Event:
    """A step begins."""
    told = {"index": 0, "action": action, "section": section, "foreach": False, **data}
    return event(EventKind.STEP_STARTED, step, at=at, **told)


def each(step: str, items: list[Any], action: str = "tool") -> Event:
    """A `foreach` begins."""
    return begin(step, action, foreach=True, items=items)


def end(step: str, status: str = "ok", /, *, at: float = 0.0, **data: Any) -> Event:
    """A step ends."""
    return event(EventKind.STEP_FINISHED, step, at=at, **{**DONE, "status": status, **data})


def done(step: str, status: str = "ok", /, **data: Any) -> list[Event]:
    """A step from its beginning to its end."""
    return [begin(step), end(step, status, **data)]


def fails(step: str, number: int = 1) -> Event:
    """An attempt fails."""
    return event(EventKind.ATTEMPT_FINISHED, step, number=number, tool="look", ok=False, failure=FAILURE)


def heals(step: str) -> list[Event]:
    """A failure is understood and fixed."""
    return [
        event(
            EventKind.HEAL_STAGE,
            step,
            stage="detect",
            kind="auth_expired",
            answer="HTTP status 401 means auth expired.",
            basis="evidence",
            confidence=0.9,
        ),
        event(EventKind.HEAL_STAGE, step, stage="decide", answer="log_in may repair that"),
        event(EventKind.FIX_STARTED, step, fix="log_in"),
        event(EventKind.FIX_FINISHED, step, fix="log_in", ok=True, shared=False, started_at=1.0, finished_at=1.5),
    ]


def told(events: Some, *, width: int | None = None, **options: Any) -> list[str]:
    """The lines of a run's story."""
    story = Story(**{"names": 14, **options})
    return lines_of(story, events, width=width)


def lines_of(story: Story, events: Some, *, width: int | None = None) -> list[str]:
    """The lines that a story adds for these events."""
    flat = [one for some in events for one in ([some] if isinstance(some, Event) else some)]
    return [line.text for one in flat for line in story.tell(one, width)]
