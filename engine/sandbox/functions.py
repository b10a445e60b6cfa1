"""The functions an expression or template may call by name."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final

from engine.sandbox import text_helpers
from engine.sandbox.limits import Exceeded, Meter, Refused
from engine.sandbox.values import CONTAINERS, adopt, kind, len_of_number, measured, plain, text_of

LONGEST_RANGE: Final = 100_000
_LONGEST_NUMBER: Final = 2_400
TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "str": (str,),
    "int": (int,),
    "float": (float,),
    "bool": (bool,),
    "list": (list, tuple),
    "tuple": (tuple,),
    "dict": (dict,),
    "set": (set, frozenset),
    "date": (date,),
    "datetime": (datetime,),
}


def elements(meter: Meter, value: Any) -> list[Any]:
    """What a loop over `value` sees: a list's elements, a mapping's keys, a text's characters; else Refused."""
    if type(value) not in CONTAINERS and type(value) is not str:
        raise Refused(f"{kind(value)} cannot be gone through", "give a list, a mapping or a text")
    meter.charge_elements(len(value))
    meter.steps_at_once(len(value) // 8)
    return [adopt(element) for element in value]


def _length(_meter: Meter, value: Any) -> int:
    if type(value) not in CONTAINERS and type(value) is not str:
        raise Refused(f"{kind(value)} has no length", "ask for the length of a text, a list or a mapping")
    return len(value)


def _text(meter: Meter, value: Any = "") -> str:
    return text_of(value, meter)


def _whole(meter: Meter, value: Any = 0, *rest: Any) -> int:
    if type(value) is str and len(value) > _LONGEST_NUMBER:
        raise Exceeded("this text is too long to be a number", "numbers may have up to 2,400 digits")
    number = int(value, *rest)
    len_of_number(number)
    meter.charge(1)
    return number


def _fraction(meter: Meter, value: Any = 0.0) -> float:
    if type(value) is str and len(value) > _LONGEST_NUMBER:
        raise Exceeded("this text is too long to be a number", "numbers may have up to 2,400 digits")
    meter.charge(1)
    return float(value)


def _truth(_meter: Meter, value: Any = False) -> bool:
    return builtins.bool(value)


def _any(meter: Meter, values: Any) -> bool:
    return any(elements(meter, values))


def _all(meter: Meter, values: Any) -> bool:
    return all(elements(meter, values))


def _smallest(meter: Meter, *values: Any, **options: Any) -> Any:
    return _extreme(meter, min, values, options)


def _largest(meter: Meter, *values: Any, **options: Any) -> Any:
    return _extreme(meter, max, values, options)


def _extreme(meter: Meter, choose: Callable[..., Any], values: tuple[Any, ...], options: dict[str, Any]) -> Any:
    if options.keys() - {"default"}:
        raise Refused("only default=... can be given here", "sort or choose by key in a compute step")
    given = elements(meter, values[0]) if len(values) == 1 else list(values)
    return choose(measured(given, meter), **options)


def _sum(meter: Meter, values: Any, start: Any = 0) -> Any:
    total = start
    for value in elements(meter, values):
        if type(value) not in (int, float, bool, timedelta):
            raise Refused(f"{kind(value)} cannot be summed", "sum numbers; join texts with join")
        total = total + value
    if type(total) is int:
        len_of_number(total)
    return total


def _sorted(meter: Meter, values: Any, *, reverse: Any = False) -> list[Any]:
    given = measured(elements(meter, values), meter)
    meter.steps_at_once(len(given))
    return sorted(given, reverse=bool(reverse))


def _range(meter: Meter, *bounds: Any) -> list[int]:
    numbers = range(*bounds)
    if numbers[:LONGEST_RANGE] != numbers:
        raise Exceeded(f"this range has more than {LONGEST_RANGE:,} numbers", "loop over less")
    meter.charge_elements(len(numbers))
    return list(numbers)


def _list(meter: Meter, values: Any = ()) -> list[Any]:
    return elements(meter, values)


def _mapping(meter: Meter, values: Any = (), **options: Any) -> dict[Any, Any]:
    meter.charge_elements(len(options) + (len(values) if type(values) in CONTAINERS else 0))
    return dict(measured(values, meter), **options)


def _set(meter: Meter, values: Any = ()) -> set[Any]:
    return set(measured(elements(meter, values), meter))


def _absolute(_meter: Meter, value: Any) -> Any:
    return abs(value)


def _round(_meter: Meter, value: Any, digits: Any = None) -> Any:
    if type(digits) is int and not -20 <= digits <= 20:  # noqa: PLR2004 - more digits than a float has
        raise Exceeded("round takes between -20 and 20 digits", "give fewer digits")
    return round(value, digits)


def _zip(meter: Meter, *lists: Any) -> list[list[Any]]:
    return [list(group) for group in zip(*[elements(meter, values) for values in lists], strict=False)]


def _enumerate(meter: Meter, values: Any, start: int = 0) -> list[list[Any]]:
    return [[start + index, value] for index, value in enumerate(elements(meter, values))]


def _reversed(meter: Meter, values: Any) -> list[Any]:
    return elements(meter, values)[::-1]


def _helper(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(meter: Meter, *args: Any, **options: Any) -> Any:
        for value in (*args, *options.values()):
            measured(value, meter)
        return _counted(meter, function(*[plain(value) for value in args], **options))

    return call


def _counted(meter: Meter, value: Any) -> Any:
    measured(value, meter)
    meter.containers = meter.containers or type(value) in CONTAINERS
    return value


def _json(meter: Meter, value: Any, indent: Any = None) -> str:
    if indent is not None and (type(indent) is not int or not 0 <= indent <= 8):  # noqa: PLR2004 - wide enough
        raise Exceeded("indent is a number from 0 to 8", "use indent=2")
    return str(_helper(text_helpers.tojson)(meter, value, indent))


def _parsed_json(meter: Meter, text: Any) -> Any:
    if type(text) is not str:
        raise Refused(f"{kind(text)} is no JSON text", "give a text")
    meter.charge(2 * len(text))
    return _helper(text_helpers.fromjson)(meter, text)


TEXT_HELPERS: Final = (
    "basename",
    "dirname",
    "lines",
    "first_line",
    "last_line",
    "shorten",
    "slug",
    "between",
    "fromjson",
)
FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "len": _length,
    "str": _text,
    "int": _whole,
    "float": _fraction,
    "bool": _truth,
    "any": _any,
    "all": _all,
    "min": _smallest,
    "max": _largest,
    "sum": _sum,
    "sorted": _sorted,
    "range": _range,
    "list": _list,
    "tuple": _list,
    "dict": _mapping,
    "set": _set,
    "abs": _absolute,
    "round": _round,
    "zip": _zip,
    "enumerate": _enumerate,
    "reversed": _reversed,
    "tojson": _json,
    **{name: _helper(getattr(text_helpers, name)) for name in TEXT_HELPERS},
    "fromjson": _parsed_json,
}
SPECIAL: Final = frozenset({"now", "isinstance"})
"""Functions that need more than their arguments: the clock, and the names of types."""

NAMES: Final = frozenset({*FUNCTIONS, *SPECIAL})

_INSTEAD: Final = {
    "pow": "multiply, or use a compute step",
    "open": "read files with a tool",
    "eval": "write the expression itself",
    "exec": "use a compute step",
    "print": "text is shown by a step's output",
    "type": "use isinstance(x, str)",
    "getattr": "write x.key or x.get('key')",
    "hasattr": "write 'key' in x, or x.key is defined",
    "map": "write [f(x) for x in list]",
    "filter": "write [x for x in list if ...]",
    "lambda": "use a compute step",
    "dir": "write x is defined",
    "repr": "use str(x) or x | tojson",
    "format": 'join texts with ~, or use "..." | format(...)',
    "next": "write list[0]",
    "import": "use a compute step",
    "__import__": "use a compute step",
    "input": "use an ask step",
    "datetime": "use now(), or a compute step",
    "re": "use a compute step: import re",
    "os": "use a tool",
    "json": "use tojson(x) and fromjson(text)",
}


def unavailable(name: str, known: Iterable[str] = NAMES) -> Refused:
    """The refusal of a function that does not exist, with what to use instead."""
    from difflib import get_close_matches  # noqa: PLC0415 - late: only when an error is told

    near = get_close_matches(name, list(known), 1)
    hint = _INSTEAD.get(name) or (f"did you mean {near[0]}?" if near else "see docs/expressions.md for what there is")
    return Refused(f"{name} is not available", hint)


def instance_of(value: Any, types: Iterable[str]) -> bool:
    """Whether `value` is of one of the types named; True and False are numbers, as in Python."""
    value = plain(value) if type(value) not in CONTAINERS else value
    return any(isinstance(value, TYPES[name]) for name in types)
