"""An author's text taken apart, none of it evaluated: an expression at its `and`, `or`, `not`, a template at its holes.

Whoever knows only some of the values a text reads can then ask the sandbox for one part after the other.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Any, Final

from engine.model.lazy_dataclass import dataclass
from engine.model.place import Text
from engine.sandbox.expression_text import Offsets, offsets
from engine.sandbox.findings import place_of
from engine.sandbox.whole import closing, inner

_CONSTANTS: Final = frozenset({"true", "false", "none"})
_OPENING: Final = re.compile(r"\{\{|\{%")
_BEYOND: Final = re.compile(r"\{%[-+]?\s*raw\b|\{#")
"""Parts of a template that are not what they look like."""
_TAG: Final = re.compile(r"\{%(?:[^%'\"]|%(?!\})|'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\")*%\}", re.DOTALL)


class Joint(StrEnum):
    """What holds the parts of an expression together; WHOLE is one that is not taken apart."""

    AND = "and"
    OR = "or"
    NOT = "not"
    CHOICE = "if"
    LIST = "list"
    MAPPING = "mapping"
    PATH = "path"
    WHOLE = "whole"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """An expression's parts, each an expression in its own place.

    `texts` of a CHOICE are condition, then, else; `keys` go with those of a MAPPING; `path` is a PATH's name and keys.
    """

    joint: Joint
    texts: tuple[Text, ...] = ()
    keys: tuple[str, ...] = ()
    path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hole:
    """One `{{ }}` of a template: where it starts and ends in the text, and the expression in it."""

    start: int
    end: int
    expression: Text


def take_apart(text: Text) -> Parts:
    """The parts of an expression, bare or one whole `{{ }}`."""
    start, end = inner(text.text)
    if start == end:
        return Parts(joint=Joint.WHOLE)
    opened = f"({text.text[start:end]}\n)"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(opened, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return Parts(joint=Joint.WHOLE)
    return _parts(tree, text, offsets(opened, start - 1))


def _parts(tree: ast.expr, text: Text, where: Offsets) -> Parts:
    match tree:
        case ast.BoolOp(op=op, values=values):
            return _of(Joint.AND if isinstance(op, ast.And) else Joint.OR, values, text, where)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return _of(Joint.NOT, [operand], text, where)
        case ast.IfExp(test=test, body=body, orelse=orelse):
            return _of(Joint.CHOICE, [test, body, orelse], text, where)
        case ast.List(elts=elements) | ast.Tuple(elts=elements) if not any(
            isinstance(e, ast.Starred) for e in elements
        ):
            return _of(Joint.LIST, elements, text, where)
        case ast.Dict(keys=keys, values=values) if all(_is_text(key) for key in keys):
            named = tuple(str(key.value) for key in keys if isinstance(key, ast.Constant))
            return replace(_of(Joint.MAPPING, values, text, where), keys=named)
    path = _path(tree)
    return Parts(joint=Joint.PATH, path=path) if path else Parts(joint=Joint.WHOLE)


def _of(joint: Joint, nodes: Sequence[ast.expr], text: Text, where: Offsets) -> Parts:
    return Parts(joint=joint, texts=tuple(_text(node, text, where) for node in nodes))


def _text(node: ast.expr, text: Text, where: Offsets) -> Text:
    start, end = where.of(node), where.at(node.end_lineno or 1, node.end_col_offset or 0)
    return Text(text=text.text[start:end], place=place_of(text, start), indent=text.indent)


def _is_text(key: ast.expr | None) -> bool:
    return isinstance(key, ast.Constant) and isinstance(key.value, str)


def _path(tree: ast.expr) -> tuple[str, ...]:
    """The name and the keys of `a.b['c'][0]`; empty for anything else."""
    keys: list[str] = []
    node = tree
    while isinstance(node, ast.Attribute | ast.Subscript):
        match node:
            case ast.Attribute(attr=name):
                keys.append(name)
            case ast.Subscript(slice=ast.Constant(value=str() | int() as key)):
                keys.append(str(key))
            case _:
                return ()
        node = node.value
    return (node.id, *reversed(keys)) if isinstance(node, ast.Name) and node.id not in _CONSTANTS else ()


def holes(text: Text) -> tuple[Hole, ...] | None:
    """Every `{{ }}` of a template in order; None where the text holds parts in which `{{` may mean something else."""
    whole = text.text
    if _BEYOND.search(whole):
        return None
    found: list[Hole] = []
    position = 0
    while (match := _OPENING.search(whole, position)) is not None:
        tag = _TAG.match(whole, match.start()) if match[0] == "{%" else None
        end = tag.end() if tag else closing(whole, match.end()) if match[0] == "{{" else -1
        if end < 0:
            return None
        if match[0] == "{{":
            found.append(Hole(start=match.start(), end=end, expression=_inside(text, match.start(), end)))
        position = end
    return tuple(found)


def _inside(text: Text, start: int, end: int) -> Text:
    return Text(text=text.text[start:end], place=place_of(text, start), indent=text.indent)


def filled(text: Text, values: Sequence[tuple[Hole, Any]], taken: Mapping[str, Any]) -> tuple[Text, dict[str, Any]]:
    """The template with a name of one letter in each of the holes, and those names' values.

    No letter is one of the names in `taken`. The text keeps its length, so that every place in it stays where it was.
    """
    letters = (
        chr(number) for number in range(0x4E00, 0x9FFF) if chr(number) not in taken and chr(number) not in text.text
    )
    named: dict[str, Any] = {}
    whole = text.text
    for hole, value in values:
        letter = next(letters)
        named[letter] = value
        whole = whole[: hole.start] + _refilled(whole[hole.start : hole.end], letter) + whole[hole.end :]
    return replace(text, text=whole), named


def _refilled(hole: str, letter: str) -> str:
    """`{{ a.b }}` as `{{ x   }}`, the signs that swallow blanks kept."""
    begin = 3 if hole[2] in "-+" else 2
    end = 3 if hole[-3] in "-+" and len(hole) > begin + 3 else 2
    blank = re.sub(r"[^\n]", " ", hole[begin + 1 : -end])
    return hole[:begin] + letter + blank + hole[-end:]
