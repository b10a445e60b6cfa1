"""The conditions of a sequence: how they are written in `failure_contexts.yaml`, and whether they hold."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from engine.model.lazy_dataclass import dataclass
from engine.model.prevention import Situation

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
UNITS = {"s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}
MOST_CALLS = 5

_SPAN = re.compile(
    r"\s*(<=?|>=?)\s*([0-9]{1,9}(?:\.[0-9]{1,3})?)\s*"
    r"(seconds?|secs?|s|minutes?|mins?|m|hours?|h|days?|d)\s*",
    re.IGNORECASE | re.ASCII,
)
_HOURS = re.compile(r"\s*([0-9]{1,2})\s*-\s*([0-9]{1,2})\s*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Span:
    """A span of time as a condition, `> 4 hours`: `above` or below `seconds`; `equal` when that very value counts."""

    above: bool
    seconds: float
    equal: bool = False

    def holds(self, seconds: float | None) -> bool:
        """Whether a span fulfils it; one that is not known fulfils nothing."""
        if seconds is None:
            return False
        if seconds == self.seconds:
            return self.equal
        return (seconds > self.seconds) is self.above


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """The conditions of one sequence, taken apart; None and empty ones are not asked for."""

    since_wake: Span | None = None
    token_left: Span | None = None
    first_call_of_day: bool | None = None
    first_call_since_wake: bool | None = None
    hours: tuple[int, int] | None = None
    weekdays: frozenset[str] = frozenset()
    last_calls: tuple[str, ...] = ()
    last_failure: str = ""

    def hold(self, situation: Situation) -> bool:
        """Whether all of them hold; none holds for what is not known of the situation."""
        return (
            (self.first_call_of_day is None or situation.first_call_of_day is self.first_call_of_day)
            and self.first_call_since_wake in {None, situation.first_call_since_wake}
            and (self.hours is None or _within(situation.hour, *self.hours))
            and (not self.weekdays or situation.weekday in self.weekdays)
            and (self.since_wake is None or self.since_wake.holds(situation.since_wake))
            and (self.token_left is None or self.token_left.holds(situation.token_left))
            and (not self.last_failure or situation.last_failure == self.last_failure)
            and (not self.last_calls or _just_before(self.last_calls, situation.last_calls))
        )


def conditions(context: Mapping[str, Any]) -> Conditions:
    """The conditions as they are written; ValueError names the key and says how it is written."""
    unknown = sorted(set(context) - set(_READERS))
    if unknown:
        raise ValueError(f"`{unknown[0]}` is no condition; there are {', '.join(_READERS)}")
    read: dict[str, Any] = {_READERS[key][0]: _READERS[key][1](key, value) for key, value in context.items()}
    return Conditions(**read)


def named(pattern: str, name: str) -> bool:
    """Whether a tool's name fits: the same, or `bonfire_*` for all that begin so."""
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern


def _within(hour: int, first: int, end: int) -> bool:
    return first <= hour < end if first < end else hour >= first or hour < end


def _just_before(wanted: tuple[str, ...], calls: tuple[str, ...]) -> bool:
    newest = calls[-len(wanted) :]
    return len(newest) == len(wanted) and all(map(named, wanted, newest))


def _span(key: str, value: Any) -> Span:
    found = _SPAN.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f"`{key}` is written as `> 4 hours` or `< 10 minutes`")
    sign, number, unit = found.groups()
    return Span(above=sign[0] == ">", seconds=float(number) * UNITS[unit[0].lower()], equal=sign.endswith("="))


def _flag(key: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"`{key}` is true or false")  # noqa: TRY004 - what a person wrote, not what a caller passed
    return value


def _hours(key: str, value: Any) -> tuple[int, int]:
    found = _HOURS.fullmatch(value) if isinstance(value, str) else None
    first, end = (int(found[1]), int(found[2])) if found else (0, 0)
    if found is None or first == end or first > 23 or end > 24:  # noqa: PLR2004 - the hours of a day
        raise ValueError(f"`{key}` is written as `6-9`: from six until just before nine")
    return first, end


def _weekdays(key: str, value: Any) -> frozenset[str]:
    if not isinstance(value, list) or not value or any(day not in WEEKDAYS for day in value):
        raise ValueError(f"`{key}` is a list of {', '.join(WEEKDAYS)}")
    return frozenset(value)


def _calls(key: str, value: Any) -> tuple[str, ...]:
    if (
        not isinstance(value, list)
        or not 1 <= len(value) <= MOST_CALLS
        or not all(isinstance(each, str) and each for each in value)
    ):
        raise ValueError(f"`{key}` is a list of one to {MOST_CALLS} tools, oldest first")
    return tuple(value)


def _kind(key: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"`{key}` is the kind of a failure, as `auth_expired`")
    return value


_READERS = {
    "time_since_wake": ("since_wake", _span),
    "first_call_of_day": ("first_call_of_day", _flag),
    "first_call_since_wake": ("first_call_since_wake", _flag),
    "hours": ("hours", _hours),
    "weekdays": ("weekdays", _weekdays),
    "token_time_left": ("token_left", _span),
    "last_calls": ("last_calls", _calls),
    "last_failure": ("last_failure", _kind),
}
