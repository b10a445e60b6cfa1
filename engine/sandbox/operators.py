"""Operators that cannot be made to build or compare more than is allowed."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, Final

from engine.model.outcome import Absent
from engine.sandbox.limits import ELEMENT, TEXT_CHARACTERS, WHOLE_NUMBER_BITS, Exceeded, Meter, Refused
from engine.sandbox.values import CONTAINERS, SCALARS, kind, measured, text_of

_SEQUENCES: Final = frozenset({list, tuple})
_LONG: Final = 1_000
_REMAINDER_HINT: Final = 'join texts with + or ~, or use "..." | format(...)'


def add(meter: Meter, left: Any, right: Any) -> Any:
    """`left + right`: numbers, texts, lists, dates."""
    if type(left) is str and type(right) is str:
        bounded_text(meter, len(left) + len(right))
    elif type(left) in _SEQUENCES:
        meter.charge_elements(len(left) + (len(right) if type(right) in _SEQUENCES else 0))
    return small(left + right) if type(left) is type(right) or not _mixed(left, right) else _cannot("+", left, right)


def _mixed(left: Any, right: Any) -> bool:
    return type(left) in (str, list, tuple) or type(right) in (str, list, tuple)


def _cannot(sign: str, left: Any, right: Any) -> Any:
    texts = str in (type(left), type(right))
    raise Refused(f"{kind(left)} {sign} {kind(right)} does not work", "make both a text: str(x)" if texts else "")


def multiply(meter: Meter, left: Any, right: Any) -> Any:
    """`left * right`; repeated texts and lists are counted before they are built."""
    if type(right) in (str, list, tuple):
        left, right = right, left
    if type(left) in (str, list, tuple):
        if type(right) not in (int, bool):
            return _cannot("*", left, right)
        count = max(right, 0) * len(left)
        if type(left) is str:
            bounded_text(meter, count)
        else:
            _bounded_list(meter, count)
        return left * right
    if type(left) is int and type(right) is int and left.bit_length() + right.bit_length() > WHOLE_NUMBER_BITS:
        raise Exceeded("this whole number becomes too long", "numbers may have up to 2,400 digits")
    return left * right


def _bounded_list(meter: Meter, count: int) -> None:
    meter.charge_elements(count)


def bounded_text(meter: Meter, length: int) -> None:
    """Counts a text of `length` characters before it is built."""
    if length > TEXT_CHARACTERS:
        raise Exceeded(f"this text becomes longer than {TEXT_CHARACTERS:,} characters", "build less text")
    meter.charge(length)


def small(value: Any) -> Any:
    """`value`, or Exceeded when it is a whole number that has grown too long."""
    if type(value) is int and value.bit_length() > WHOLE_NUMBER_BITS:
        raise Exceeded("this whole number becomes too long", "numbers may have up to 2,400 digits")
    return value


def remainder(_meter: Meter, left: Any, right: Any) -> Any:
    """`left % right` of numbers; formatting text with % is refused."""
    if type(left) is str:
        raise Refused("formatting text with % is not available", _REMAINDER_HINT)
    return left % right


def merge(meter: Meter, left: Any, right: Any) -> Any:
    """`left | right`: two mappings, two sets, two whole numbers."""
    if type(left) in (dict, set, frozenset):
        meter.charge_elements(len(left) + (len(right) if type(right) in (dict, set, frozenset) else 0))
    return left | right


def concatenate(meter: Meter, left: Any, right: Any) -> str:
    """`left ~ right`: both as text, one after the other."""
    first, second = text_of(left, meter), text_of(right, meter)
    bounded_text(meter, len(first) + len(second))
    return first + second


def no_power(_meter: Meter, _left: Any, _right: Any) -> Any:
    """Refused: a power can be as long as one likes."""
    raise Refused("** is not available", "multiply, or use a compute step")


def _plain(function: Callable[[Any, Any], Any]) -> Callable[[Meter, Any, Any], Any]:
    def apply(_meter: Meter, left: Any, right: Any) -> Any:
        return function(left, right)

    return apply


BINARY: Final[dict[str, Callable[[Meter, Any, Any], Any]]] = {
    "+": add,
    "-": _plain(operator.sub),
    "*": multiply,
    "/": _plain(operator.truediv),
    "//": _plain(operator.floordiv),
    "%": remainder,
    "**": no_power,
    "|": merge,
    "&": _plain(operator.and_),
    "^": _plain(operator.xor),
    "@": concatenate,
}
UNARY: Final[dict[str, Callable[[Any], Any]]] = {"-": operator.neg, "+": operator.pos, "not": operator.not_}

_COMPARISONS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "in": lambda left, right: operator.contains(right, left),
    "not in": lambda left, right: not operator.contains(right, left),
    "is": lambda left, right: left is right,
    "is not": lambda left, right: left is not right,
}


def compare(meter: Meter, sign: str, left: Any, right: Any) -> bool:
    """Whether `left sign right` holds; two containers are measured first, since comparing walks through both."""
    left = None if type(left) is Absent else left
    right = None if type(right) is Absent else right
    if type(right) in CONTAINERS and type(left) in SCALARS:
        _seek(meter, sign, left, right)
    elif CONTAINERS & {type(left), type(right)} and not (type(right) in SCALARS and type(left) in CONTAINERS):
        measured(left, meter)
        measured(right, meter)
    return bool(_COMPARISONS[sign](left, right))


def _seek(meter: Meter, sign: str, left: Any, right: Any) -> None:
    """Counts what looking for `left` in the elements of `right` takes: long texts are compared to their ends."""
    if sign not in ("in", "not in") or type(right) is dict:
        return
    if type(left) is str and len(left) > _LONG:
        measured(right, meter)
    else:
        meter.charge(ELEMENT * len(right))
