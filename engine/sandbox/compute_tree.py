"""The rewriting of a compute block for parts that are written out again as a whole, from their tree."""

from __future__ import annotations

import ast

from engine.sandbox.compute_choices import Rules


class TreeRewriting(ast.NodeTransformer):
    """The same rules for a tree that is written out again as a whole."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        """An f-string as a call of join: its parts can then be rewritten."""
        parts = [self._part(part) for part in node.values]
        joined = ast.Attribute(value=ast.Constant(value=""), attr="join", ctx=ast.Load())
        return ast.Call(func=joined, args=[ast.List(elts=parts, ctx=ast.Load())], keywords=[])

    def _part(self, part: ast.expr) -> ast.expr:
        if not isinstance(part, ast.FormattedValue):
            return part
        value: ast.expr = self.visit(part.value)
        conversion = {115: "str", 114: "repr", 97: "ascii"}.get(part.conversion)
        if conversion:
            value = ast.Call(func=ast.Name(id=conversion, ctx=ast.Load()), args=[value], keywords=[])
        spec = self.visit_JoinedStr(part.format_spec) if isinstance(part.format_spec, ast.JoinedStr) else None
        given = [value, spec or ast.Constant(value="")]
        return ast.Call(func=ast.Name(id="format", ctx=ast.Load()), args=given, keywords=[])  # type: ignore[arg-type]

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """A read of an attribute."""
        function = self._rules.read(node)
        value = self.visit(node.value)
        if function is None:
            return ast.Attribute(value=value, attr=node.attr, ctx=node.ctx)
        args = [value, ast.Constant(value=node.attr)] if function == "_skill_get" else [value]
        return ast.Call(func=ast.Name(id=function, ctx=ast.Load()), args=args, keywords=[])

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """A call."""
        if self._rules.asks(node):
            return ast.parse(self._rules.asked(node), mode="eval").body
        function = self._rules.called(node)
        args = [self.visit(argument) for argument in node.args]
        keywords = [ast.keyword(arg=keyword.arg, value=self.visit(keyword.value)) for keyword in node.keywords]
        match node.func:
            case _ if function == "_skill_zoned_made":
                args = [node.func, *args]
            case ast.Attribute(value=value) if function and function.startswith("_skill_zoned"):
                args = [self.visit(value), *args]
            case ast.Attribute(value=value, attr=attr) if function is None:
                return ast.Call(ast.Attribute(self.visit(value), attr, ast.Load()), args, keywords)
        called = ast.parse(function, mode="eval").body if function else self.visit(node.func)
        return ast.Call(func=called, args=args, keywords=keywords)
