"""Turns an expression's text into a syntax tree, with the filters and tests of templates in it."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from typing import Final

from engine.model.lazy_dataclass import dataclass
from engine.sandbox.limits import EXPRESSION_CHARACTERS, EXPRESSION_DEPTH, EXPRESSION_NODES, Exceeded, Refused

_TESTS_WORDS: Final = "boolean defined false float integer iterable mapping none number sequence string true undefined"
TESTS: Final = frozenset(_TESTS_WORDS.split())
_KEYWORDS: Final = frozenset(["and", "or", "not", "in", "is", "if", "else", "for"])
_WORTH_A_LOOK: Final = ("|", "~", "\n")


class FilterCall(ast.expr):
    """`value | name(args)`."""

    _fields = ("value", "args", "keywords")
    name: str
    value: ast.expr
    args: list[ast.expr]
    keywords: list[ast.keyword]


class TestCall(ast.expr):
    """`value is name` or `value is not name`."""

    _fields = ("value",)
    name: str
    negated: bool
    value: ast.expr


@dataclass(frozen=True, slots=True)
class Offsets:
    """Turns a node's line and byte column into characters from the start of the author's text."""

    source: str
    starts: tuple[int, ...]
    lines: tuple[str, ...]
    shift: int

    def of(self, node: ast.AST) -> int:
        """The offset at which `node` starts."""
        return self.at(getattr(node, "lineno", 1), getattr(node, "col_offset", 0))

    def of_name(self, node: ast.Attribute) -> int:
        """The offset at which the last name of `a.b.name` starts."""
        return self.at(node.end_lineno or 1, node.end_col_offset or 0) - len(node.attr)

    def at(self, line: int, column: int) -> int:
        """The offset of a line (from 1) and a column in bytes (from 0)."""
        line = max(1, min(line, len(self.lines)))
        text = self.lines[line - 1]
        characters = column if text.isascii() else len(text.encode(errors="replace")[:column].decode(errors="ignore"))
        return self.starts[line - 1] + characters + self.shift


def offsets(source: str, shift: int) -> Offsets:
    """Offsets for nodes of the tree of `source`; `shift` is where `source` starts in the author's text."""
    lines = source.split("\n")
    starts = [0]
    for line in lines[:-1]:
        starts.append(starts[-1] + len(line) + 1)
    return Offsets(source, tuple(starts), tuple(lines), shift)


def parse(source: str, filters: frozenset[str], shift: int) -> ast.expr:
    """The tree of an expression; Refused with an offset when it is none, or is too big."""
    if not source:
        raise Refused("there is no expression here", "write one, or leave the key out", offset=shift)
    if len(source) > EXPRESSION_CHARACTERS:
        raise Exceeded(f"this expression is longer than {EXPRESSION_CHARACTERS:,} characters", "use a compute step")
    opened, marks = _translated(source, filters, shift)
    tree = _parsed(opened, shift - 1)
    if isinstance(tree, ast.Tuple) and not tree.elts and not source.startswith("("):
        raise Refused("there is no expression here", "write one, or leave the key out", offset=shift)
    _bounded(tree, shift)
    return _Translation(marks).visit(tree) if marks or " is" in source or "is\t" in source else tree


def _parsed(opened: str, shift: int) -> ast.expr:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(opened, mode="eval").body
    except SyntaxError as error:
        where = offsets(opened, shift).at(error.lineno or 1, 0) + max(0, (error.offset or 1) - 1)
        raise Refused(_reason(error), _HINTS.get(error.msg, ""), offset=min(where, shift + len(opened) - 1)) from None
    except (RecursionError, MemoryError):
        raise Exceeded("this expression is nested too deeply", "use a compute step", offset=shift + 1) from None
    except ValueError:
        raise Refused("this text holds characters that no expression may hold", offset=shift + 1) from None


_HINTS: Final = {
    "expected 'else' after 'if' expression": "write: a if condition else b",
    "invalid syntax. Maybe you meant '==' or ':=' instead of '='?": "compare with ==",
}


def _reason(error: SyntaxError) -> str:
    message = error.msg or "invalid syntax"
    if message == "invalid syntax" or "EOF" in message or "was never closed" in message:
        return f"this is not a complete expression: {message}"
    return f"this is not an expression: {message}"


