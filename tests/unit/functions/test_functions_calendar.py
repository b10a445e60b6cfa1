"""The tools of calendars, against the emulated Google and against a real server of CalDAV."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from engine.attempt import failure_of
from engine.heal.detect import diagnose
from tests.servers import emulated
from tests.servers.hostile import Behaviour, hostile
from tests.servers.radicale import PASSWORD, USER, radicale, sent
from tests.unit.functions.shop_repository import Contexts
from tool_registry.functions.calendar_events import free_of
from tool_registry.functions.google_calendar import (
    google_calendar_create_event,
    google_calendar_free_busy,
    google_calendar_list_events,
    google_calendar_status,
)
from tool_registry.functions.icalendar import events_in
from tool_registry.tool import ToolContext, ToolError

START, DAY = "2026-01-31T09:00:00Z", "2026-01-31T00:00:00Z"
AT = 1_769_850_000.0
SERIES = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//somebody else//EN
BEGIN:VEVENT
UID:weekly
DTSTAMP:20260101T000000Z
DTSTART;TZID=Europe/Berlin:20260105T100000
DURATION:PT45M
RRULE:FREQ=WEEKLY;COUNT=3
SUMMARY:Planning
TRANSP:TRANSPARENT
BEGIN:VALARM
ACTION:DISPLAY
TRIGGER:-PT10M
DESCRIPTION:soon
END:VALARM
END:VEVENT
END:VCALENDAR
"""


