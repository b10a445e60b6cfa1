"""Mistakes in calls of other skills: skills that do not exist, their inputs, and circles."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from engine.library.check_tools import argument_findings
from engine.library.codes import FindingCode
from engine.library.nearest import did_you_mean
from engine.library.outline import Outline
from engine.library.part import Part
from engine.model.place import Finding

FindSkill = Callable[[str], Part | None]
"""Gives the file of a skill by name; None when it does not exist or cannot be read."""


def skill_findings(outlined: Outline, find: FindSkill, names: Collection[str]) -> Iterator[Finding]:
    """Everything wrong with the `skill` steps of a skill."""
    for step in outlined.steps:
        name = step.part.get("skill")
        if isinstance(name, str):
            yield from _call(outlined.skill.name(), step.part, name, find, names)


def _call(caller: str, part: Part, name: str, find: FindSkill, names: Collection[str]) -> Iterator[Finding]:
    if name != caller and name not in names:
        yield Finding(
            place=part["skill"].place,
            code=FindingCode.UNKNOWN_SKILL,
            message=f"there is no skill called {name}",
            hint=did_you_mean(name, names) or "`skill list` lists the skills",
        )
    elif circle := _circle(caller, name, find):
        yield Finding(
            place=part["skill"].place,
            code=FindingCode.SKILL_CYCLE,
            message=f"this skill would run itself: {' -> '.join(circle)}",
            hint="break the circle: put what both need into a third skill",
        )
    elif (callee := find(name)) is not None and ("inputs" not in part or isinstance(part.value["inputs"], dict)):
        yield from argument_findings(part, "inputs", f"the skill {name}", _parameters(callee))


def _circle(caller: str, name: str, find: FindSkill) -> tuple[str, ...]:
    """The way from a skill back to itself; empty when there is none."""
    ways: list[tuple[str, ...]] = [(caller, name)]
    seen: set[str] = set()
    while ways:
        way = ways.pop()
        if way[-1] == caller:
            return way
        if way[-1] not in seen:
            seen.add(way[-1])
            ways.extend((*way, called) for called in sorted(_called_by(find(way[-1]))))
    return ()


def _called_by(skill: Part | None) -> set[str]:
    called: set[str] = set()
    pending = [inner for key in ("steps", "always") for inner in skill.listed(key)] if skill else []
    while pending:
        part = pending.pop()
        if isinstance(part.get("skill"), str):
            called.add(part.value["skill"])
        pending.extend(inner for key in ("steps", "parallel") for inner in part.listed(key))
    return called


def _parameters(skill: Part) -> Mapping[str, Any]:
    """A skill's inputs as the parameters of a call."""
    inputs = {part.name(): part for part in skill.listed("inputs")}
    rules = ("type", "enum", "minimum", "maximum", "items", "description")
    return {
        "type": "object",
        "properties": {name: {key: part.value[key] for key in rules if key in part} for name, part in inputs.items()},
        "required": [name for name, part in inputs.items() if part.get("required") is True and "default" not in part],
        "additionalProperties": False,
    }
