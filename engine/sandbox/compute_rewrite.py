"""Rewrites a block for the interpreter, by splicing its text, so that every place can be traced back.

The interpreter has no `dir`, no `del`, no methods as values, and reads keys only with brackets. What stands here in
their place are calls of small functions whose names start with `_skill_`; `compute_prelude` writes them.
"""

from __future__ import annotations

import ast
from bisect import bisect_right

from engine.model.lazy_dataclass import dataclass
from engine.sandbox.compute_choices import Rules
from engine.sandbox.compute_names import Names
from engine.sandbox.compute_prelude import module_name, prelude
from engine.sandbox.compute_tree import TreeRewriting
from engine.sandbox.expression_text import Offsets
from engine.sandbox.stand_ins import STAND_INS

_CLOSING, _OPENING = 0, 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewritten:
    """What the interpreter gets: `prelude`, then `source`; `pieces` are where each piece of `source` came from."""

    source: str = ""
    prelude: str = ""
    pieces: tuple[tuple[int, int, bool], ...] = ()

    def original(self, line: int, column: int) -> int:
        """The offset in the author's text of a line and column (both from 1) of `source`."""
        lines = self.source.split("\n")
        at = sum(len(each) + 1 for each in lines[: line - 1]) + column - 1
        index = bisect_right(self.pieces, (at, 1 << 60, True)) - 1
        if index < 0:
            return at
        new, old, copied = self.pieces[index]
        return old + (at - new if copied else 0)


def rewritten(tree: ast.Module, text: str, where: Offsets, names: Names) -> Rewritten:
    """`text`, whose tree is `tree`, as the interpreter needs it."""
    splicing = _Splicing(text, where, names)
    splicing.visit(tree)
    source, pieces = splicing.applied()
    return Rewritten(source=source, prelude=prelude(splicing.needs, names), pieces=pieces)