@pytest.fixture(scope="module")
def google(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The emulated Google Calendar."""
    with emulated.google(tmp_path_factory.mktemp("google")) as address:
        yield address


@pytest.fixture(scope="module")
def dav(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The real server of CalDAV."""
    with radicale(tmp_path_factory.mktemp("dav")) as address:
        yield address


@pytest.fixture(params=["google", "caldav"])
def context(request: pytest.FixtureRequest, contexts: Contexts) -> ToolContext:
    """Somebody who is logged in, at one of them after the other, in a calendar of releases."""
    if request.param == "google":
        url = request.getfixturevalue("google")
        return contexts({"url": url, "calendar": "releases"}, GOOGLE_CALENDAR_TOKEN=emulated.GOOGLE_TOKEN)
    url = request.getfixturevalue("dav")
    return contexts({"caldav_url": url, "calendar": "releases", "username": USER}, CALDAV_PASSWORD=PASSWORD)


async def test_an_event_is_made_once_in_a_run_and_is_found(context: ToolContext) -> None:
    """With everything that was said of it; the same words in another run are another event."""
    said = {"description": "Line, one;\nline two", "location": "Room 7", "attendees": ["bob@example.org"]}
    made = await google_calendar_create_event("Release, 1.4", START, context, duration="1h", **said)  # type: ignore[arg-type]
    again = await google_calendar_create_event("Release, 1.4", START, context, duration="1h", **said)  # type: ignore[arg-type]
    assert (made["created"], again["created"]) == (True, False)
    assert (made["event"]["id"], made["event"]["start"]) == (again["event"]["id"], AT)
    listed = await google_calendar_list_events(context, since=DAY, span="1d", query="release")
    assert (listed["count"], listed["truncated"]) == (1, False)
    (found,) = listed["events"]
    assert found["description"] == "Line, one;\nline two\n\n(skill run run-1)"
    assert (found["summary"], found["location"], found["end"]) == ("Release, 1.4", "Room 7", AT + 3_600)
    assert (found["attendees"], found["all_day"], found["busy"]) == (["bob@example.org"], False, True)
    other = replace(context, run_id="run-2")
    assert (await google_calendar_create_event("Release, 1.4", START, other, duration="1h", **said))["created"]  # type: ignore[arg-type]


async def test_no_more_events_are_told_than_are_wanted(context: ToolContext) -> None:
    """The first ones by their beginning, and that there are more."""
    for hour in (11, 9, 10):
        await google_calendar_create_event(f"Talk at {hour}", f"2026-04-01T{hour:02}:00:00Z", context)
    listed = await google_calendar_list_events(context, since="2026-04-01T00:00:00Z", span="1d", limit=2)
    assert [one["summary"] for one in listed["events"]] == ["Talk at 9", "Talk at 10"]
    assert (listed["count"], listed["truncated"]) == (2, True)


async def test_whole_days_and_free_times_are_told(context: ToolContext) -> None:
    """A day without an end lasts that day; what is left between what is taken is free."""
    made = await google_calendar_create_event("Stock taking", "2026-03-02", context)
    assert (made["event"]["all_day"], made["event"]["end"] - made["event"]["start"]) == (True, 86_400.0)
    await google_calendar_create_event("Cake", "2026-03-03T08:00:00Z", context, end="2026-03-03T09:30:00+01:00")
    told = await google_calendar_free_busy(context, since="2026-03-02T12:00:00Z", span="24h")
    at = 1_772_452_800.0
    assert told["free"] == [
        {"start": at + 43_200, "end": at + 72_000},
        {"start": at + 73_800, "end": at + 86_400},
    ]
    assert [len(one["busy"]) for one in told["calendars"]] == [2]


async def test_calendars_are_listed_and_one_that_is_not_there_is_not_found(context: ToolContext) -> None:
    """By their identifiers and names."""
    told = await google_calendar_status(context)
    assert ("releases", "Releases") in [(one["id"], one["name"]) for one in told["calendars"]]
    assert told["count"] == 2
    for call in (google_calendar_list_events(context, "nowhere"), google_calendar_free_busy(context, ["nowhere"])):
        with pytest.raises(ToolError) as none:
            await call
        assert (
            str(diagnose(failure_of(none.value, tool="google_calendar_list_events"), ()).kind) == "resource_not_found"
        )


async def test_a_login_that_does_not_count_is_a_failure(context: ToolContext) -> None:
    """Of the kind that a fix may heal, and proven to have done nothing."""
    nobody = replace(context, environment={**context.environment, "GOOGLE_CALENDAR_TOKEN": "", "CALDAV_PASSWORD": "x"})
    with pytest.raises(ToolError) as refused:
        await google_calendar_create_event("Cake", START, nobody)
    found = diagnose(failure_of(refused.value, tool="google_calendar_create_event"), ())
    assert (str(found.kind), found.untouched) == ("auth_expired", True)


@pytest.mark.parametrize(
    "said", [{"start": "at nine o'clock"}, {"end": DAY}, {"start": "2026-03-02", "end": START}, {"duration": "9y"}]
)
async def test_an_event_of_no_time_is_refused_before_anything_is_asked(
    contexts: Contexts, said: dict[str, Any]
) -> None:
    """Nobody is there to be asked."""
    with pytest.raises(ToolError) as refused:
        await google_calendar_create_event(
            "Cake", context=contexts({"url": "http://127.0.0.1:1"}), **{"start": START} | said
        )
    assert (refused.value.kind, refused.value.sent) == ("usage_error", False)


async def test_a_calendar_has_to_be_configured(contexts: Contexts) -> None:
    """By one address or the other."""
    with pytest.raises(ToolError, match="its url or caldav_url belongs under") as refused:
        await google_calendar_status(contexts({}))
    assert refused.value.kind == "configuration_error"


async def test_each_event_of_a_series_is_told(dav: str, contexts: Contexts) -> None:
    """At its own time, in the zone that it was said in; what takes no time leaves one free."""
    sent(f"{dav}holidays/weekly.ics", "PUT", SERIES, "text/calendar")
    own = contexts({"caldav_url": f"{dav}holidays/", "username": USER}, CALDAV_PASSWORD=PASSWORD)
    listed = await google_calendar_list_events(own, since="2026-01-01T00:00:00Z", span="30d", limit=2)
    assert [one["start"] for one in listed["events"]] == [1_767_603_600.0, 1_768_208_400.0]
    assert (listed["truncated"], listed["events"][0]["end"]) == (True, 1_767_606_300.0)
    assert (await google_calendar_free_busy(own, since="2026-01-05T00:00:00Z"))["calendars"][0]["busy"] == []


def test_events_are_read_whatever_stands_around_them() -> None:
    """Folded lines, quoted parameters, a zone that nobody knows, a day without an end; nothing less than an event."""
    text = (
        "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART;VALUE=DATE:20260131\r\nSUMMARY:a lo\r\n ng\\, one\r\n"
        'ATTENDEE;CN="Bob: the builder";ROLE=CHAIR:mailto:bob@example.org\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:2\r\n'
        "DTSTART;TZID=Nowhere/Else:20260131T090000\r\nSTATUS:CANCELLED\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    first, second = events_in(text)
    assert (first["summary"], first["attendees"], first["end"] - first["start"]) == (
        "a long, one",
        ["bob@example.org"],
        86_400.0,
    )
    assert (second["start"], second["end"], second["status"]) == (AT, AT, "cancelled")
    with pytest.raises(LookupError):
        events_in("BEGIN:VEVENT\nUID:3\nEND:VEVENT\n")
    with pytest.raises(ValueError, match="no length"):
        events_in("BEGIN:VEVENT\nUID:3\nDTSTART:20260131T090000Z\nDURATION:soon\nEND:VEVENT\n")


def test_what_is_left_between_what_is_taken_is_free() -> None:
    """Also where two overlap, and where one began before or begins after all of it."""
    assert free_of([(0, 2), (5, 7), (6, 9)], 1, 10) == [(2, 5), (9, 10)]
    assert free_of([(0, 20)], 1, 10) == free_of([(0, 20), (30, 40)], 1, 10) == []
    assert free_of([], 1, 10) == [(1, 10)]


@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [
        (Behaviour.SILENT, "timeout"),
        (Behaviour.DRIP_BODY, "timeout"),
        (Behaviour.RATE_LIMITED, "rate_limited"),
        (Behaviour.CUT_BODY, "connection_refused"),
        (Behaviour.WRONG_TYPE, "api_contract_mismatch"),
        (Behaviour.OTHER_SHAPE, "api_contract_mismatch"),
        (Behaviour.REDIRECTS_AWAY, "api_contract_mismatch"),
    ],
)
async def test_a_bad_server_of_caldav_is_named_for_what_it_is(
    contexts: Contexts, behaviour: Behaviour, kind: str
) -> None:
    """By the call's own deadline; every tool is aimed at such servers as Google's in `test_deadlines`."""
    with hostile(behaviour, "http://127.0.0.1:1") as server:
        own = contexts({"caldav_url": server.url, "username": USER}, timeout=0.5, CALDAV_PASSWORD=PASSWORD)
        with pytest.raises(ToolError) as refused:
            await google_calendar_list_events(own)
    assert str(diagnose(failure_of(refused.value, tool="google_calendar_list_events"), ()).kind) == kind
