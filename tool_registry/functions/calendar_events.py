"""Events of calendars, whoever keeps them: what one is, what one is to be, and spans of time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import TypedDict

from tool_registry.functions.moments import epoch_of, seconds_of
from tool_registry.tool import ToolContext, ToolError

DAY = 86_400.0
LONGEST = 366 * DAY
WHOLE_DAY = r"\d{4}-\d{2}-\d{2}"


class Event(TypedDict):
    """An event; times in epoch seconds (of a whole day: midnight UTC), `busy` whether its time is taken."""

    id: str
    summary: str
    description: str
    location: str
    start: float
    end: float
    all_day: bool
    status: str
    busy: bool
    attendees: list[str]
    url: str


class Place(TypedDict):
    """A calendar; `primary` the one that is meant where none is named."""

    id: str
    name: str
    primary: bool
    writable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """An event that is to be; `uid` is the same whenever the same call is made in the same run."""

    calendar: str
    summary: str
    description: str
    location: str
    start: float
    end: float
    all_day: bool
    attendees: Sequence[str]
    uid: str

    def is_said_by(self, event: Event) -> bool:
        """Whether an event says all of this."""
        said = (event["summary"], event["description"], event["start"], event["end"], event["all_day"])
        return said == (self.summary, self.description, self.start, self.end, self.all_day)


def wanted(
    calendar: str,
    summary: str,
    description: str,
    location: str,
    times: tuple[str, str, str],
    attendees: Sequence[str],
    context: ToolContext,
) -> Wanted:
    """What is to be, from how a caller says it; `times` are the beginning, the end or nothing, and the length.

    Raises:
        ToolError: `usage_error` for times that are none, or that are in the wrong order.
    """
    start, end, length = times
    all_day = re.fullmatch(WHOLE_DAY, start) is not None
    begins = epoch_of(start)
    ends = epoch_of(end) if end else begins + (DAY if all_day else seconds_of(length))
    if not begins < ends <= begins + LONGEST or (all_day and (ends - begins) % DAY):
        message = f"an event lasts up to a year and ends after it begins, not from {start} to {end or length}"
        raise ToolError(message, kind="usage_error", sent=False)
    words = f"{description}\n\n(skill run {context.run_id})".strip() if context.run_id else description
    told = "\n".join([calendar, summary, words, location, str(begins), str(ends), *attendees])
    return Wanted(
        calendar=calendar,
        summary=summary,
        description=words,
        location=location,
        start=begins,
        end=ends,
        all_day=all_day,
        attendees=attendees,
        uid=sha256(told.encode()).hexdigest()[:40],
    )


def span_of(since: float, until: float, *, days: bool = False) -> tuple[str, str]:
    """Both ends as RFC 3339 writes them, or as days."""
    ends = [datetime.fromtimestamp(at, UTC) for at in (since, until)]
    first, last = [f"{at:%Y-%m-%d}" if days else f"{at:%Y-%m-%dT%H:%M:%SZ}" for at in ends]
    return first, last


def free_of(busy: Sequence[tuple[float, float]], since: float, until: float) -> list[tuple[float, float]]:
    """What is left of a span between the times that are taken."""
    left, at = [], since
    for start, end in sorted(busy):
        if at < min(start, until):
            left.append((at, min(start, until)))
        at = max(at, end)
    return [*left, (at, until)] if at < until else left