class _Splicing(ast.NodeVisitor):
    def __init__(self, text: str, where: Offsets, names: Names) -> None:
        self._text = text
        self._where = where
        self._rules = Rules(names)
        self._edits: list[tuple[int, int, int, int, str]] = []

    @property
    def needs(self) -> frozenset[str]:
        """The functions of the prelude that the rewritten text calls."""
        return frozenset(self._rules.needs)

    def applied(self) -> tuple[str, tuple[tuple[int, int, bool], ...]]:
        """The text with every splice, and where each piece of it came from."""
        parts: list[str] = []
        pieces: list[tuple[int, int, bool]] = []
        old = new = 0
        for start, _, _, end, put in sorted(self._edits):
            if start > old:
                pieces.append((new, old, True))
                parts.append(self._text[old:start])
                new += start - old
            pieces.append((new, start, False))
            parts.append(put)
            new += len(put)
            old = max(old, end)
        pieces.append((new, old, True))
        parts.append(self._text[old:])
        return "".join(parts), tuple(pieces)

    def _put(self, start: int, end: int, text: str, kind: int = _OPENING) -> None:
        order = len(self._edits) if kind == _OPENING else -len(self._edits)
        self._edits.append((start, kind, order, end, text))

    def _start(self, node: ast.AST) -> int:
        return self._where.of(node)

    def _end(self, node: ast.expr | ast.stmt) -> int:
        return self._where.at(node.end_lineno or 1, node.end_col_offset or 0)

    def _around(self, node: ast.expr, before: str, after: str) -> None:
        self._put(self._start(node), self._start(node), before)
        self.visit(node)
        self._put(self._end(node), self._end(node), after, _CLOSING)

    def _whole(self, node: ast.expr | ast.stmt, text: str) -> None:
        """Puts `text` in place of `node`, with as many lines as it had."""
        start, end = self._start(node), self._end(node)
        missing = self._text.count("\n", start, end)
        self._put(start, end, f"({text}{chr(10) * missing})" if missing else text)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        """Parts of an f-string have no sure places in Python 3.11: the whole is replaced, or left alone."""
        if self._rules.touches(node):
            made = TreeRewriting(self._rules).visit(node)
            self._whole(node, ast.unparse(ast.fix_missing_locations(made)))

    def visit_Attribute(self, node: ast.Attribute) -> None:
        function = self._rules.read(node)
        if function is None:
            self.visit(node.value)
            return
        name_start = self._where.of_name(node)
        dot = self._text.rfind(".", self._end(node.value), name_start)
        self._put(self._start(node), self._start(node), f"{function}(")
        self.visit(node.value)
        if function == "_skill_get":
            self._put(dot, dot + 1, ", ")
            self._put(name_start, self._end(node), f"{node.attr!r})")
        else:
            self._put(dot, dot + 1, "")
            self._put(name_start, self._end(node), ")")

    def visit_Call(self, node: ast.Call) -> None:
        if self._rules.asks(node):
            self._whole(node, self._rules.asked(node))
            return
        function = self._rules.called(node)
        match node.func:
            case _ if function == "_skill_zoned_made":
                opening = self._text.index("(", self._end(node.func))
                self._put(self._start(node), opening + 1, f"{function}({ast.unparse(node.func)}, ")
            case ast.Attribute(value=value) if function and function.startswith("_skill_zoned"):
                opening = self._text.index("(", self._end(node.func))
                self._put(self._start(node), self._start(node), f"{function}(")
                self.visit(value)
                comma = ", " if node.args or node.keywords else ""
                self._put(self._text.rfind(".", 0, self._where.of_name(node.func)), opening + 1, comma)
            case ast.Attribute(value=value) if function is None:
                self.visit(value)
            case _ if function is not None:
                self._put(self._start(node.func), self._end(node.func), function)
            case _:
                self.visit(node.func)
        self._arguments(node)

    def _arguments(self, node: ast.Call) -> None:
        if self._rules.is_error(node) and not node.keywords and node.args:
            first, last = node.args[0], node.args[-1]
            self._put(self._start(first), self._start(first), "str(" if len(node.args) == 1 else "str((")
            self._put(self._end(last), self._end(last), ")" if len(node.args) == 1 else "))", _CLOSING)
        for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
            self.visit(argument)

    def visit_Assert(self, node: ast.Assert) -> None:
        self.visit(node.test)
        if node.msg is not None:
            self._around(node.msg, "str(", ")")

    def visit_Assign(self, node: ast.Assign) -> None:
        for target in node.targets:
            self.visit(target)
        if isinstance(node.value, ast.GeneratorExp):
            self._around(node.value, "iter", "")
        else:
            self.visit(node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)

    def visit_arg(self, node: ast.arg) -> None:
        """Type hints stay as they are; the interpreter does not look at them."""

    def visit_Delete(self, node: ast.Delete) -> None:
        targets = [target for target in node.targets if isinstance(target, ast.Subscript)]
        made = TreeRewriting(self._rules)
        removals = [
            f"_skill_delete({ast.unparse(made.visit(target.value))}, {_key(made.visit(target.slice))})"
            for target in targets
        ]
        self._rules.needs.add("delete")
        self._whole(
            node, "; ".join(removals) if "\n" not in self._text[self._start(node) : self._end(node)] else removals[0]
        )

    def visit_Import(self, node: ast.Import) -> None:
        if any(alias.name in STAND_INS for alias in node.names):
            self._statement(node, "; ".join(self._rules.imported(alias) for alias in node.names))

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        module = node.module or ""
        if module == "urllib":
            aliases = [ast.alias(name="urllib.parse", asname=alias.asname or "parse") for alias in node.names]
            self._statement(node, "; ".join(self._rules.imported(alias) for alias in aliases))
        elif module in STAND_INS:
            self._rules.needs.add(f"module {module}")
            name = module_name(module)
            self._statement(
                node, "; ".join(f"{alias.asname or alias.name} = {name}.{alias.name}" for alias in node.names)
            )

    def _statement(self, node: ast.stmt, text: str) -> None:
        start, end = self._start(node), self._end(node)
        missing = self._text.count("\n", start, end)
        self._put(start, end, text + (f"; (0{chr(10) * missing})" if missing else ""))


def _key(node: ast.expr) -> str:
    if not isinstance(node, ast.Slice):
        return ast.unparse(node)
    bounds = [ast.unparse(part) if part else "None" for part in (node.lower, node.upper, node.step)]
    return f"slice({', '.join(bounds)})"
