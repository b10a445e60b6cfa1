"""Plain values as YAML text that every reader, of YAML 1.1 or 1.2, understands the same way."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from math import isfinite, isnan
from typing import Any

from engine.documents.scalars import LONGEST_NUMBER
from engine.errors import DocumentError
from engine.model.lazy_dataclass import dataclass

STEP = 2
"""Spaces a level is indented by."""
_DEEPEST = 200
_LONGEST_KEY = 1000
"""Characters; YAML finds the colon after a key only within 1024."""

_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "~", "=", "<<"})
_NUMBERLIKE = re.compile(r"[-+.]*[0-9][0-9a-fA-FxXoO_.:+\-tTzZ ]*|[-+]?\.(?:inf|nan)", re.IGNORECASE)
_UNSAFE_START = re.compile(r"[-?:,\[\]{}#&*!|>'\"%@`\s]|\.\.\.")
_UNSAFE_INSIDE = re.compile(r":(?:\s|$)|\s#|\s$")
_UNSAFE_IN_FLOW = re.compile(r"[,\[\]{}:]")
_SHORT = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0"}
_BLANKS_IN_LITERAL = re.compile(r"^[ \t]+$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A value in block style: what stands behind the key or dash, and the lines below, not indented yet."""

    inline: str
    below: tuple[str, ...] = ()


def dump(value: Any) -> str:
    """The value as a YAML document; DocumentError for what YAML cannot hold."""
    written = write(value)
    below = map(_indent, written.below) if written.inline else written.below
    return "\n".join([*([written.inline] if written.inline else []), *below]) + "\n"


def write(value: Any, *, depth: int = 0, literal: bool = True) -> Written:
    """The value in block style, a collection wholly in the lines below.

    `literal` False writes texts of several lines in quotes, where a comment below would be taken for their last line.
    """
    _check_depth(depth)
    match value:
        case Mapping() if value:
            return Written(inline="", below=tuple(_mapping(value, depth, literal=literal)))
        case list() | tuple() if value:
            return Written(inline="", below=tuple(_list(value, depth, literal=literal)))
        case str() if literal and "\n" in value and _fits_literal(value):
            return _literal(value)
        case _:
            return Written(inline=flow(value))


def entry(key: str, value: Any, *, depth: int = 0, literal: bool = True) -> list[str]:
    """The lines of `key: value` in a block mapping."""
    inner = write(value, depth=depth + 1, literal=literal)
    indented = [_indent(line) for line in inner.below]
    name = scalar(key)
    if len(name) > _LONGEST_KEY:
        return [f"? {name}", f": {inner.inline}".rstrip(), *indented]
    return [f"{name}: {inner.inline}".rstrip(" "), *indented]


def item(value: Any, *, depth: int = 0, literal: bool = True) -> list[str]:
    """The lines of `- value` in a block list; a collection begins on the line of the dash."""
    inner = write(value, depth=depth + 1, literal=literal)
    if inner.inline:
        return [f"- {inner.inline}", *(_indent(line) for line in inner.below)]
    first, *rest = inner.below
    return [f"- {first}", *(_indent(line) for line in rest)]


def flow(value: Any, *, depth: int = 0) -> str:
    """The value on one line, in flow style where it is a collection."""
    _check_depth(depth)
    match value:
        case Mapping():
            inside = (f"{scalar(key, flow=True)}: {flow(each, depth=depth + 1)}" for key, each in value.items())
            return "{" + ", ".join(inside) + "}"
        case list() | tuple():
            return "[" + ", ".join(flow(each, depth=depth + 1) for each in value) + "]"
        case _:
            return scalar(value, flow=depth > 0)


def scalar(value: Any, *, flow: bool = False) -> str:
    """A text, number, truth value or null on one line, quoted where a reader could take it for something else."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return _integer(int(value))
        case float():
            return _number(value)
        case str():
            return str(value) if reads_plain(value, flow=flow) else double_quoted(value)
        case date():
            return double_quoted(value.isoformat())
        case _:
            raise DocumentError(f"a {type(value).__name__} cannot be written as YAML")


def reads_plain(text: str, *, flow: bool = False) -> bool:
    """Whether every YAML reader takes the unquoted text for this text."""
    return bool(
        text
        and text.isprintable()
        and text.lower() not in _WORDS
        and not _UNSAFE_START.match(text)
        and not _UNSAFE_INSIDE.search(text)
        and not _NUMBERLIKE.fullmatch(text)
        and not (flow and _UNSAFE_IN_FLOW.search(text))
    )


def double_quoted(text: str) -> str:
    """The text in double quotes; DocumentError for half a surrogate pair, which no file can hold."""
    return '"' + "".join(map(_escape, text)) + '"'


def single_quoted(text: str) -> str | None:
    """The text in single quotes, None where they cannot hold it."""
    return "'" + text.replace("'", "''") + "'" if text.isprintable() else None


def _escape(character: str) -> str:
    if character in _SHORT:
        return _SHORT[character]
    if character.isprintable():
        return character
    code = ord(character)
    if 0xD800 <= code <= 0xDFFF:  # noqa: PLR2004 - the surrogates of Unicode
        raise DocumentError(f"half a surrogate pair (U+{code:04X}) cannot be written to a file")
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004


def _integer(value: int) -> str:
    if value.bit_length() > LONGEST_NUMBER * 3:
        raise DocumentError("this number is too long to be written")
    return str(value)


def _number(value: float) -> str:
    if isnan(value):
        return ".nan"
    if not isfinite(value):
        return ".inf" if value > 0 else "-.inf"
    digits, exponent, power = repr(float(value)).partition("e")
    return digits + (".0" if exponent and "." not in digits else "") + exponent + power


def _mapping(value: Mapping[Any, Any], depth: int, *, literal: bool) -> list[str]:
    for key in value:
        if not isinstance(key, str):
            raise DocumentError(f"the key {key!r} is not text")
    return [line for key, inner in value.items() for line in entry(key, inner, depth=depth, literal=literal)]


def _list(value: list[Any] | tuple[Any, ...], depth: int, *, literal: bool) -> list[str]:
    return [line for inner in value for line in item(inner, depth=depth, literal=literal)]


def _fits_literal(text: str) -> bool:
    blanks = text[0] in " \t\n" or text.endswith("\n\n") or _BLANKS_IN_LITERAL.search(text)
    return not blanks and text.replace("\n", "").replace("\t", "").isprintable()


def _literal(text: str) -> Written:
    lines = text.split("\n")
    if text.endswith("\n"):
        return Written(inline="|", below=tuple(lines[:-1]))
    return Written(inline="|-", below=tuple(lines))


def _indent(line: str) -> str:
    return " " * STEP + line if line else line


def _check_depth(depth: int) -> None:
    if depth > _DEEPEST:
        raise DocumentError(f"a value nested more than {_DEEPEST} levels deep cannot be written")
