"""Which names an expression uses, and which of its parts are not available."""

from __future__ import annotations

import ast
from typing import Final

from engine.sandbox.expression_text import FilterCall, Offsets, TestCall
from engine.sandbox.filters import ON_MISSING
from engine.sandbox.findings import Problem, Use
from engine.sandbox.functions import FUNCTIONS, SPECIAL, TYPES, unavailable
from engine.sandbox.limits import WHOLE_NUMBER_BITS
from engine.sandbox.methods import METHODS, no_member, no_method

_NOT_AVAILABLE: Final[dict[type, tuple[str, str]]] = {
    ast.Lambda: ("lambda is not available", "use a comprehension, or a compute step"),
    ast.JoinedStr: ("an f-string is not available", 'join texts with + or ~, or use "..." | format(...)'),
    ast.NamedExpr: (":= is not available", "use a compute step"),
    ast.Await: ("await is not available", "use a compute step"),
    ast.Yield: ("yield is not available", "use a compute step"),
    ast.YieldFrom: ("yield is not available", "use a compute step"),
    ast.Starred: ("*x is not available", "join lists with +"),
}
_CONSTANTS: Final = frozenset({"true", "false", "none"})


def uses_and_problems(tree: ast.expr, where: Offsets) -> tuple[tuple[Use, ...], tuple[Problem, ...]]:
    """Every name `tree` reads from outside, and every part of it that no expression may have."""
    collected = _Names(where)
    collected.walk(tree, frozenset(), guarded=False)
    return tuple(collected.uses), tuple(collected.problems)


class _Names:
    def __init__(self, where: Offsets) -> None:
        self.uses: list[Use] = []
        self.problems: list[Problem] = []
        self._where = where

    def walk(self, node: ast.AST, bound: frozenset[str], *, guarded: bool) -> None:
        match node:
            case ast.Name() | ast.Attribute() | ast.Subscript():
                self._chain(node, bound, guarded=guarded)
            case ast.Call():
                self._call(node, bound)
            case FilterCall():
                self.walk(node.value, bound, guarded=guarded or node.name in ON_MISSING)
                self._each([*node.args, *node.keywords], bound)
            case TestCall():
                self.walk(node.value, bound, guarded=guarded or node.name in ("defined", "undefined"))
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                self._comprehension(node, bound)
            case _:
                self._other(node, bound)

    def _other(self, node: ast.AST, bound: frozenset[str]) -> None:
        if type(node) in _NOT_AVAILABLE:
            message, hint = _NOT_AVAILABLE[type(node)]
            self._problem(node, message, hint)
            return
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
            self._problem(node, "** is not available", "multiply, or use a compute step")
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.LShift | ast.RShift):
            self._problem(node, "<< and >> are not available", "multiply or divide")
        if isinstance(node, ast.keyword) and node.arg is None:
            self._problem(node, "**x is not available here", "give the arguments one by one")
        if isinstance(node, ast.Constant) and type(node.value) is int and node.value.bit_length() > WHOLE_NUMBER_BITS:
            self._problem(node, "this whole number is too long", "numbers may have up to 2,400 digits")
        if isinstance(node, ast.Constant) and isinstance(node.value, bytes | complex | type(...)):
            self._problem(node, f"{type(node.value).__name__} values are not available", "use text and numbers")
        self._each(list(ast.iter_child_nodes(node)), bound)

    def _each(self, nodes: list[ast.AST], bound: frozenset[str]) -> None:
        for node in nodes:
            self.walk(node, bound, guarded=False)

    def _chain(self, node: ast.AST, bound: frozenset[str], *, guarded: bool) -> None:
        path: list[str] = []
        rest: list[ast.AST] = []
        inner: ast.AST = node
        while isinstance(inner, ast.Attribute | ast.Subscript):
            match inner:
                case ast.Attribute(attr=name):
                    self._private(inner, name)
                    path.append(name)
                case ast.Subscript(slice=ast.Constant(value=str() | int() as key)):
                    path.append(str(key))
                case ast.Subscript(slice=key_node):
                    path.clear()
                    rest.append(key_node)
            inner = inner.value
        self._each(rest, bound)
        if not isinstance(inner, ast.Name):
            self.walk(inner, bound, guarded=guarded)
        elif inner.id not in bound and inner.id not in _CONSTANTS:
            self.uses.append(Use(path=(inner.id, *reversed(path)), offset=self._where.of(inner), guarded=guarded))

    def _private(self, node: ast.AST, name: str) -> None:
        if name.startswith("__") or name in ("format_map", "mro"):
            refused = no_member("", name)
            self._problem(node, refused.message, refused.hint)

    def _call(self, node: ast.Call, bound: frozenset[str]) -> None:
        match node.func:
            case ast.Name(id="isinstance"):
                self._each(list(node.args[:1]), bound)
                self._types(node)
                return
            case ast.Name(id=name):
                if name not in FUNCTIONS and name not in SPECIAL:
                    refused = unavailable(name)
                    self._problem(node.func, refused.message, refused.hint)
            case ast.Attribute(value=value, attr=method):
                if method not in METHODS:
                    refused = no_method(method)
                    self._problem(node.func, refused.message, refused.hint)
                self.walk(value, bound, guarded=False)
            case _:
                self._problem(node, "only functions and methods can be called", "write name(...)")
                self.walk(node.func, bound, guarded=False)
        self._each([*node.args, *node.keywords], bound)

    def _types(self, node: ast.Call) -> None:
        named = node.args[1] if len(node.args) == 2 else node  # noqa: PLR2004 - a value and its type
        types = named.elts if isinstance(named, ast.Tuple) else [named]
        for each in types:
            if not (isinstance(each, ast.Name) and each.id in TYPES):
                listed = ", ".join(sorted(TYPES))
                self._problem(each, "isinstance takes a value and the name of a type", f"use one of {listed}")

    def _comprehension(
        self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp, bound: frozenset[str]
    ) -> None:
        for generator in node.generators:
            self.walk(generator.iter, bound, guarded=False)
            bound |= {each.id for each in ast.walk(generator.target) if isinstance(each, ast.Name)}
            self._each(list(generator.ifs), bound)
        elements = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        self._each(list(elements), bound)

    def _problem(self, node: ast.AST, message: str, hint: str) -> None:
        self.problems.append(
            Problem(offset=self._where.of(node), code="expression-not-allowed", message=message, hint=hint)
        )
