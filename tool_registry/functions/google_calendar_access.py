"""Asking Google Calendar (its API, version 3), and what its refusals mean.

The domain `google_calendar` gives the `url` (`https://www.googleapis.com/calendar/v3`) and refers to an access token by
`credential` (GOOGLE_CALENDAR_TOKEN unless said); `calendar` is the one that is meant unless a call names another.
With a `caldav_url` and no `url` any server of CalDAV is asked in its place (`tool_registry.functions.caldav`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from tool_registry.functions.calendar_events import Event, Place, Wanted, span_of
from tool_registry.functions.credential import credential
from tool_registry.functions.moments import moment
from tool_registry.sources.expected import expected
from tool_registry.sources.http import request
from tool_registry.sources.http_failure import with_reason
from tool_registry.tool import ToolContext, ToolError

BUSY = {"rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded", "calendarUsageLimitsExceeded"}
"""Reasons of a 403 that mean: later."""
PAGE = 250
MOST_PAGES = 20


async def ask_google(
    method: str, path: str, context: ToolContext, *, params: Mapping[str, Any] | None = None, body: Any = None
) -> Any:
    """What Google Calendar answers, read as JSON; a refusal names the reason that it gives."""
    token = await credential(context, usual="GOOGLE_CALENDAR_TOKEN")
    try:
        reply = await request(
            method,
            f"{str(context.settings['url']).rstrip('/')}{path}",
            context=context,
            headers={"Authorization": f"Bearer {token}"} if token else {},
            params=params,
            json=body,
        )
    except ToolError as error:
        raise _explained(error) from error
    return reply.json()


async def calendars(context: ToolContext) -> list[Place]:
    """The calendars of whoever asks."""
    said = await ask_google("GET", "/users/me/calendarList", context, params={"maxResults": PAGE})
    with expected("Google Calendar"):
        return [
            {
                "id": str(one["id"]),
                "name": str(one.get("summary") or ""),
                "primary": bool(one.get("primary")),
                "writable": str(one.get("accessRole") or "owner") in {"owner", "writer"},
            }
            for one in said["items"]
        ]


async def events(
    calendar: str, since: float, until: float, context: ToolContext, *, query: str, limit: int
) -> tuple[list[Event], bool]:
    """The events of a span of time by their beginning, each of a series by itself; and whether there are more."""
    start, end = span_of(since, until)
    params: dict[str, Any] = {"timeMin": start, "timeMax": end, "singleEvents": "true", "orderBy": "startTime"}
    params |= {"q": query or None, "maxResults": min(limit, PAGE)}
    found: list[Event] = []
    for _ in range(MOST_PAGES):
        said = await ask_google("GET", _path(calendar), context, params=params)
        with expected("Google Calendar"):
            found += [_event(one) for one in said["items"]]
            following = str(said.get("nextPageToken") or "")
        if not following or len(found) >= limit:
            return found[:limit], bool(following) or len(found) > limit
        params["pageToken"] = following
    return found[:limit], True


async def busy(
    named: list[str], since: float, until: float, context: ToolContext
) -> list[tuple[str, list[tuple[float, float]]]]:
    """When each calendar is busy; ToolError (`resource_not_found`) for one that is not there, or not for us."""
    start, end = span_of(since, until)
    body = {"timeMin": start, "timeMax": end, "items": [{"id": one} for one in named]}
    said = await ask_google("POST", "/freeBusy", context, body=body)
    with expected("Google Calendar"):
        told = [(one, said["calendars"].get(one) or {"errors": [{"reason": "notFound"}]}) for one in named]
        for one, found in told:
            if found.get("errors"):
                raise _unseen(one, str(found["errors"][0]["reason"]))
        return [(one, [(_at(part["start"]), _at(part["end"])) for part in found["busy"]]) for one, found in told]


async def create(wanted: Wanted, context: ToolContext) -> tuple[Event, bool]:
    """The event, made unless it is there already, by the identifier or by all that it says."""
    standing, _ = await events(wanted.calendar, wanted.start, wanted.end, context, query="", limit=1_000)
    for one in standing:
        if one["id"] == wanted.uid or wanted.is_said_by(one):
            return one, False
    kind = "date" if wanted.all_day else "dateTime"
    start, end = span_of(wanted.start, wanted.end, days=wanted.all_day)
    body = {
        "id": wanted.uid,
        "summary": wanted.summary,
        "description": wanted.description,
        "location": wanted.location,
        "start": {kind: start},
        "end": {kind: end},
        "attendees": [{"email": one} for one in wanted.attendees],
    }
    said = await ask_google("POST", _path(wanted.calendar), context, body=body)
    return _event(said), True


def _path(calendar: str) -> str:
    return f"/calendars/{quote(calendar or 'primary', safe='')}/events"


@expected("Google Calendar")
def _event(said: dict[str, Any]) -> Event:
    start, end = said["start"], said["end"]
    return {
        "id": str(said["id"]),
        "summary": str(said.get("summary") or ""),
        "description": str(said.get("description") or ""),
        "location": str(said.get("location") or ""),
        "start": _at(start.get("dateTime") or start["date"]),
        "end": _at(end.get("dateTime") or end["date"]),
        "all_day": "dateTime" not in start,
        "status": str(said.get("status") or "confirmed"),
        "busy": said.get("transparency") != "transparent",
        "attendees": [str(one.get("email") or "") for one in said.get("attendees") or ()],
        "url": str(said.get("htmlLink") or ""),
    }


def _at(told: Any) -> float:
    found = moment(told)
    if found is None:
        raise ValueError(f"{told!r} is no moment")
    return found


def _unseen(calendar: str, reason: str) -> ToolError:
    return ToolError(f"the calendar {calendar} cannot be seen: {reason}", kind="resource_not_found", sent=True)


def _explained(error: ToolError) -> ToolError:
    """The failure with Google's own reason."""
    named, words = _reason(error)
    refused = "usage_error" if error.http_status == HTTPStatus.BAD_REQUEST else None
    return with_reason(error, words, "rate_limited" if named in BUSY else refused, reason=named) if words else error


def _reason(error: ToolError) -> tuple[str, str]:
    try:
        said = json.loads(error.output) if error.http_status else None
    except (ValueError, RecursionError):
        return "", ""
    match said:
        case {"error": {"message": str(words), **more}}:
            causes = more.get("errors")
            first = causes[0] if isinstance(causes, list) and causes else {}
            return str(first.get("reason") or "") if isinstance(first, dict) else "", words
    return "", ""
