"""Whether a value is what was expected, and if not, where they part.

`{contains: ...}` and `{matches: ...}` may stand wherever a value may; `{equals: ...}` is for a value that looks like
one of these itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from datetime import date
from typing import Any

from engine.model.lazy_dataclass import dataclass

LONGEST = 300
"""Characters of a value that a sentence shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """Where a value is not as expected: `way` inside it (`.tests.passed`), and both sides where they compare."""

    way: str
    message: str
    sides: tuple[Any, Any] | None = None


def mismatches(expected: Any, got: Any, *, way: str = "") -> Iterator[Mismatch]:
    """Every place at which `got` is not what was expected; nothing when it is."""
    got = comparable(got)
    match expected:
        case {"equals": value, **others} if not others:
            yield from _equal(value, got, way)
        case {"contains": part, **others} if not others:
            yield from _containing(part, got, way)
        case {"matches": pattern, **others} if not others:
            yield from _matching(pattern, got, way)
        case dict() if isinstance(got, dict):
            yield from _members(expected, got, way)
        case list() if isinstance(got, list) and len(got) == len(expected):
            for index, (wanted, found) in enumerate(zip(expected, got, strict=True)):
                yield from mismatches(wanted, found, way=f"{way}[{index}]")
        case _:
            yield from _equal(expected, got, way)


def fits(expected: Any, got: Any) -> bool:
    """Whether `got` is what was expected."""
    return next(mismatches(expected, got), None) is None


def included(expected: Mapping[str, Any], got: Mapping[str, Any]) -> bool:
    """Whether `got` has every member expected; others may stand beside them."""
    return all(name in got and fits(value, got[name]) for name, value in expected.items())


def shown(value: Any) -> str:
    """A value in a sentence: short, on one line, telling text from number."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def times(number: int) -> str:
    """A number of times, as a sentence says it."""
    return {0: "never", 1: "once", 2: "twice"}.get(number, f"{number} times")


def was_called(number: int) -> str:
    """That something was called a number of times, as a sentence says it."""
    return f"was called {times(number)}" if number else "was never called"


def comparable(value: Any) -> Any:
    """`value` in the types that YAML can write: dates as their texts, sets and tuples as lists."""
    match value:
        case date():
            return value.isoformat()
        case Mapping():
            return {str(key): comparable(inner) for key, inner in value.items()}
        case list() | tuple():
            return [comparable(inner) for inner in value]
        case AbstractSet():
            return sorted((comparable(inner) for inner in value), key=str)
        case _:
            return value


def _members(expected: dict[str, Any], got: dict[str, Any], way: str) -> Iterator[Mismatch]:
    for name, wanted in expected.items():
        if name in got:
            yield from mismatches(wanted, got[name], way=f"{way}.{name}")
        else:
            yield Mismatch(way=f"{way}.{name}", message=f"{name} is missing; there is {_listed(got)}")
    for name, found in got.items():
        if name not in expected:
            yield Mismatch(way=f"{way}.{name}", message=f"{name} was not expected; it is {shown(found)}")


def _listed(got: dict[str, Any]) -> str:
    return ", ".join(got) or "nothing"


def _equal(expected: Any, got: Any, way: str) -> Iterator[Mismatch]:
    if not _same(expected, got):
        yield Mismatch(way=way, message=f"expected {shown(expected)}, got {shown(got)}", sides=(expected, got))


def _same(expected: Any, got: Any) -> bool:
    """Equality as a reader of YAML has it: `true` is not 1, and 1 is 1.0."""
    match expected, got:
        case dict(), dict():
            return expected.keys() == got.keys() and all(_same(expected[key], got[key]) for key in expected)
        case list(), list():
            return len(expected) == len(got) and all(map(_same, expected, got))
        case _:
            return isinstance(expected, bool) is isinstance(got, bool) and bool(expected == got)


def _containing(part: Any, got: Any, way: str) -> Iterator[Mismatch]:
    match part, got:
        case str(), str():
            found = part in got
        case dict(), dict():
            found = included(part, got)
        case _, list():
            found = any(fits(part, each) for each in got)
        case _:
            found = False
    if not found:
        sentence = f"expected something that contains {shown(part)}, got {shown(got)}"
        yield Mismatch(way=way, message=sentence, sides=({"contains": part}, got))


def _matching(pattern: Any, got: Any, way: str) -> Iterator[Mismatch]:
    if not isinstance(got, str) or re.search(str(pattern), got) is None:
        sentence = f"expected a text that matches {pattern}, got {shown(got)}"
        yield Mismatch(way=way, message=sentence, sides=({"matches": pattern}, got))