def _bounded(tree: ast.expr, shift: int) -> None:
    level: list[ast.AST] = [tree]
    count = 0
    for _ in range(EXPRESSION_DEPTH):
        count += len(level)
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level:
            break
    if level or count > EXPRESSION_NODES:
        raise Exceeded("this expression is nested too deeply or too long", "use a compute step", offset=shift)


def _translated(source: str, filters: frozenset[str], shift: int) -> tuple[str, dict[tuple[int, int], str]]:
    """`source` in parentheses, each `| filter` written `. filter`, and the ends of those filter names."""
    opened = f"({source}\n)"
    if not any(sign in source for sign in _WORTH_A_LOOK):
        _balanced(source, shift)
        return opened, {}
    return _retokenized(opened, filters, shift)


def _balanced(source: str, shift: int) -> None:
    """Refuses `a) or (b`, which the parentheses around would make whole; looks closely only when it must."""
    depth = 0
    quote = ""
    for character in source:
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        else:
            depth += (character in "([{") - (character in ")]}")
        if depth < 0:
            _retokenized(f"({source}\n)", frozenset(), shift)
            return


def _retokenized(opened: str, filters: frozenset[str], shift: int) -> tuple[str, dict[tuple[int, int], str]]:
    lines = opened.split("\n")
    marks: dict[tuple[int, int], str] = {}
    previous = ""
    depth = 0
    tokens = list(_tokens(opened, shift - 1))
    for index, (word, row, start, end) in enumerate(tokens):
        depth += (word in ("(", "[", "{")) - (word in (")", "]", "}"))
        if depth == 0 and index < len(tokens) - 1:
            raise Refused("a bracket is closed that was never opened", offset=offsets(opened, shift - 1).at(row, start))
        following = tokens[index + 1] if index + 1 < len(tokens) else ("", 0, 0, 0)
        if word == "|" and following[0] in filters:
            lines[row - 1] = lines[row - 1][:start] + "." + lines[row - 1][end:]
            ends = len(lines[following[1] - 1][: following[3]].encode(errors="replace"))
            marks[(following[1], ends)] = following[0]
        elif word == "~" and _ends_value(previous):
            lines[row - 1] = lines[row - 1][:start] + "@" + lines[row - 1][end:]
        previous = word
    return "\n".join(lines), marks


def _ends_value(word: str) -> bool:
    return bool(word) and word not in _KEYWORDS and (word[-1] in ")]}'\"_" or word[-1].isalnum())


def _tokens(opened: str, shift: int) -> Iterator[tuple[str, int, int, int]]:
    import tokenize  # noqa: PLC0415 - late: 5 ms that only few expressions need

    readline = iter([f"{line}\n" for line in opened.split("\n")]).__next__
    try:
        for token in tokenize.generate_tokens(readline):
            if token.string.strip() and token.type != tokenize.COMMENT:
                yield token.string, token.start[0], token.start[1], token.end[1]
    except (tokenize.TokenError, SyntaxError, ValueError, StopIteration):
        raise Refused("a bracket or a quote is never closed", offset=shift + 1) from None


class _Translation(ast.NodeTransformer):
    """Puts FilterCall and TestCall where the text had a filter or a test."""

    def __init__(self, marks: dict[tuple[int, int], str]) -> None:
        self._marks = marks

    def visit_Call(self, node: ast.Call) -> ast.AST:
        match node.func:
            case ast.Attribute(value=value) as function if name := self._filter(function):
                return self.generic_visit(_filter_call(function, name, value, node))
        return self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        name = self._filter(node)
        return self.generic_visit(_filter_call(node, name, node.value) if name else node)

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        match node:
            case ast.Compare(ops=[ast.Is() | ast.IsNot() as sign], comparators=[ast.Name(id=name)]) if name in TESTS:
                test = ast.copy_location(TestCall(), node)
                test.name, test.negated, test.value = name, isinstance(sign, ast.IsNot), node.left
                return self.generic_visit(test)
        return self.generic_visit(node)

    def _filter(self, node: ast.Attribute) -> str | None:
        return self._marks.get((node.end_lineno or 0, node.end_col_offset or 0))


def _filter_call(place: ast.Attribute, name: str, value: ast.expr, call: ast.Call | None = None) -> FilterCall:
    made = ast.copy_location(FilterCall(), place)
    made.name, made.value = name, value
    made.args = call.args if call else []
    made.keywords = call.keywords if call else []
    return made
