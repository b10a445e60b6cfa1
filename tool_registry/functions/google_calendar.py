"""Calendars, at Google or at any server of CalDAV: which there are, what is in them, when one is free, a new event."""

from __future__ import annotations

import time
from typing import Annotated, TypedDict

from tool_registry.functions import caldav, google_calendar_access
from tool_registry.functions.calendar_events import Event, Place, free_of, wanted
from tool_registry.functions.moments import DURATION, epoch_of, seconds_of
from tool_registry.sources.python import tool
from tool_registry.tool import Effect, Needs, ToolContext, ToolError

CALENDAR = Needs(settings=("url|caldav_url",))
Span = Annotated[str, {"pattern": DURATION}]
Calendar = Annotated[str, {"maxLength": 500}]
People = Annotated[list[str] | None, {"items": {"type": "string", "pattern": r"^[^\s@,;:<>]+@[^\s@,;:<>]+$"}}]
Moment = Annotated[str, {"minLength": 10}]


class Standing(TypedDict):
    """The calendars of whoever asks; `backend` is google or caldav."""

    backend: str
    calendars: list[Place]
    count: int


class Events(TypedDict):
    """Events by their beginning; `since` and `until` in epoch seconds, `truncated` where there are more."""

    calendar: str
    since: float
    until: float
    events: list[Event]
    count: int
    truncated: bool


class Time(TypedDict):
    """A span of time, in epoch seconds."""

    start: float
    end: float


class Taken(TypedDict):
    """When a calendar is busy."""

    calendar: str
    busy: list[Time]


class Free(TypedDict):
    """When each calendar is busy, and when all of them are free, in epoch seconds."""

    since: float
    until: float
    calendars: list[Taken]
    free: list[Time]


class Made(TypedDict):
    """The event, and whether this call made it or found that it had been made."""

    event: Event
    created: bool


@tool(
    effect=Effect.READ,
    idempotent=True,
    domain="google_calendar",
    timeout=30,
    examples=({},),
    exact=True,
    needs=CALENDAR,
)
async def google_calendar_status(context: ToolContext) -> Standing:
    """Lists the calendars of the configured credential; one that is not accepted is a failure."""
    backend = "google" if _asks_google(context) else "caldav"
    found = await (google_calendar_access if backend == "google" else caldav).calendars(context)
    return {"backend": backend, "calendars": found, "count": len(found)}


@tool(
    effect=Effect.READ,
    idempotent=True,
    domain="google_calendar",
    timeout=60,
    examples=({}, {"since": "2026-01-31T00:00:00Z", "span": "1d", "query": "release"}),
    exact=True,
    needs=CALENDAR,
)
async def google_calendar_list_events(
    context: ToolContext,
    calendar: Calendar = "",
    since: str = "",
    span: Span = "7d",
    query: str = "",
    limit: Annotated[int, {"minimum": 1, "maximum": 1_000}] = 100,
) -> Events:
    """Lists the events of a calendar by their beginning, each of a series by itself; none is an empty list.

    Args:
        calendar: The calendar's identifier; empty for the domain's.
        since: The moment from which on, as RFC 3339 writes it; empty for now.
        span: How long a time from then on, as in 12h or 7d.
        query: Only events with these words.
        limit: How many are given at most.

    Returns:
        calendar, since, until, events, count and truncated.
    """
    begins, named = _begins(since), _named(calendar, context)
    ends = begins + seconds_of(span)
    ask = google_calendar_access.events if _asks_google(context) else caldav.events
    found, more = await ask(named, begins, ends, context, query=query, limit=limit)
    return {
        "calendar": named,
        "since": begins,
        "until": ends,
        "events": found,
        "count": len(found),
        "truncated": more,
    }


@tool(
    effect=Effect.READ,
    idempotent=True,
    domain="google_calendar",
    timeout=60,
    examples=({}, {"calendars": ["primary"], "since": "2026-01-31T08:00:00Z", "span": "10h"}),
    exact=True,
    needs=CALENDAR,
)
async def google_calendar_free_busy(
    context: ToolContext, calendars: list[str] | None = None, since: str = "", span: Span = "1d"
) -> Free:
    """Says when calendars are busy, and when all of them are free.

    Args:
        calendars: Their identifiers; left out, the domain's.
        since: The moment from which on, as RFC 3339 writes it; empty for now.
        span: How long a time from then on.

    Returns:
        since, until, calendars (each with busy) and free.
    """
    begins = _begins(since)
    ends = begins + seconds_of(span)
    named = [_named(one, context) for one in calendars or [""]]
    ask = google_calendar_access.busy if _asks_google(context) else caldav.busy
    told = await ask(named, begins, ends, context)
    taken = [part for _, parts in told for part in parts]
    return {
        "since": begins,
        "until": ends,
        "calendars": [{"calendar": one, "busy": _times(sorted(parts))} for one, parts in told],
        "free": _times(free_of(taken, begins, ends)),
    }


@tool(
    effect=Effect.WRITE,
    idempotent=True,
    domain="google_calendar",
    timeout=60,
    examples=({"summary": "Release of checkout 1.4", "start": "2026-01-31T09:00:00Z", "duration": "30m"},),
    exact=True,
    needs=CALENDAR,
)
async def google_calendar_create_event(  # noqa: PLR0913, PLR0917 - an event is a flat record, every part by keyword
    summary: Annotated[str, {"minLength": 1, "maxLength": 500}],
    start: Moment,
    context: ToolContext,
    end: str = "",
    duration: Span = "30m",
    description: str = "",
    location: str = "",
    attendees: People = None,
    calendar: Calendar = "",
) -> Made:
    """Makes an event; the same call in the same run makes no second one.

    Args:
        summary: What it is about.
        start: When it begins, as RFC 3339 writes it; a day (2026-01-31) for a whole one.
        end: When it ends; empty for after `duration`, or after that day.
        duration: How long it lasts, where no end is said.
        description: More about it; the run's number is written below it.
        location: Where it is.
        attendees: The addresses of those who are to come; Google tells them nothing.
        calendar: The calendar's identifier; empty for the domain's.

    Returns:
        event and created.
    """
    named = _named(calendar, context)
    event = wanted(named, summary, description, location, (start, end, duration), attendees or [], context)
    create = google_calendar_access.create if _asks_google(context) else caldav.create
    made, created = await create(event, context)
    return {"event": made, "created": created}


def _asks_google(context: ToolContext) -> bool:
    if context.settings.get("url"):
        return True
    if context.settings.get("caldav_url"):
        return False
    message = "no calendar is configured: its url or caldav_url belongs under [services.google_calendar] in skill.toml"
    raise ToolError(message, kind="configuration_error", sent=False)


def _named(calendar: str, context: ToolContext) -> str:
    """The calendar that is meant: `primary` at Google, and the address itself at a server of CalDAV."""
    return calendar or str(context.settings.get("calendar") or ("primary" if _asks_google(context) else ""))


def _begins(since: str) -> float:
    return epoch_of(since) if since else time.time()


def _times(parts: list[tuple[float, float]]) -> list[Time]:
    return [{"start": start, "end": end} for start, end in parts]
