"""Reads a compute block: what it uses, what it may not have, and what is rewritten for the interpreter."""

from __future__ import annotations

import ast
import warnings
from dataclasses import field

from engine.model.lazy_dataclass import dataclass
from engine.sandbox.compute_names import Names, names_of
from engine.sandbox.compute_rewrite import Rewritten, rewritten
from engine.sandbox.compute_rules import problems_of
from engine.sandbox.expression_text import Offsets, offsets
from engine.sandbox.findings import Problem
from engine.sandbox.limits import COMPUTE_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A compute block, read once; with problems it is never run.

    `raises` are the offsets of what the author raises on purpose, `result` where `result` is set last.
    """

    where: Offsets
    names: Names = field(default_factory=Names)
    rewritten: Rewritten = field(default_factory=Rewritten)
    raises: frozenset[int] = frozenset()
    result: int = 0
    problems: tuple[Problem, ...] = ()


def read(text: str) -> Block:
    """The block in `text`; never raises."""
    where = offsets(text, 0)
    if len(text.encode(errors="replace")) > COMPUTE_BYTES:
        return _broken(where, 0, f"this block is longer than {COMPUTE_BYTES // 1024} kB", "split it", limit=True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except SyntaxError as error:
        offset = where.at(error.lineno or 1, 0) + max(0, (error.offset or 1) - 1)
        return _broken(where, min(offset, len(text)), f"this is no complete Python: {error.msg}", "")
    except (RecursionError, MemoryError):
        return _broken(where, 0, "this block is nested too deeply", "split it", limit=True)
    except ValueError:
        return _broken(where, 0, "this block holds characters that no program may hold", "")
    try:
        names = names_of(tree, where)
        problems = problems_of(tree, where, names)
        return Block(
            where=where,
            names=names,
            rewritten=Rewritten() if problems else rewritten(tree, text, where, names),
            raises=_raises(tree, where),
            result=_result(tree, where),
            problems=problems,
        )
    except RecursionError:
        return _broken(where, 0, "this block is nested too deeply", "split it", limit=True)


def _broken(where: Offsets, offset: int, message: str, hint: str, *, limit: bool = False) -> Block:
    problem = Problem(offset=offset, code="compute-syntax", message=message, hint=hint, limit=limit)
    return Block(where=where, problems=(problem,))


def _raises(tree: ast.Module, where: Offsets) -> frozenset[int]:
    return frozenset(where.of(node.exc) for node in ast.walk(tree) if isinstance(node, ast.Raise) and node.exc)


def _result(tree: ast.Module, where: Offsets) -> int:
    set_at = [
        where.of(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and node.id == "result" and isinstance(node.ctx, ast.Store)
    ]
    return max(set_at, default=0)
