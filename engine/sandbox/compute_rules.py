"""What a compute block may not have, found before it runs."""

from __future__ import annotations

import ast
from typing import Final

from engine.sandbox.compute_names import Names
from engine.sandbox.expression_text import Offsets
from engine.sandbox.findings import Problem
from engine.sandbox.stand_ins import STAND_INS

_MODULES_WORDS: Final = (
    "re json datetime math itertools collections functools bisect copy base64 hashlib csv decimal unicodedata"
)
MODULES: Final = frozenset(_MODULES_WORDS.split())
RESERVED: Final = "_skill_"

_NAMES: Final = {
    "open": "read and write files with a tool",
    "eval": "write the expression itself",
    "exec": "write the statements themselves",
    "compile": "write the statements themselves",
    "__import__": "write: import name",
    "__builtins__": "call functions by their names",
    "input": "use an ask step",
    "breakpoint": "print what you want to see",
    "object": "use a mapping",
    "super": "use functions",
    "setattr": "write x['key'] = value",
    "delattr": "write del x['key']",
    "SystemExit": "end a run with a stop step",
    "KeyboardInterrupt": "raise another error",
    "exit": "end a run with a stop step",
    "quit": "end a run with a stop step",
}
_STATEMENTS: Final[dict[type, tuple[str, str]]] = {
    ast.ClassDef: ("class is not available", "use mappings and functions"),
    ast.With: ("with is not available", "files and locks belong to tools"),
    ast.AsyncWith: ("async is not available", "a block runs by itself; use parallel steps"),
    ast.AsyncFor: ("async is not available", "a block runs by itself; use parallel steps"),
    ast.AsyncFunctionDef: ("async is not available", "a block runs by itself; use parallel steps"),
    ast.Await: ("await is not available", "a block runs by itself; use parallel steps"),
    ast.Yield: ("yield is not available", "collect the values in a list"),
    ast.YieldFrom: ("yield is not available", "collect the values in a list"),
    ast.TryStar: ("except* is not available", "use except"),
}
_MODULE_HINTS: Final = {
    "os": "files, processes and environment belong to tools; paths: basename(path), dirname(path)",
    "sys": "end a run with a stop step",
    "subprocess": "run programs with a tool",
    "socket": "use a tool",
    "requests": "use an http tool",
    "httpx": "use an http tool",
    "urllib.request": "use an http tool",
    "pathlib": "use basename(path) and dirname(path); files belong to tools",
    "shutil": "files belong to tools",
    "time": "use now(); waiting is done with until or retry",
    "random": "pass random values in as inputs",
    "yaml": "read YAML with a tool",
    "pickle": "use json",
    "typing": "leave type hints out",
    "dataclasses": "use mappings",
    "asyncio": "use parallel steps",
    "threading": "use parallel steps",
}


def problems_of(tree: ast.Module, where: Offsets, names: Names) -> tuple[Problem, ...]:
    """Everything in `tree` that no compute block may have, and the want of a `result`."""
    found = [problem for node in ast.walk(tree) for problem in _problems(node, where, names)]
    if "result" not in names.bound and not (tree.body and isinstance(tree.body[-1], ast.Raise)):
        found.append(
            Problem(
                offset=0,
                code="compute-no-result",
                message="this block never sets result",
                hint="assign what the step gives: result = ...",
            )
        )
    return tuple(sorted(found, key=lambda problem: problem.offset))


def _problems(node: ast.AST, where: Offsets, names: Names) -> list[Problem]:
    match node:
        case ast.Import(names=aliases):
            return [problem for alias in aliases for problem in _module(alias.name, node, where)]
        case ast.ImportFrom(module=module, level=level, names=aliases):
            return _from(module or "", level, aliases, node, where)
        case ast.Name(id=name, ctx=context):
            return _name(name, node, where, () if isinstance(context, ast.Load) else (name,), names)
        case ast.Attribute():
            return _attribute(node, where)
        case ast.Delete(targets=targets):
            wrong = [target for target in targets if not isinstance(target, ast.Subscript)]
            return [_not(target, where, "only del x[key] is available", "assign None instead") for target in wrong]
    return [_not(node, where, *_STATEMENTS[type(node)])] if type(node) in _STATEMENTS else []


def _name(name: str, node: ast.AST, where: Offsets, stored: tuple[str, ...], names: Names) -> list[Problem]:
    if name.startswith(RESERVED):
        return [_not(node, where, f"names that start with {RESERVED} are not available", "choose another name")]
    if name in _NAMES and name not in names.bound | names.asked and not stored:
        return [_not(node, where, f"{name} is not available", _NAMES[name])]
    return []


def _attribute(node: ast.Attribute, where: Offsets) -> list[Problem]:
    if not isinstance(node.ctx, ast.Load):
        return [_not(node, where, "setting x.key is not available", "write x['key'] = value")]
    if node.attr.startswith("__") and node.attr != "__name__":
        return [_not(node, where, f"{node.attr} is not available", "names that start with __ do not exist here")]
    return []


def _from(module: str, level: int, aliases: list[ast.alias], node: ast.AST, where: Offsets) -> list[Problem]:
    if any(alias.name == "*" for alias in aliases):
        return [_not(node, where, "import * is not available", "name what you import")]
    if level:
        return [_not(node, where, "relative imports are not available", "import one of the modules there are")]
    if module == "urllib" and all(alias.name == "parse" for alias in aliases):
        return []
    return _module(module, node, where)


def _module(name: str, node: ast.AST, where: Offsets) -> list[Problem]:
    if name in MODULES or name in STAND_INS:
        return []
    hint = _MODULE_HINTS.get(name) or _MODULE_HINTS.get(name.split(".", maxsplit=1)[0])
    listed = ", ".join(sorted(MODULES | STAND_INS.keys()))
    return [_not(node, where, f"the module {name} is not available", hint or f"there are: {listed}")]


def _not(node: ast.AST, where: Offsets, message: str, hint: str) -> Problem:
    return Problem(offset=where.of(node), code="compute-not-allowed", message=message, hint=hint)
