"""The values an author's text may see and build, and how they are measured before anything walks through them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta, timezone
from enum import Enum
from math import isfinite
from types import NoneType
from typing import Any, Final

from engine.model.outcome import Absent
from engine.sandbox.limits import ELEMENT, VALUE_DEPTH, VALUE_NODES, WHOLE_NUMBER_BITS, Exceeded, Meter, Refused

DATES: Final = frozenset({date, datetime, time, timedelta, timezone})
SCALARS: Final = frozenset({str, int, float, bool, NoneType, *DATES})
LISTS: Final = frozenset({list, tuple, set, frozenset})
CONTAINERS: Final = frozenset({*LISTS, dict})
ORDINARY: Final = frozenset({*SCALARS, *CONTAINERS})
KEYS: Final = frozenset({str, int, float, bool, NoneType})

_KINDS: Final = {
    NoneType: "None",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    str: "a text",
    list: "a list",
    tuple: "a list",
    dict: "a mapping",
    set: "a set",
    frozenset: "a set",
    date: "a date",
    datetime: "a date with time",
    time: "a time of day",
    timedelta: "a span of time",
}


def kind(value: Any) -> str:
    """What `value` is, in an author's words: `a text`, `a list`."""
    return _KINDS.get(type(value), f"a {type(value).__name__}")


def adopt(value: Any) -> Any:
    """`value` as a type an author's text may handle; Refused for objects of the program. Absent stays Absent."""
    if type(value) in ORDINARY or type(value) is Absent:
        return value
    if isinstance(value, Enum):
        return adopt(value.value)
    for wanted, make in _PLAIN:
        if isinstance(value, wanted):
            return make(value)
    raise Refused(f"{type(value).__name__} is no value that text may use", "pass plain values: text, numbers, lists")


def _same(value: Any) -> Any:
    return value


_PLAIN: Final[tuple[tuple[type, Callable[[Any], Any]], ...]] = (
    (str, str.__str__),
    (int, int),
    (float, float),
    (date, _same),
    (Mapping, dict),
    (Sequence, list),
)


def measured(value: Any, meter: Meter) -> Any:
    """`value`, after everything in it has been counted; Exceeded when it is too big or deep to walk through.

    A list that holds another twice counts it twice: that is how it would be compared, written or copied.
    """
    if type(value) in SCALARS:
        meter.charge(_size(value))
        return value
    before = meter.containers
    _measure(value, meter, VALUE_DEPTH)
    meter.containers = before
    return value


def _measure(value: Any, meter: Meter, depth: int) -> None:
    if depth == 0:
        raise Exceeded(f"this value is nested deeper than {VALUE_DEPTH} levels", "keep values flat")
    meter.charge_elements(len(value) + 1)
    meter.steps_at_once(1)
    inner: Any = (*value.keys(), *value.values()) if type(value) is dict else value
    for element in inner:
        if type(element) in SCALARS:
            meter.charge(_size(element))
        else:
            adopted = adopt(element)
            if type(adopted) in CONTAINERS:
                _measure(adopted, meter, depth - 1)


def _size(value: Any) -> int:
    if type(value) is str:
        return len(value)
    if type(value) is int:
        return len_of_number(value)
    return ELEMENT


def len_of_number(number: int) -> int:
    """Roughly how many digits `number` has; Exceeded when they are too many to write."""
    if number.bit_length() > WHOLE_NUMBER_BITS:
        raise Exceeded("this whole number is too long", "numbers may have up to 2,400 digits")
    return number.bit_length() // 3 + 1


def text_of(value: Any, meter: Meter) -> str:
    """`value` as text, as `str` writes it, measured first; an absent value reads None."""
    if type(value) is str:
        return value
    if type(value) is Absent:
        return "None"
    text = str(plain(measured(adopt(value), meter)))
    meter.charge(len(text))
    return text


def plain(value: Any) -> Any:
    """`value` with every absent value and program type in it replaced by a plain one."""
    match value:
        case Absent():
            return None
        case dict():
            return {key: plain(inner) for key, inner in value.items()}
        case list():
            return [plain(inner) for inner in value]
        case tuple():
            return tuple(plain(inner) for inner in value)
        case _:
            return adopt(value)


def finished(value: Any, meter: Meter) -> Any:
    """A built `value` as the rest of the engine may have it: JSON types and dates, bounded, tuples as lists."""
    counted = [0]
    return _finish(value, meter, counted, VALUE_DEPTH)


def _finish(value: Any, meter: Meter, counted: list[int], depth: int) -> Any:
    counted[0] += 1
    if counted[0] > VALUE_NODES:
        raise Exceeded(f"this value holds more than {VALUE_NODES:,} values", "return less")
    if depth == 0:
        raise Exceeded(f"this value is nested deeper than {VALUE_DEPTH} levels", "keep values flat")
    if not counted[0] & 0xFF:
        meter.look()
    match value:
        case dict():
            return {_key(key): _finish(inner, meter, counted, depth - 1) for key, inner in value.items()}
        case list() | tuple():
            return [_finish(inner, meter, counted, depth - 1) for inner in value]
        case set() | frozenset():
            raise Refused("a set is no value a step can hand on", "make it a list: sorted(...)")
        case int() if not isinstance(value, bool):
            len_of_number(value)
            return value
        case float() if not isfinite(value):
            raise Refused(f"{value} is no value a step can hand on", "ask for it first, or give None")
        case Absent():
            return None
        case _:
            return adopt(value)


def _key(key: Any) -> Any:
    if type(key) not in KEYS:
        raise Refused(f"{kind(key)} cannot be the key of a mapping that a step hands on", "use a text as key")
    return key
