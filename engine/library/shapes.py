"""What is certain about the values of steps before any run: which are mappings with known keys, and which are lists."""

from __future__ import annotations

from collections import defaultdict

from engine.library.check_skills import FindSkill
from engine.library.outline import Outline, OutlinedStep
from engine.model.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The keys of a value (None: unknown, or no mapping), and whether it is a list of such values."""

    keys: frozenset[str] | None = None
    listed: bool = False


def shapes(outlined: Outline, find: FindSkill) -> dict[str, Shape]:
    """What is known of the values of groups, of other skills and of loops, by output."""
    inner: dict[OutlinedStep, set[str]] = defaultdict(set)
    for step in outlined.steps:
        if step.group is not None:
            inner[step.group].add(step.output)
    known: dict[str, Shape] = {}
    for step in outlined.steps:
        keys = inner.get(step) if step.actions in {("steps",), ("parallel",)} else _outputs(step, find)
        listed = "foreach" in step.part
        if step.output and (listed or keys is not None):
            known[step.output] = Shape(keys=None if keys is None else frozenset(keys), listed=listed)
    return known


def _outputs(step: OutlinedStep, find: FindSkill) -> set[str] | None:
    """The outputs of the skill that a step runs; None when it runs none that can be read."""
    name = step.part.get("skill")
    callee = find(name) if step.actions == ("skill",) and isinstance(name, str) else None
    return {part.name() for part in callee.listed("outputs")} if callee is not None else None
