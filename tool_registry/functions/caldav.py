"""Asking a server of CalDAV (RFC 4791) for calendars and events, where the domain has a `caldav_url` and no `url`.

The `caldav_url` is a person's collection of calendars or one calendar, `calendar` a path below it. `username` and
`credential` (a password, CALDAV_PASSWORD unless said) are shown as basic authentication.
"""

from __future__ import annotations

import base64
from collections.abc import Collection, Iterator, Mapping
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from tool_registry.functions.calendar_events import Event, Place, Wanted, span_of
from tool_registry.functions.credential import credential
from tool_registry.functions.icalendar import events_in, text_of
from tool_registry.sources.expected import expected
from tool_registry.sources.http import Reply, request
from tool_registry.tool import ToolContext, ToolError

DAV, CAL = "{DAV:}", "{urn:ietf:params:xml:ns:caldav}"
NAMESPACES = 'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"'
EXISTS = 412
ANSWERED = (200, 207)
"""A multi-status (207), and a 200 that has to turn out to be one."""
CALENDARS = (
    f"<D:propfind {NAMESPACES}><D:prop><D:displayname/><D:resourcetype/><D:current-user-privilege-set/></D:prop>"
    "</D:propfind>"
)
EVENTS = (
    f"<C:calendar-query {NAMESPACES}><D:prop><C:calendar-data>"
    '<C:expand start="{start}" end="{end}"/></C:calendar-data></D:prop><C:filter><C:comp-filter name="VCALENDAR">'
    '<C:comp-filter name="VEVENT"><C:time-range start="{start}" end="{end}"/></C:comp-filter></C:comp-filter>'
    "</C:filter></C:calendar-query>"
)


async def calendars(context: ToolContext) -> list[Place]:
    """The calendars at the address, or the one that it is."""
    reply = await _ask("PROPFIND", "", context, body=CALENDARS, ok=ANSWERED, depth="1")
    root = urlsplit(_address("", context)).path
    return [_place(one, root, context) for one in _responses(reply) if one.find(f".//{CAL}calendar") is not None]


async def events(
    calendar: str, since: float, until: float, context: ToolContext, *, query: str, limit: int
) -> tuple[list[Event], bool]:
    """The events of a span of time by their beginning, each of a series by itself; and whether there are more."""
    start, end = (one.replace("-", "").replace(":", "") for one in span_of(since, until))
    body = EVENTS.format(start=start, end=end)
    reply = await _ask("REPORT", calendar, context, body=body, ok=ANSWERED, depth="1")
    with expected("the calendar's server"):
        kept = [one.text or "" for each in _responses(reply) for one in each.iter(f"{CAL}calendar-data")]
        found = [one for text in kept for one in events_in(text) if _fits(one, query)]
    found.sort(key=lambda one: (one["start"], one["id"]))
    return found[:limit], len(found) > limit


async def busy(
    named: list[str], since: float, until: float, context: ToolContext
) -> list[tuple[str, list[tuple[float, float]]]]:
    """When each calendar is busy, by its events."""
    told = []
    for one in named:
        found, _ = await events(one, since, until, context, query="", limit=10_000)
        taken = [each for each in found if each["busy"] and each["status"] != "cancelled"]
        told.append((one, [(each["start"], each["end"]) for each in taken]))
    return told


async def create(wanted: Wanted, context: ToolContext) -> tuple[Event, bool]:
    """The event, made unless it is there already: its identifier is its address, and the server is told to look."""
    text = text_of(wanted)
    headers = {"Content-Type": "text/calendar; charset=utf-8", "If-None-Match": "*"}
    where = f"{wanted.calendar.rstrip('/')}/{wanted.uid}.ics" if wanted.calendar else f"{wanted.uid}.ics"
    reply = await _ask("PUT", where, context, body=text, ok=(200, 201, 204, EXISTS), headers=headers)
    return events_in(text)[0], reply.status != EXISTS


def _fits(event: Event, query: str) -> bool:
    said = f"{event['summary']}\n{event['description']}\n{event['location']}".casefold()
    return all(word in said for word in query.casefold().split())


async def _ask(
    method: str,
    where: str,
    context: ToolContext,
    *,
    body: str,
    ok: Collection[int],
    depth: str = "",
    headers: Mapping[str, str] | None = None,
) -> Reply:
    sent = {"Content-Type": "application/xml; charset=utf-8", **(headers or {}), **await _login(context)}
    sent |= {"Depth": depth} if depth else {}
    return await request(
        method, _address(where, context), context=context, headers=sent, data=body.encode(), ok=frozenset(ok)
    )


async def _login(context: ToolContext) -> dict[str, str]:
    password = await credential(context, usual="CALDAV_PASSWORD")
    user = context.settings.get("username")
    if not password or not user:
        return {}
    basic = base64.b64encode(f"{user}:{password}".encode()).decode()
    context.secret(basic)
    return {"Authorization": f"Basic {basic}"}


def _address(where: str, context: ToolContext) -> str:
    """Where a calendar is; one that is named never leads out of the address of the domain."""
    base = f"{str(context.settings['caldav_url']).rstrip('/')}/"
    if any(part in (".", "..") for part in where.split("/")):
        raise ToolError(f"{where!r} is not the path of a calendar", kind="usage_error", sent=False)
    return f"{base}{quote(where.lstrip('/'))}"


def _responses(reply: Reply) -> Iterator[Any]:
    """The parts of a multi-status answer (RFC 4918)."""
    from xml.etree import ElementTree as ET  # noqa: PLC0415 - late: only this backend reads XML

    with expected("the calendar's server"):
        if b"<!doctype" in reply.content[:2_000].lower() or b"<!entity" in reply.content.lower():
            raise ValueError("a document type, which may stand for anything")
        try:
            root = ET.fromstring(reply.content)  # noqa: S314 - nothing in it is defined by itself, and it is bounded
        except ET.ParseError as error:
            raise ValueError(str(error)) from error
        if root.tag != f"{DAV}multistatus":
            raise ValueError(f"{root.tag} in place of a multi-status")
        yield from root.iter(f"{DAV}response")


def _place(response: Any, root: str, context: ToolContext) -> Place:
    with expected("the calendar's server"):
        path = urlsplit(response.find(f"{DAV}href").text).path
        name = unquote(path.removeprefix(root)).strip("/")
        privileges = {
            one.tag for one in response.iter() if one.tag in (f"{DAV}write", f"{DAV}write-content", f"{DAV}all")
        }
        told = response.find(f".//{DAV}displayname")
        return {
            "id": name,
            "name": str(told.text or "") if told is not None else name,
            "primary": name == str(context.settings.get("calendar") or "").strip("/"),
            "writable": bool(privileges),
        }
