"""The methods and fields of values that expressions and templates may use: none of them changes a value."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from engine.sandbox.limits import Exceeded, Meter, Refused
from engine.sandbox.operators import bounded_text
from engine.sandbox.values import CONTAINERS, adopt, kind, measured

_TEXT_WORDS: Final = (
    "capitalize casefold center count endswith find index isalnum isalpha isascii isdecimal isdigit isidentifier "
    "islower isnumeric isspace istitle isupper join ljust lower lstrip partition removeprefix removesuffix replace "
    "rfind rindex rjust rpartition rsplit rstrip split splitlines startswith strip swapcase title upper zfill"
)
_TEXT: Final = frozenset(_TEXT_WORDS.split())
_SET: Final = frozenset(
    ["difference", "intersection", "isdisjoint", "issubset", "issuperset", "symmetric_difference", "union"]
)
_DATE: Final = frozenset(["isoformat", "isoweekday", "strftime", "weekday"])
_ALLOWED: Final[Mapping[type, frozenset[str]]] = {
    str: _TEXT,
    dict: frozenset({"get", "items", "keys", "values"}),
    list: frozenset({"count", "index"}),
    tuple: frozenset({"count", "index"}),
    set: _SET,
    frozenset: _SET,
    float: frozenset({"is_integer"}),
    date: _DATE,
    datetime: _DATE | {"astimezone", "date", "time", "timestamp"},
    time: frozenset({"isoformat", "strftime"}),
    timedelta: frozenset({"total_seconds"}),
}
_FIELDS: Final[Mapping[type, frozenset[str]]] = {
    date: frozenset({"year", "month", "day"}),
    datetime: frozenset({"year", "month", "day", "hour", "minute", "second", "microsecond", "tzinfo"}),
    time: frozenset({"hour", "minute", "second", "microsecond"}),
    timedelta: frozenset({"days", "seconds", "microseconds"}),
}
METHODS: Final = frozenset(name for names in _ALLOWED.values() for name in names)

_INSTEAD: Final = {
    "format": 'join texts with + or ~, or use "..." | format(...)',
    "format_map": 'join texts with + or ~, or use "..." | format(...)',
    "append": "a list is changed in a compute step; here write a + [x]",
    "extend": "a list is changed in a compute step; here write a + b",
    "insert": "a list is changed in a compute step",
    "sort": "write sorted(a)",
    "reverse": "write a[::-1]",
    "pop": "a value is changed in a compute step",
    "remove": "a value is changed in a compute step",
    "update": "a mapping is changed in a compute step; here write a | b",
    "setdefault": "a mapping is changed in a compute step; read with get",
    "clear": "a value is changed in a compute step",
    "popitem": "a value is changed in a compute step",
    "encode": "bytes are not available; keep text",
    "translate": "use replace, or a compute step",
    "maketrans": "use replace, or a compute step",
}
_LONG: Final = 10_000
_STRIPPED: Final = 256
_COMPARED: Final = 20_000_000
_NUMBERED_DIRECTIVE: Final = r"%[-_0^#+]*\d"


def field(value: Any, name: str) -> Any:
    """The field `name` of a date or a span of time; Refused, with the way out, when there is none."""
    if name in _FIELDS.get(type(value), ()):
        return getattr(value, name)
    if name in _ALLOWED.get(type(value), ()):
        raise Refused(f"{name} is a function of {kind(value)}", f"call it: .{name}(...)")
    raise no_member(value, name)


def no_member(value: Any, name: str) -> Refused:
    """The refusal of a name that `value` does not have."""
    if name.startswith("_"):
        return Refused(f"{name} is not available", "names that start with _ do not exist here")
    if name in _INSTEAD and type(value) in (str, list, tuple, dict, set, frozenset):
        return Refused(f".{name} is not available", _INSTEAD[name])
    if value is None:
        return Refused(f"this is None, so it has no {name}", "ask first: x and x.y, or x | default(...)")
    if type(value) is dict:
        return _no_key(value, name)
    return Refused(f"{kind(value)} has no {name}", "see docs/expressions.md for what there is")


def no_method(name: str) -> Refused:
    """The refusal of a method that no value has, found before anything is evaluated."""
    from difflib import get_close_matches  # noqa: PLC0415 - late: only when an error is told

    if name.startswith("_"):
        return no_member(None, name)
    near = get_close_matches(name, METHODS, 1)
    hint = _INSTEAD.get(name) or (f"did you mean .{near[0]}(...)?" if near else "see docs/expressions.md")
    return Refused(f".{name} is not available", hint)


def _no_key(value: Mapping[Any, Any], name: str) -> Refused:
    from difflib import get_close_matches  # noqa: PLC0415 - late: only when an error is told

    known = [str(key) for key in list(value)[:200]]
    near = get_close_matches(name, known, 1)
    if near:
        return Refused(f"there is no key {name}", f"did you mean {near[0]}?")
    listed = ", ".join(known[:8]) + (", ..." if len(known) > 8 else "")  # noqa: PLR2004 - as many as fit a line
    return Refused(f"there is no key {name}", f"there are: {listed}" if known else "the mapping is empty")


def call_method(meter: Meter, value: Any, name: str, args: list[Any], options: dict[str, Any]) -> Any:
    """What `value.name(*args)` gives, if it is allowed; the result is counted."""
    if name not in _ALLOWED.get(type(value), ()):
        raise no_member(value, name)
    if type(value) is str and len(value) > _LONG:
        meter.look()
    bound = _BOUNDED.get(name)
    if bound is not None:
        bound(meter, value, args, options)
    if name == "join":
        args = [[adopt(element) for element in args[0]]] if args and type(args[0]) in CONTAINERS else args
    result = getattr(value, name)(*args, **options)
    if name in ("items", "keys", "values"):
        result = list(result)
    return counted(meter, result)


def counted(meter: Meter, result: Any) -> Any:
    """A value just built, counted."""
    if type(result) is str:
        meter.charge(len(result))
    elif type(result) in CONTAINERS:
        meter.charge_elements(len(result))
    return result


def _join(meter: Meter, value: str, args: list[Any], _options: dict[str, Any]) -> None:
    if args and type(args[0]) in CONTAINERS:
        texts = [element for element in args[0] if type(element) is str]
        bounded_text(meter, sum(map(len, texts)) + len(value) * len(texts))


def _replace(meter: Meter, value: Any, args: list[Any], _options: dict[str, Any]) -> None:
    if len(args) > 1 and type(value) is str and type(args[0]) is str and type(args[1]) is str:
        growth = max(len(args[1]) - len(args[0]), 0)
        if growth:
            bounded_text(meter, len(value) + growth * value.count(args[0]))


def _pad(meter: Meter, _value: str, args: list[Any], options: dict[str, Any]) -> None:
    width = args[0] if args else options.get("width", 0)
    if type(width) is int:
        bounded_text(meter, max(width, 0))


def _date_format(_meter: Meter, _value: Any, args: list[Any], options: dict[str, Any]) -> None:
    for pattern in (*args, *options.values()):
        if type(pattern) is str and (len(pattern) > 200 or re.search(_NUMBERED_DIRECTIVE, pattern)):  # noqa: PLR2004 - a line
            raise Exceeded("this date format is too long or has a width", "use plain directives: %Y-%m-%d %H:%M")


def _strip(_meter: Meter, _value: str, args: list[Any], _options: dict[str, Any]) -> None:
    """Python looks through all the characters to strip for each character of the text."""
    if args and type(args[0]) is str and len(args[0]) > _STRIPPED:
        raise Exceeded(f"more than {_STRIPPED} characters are to be stripped", "use removeprefix or removesuffix")


def _backwards(_meter: Meter, value: str, args: list[Any], options: dict[str, Any]) -> None:
    """Python's search from the end takes the product of both lengths at worst."""
    for sought in (*args, *options.values()):
        if type(sought) is str and len(sought) * len(value) > _COMPARED:
            raise Exceeded("this search from the end is too long", "search for less, or from the start")


def _searched(meter: Meter, value: Any, args: list[Any], _options: dict[str, Any]) -> None:
    if type(value) is not str:
        measured([value, *args], meter)


def _hashed(meter: Meter, _value: Any, args: list[Any], _options: dict[str, Any]) -> None:
    for argument in args:
        measured(argument, meter)


_BOUNDED: Final[Mapping[str, Callable[[Meter, Any, list[Any], dict[str, Any]], None]]] = {
    "join": _join,
    "replace": _replace,
    "center": _pad,
    "ljust": _pad,
    "rjust": _pad,
    "zfill": _pad,
    "strftime": _date_format,
    "count": _searched,
    "index": _searched,
    **dict.fromkeys(("strip", "lstrip", "rstrip"), _strip),
    **dict.fromkeys(("rfind", "rindex", "rsplit", "rpartition"), _backwards),
    "get": _hashed,
    **dict.fromkeys(_SET, _hashed),
}
