"""Which names a compute block reads from outside, and which it binds itself."""

from __future__ import annotations

import ast
from typing import Final

from engine.model.lazy_dataclass import dataclass
from engine.sandbox.expression_text import Offsets
from engine.sandbox.findings import Use
from engine.sandbox.functions import NAMES

_BUILTINS_WORDS: Final = (
    "abs all any ascii bin bool bytes chr dict divmod enumerate filter float format frozenset getattr hasattr hash "
    "hex id int isinstance issubclass iter len list map max min next oct ord pow print range repr reversed round set "
    "setattr slice sorted str sum tuple type zip True False None NotImplemented Ellipsis __name__ ArithmeticError "
    "AssertionError AttributeError BaseException Exception IndexError KeyError LookupError MemoryError NameError "
    "NotImplementedError OSError OverflowError PermissionError RecursionError RuntimeError StopIteration "
    "FileNotFoundError ImportError ModuleNotFoundError TimeoutError TypeError UnboundLocalError UnicodeDecodeError "
    "UnicodeEncodeError ValueError ZeroDivisionError"
)
BUILTINS: Final = frozenset(_BUILTINS_WORDS.split())
_SCOPES: Final = (
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.Lambda,
    ast.ListComp,
    ast.SetComp,
    ast.DictComp,
    ast.GeneratorExp,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """The names of a block: `reads` are looked for outside, `bound` set in it, `asked` only `in dir()`."""

    reads: frozenset[str] = frozenset()
    bound: frozenset[str] = frozenset()
    imported: frozenset[str] = frozenset()
    modules: frozenset[str] = frozenset()
    asked: frozenset[str] = frozenset()
    uses: tuple[Use, ...] = ()


def names_of(tree: ast.Module, where: Offsets) -> Names:
    """What `tree` reads and binds."""
    collected = _Collector(where)
    for statement in tree.body:
        collected.visit(statement)
    return collected.names()


class _Collector(ast.NodeVisitor):
    def __init__(self, where: Offsets) -> None:
        self._where = where
        self._local: list[set[str]] = []
        self._bound: set[str] = set()
        self._imported: set[str] = set()
        self._modules: set[str] = set()
        self._asked: set[str] = set()
        self._loads: list[tuple[tuple[str, ...], int, bool, bool]] = []
        self._caught = 0

    def names(self) -> Names:
        """Everything collected; a use is a read of a name that nothing in the block has bound before."""
        uses = [
            Use(path=path, offset=offset, guarded=caught or path[0] in self._asked)
            for path, offset, caught, early in self._loads
            if path[0] not in BUILTINS | NAMES and (early or path[0] not in self._bound)
        ]
        return Names(
            reads=frozenset(path[0] for path, *_ in self._loads) | self._asked,
            bound=frozenset(self._bound),
            imported=frozenset(self._imported),
            modules=frozenset(self._modules),
            asked=frozenset(self._asked),
            uses=tuple(uses),
        )

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self._load((node.id,), node)
        else:
            self._bind(node.id)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self._chain(node)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        self._chain(node)

    def _chain(self, node: ast.Attribute | ast.Subscript) -> None:
        path: list[str] = []
        inner: ast.expr = node
        while isinstance(inner, ast.Attribute | ast.Subscript):
            match inner:
                case ast.Attribute(attr=name):
                    path.append(name)
                case ast.Subscript(slice=ast.Constant(value=str() | int() as key)):
                    path.append(str(key))
                case ast.Subscript(slice=key_node):
                    path.clear()
                    self.visit(key_node)
            inner = inner.value
        if isinstance(inner, ast.Name):
            self._load((inner.id, *reversed(path)), inner)
        else:
            self.visit(inner)

    def visit_Call(self, node: ast.Call) -> None:
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Call(func=ast.Name(id="locals" | "globals" | "vars")), attr="get"),
                args=[ast.Constant(value=str() as name), *_],
            ):
                self._asked.add(name)
            case ast.Call(func=ast.Name(id="dir" | "locals" | "globals" | "vars"), args=[]):
                return
        match node.func:
            case ast.Attribute(value=value):
                self.visit(value)
            case _:
                self.visit(node.func)
        for argument in (*node.args, *node.keywords):
            self.visit(argument)

    def visit_Compare(self, node: ast.Compare) -> None:
        match node:
            case ast.Compare(
                left=ast.Constant(value=str() as name),
                ops=[ast.In() | ast.NotIn()],
                comparators=[ast.Call(func=ast.Name(id="dir" | "locals" | "globals" | "vars"))],
            ):
                self._asked.add(name)
                return
        self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        self.visit(node.value)
        for target in node.targets:
            self.visit(target)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.visit(node.value)
        if isinstance(node.target, ast.Name):
            self._load((node.target.id,), node.target)
        self.visit(node.target)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value:
            self.visit(node.value)
        self.visit(node.target)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.visit(node.value)
        self._bind(node.target.id)

    def visit_For(self, node: ast.For) -> None:
        self.visit(node.iter)
        self.visit(node.target)
        for statement in (*node.body, *node.orelse):
            self.visit(statement)

    def visit_Try(self, node: ast.Try) -> None:
        catches = any(_catches_names(handler) for handler in node.handlers)
        self._caught += catches
        for statement in node.body:
            self.visit(statement)
        self._caught -= catches
        for part in (*node.handlers, *node.orelse, *node.finalbody):
            self.visit(part)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.name:
            self._bind(node.name)
        self.generic_visit(node)

    def visit_MatchAs(self, node: ast.MatchAs) -> None:
        if node.name:
            self._bind(node.name)
        self.generic_visit(node)

    def visit_MatchStar(self, node: ast.MatchStar) -> None:
        if node.name:
            self._bind(node.name)

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        if node.rest:
            self._bind(node.rest)
        self.generic_visit(node)

    def visit_Import(self, node: ast.Import) -> None:
        self._modules.update(alias.name for alias in node.names)
        self._import([alias.asname or alias.name.split(".")[0] for alias in node.names])

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        self._modules.add(node.module or "")
        self._import([alias.asname or alias.name for alias in node.names])

    def _import(self, names: list[str]) -> None:
        for name in names:
            self._bind(name)
            self._imported.add(name)

    def visit_Global(self, node: ast.Global) -> None:
        self._bound.update(node.names)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._bind(node.name)
        self._function(node, node.body)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._function(node, [node.body])

    def _function(self, node: ast.FunctionDef | ast.Lambda, body: list[ast.stmt] | list[ast.expr]) -> None:
        for default in (*node.args.defaults, *(each for each in node.args.kw_defaults if each)):
            self.visit(default)
        arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg]
        local = {argument.arg for argument in arguments if argument} | _assigned(body)
        self._local.append(local)
        for part in body:
            self.visit(part)
        self._local.pop()

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> None:
        self.visit(node.generators[0].iter)
        self._local.append({each.id for each in ast.walk(node) if isinstance(each, ast.Name) and _stores(each)})
        for index, generator in enumerate(node.generators):
            for part in (*([generator.iter] if index else []), *generator.ifs):
                self.visit(part)
        for part in [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]:
            self.visit(part)
        self._local.pop()

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension  # noqa: N815 - ast's names

    def _load(self, path: tuple[str, ...], node: ast.AST) -> None:
        name = path[0]
        if any(name in local for local in self._local):
            return
        early = name not in self._bound and not self._local
        self._loads.append((path, self._where.of(node), self._caught > 0, early))

    def _bind(self, name: str) -> None:
        if not any(name in local for local in self._local):
            self._bound.add(name)


def _stores(node: ast.Name) -> bool:
    return isinstance(node.ctx, ast.Store)


def _catches_names(handler: ast.ExceptHandler) -> bool:
    caught = ast.walk(handler.type) if handler.type else ()
    wide = {"NameError", "Exception", "BaseException", "UnboundLocalError"}
    return handler.type is None or any(isinstance(each, ast.Name) and each.id in wide for each in caught)


def _assigned(body: list[ast.stmt] | list[ast.expr]) -> set[str]:
    """The names a function's own body binds, inner functions left out, `global` names too."""
    bound: set[str] = set()
    shared: set[str] = set()
    waiting: list[ast.AST] = list(body)
    while waiting:
        node = waiting.pop()
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                bound.add(name)
            case ast.FunctionDef(name=name):
                bound.add(name)
            case ast.ExceptHandler(name=str() as name) | ast.MatchAs(name=str() as name):
                bound.add(name)
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                shared.update(names)
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                bound.update(alias.asname or alias.name.split(".")[0] for alias in aliases)
        if not isinstance(node, _SCOPES):
            waiting.extend(ast.iter_child_nodes(node))
    return bound - shared
