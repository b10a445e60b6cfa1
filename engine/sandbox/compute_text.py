"""Reads a compute block: what it uses, what it may not have, and what is rewritten for the interpreter."""

from __future__ import annotations

import ast
import warnings
from dataclasses import dataclass, field

from engine.sandbox.compute_names import Names, names_of
from engine.sandbox.compute_rewrite import Rewritten, rewritten
from engine.sandbox.compute_rules import problems_of
from engine.sandbox.expression_text import Offsets, offsets
from engine.sandbox.limits import COMPUTE_BYTES
from engine.sandbox.reading import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A compute block, read once; with problems it is never run.

    `source` is what the interpreter gets and `prelude` what it gets before; `raises` are the lines and columns where
    the author raises on purpose.
    """

    where: Offsets
    names: Names = field(default_factory=Names)
    rewritten: Rewritten = field(default_factory=Rewritten)
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
        return Block(
            where=where, names=names, rewritten=rewritten(tree, text, names), problems=problems_of(tree, where, names)
        )
    except RecursionError:
        return _broken(where, 0, "this block is nested too deeply", "split it", limit=True)


def _broken(where: Offsets, offset: int, message: str, hint: str, *, limit: bool = False) -> Block:
    problem = Problem(offset=offset, code="compute-syntax", message=message, hint=hint, limit=limit)
    return Block(where=where, problems=(problem,))
