"""Expressions: read once, then evaluated as often as needed."""

from __future__ import annotations

import ast
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from engine.model.lazy_dataclass import dataclass
from engine.model.place import Text
from engine.sandbox.expression_names import uses_and_problems
from engine.sandbox.expression_text import Offsets, offsets, parse
from engine.sandbox.filters import FILTERS
from engine.sandbox.findings import Problem, Use, problem_error, refusal_error
from engine.sandbox.interpreter import Interpreter
from engine.sandbox.limits import Exceeded, Refused
from engine.sandbox.whole import inner


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """A parsed expression, what it uses, and what is wrong with it; with problems it is never evaluated."""

    tree: ast.expr | None
    where: Offsets
    uses: tuple[Use, ...] = ()
    problems: tuple[Problem, ...] = ()


def read(text: str) -> Expression:
    """The expression in `text`, bare or one whole `{{ }}`; never raises."""
    start, end = inner(text)
    source = text[start:end]
    where = offsets(f"({source}\n)", start - 1)
    try:
        tree = parse(source, FILTERS, start)
    except Refused as refused:
        return Expression(tree=None, where=where, problems=(_problem(refused),))
    uses, problems = uses_and_problems(tree, where)
    return Expression(tree=tree, where=where, uses=uses, problems=problems)


def _problem(refused: Refused) -> Problem:
    return Problem(
        offset=refused.offset or 0,
        code="expression-syntax",
        message=refused.message,
        hint=refused.hint,
        limit=isinstance(refused, Exceeded),
    )


class Expressions:
    """Evaluates expressions; one interpreter per thread, because comprehensions change it."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._local = threading.local()

    def value(self, expression: Expression, text: Text, names: Mapping[str, Any]) -> Any:
        """The value of `expression`, written as `text`, with `names` in scope; raises SandboxError."""
        if expression.tree is None or expression.problems:
            raise problem_error(text, expression.problems[0])
        interpreter = self._interpreter()
        try:
            return interpreter.value(expression.tree, expression.where, names)
        except Refused as refused:
            raise refusal_error(text, refused) from None

    def _interpreter(self) -> Interpreter:
        try:
            interpreter: Interpreter = self._local.interpreter
        except AttributeError:
            interpreter = self._local.interpreter = Interpreter(self._now)
        return interpreter
