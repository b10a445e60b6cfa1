"""Evaluates the tree of an expression: simpleeval's walk, with every value, step and character under our rules."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from simpleeval import EvalWithCompoundTypes

from engine.model.outcome import Absent
from engine.sandbox.expression_text import FilterCall, Offsets, TestCall
from engine.sandbox.filters import ON_MISSING, TESTS_BY_NAME, Missing, apply_filter
from engine.sandbox.functions import FUNCTIONS, SPECIAL, TYPES, elements, instance_of, unavailable
from engine.sandbox.limits import Exceeded, Meter, Refused
from engine.sandbox.lookup import attribute, item, part, unknown_name
from engine.sandbox.methods import call_method
from engine.sandbox.native import NATIVE, native_sentence
from engine.sandbox.operators import BINARY, UNARY, compare
from engine.sandbox.signs import BINARY_SIGNS, COMPARE_SIGNS, UNARY_SIGNS
from engine.sandbox.values import ORDINARY, adopt, finished, kind, measured

CONSTANTS: Final[Mapping[str, Any]] = {"true": True, "false": False, "none": None}


class Interpreter(EvalWithCompoundTypes):  # type: ignore[misc]
    """One thread's evaluator; comprehensions change it while they run, so threads never share one."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        super().__init__(operators={}, functions={}, names={})
        self._now = now
        self._meter = Meter()
        self._where: Offsets
        self._bound: list[dict[str, Any]] = []
        self.nodes: dict[type, Callable[[Any], Any]] = {
            ast.Attribute: self._attribute,
            ast.BinOp: self._binary,
            ast.BoolOp: self._eval_boolop,
            ast.Call: self._call,
            ast.Compare: self._compare,
            ast.Constant: self._constant,
            ast.Dict: self._dict,
            ast.DictComp: self._comprehension,
            ast.GeneratorExp: self._comprehension,
            ast.IfExp: self._eval_ifexp,
            ast.List: self._list,
            ast.ListComp: self._comprehension,
            ast.Name: self._name,
            ast.Set: self._set,
            ast.SetComp: self._comprehension,
            ast.Slice: self._eval_slice,
            ast.Subscript: self._subscript,
            ast.Tuple: self._list,
            ast.UnaryOp: self._unary,
            FilterCall: self._filter,
            TestCall: self._test,
        }

    def value(self, tree: ast.expr, where: Offsets, names: Mapping[str, Any]) -> Any:
        """The value of `tree`; Refused, with an offset, when it fails or may not be had."""
        self.names = names
        self._where = where
        self._meter = Meter()
        self._bound = []
        result = self._eval(tree)
        return finished(result, self._meter) if self._meter.containers else result

    def _eval(self, node: Any) -> Any:
        result = self._reach(node)
        if type(result) is Absent:
            return None
        if type(result) is Missing:
            raise self._placed(result.refused, node)
        return result

    def _reach(self, node: Any) -> Any:
        """The value of `node`, or Absent or Missing where a name leads to nothing."""
        self._meter.step()
        try:
            result = self.nodes[type(node)](node)
            return result if type(result) in ORDINARY else self._unusual(result)
        except Refused as refused:
            raise self._placed(refused, node) from None
        except NATIVE as error:
            raise self._placed(Refused(native_sentence(error)), node) from None
        except RecursionError:
            raise self._placed(Exceeded("this is nested too deeply", "use a compute step"), node) from None

    def _unusual(self, result: Any) -> Any:
        if type(result) in (Absent, Missing, slice):
            return result
        return adopt(result)

    def _placed(self, refused: Refused, node: ast.AST) -> Refused:
        if refused.offset is None:
            refused.offset = self._where.of_name(node) if isinstance(node, ast.Attribute) else self._where.of(node)
        return refused

    def _tried(self, node: Any) -> Any:
        """As `_reach`, with a key, index or attribute that is not there as Missing."""
        match node:
            case ast.Name():
                return self._reach(node)
            case ast.Attribute() | ast.Subscript():
                holder = self._tried(node.value)
                if type(holder) in (Missing, Absent) or holder is None:
                    return Missing(lambda: Refused("this has no value"))
                key = node.attr if isinstance(node, ast.Attribute) else self._eval(node.slice)
                return self._tried_part(node, holder, key)
            case _:
                return self._reach(node)

    def _tried_part(self, node: Any, holder: Any, key: Any) -> Any:
        try:
            return self._unusual_or_ordinary(
                attribute(holder, key) if isinstance(node, ast.Attribute) else item(self._meter, holder, key)
            )
        except Exceeded:
            raise
        except Refused as refused:
            told = refused
            return Missing(lambda: told)

    def _unusual_or_ordinary(self, result: Any) -> Any:
        return result if type(result) in ORDINARY else self._unusual(result)

    def _constant(self, node: ast.Constant) -> Any:
        if type(node.value) not in ORDINARY:
            raise Refused(f"{type(node.value).__name__} values are not available", "use text and numbers")
        return node.value

    def _name(self, node: ast.Name) -> Any:
        name = node.id
        for bound in reversed(self._bound):
            if name in bound:
                return bound[name]
        try:
            return self.names[name]
        except KeyError:
            if name in CONSTANTS:
                return CONSTANTS[name]
            names = self.names
            return Missing(lambda: unknown_name(name, names))

    def _attribute(self, node: ast.Attribute) -> Any:
        holder = self._reach(node.value)
        if type(holder) is Missing:
            raise self._placed(holder.refused, node.value)
        return attribute(holder, node.attr)

    def _subscript(self, node: ast.Subscript) -> Any:
        holder = self._reach(node.value)
        if type(holder) is Missing:
            raise self._placed(holder.refused, node.value)
        return item(self._meter, holder, self._eval(node.slice))

    def _binary(self, node: ast.BinOp) -> Any:
        sign = BINARY_SIGNS.get(type(node.op))
        if sign is None:
            raise Refused("<< and >> are not available", "multiply or divide")
        return BINARY[sign](self._meter, self._eval(node.left), self._eval(node.right))

    def _unary(self, node: ast.UnaryOp) -> Any:
        sign = UNARY_SIGNS.get(type(node.op))
        if sign is None:
            raise Refused("~x is not available", "write not x, or a ~ b to join two texts")
        return UNARY[sign](self._eval(node.operand))

    def _compare(self, node: ast.Compare) -> bool:
        left = self._eval(node.left)
        for operation, comparator in zip(node.ops, node.comparators, strict=True):
            right = self._eval(comparator)
            if not compare(self._meter, COMPARE_SIGNS[type(operation)], left, right):
                return False
            left = right
        return True

    def _call(self, node: ast.Call) -> Any:
        match node.func:
            case ast.Name(id=name):
                return self._call_function(name, node)
            case ast.Attribute(value=value, attr=method):
                holder = self._reach(value)
                if type(holder) in (Absent, Missing) or holder is None:
                    return part(holder, method)
                return call_method(self._meter, holder, method, *self._arguments(node))
        raise Refused("only functions and methods can be called", "write name(...) or value.method(...)")

    def _call_function(self, name: str, node: ast.Call) -> Any:
        if name == "isinstance" and len(node.args) == 2:  # noqa: PLR2004 - a value and its type
            return instance_of(self._eval(node.args[0]), type_names(node.args[1]))
        if name == "now" and not node.args:
            return self._now()
        function = FUNCTIONS.get(name)
        if function is None or name in SPECIAL:
            raise unavailable(name)
        args, options = self._arguments(node)
        return function(self._meter, *args, **options)

    def _arguments(self, node: Any) -> tuple[list[Any], dict[str, Any]]:
        options = {keyword.arg: self._eval(keyword.value) for keyword in node.keywords if keyword.arg}
        return [self._eval(argument) for argument in node.args], options

    def _filter(self, node: FilterCall) -> Any:
        value = self._tried(node.value) if node.name in ON_MISSING else self._reach(node.value)
        return apply_filter(self._meter, node.name, value, *self._arguments(node))

    def _test(self, node: TestCall) -> bool:
        value = self._tried(node.value) if node.name in ("defined", "undefined") else self._reach(node.value)
        if type(value) is Missing and node.name not in ("defined", "undefined"):
            raise self._placed(value.refused, node.value)
        return TESTS_BY_NAME[node.name](value) is not node.negated

    def _list(self, node: ast.List | ast.Tuple) -> Any:
        self._meter.charge_elements(len(node.elts) + 1)
        built = [self._eval(element) for element in node.elts]
        return built if isinstance(node, ast.List) else tuple(built)

    def _set(self, node: ast.Set) -> set[Any]:
        self._meter.charge_elements(len(node.elts) + 1)
        return {measured(self._eval(element), self._meter) for element in node.elts}

    def _dict(self, node: ast.Dict) -> dict[Any, Any]:
        self._meter.charge_elements(len(node.keys) + 1)
        built: dict[Any, Any] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                built.update(self._spread(self._eval(value)))
            else:
                built[measured(self._eval(key), self._meter)] = self._eval(value)
        return built

    def _spread(self, value: Any) -> dict[Any, Any]:
        if type(value) is not dict:
            raise Refused(f"** spreads a mapping, not {kind(value)}")
        self._meter.charge_elements(len(value))
        return value

    def _comprehension(self, node: Any) -> Any:
        self._meter.charge_elements(1)
        scope: dict[str, Any] = {}
        self._bound.append(scope)
        try:
            match node:
                case ast.DictComp():
                    return dict(self._pair(node) for _ in self._turns(node.generators, scope))
                case ast.SetComp():
                    return {measured(self._element(node), self._meter) for _ in self._turns(node.generators, scope)}
                case _:
                    return [self._element(node) for _ in self._turns(node.generators, scope)]
        finally:
            self._bound.pop()

    def _element(self, node: Any) -> Any:
        self._meter.charge_elements(1)
        return self._eval(node.elt)

    def _pair(self, node: ast.DictComp) -> tuple[Any, Any]:
        self._meter.charge_elements(2)
        return measured(self._eval(node.key), self._meter), self._eval(node.value)

    def _turns(self, generators: list[ast.comprehension], scope: dict[str, Any]) -> Iterator[None]:
        first, *rest = generators
        for element in elements(self._meter, self._eval(first.iter)):
            self._meter.step()
            self._bind(first.target, element, scope)
            if all(self._eval(condition) for condition in first.ifs):
                if rest:
                    yield from self._turns(rest, scope)
                else:
                    yield None

    def _bind(self, target: ast.expr, value: Any, scope: dict[str, Any]) -> None:
        match target:
            case ast.Name(id=name):
                scope[name] = value
            case ast.Tuple(elts=targets) | ast.List(elts=targets):
                values = elements(self._meter, value)
                if len(values) != len(targets):
                    raise Refused(f"{len(targets)} names are to be bound to {len(values)} values")
                for inner, element in zip(targets, values, strict=True):
                    self._bind(inner, element, scope)
            case _:
                raise Refused("a loop binds names only", "write: for name in list")


def type_names(node: ast.expr) -> list[str]:
    """The types an `isinstance` names, `(str, int)` or `str`; Refused for anything else."""
    match node:
        case ast.Name(id=name) if name in TYPES:
            return [name]
        case ast.Tuple(elts=elts):
            return [name for element in elts for name in type_names(element)]
    raise Refused("isinstance takes the name of a type", f"use one of {', '.join(sorted(TYPES))}")
