"""Filters and tests, the same in expressions and templates; every one is measured."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final

from engine.model.outcome import Absent
from engine.sandbox.functions import FUNCTIONS, elements
from engine.sandbox.limits import Exceeded, Meter, Refused
from engine.sandbox.methods import call_method, counted
from engine.sandbox.operators import bounded_text, compare
from engine.sandbox.values import CONTAINERS, KEYS, adopt, kind, measured, text_of


class Missing:
    """Stands for what a name chain does not lead to; `refused` says why, worked out only when it is used."""

    __slots__ = ("why",)

    def __init__(self, why: Callable[[], Refused]) -> None:
        self.why = why

    @property
    def refused(self) -> Refused:
        """What is raised when it is used."""
        return self.why()


def has_value(value: Any) -> bool:
    """Whether `value` is something: not a missing name and not an output without a value."""
    return not isinstance(value, Missing | Absent)


def _default(_meter: Meter, value: Any, instead: Any = "", boolean: Any = False) -> Any:
    if value is None or not has_value(value) or (boolean and not value):
        return instead
    return value


def _length(meter: Meter, value: Any) -> Any:
    return FUNCTIONS["len"](meter, value)


def _join(meter: Meter, value: Any, between: Any = "", attribute: Any = None) -> str:
    given = elements(meter, value)
    parts = [text_of(_reached(element, attribute) if attribute else element, meter) for element in given]
    separator = text_of(between, meter)
    bounded_text(meter, sum(map(len, parts)) + len(separator) * len(parts))
    return separator.join(parts)


def _text_method(name: str) -> Callable[..., Any]:
    def apply(meter: Meter, value: Any, *args: Any) -> Any:
        return call_method(meter, text_of(value, meter), name, list(args), {})

    return apply


_DIRECTIVE: Final = r"%(?:\((\w+)\))?([-+ 0#]*)(\d{0,3})(?:\.(\d{1,2}))?([sdifgxr%])|%"


def _format(meter: Meter, value: Any, *args: Any, **options: Any) -> str:
    """Fills `%s`, `%d`, `%05.1f` of a text; widths have at most three digits."""
    pattern = text_of(value, meter)
    if pattern.count("%") > 100:  # noqa: PLR2004 - a generous line
        raise Exceeded("this format has more than 100 fields", "build the text in parts")
    given = iter(args)

    def fill(found: re.Match[str]) -> str:
        name, flags, width, precision, letter = found.groups()
        if letter is None:
            raise Refused("this format has a field that is not available", "use %s, %d, %.2f; %% is a percent sign")
        if letter == "%":
            return "%"
        argument = options[name] if name in options else next(given)
        directive = f"%{flags}{width}{'.' + precision if precision else ''}{letter}"
        return str(directive % (text_of(argument, meter) if letter in "sr" else argument,))

    try:
        text = re.sub(_DIRECTIVE, fill, pattern)
    except StopIteration:
        raise Refused("this format has more fields than values", "give one value per %s") from None
    meter.charge(len(text))
    return text


def _string(meter: Meter, value: Any) -> str:
    return text_of(value, meter)


def _trim(meter: Meter, value: Any, characters: Any = None) -> Any:
    return call_method(meter, text_of(value, meter), "strip", [characters], {})


def _first(meter: Meter, value: Any) -> Any:
    return _at(meter, value, 0)


def _last(meter: Meter, value: Any) -> Any:
    return _at(meter, value, -1)


def _at(meter: Meter, value: Any, index: int) -> Any:
    given = elements(meter, value)
    if not given:
        return Missing(lambda: Refused(f"{kind(value)} without elements has no first or last", "add | default(...)"))
    return given[index]


def _whole(meter: Meter, value: Any, default: Any = 0) -> Any:
    try:
        return FUNCTIONS["int"](meter, value)
    except (TypeError, ValueError, OverflowError):
        return default


def _fraction(meter: Meter, value: Any, default: Any = 0.0) -> Any:
    try:
        return FUNCTIONS["float"](meter, value)
    except (TypeError, ValueError, OverflowError):
        return default


def _sort(meter: Meter, value: Any, reverse: Any = False, attribute: Any = None) -> list[Any]:
    if attribute is None:
        return list(FUNCTIONS["sorted"](meter, value, reverse=reverse))
    given = measured(elements(meter, value), meter)
    meter.steps_at_once(len(given))
    return sorted(given, key=lambda element: _reached(element, attribute), reverse=bool(reverse))


def _unique(meter: Meter, value: Any) -> list[Any]:
    kept: dict[Any, Any] = {}
    for element in measured(elements(meter, value), meter):
        kept.setdefault(element if type(element) in KEYS else repr(element), element)
    return list(kept.values())


def _items(meter: Meter, value: Any) -> Any:
    return call_method(meter, value, "items", [], {})


def _reached(value: Any, path: Any) -> Any:
    for name in text_path(path):
        value = adopt(value[name] if type(value) is dict else value[int(name)])
    return value


def text_path(path: Any) -> list[str]:
    """The parts of `"spec.image"`; Refused for what is no text."""
    if type(path) is not str:
        raise Refused(f"attribute is a text, not {kind(path)}", "write attribute='key'")
    return path.split(".")


def _map(meter: Meter, value: Any, name: Any = None, *, attribute: Any = None, default: Any = None) -> list[Any]:
    given = elements(meter, value)
    if attribute is None:
        return [apply_filter(meter, text_path(name)[0], element, [], {}) for element in given]
    found = []
    for element in given:
        meter.step()
        try:
            found.append(_reached(element, attribute))
        except (KeyError, IndexError, TypeError, ValueError):
            if default is None:
                raise
            found.append(default)
    return found


def _select(meter: Meter, value: Any, path: Any, sign: Any = None, other: Any = None) -> list[Any]:
    return [element for element in elements(meter, value) if _chosen(meter, element, path, sign, other)]


def _reject(meter: Meter, value: Any, path: Any, sign: Any = None, other: Any = None) -> list[Any]:
    return [element for element in elements(meter, value) if not _chosen(meter, element, path, sign, other)]


_SIGNS: Final = {"equalto": "==", "eq": "==", "==": "==", "ne": "!=", "!=": "!=", "in": "in", "gt": ">", "lt": "<"}


def _chosen(meter: Meter, element: Any, path: Any, sign: Any, other: Any) -> bool:

    meter.step()
    try:
        found = _reached(element, path)
    except (KeyError, IndexError, TypeError, ValueError):
        found = Missing(lambda: Refused(f"an element has no {path}"))
    if sign is None:
        return has_value(found) and bool(found)
    if sign in TESTS_BY_NAME:
        return TESTS_BY_NAME[sign](found)
    if sign not in _SIGNS:
        raise Refused(f"{sign} is no comparison", "use equalto, ne, in, gt, lt or defined")
    return has_value(found) and compare(meter, _SIGNS[sign], found, other)


def _indent(meter: Meter, value: Any, width: Any = 4, first: Any = False) -> str:
    text = text_of(value, meter)
    if type(width) is not int or not 0 <= width <= 80:  # noqa: PLR2004 - a terminal's width
        raise Exceeded("indent is a number from 0 to 80", "indent by less")
    bounded_text(meter, len(text) + width * (text.count("\n") + 1))
    indented = text.replace("\n", "\n" + " " * width)
    return " " * width + indented if first else indented


def _truncate(meter: Meter, value: Any, length: Any = 80, *_rest: Any) -> Any:
    return FUNCTIONS["shorten"](meter, text_of(value, meter), length)


def _split(meter: Meter, value: Any, between: Any = None) -> Any:
    return call_method(meter, text_of(value, meter), "split", [between], {})


_NAMED: Final[Mapping[str, Callable[..., Any]]] = {
    **{name: _text_method(name) for name in ("capitalize", "lower", "replace", "title", "upper")},
    **{name: FUNCTIONS[name] for name in ("abs", "list", "max", "min", "round", "sum", "tojson")},
    **{name: FUNCTIONS[name] for name in ("basename", "dirname", "first_line", "fromjson", "last_line", "lines")},
    **{name: FUNCTIONS[name] for name in ("between", "shorten", "slug", "bool")},
    "count": _length,
    "d": _default,
    "default": _default,
    "first": _first,
    "float": _fraction,
    "format": _format,
    "indent": _indent,
    "int": _whole,
    "items": _items,
    "join": _join,
    "last": _last,
    "length": _length,
    "map": _map,
    "rejectattr": _reject,
    "reverse": FUNCTIONS["reversed"],
    "selectattr": _select,
    "sort": _sort,
    "split": _split,
    "string": _string,
    "trim": _trim,
    "truncate": _truncate,
    "unique": _unique,
}
FILTERS: Final = frozenset(_NAMED)
ON_MISSING: Final = frozenset({"default", "d"})
"""The filters that may be given a name without value."""

TESTS_BY_NAME: Final[Mapping[str, Callable[[Any], bool]]] = {
    "defined": has_value,
    "undefined": lambda value: not has_value(value),
    "none": lambda value: value is None or type(value) is Absent,
    "string": lambda value: type(value) is str,
    "number": lambda value: type(value) in (int, float),
    "integer": lambda value: type(value) is int,
    "float": lambda value: type(value) is float,
    "boolean": lambda value: type(value) is bool,
    "true": lambda value: value is True,
    "false": lambda value: value is False,
    "mapping": lambda value: type(value) is dict,
    "sequence": lambda value: type(value) in (list, tuple, str),
    "iterable": lambda value: type(value) in CONTAINERS or type(value) is str,
}


def apply_filter(meter: Meter, name: str, value: Any, args: list[Any], options: dict[str, Any]) -> Any:
    """`value | name(args)`; a name without value is refused by all but `default`."""
    if name not in ON_MISSING:
        if isinstance(value, Missing):
            raise value.refused
        value = None if type(value) is Absent else value
    result = _NAMED[name](meter, value, *args, **options)
    if name in ON_MISSING:
        return result
    return counted(meter, result) if not isinstance(result, date | Missing) else result
