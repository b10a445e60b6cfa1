"""The text form of events (iCalendar, RFC 5545): reading those a server keeps, and writing one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tool_registry.functions.calendar_events import DAY, Event, Wanted, span_of

LINE = re.compile(r'([A-Za-z0-9-]+)((?:;[^=:;]+=(?:"[^"]*"|[^":;]*))*):(.*)', re.DOTALL)
LENGTH = re.compile(r"(-)?P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
ESCAPED = {"\\n": "\n", "\\N": "\n", "\\,": ",", "\\;": ";", "\\\\": "\\"}
FOLDED = 74
Part = tuple[Mapping[str, str], str]
"""The parameters and the value of a property."""


def events_in(text: str) -> list[Event]:
    """The events in a calendar's text; ValueError or LookupError for one without a beginning or an identifier."""
    return [_event(parts) for parts in _components(text)]


def text_of(wanted: Wanted) -> str:
    """A calendar with this one event."""
    start, end = span_of(wanted.start, wanted.end, days=wanted.all_day)
    kind = ";VALUE=DATE" if wanted.all_day else ""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//skill-engine//EN",
        "BEGIN:VEVENT",
        f"UID:{wanted.uid}",
        f"DTSTAMP:{datetime.now(UTC):%Y%m%dT%H%M%SZ}",
        f"DTSTART{kind}:{_plain(start)}",
        f"DTEND{kind}:{_plain(end)}",
        f"SUMMARY:{_escaped(wanted.summary)}",
        *([f"DESCRIPTION:{_escaped(wanted.description)}"] if wanted.description else []),
        *([f"LOCATION:{_escaped(wanted.location)}"] if wanted.location else []),
        *(f"ATTENDEE:mailto:{''.join(one.split())}" for one in wanted.attendees),
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "".join(f"{_folded(line)}\r\n" for line in lines)


def _components(text: str) -> Iterator[Mapping[str, list[Part]]]:
    """The properties of each event; of what stands inside it (alarms), none."""
    inside: list[str] = []
    parts: dict[str, list[Part]] = {}
    for line in re.sub(r"\r?\n[ \t]", "", text).splitlines():
        found = LINE.fullmatch(line)
        if found is None:
            continue
        name, value = found[1].upper(), found[3]
        if name == "BEGIN":
            inside.append(value.upper())
            parts = {} if inside[-1] == "VEVENT" else parts
        elif name == "END":
            if inside and inside.pop() == "VEVENT":
                yield parts
        elif inside and inside[-1] == "VEVENT":
            parts.setdefault(name, []).append((_parameters(found[2]), value))


def _parameters(text: str) -> Mapping[str, str]:
    pairs = (one.partition("=") for one in re.findall(r';([^=;]+="[^"]*"|[^=;]+=[^;]*)', text))
    return {name.upper(): value.strip('"') for name, _, value in pairs}


def _event(parts: Mapping[str, list[Part]]) -> Event:
    start = parts["DTSTART"][0]
    begins, all_day = _moment(*start), _is_day(*start)
    return {
        "id": _one(parts, "UID") or _missing("UID"),
        "summary": _one(parts, "SUMMARY"),
        "description": _one(parts, "DESCRIPTION"),
        "location": _one(parts, "LOCATION"),
        "start": begins,
        "end": _end(parts, begins, all_day),
        "all_day": all_day,
        "status": _one(parts, "STATUS").lower() or "confirmed",
        "busy": _one(parts, "TRANSP").upper() != "TRANSPARENT",
        "attendees": [value.partition(":")[2] or value for _, value in parts.get("ATTENDEE", ())],
        "url": _one(parts, "URL"),
    }


def _end(parts: Mapping[str, list[Part]], begins: float, all_day: bool) -> float:
    """As it is said, by a moment or a length; without either a day lasts a day, and a moment no time."""
    if "DTEND" in parts:
        return _moment(*parts["DTEND"][0])
    if "DURATION" in parts:
        return begins + _seconds(parts["DURATION"][0][1])
    return begins + DAY if all_day else begins


def _one(parts: Mapping[str, list[Part]], name: str) -> str:
    found = parts.get(name)
    return re.sub(r"\\[nN,;\\]", lambda escape: ESCAPED[escape[0]], found[0][1]) if found else ""


def _missing(name: str) -> str:
    raise LookupError(name)


def _is_day(parameters: Mapping[str, str], value: str) -> bool:
    return parameters.get("VALUE", "").upper() == "DATE" or len(value) == len("20260131")


def _moment(parameters: Mapping[str, str], value: str) -> float:
    """Epoch seconds; a zone that this machine does not know is taken for UTC."""
    if _is_day(parameters, value):
        return datetime.strptime(value, "%Y%m%d").replace(tzinfo=UTC).timestamp()
    read = datetime.strptime(value.removesuffix("Z"), "%Y%m%dT%H%M%S")  # noqa: DTZ007 - the zone is set below
    zone = UTC if value.endswith("Z") else _zone(parameters.get("TZID", ""))
    return read.replace(tzinfo=zone).timestamp()


def _zone(name: str) -> ZoneInfo | timezone:
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def _seconds(length: str) -> float:
    found = LENGTH.fullmatch(length)
    if found is None:
        raise ValueError(f"{length!r} is no length of time")
    weeks, days, hours, minutes, seconds = (int(one or 0) for one in found.groups()[1:])
    span = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds).total_seconds()
    return -span if found[1] else span


def _plain(told: str) -> str:
    return re.sub(r"[-:]", "", told)


def _escaped(text: str) -> str:
    return re.sub(r"[\\;,]", lambda sign: f"\\{sign[0]}", text).replace("\r\n", "\n").replace("\n", "\\n")


def _folded(line: str) -> str:
    """A line in pieces that are short enough in bytes, and cut no character."""
    pieces, piece = [], ""
    for sign in line:
        if len((piece + sign).encode()) > FOLDED:
            pieces.append(piece)
            piece = ""
        piece += sign
    return "\r\n ".join([*pieces, piece])
