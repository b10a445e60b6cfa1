"""Whether a value is what an input asks for, and what typed text means as one."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from engine.model.lazy_dataclass import dataclass
from engine.model.skill import Input, InputType

LONGEST_MATCHED = 10_000
"""A pattern is not tried on text longer than this many characters."""

_TRUE = frozenset({"true", "yes", "on", "1"})
_FALSE = frozenset({"false", "no", "off", "0"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a value must be: the rules an input and the elements of an array share."""

    type: InputType | None = None
    enum: tuple[Any, ...] = ()
    pattern: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    items: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, asked: Input) -> Wanted:
        """The rules of an input."""
        return cls(
            type=asked.type,
            enum=asked.enum,
            pattern=asked.pattern,
            minimum=asked.minimum,
            maximum=asked.maximum,
            items=asked.items,
        )

    @classmethod
    def written(cls, rules: Mapping[str, Any]) -> Wanted:
        """The rules as an author wrote them (an `items` mapping, or a whole input)."""
        return cls(
            type=InputType(rules["type"]) if "type" in rules else None,
            enum=tuple(rules.get("enum", ())),
            pattern=rules.get("pattern"),
            minimum=rules.get("minimum"),
            maximum=rules.get("maximum"),
            items=rules.get("items"),
        )

    def __str__(self) -> str:
        """What is wanted, to be read after "wants"."""
        noun = _NOUNS[self.type] if self.type else "a value"
        rules = [
            f"one of {', '.join(_shown(choice) for choice in self.enum)}" if self.enum else "",
            f"matching {self.pattern}" if self.pattern is not None else "",
            f"at least {self.minimum:g}" if self.minimum is not None else "",
            f"at most {self.maximum:g}" if self.maximum is not None else "",
            f"each element {Wanted.written(self.items)}" if self.items else "",
        ]
        return ", ".join([noun, *filter(None, rules)])


_NOUNS: Mapping[InputType, str] = {
    InputType.STRING: "text",
    InputType.INTEGER: "a whole number",
    InputType.NUMBER: "a number",
    InputType.BOOLEAN: "true or false",
    InputType.ARRAY: "a list",
    InputType.OBJECT: "a mapping",
}


class UnfitError(ValueError):
    """A value is not what is wanted; the message says how, to be read after the value."""


def fit(value: Any, wanted: Wanted) -> Any:
    """`value` in the wanted type (3.0 for a whole number becomes 3); UnfitError when it breaks a rule."""
    value = _typed(value, wanted.type)
    if wanted.enum and not any(_same(value, choice) for choice in wanted.enum):
        raise UnfitError("is not one of them")
    if isinstance(value, str) and wanted.pattern is not None:
        _match(value, wanted.pattern)
    if isinstance(value, int | float) and not isinstance(value, bool):
        _in_range(value, wanted)
    if isinstance(value, list) and wanted.items:
        return [_element(number, inner, Wanted.written(wanted.items)) for number, inner in enumerate(value, start=1)]
    return value


def from_typed(text: str, wanted: Wanted) -> Any:
    """What text from a command line means as the wanted type; UnfitError when it cannot mean that."""
    reader = _READERS.get(wanted.type) if wanted.type else None
    if reader is not None:
        return reader(text)
    if wanted.type is InputType.ARRAY:
        return _list_from(text, wanted)
    return text


def _typed(value: Any, kind: InputType | None) -> Any:
    if kind is InputType.INTEGER and isinstance(value, float) and value.is_integer():
        return int(value)
    if kind is not None and not _is(value, kind):
        raise UnfitError("is of another type")
    if isinstance(value, float) and not math.isfinite(value):
        raise UnfitError("is not a finite number")
    return value


def _is(value: Any, kind: InputType) -> bool:
    if isinstance(value, bool):
        return kind is InputType.BOOLEAN
    return isinstance(value, _PYTHON[kind])


_PYTHON: Mapping[InputType, type | tuple[type, ...]] = {
    InputType.STRING: str,
    InputType.INTEGER: int,
    InputType.NUMBER: (int, float),
    InputType.BOOLEAN: bool,
    InputType.ARRAY: list,
    InputType.OBJECT: dict,
}


def _same(value: Any, choice: Any) -> bool:
    # True == 1 in Python, but not to an author.
    return bool(value == choice) and isinstance(value, bool) is isinstance(choice, bool)


def _match(text: str, pattern: str) -> None:
    if len(text) > LONGEST_MATCHED:
        raise UnfitError(f"is longer than {LONGEST_MATCHED} characters")
    if re.fullmatch(pattern, text) is None:
        raise UnfitError("does not match")


def _in_range(value: float, wanted: Wanted) -> None:
    if wanted.minimum is not None and value < wanted.minimum:
        raise UnfitError("is too small")
    if wanted.maximum is not None and value > wanted.maximum:
        raise UnfitError("is too large")


def _element(number: int, value: Any, wanted: Wanted) -> Any:
    try:
        return fit(value, wanted)
    except UnfitError as error:
        raise UnfitError(f"has an element ({number}) that {error}") from error


def _whole_from(text: str) -> int:
    try:
        return int(text.strip())
    except ValueError:
        raise UnfitError("is no whole number") from None


def _number_from(text: str) -> float:
    try:
        return int(text.strip())
    except ValueError:
        pass
    try:
        return float(text.strip())
    except ValueError:
        raise UnfitError("is no number") from None


def _truth_from(text: str) -> bool:
    word = text.strip().lower()
    if word not in _TRUE | _FALSE:
        raise UnfitError("is neither true nor false")
    return word in _TRUE


def _json_from(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise UnfitError("is no JSON") from None


def _list_from(text: str, wanted: Wanted) -> Any:
    if text.lstrip().startswith("["):
        return _json_from(text)
    element = Wanted.written(wanted.items or {})
    return [from_typed(word.strip(), element) for word in text.split(",") if word.strip()]


_READERS: Mapping[InputType, Callable[[str], Any]] = {
    InputType.INTEGER: _whole_from,
    InputType.NUMBER: _number_from,
    InputType.BOOLEAN: _truth_from,
    InputType.OBJECT: _json_from,
}


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
