"""What a template's tree may hold, which names it uses, and the tree that is rendered in its place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from jinja2 import nodes
from jinja2.visitor import NodeTransformer

from engine.sandbox.expression_text import TESTS
from engine.sandbox.filters import FILTERS, ON_MISSING
from engine.sandbox.findings import Problem, Use
from engine.sandbox.functions import FUNCTIONS, SPECIAL, TYPES, unavailable
from engine.sandbox.limits import EXPRESSION_DEPTH, Exceeded, Refused
from engine.sandbox.methods import METHODS, no_member, no_method
from engine.sandbox.template_environment import DO, TemplateEnvironment

_ALLOWED_WORDS: Final = (
    "Add And Assign Call Compare Concat CondExpr Const Dict Div Filter FloorDiv For Getattr Getitem If Keyword List "
    "Mod Mul Name Neg Not Operand Or Output Pair Pos Slice Sub Template TemplateData Test Tuple"
)
_ALLOWED: Final = frozenset(_ALLOWED_WORDS.split())
_INSTEAD: Final = {
    "Pow": ("** is not available", "multiply, or use a compute step"),
    "Macro": ("macro is not available", "write the text where it is needed, or use for"),
    "CallBlock": ("call is not available", "write the text where it is needed"),
    "Include": ("include is not available", "a template is one text"),
    "Import": ("import is not available", "a template is one text"),
    "FromImport": ("import is not available", "a template is one text"),
    "Extends": ("extends is not available", "a template is one text"),
    "Block": ("block is not available", "a template is one text"),
    "AssignBlock": ("set with a block is not available", "write {% set name = value %}"),
    "NSRef": ("namespace is not available", "compute what the loop collects in a compute step"),
    "FilterBlock": ("filter with a block is not available", "write {{ value | filter }}"),
    "With": ("with is not available", "write {% set name = value %}"),
}
_SIGNS: Final = {
    "eq": "==",
    "ne": "!=",
    "gt": ">",
    "gteq": ">=",
    "lt": "<",
    "lteq": "<=",
    "in": "in",
    "notin": "not in",
}


def uses_and_problems(tree: nodes.Template) -> tuple[tuple[Use, ...], tuple[Problem, ...]]:
    """Every name `tree` reads from outside, and every part of it that no template may have."""
    _bounded(tree)
    collected = _Names()
    collected.walk(tree, set(), guarded=False)
    return tuple(collected.uses), tuple(collected.problems)


def _bounded(tree: nodes.Node) -> None:
    level: list[nodes.Node] = [tree]
    for _ in range(EXPRESSION_DEPTH):
        level = [child for node in level for child in node.iter_child_nodes()]
        if not level:
            return
    raise Exceeded("this template is nested too deeply", "split it", offset=level[0].lineno - 1)


class _Names:
    def __init__(self) -> None:
        self.uses: list[Use] = []
        self.problems: list[Problem] = []

    def walk(self, node: nodes.Node, bound: set[str], *, guarded: bool) -> None:
        match node:
            case nodes.Name() | nodes.Getattr() | nodes.Getitem():
                self._chain(node, bound, guarded=guarded)
            case nodes.Filter(name=name, node=nodes.Node() as value):
                self._filter(node, name)
                self.walk(value, bound, guarded=guarded or name in ON_MISSING)
                self._each([*node.args, *node.kwargs], bound)
            case nodes.Test(name=name, node=value):
                self._test(node, name)
                self.walk(value, bound, guarded=guarded or name in ("defined", "undefined"))
            case nodes.Call():
                self._call(node, bound)
            case nodes.For():
                self._for(node, bound)
            case nodes.Assign(target=target, node=value):
                self.walk(value, bound, guarded=False)
                self._bind(target, bound)
            case _:
                if type(node).__name__ not in _ALLOWED:
                    name = type(node).__name__
                    self._problem(node, *_INSTEAD.get(name, (f"{name.lower()} is not available", "")))
                    return
                self._each(list(node.iter_child_nodes()), bound)

    def _each(self, inner: Sequence[nodes.Node], bound: set[str]) -> None:
        for node in inner:
            self.walk(node, bound, guarded=False)

    def _chain(self, node: nodes.Node, bound: set[str], *, guarded: bool) -> None:
        path: list[str] = []
        inner = node
        while isinstance(inner, nodes.Getattr | nodes.Getitem):
            match inner:
                case nodes.Getattr(attr=name):
                    if name.startswith("__"):
                        refused = no_member("", name)
                        self._problem(inner, refused.message, refused.hint)
                    path.append(name)
                case nodes.Getitem(arg=nodes.Const(value=str() | int() as key)):
                    path.append(str(key))
                case nodes.Getitem(arg=argument):
                    path.clear()
                    self.walk(argument, bound, guarded=False)
            inner = inner.node
        if not isinstance(inner, nodes.Name):
            self.walk(inner, bound, guarded=guarded)
        elif inner.name not in bound:
            self.uses.append(Use(path=(inner.name, *reversed(path)), offset=inner.lineno - 1, guarded=guarded))

    def _filter(self, node: nodes.Filter, name: str) -> None:
        if node.dyn_args is not None or node.dyn_kwargs is not None:
            self._problem(node, "*x is not available", "give the arguments one by one")
        if name not in FILTERS:
            refused = unavailable(name, FILTERS)
            self._problem(node, f"the filter {refused.message}", refused.hint)

    def _test(self, node: nodes.Test, name: str) -> None:
        if name not in TESTS or node.args or node.kwargs:
            self._problem(node, f"the test {name} is not available", f"there are: {', '.join(sorted(TESTS))}")

    def _call(self, node: nodes.Call, bound: set[str]) -> None:
        if node.dyn_args is not None or node.dyn_kwargs is not None:
            self._problem(node, "*x is not available", "give the arguments one by one")
        match node.node:
            case nodes.Name(name="isinstance"):
                self._each(node.args[:1], bound)
                if type_names(node) is None:
                    listed = ", ".join(sorted(TYPES))
                    self._problem(node, "isinstance takes a value and the name of a type", f"use one of {listed}")
                return
            case nodes.Name(name=name):
                if name not in FUNCTIONS and name not in SPECIAL:
                    refused = unavailable(name)
                    self._problem(node, refused.message, refused.hint)
            case nodes.Getattr(node=value, attr=method):
                if method not in METHODS | {"cycle"}:
                    refused = no_method(method)
                    self._problem(node, refused.message, refused.hint)
                self.walk(value, bound, guarded=False)
            case _:
                self._problem(node, "only functions and methods can be called", "write name(...)")
        self._each([*node.args, *node.kwargs], bound)

    def _for(self, node: nodes.For, bound: set[str]) -> None:
        if node.recursive:
            self._problem(node, "a recursive loop is not available", "use a compute step")
        self.walk(node.iter, bound, guarded=False)
        inner = {*bound, "loop"}
        self._bind(node.target, inner)
        if node.test is not None:
            self.walk(node.test, inner, guarded=False)
        self._each(node.body, inner)
        self._each(node.else_, set(bound))

    def _bind(self, target: nodes.Node, bound: set[str]) -> None:
        match target:
            case nodes.Name(name=name):
                bound.add(name)
            case nodes.Tuple(items=items):
                for each in items:
                    self._bind(each, bound)
            case _:
                self._problem(target, *_INSTEAD.get(type(target).__name__, ("this cannot be set", "set a name")))

    def _problem(self, node: nodes.Node, message: str, hint: str) -> None:
        self.problems.append(
            Problem(offset=(node.lineno or 1) - 1, code="template-not-allowed", message=message, hint=hint)
        )


def type_names(call: nodes.Call) -> list[str] | None:
    """The types an `isinstance` names, or None when it names something else."""
    if len(call.args) != 2:  # noqa: PLR2004 - a value and its type
        return None
    named = call.args[1].items if isinstance(call.args[1], nodes.Tuple) else [call.args[1]]
    found = [each.name for each in named if isinstance(each, nodes.Name) and each.name in TYPES]
    return found if len(found) == len(named) else None


def fenced(tree: nodes.Template, environment: TemplateEnvironment) -> nodes.Template:
    """`tree` with every node that could walk through or build values replaced by a measured action of ours."""
    made: nodes.Template = _Fence().visit(tree)
    made.set_environment(environment)
    return made


def _do(node: nodes.Node, value: Any, action: str, *args: Any, kwargs: Any = None) -> Any:
    given = [each if isinstance(each, nodes.Node) else nodes.Const(each, lineno=node.lineno) for each in args]
    action_node = nodes.Const(action, lineno=node.lineno)
    return nodes.Filter(value, DO, [action_node, *given], kwargs or [], None, None, lineno=node.lineno)


class _Fence(NodeTransformer):
    def visit_Filter(self, node: nodes.Filter) -> Any:  # noqa: N802 - the name Jinja calls
        self.generic_visit(node)
        if node.node is None:
            raise Refused("filter with a block is not available", offset=node.lineno - 1)
        return _do(node, node.node, "filter", node.name, *node.args, kwargs=node.kwargs)

    def visit_Test(self, node: nodes.Test) -> Any:  # noqa: N802 - the name Jinja calls
        self.generic_visit(node)
        return _do(node, node.node, "test", node.name)

    def visit_Call(self, node: nodes.Call) -> Any:  # noqa: N802 - the name Jinja calls
        if isinstance(node.node, nodes.Name) and node.node.name == "isinstance":
            types = nodes.Const(tuple(type_names(node) or ()), lineno=node.lineno)
            return _do(node, nodes.Const("isinstance"), "function", self.visit(node.args[0]), types)
        function = node.node
        self.generic_visit(node)
        if isinstance(function, nodes.Getattr):
            return _do(node, function.node, "method", function.attr, *node.args, kwargs=node.kwargs)
        if not isinstance(function, nodes.Name):
            raise Refused("only functions and methods can be called", offset=node.lineno - 1)
        return _do(node, nodes.Const(function.name), "function", *node.args, kwargs=node.kwargs)

    def visit_Compare(self, node: nodes.Compare) -> Any:  # noqa: N802 - the name Jinja calls
        self.generic_visit(node)
        rest = [part for operand in node.ops for part in (_SIGNS[operand.op], operand.expr)]
        return _do(node, node.expr, "compare", *rest)

    def visit_Concat(self, node: nodes.Concat) -> Any:  # noqa: N802 - the name Jinja calls
        self.generic_visit(node)
        return _do(node, nodes.List(node.nodes, lineno=node.lineno), "join")

    def visit_Getitem(self, node: nodes.Getitem) -> Any:  # noqa: N802 - the name Jinja calls
        self.generic_visit(node)
        if isinstance(node.arg, nodes.Slice):
            bounds = [part or nodes.Const(None) for part in (node.arg.start, node.arg.stop, node.arg.step)]
            return _do(node, node.node, "slice", *bounds)
        return node

    def _built(self, node: Any) -> Any:
        self.generic_visit(node)
        return node if getattr(node, "ctx", "load") == "store" else _do(node, node, "build")

    visit_List = visit_Tuple = visit_Dict = _built  # noqa: N815 - the names Jinja calls

    def visit_CondExpr(self, node: nodes.CondExpr) -> Any:  # noqa: N802 - the name Jinja calls
        self.generic_visit(node)
        if node.expr2 is None:
            node.expr2 = nodes.Const("", lineno=node.lineno)
        return node

    def visit_For(self, node: nodes.For) -> Any:  # noqa: N802 - the name Jinja calls
        self.generic_visit(node)
        node.iter = _do(node, node.iter, "iterate")
        step = _do(node, nodes.Const(True, lineno=node.lineno), "step")
        node.body.insert(0, nodes.ExprStmt(step, lineno=node.lineno))
        if node.test is not None:
            node.test = nodes.And(step, node.test, lineno=node.lineno)
        return node
