"""Mistakes in calls of other skills: skills that do not exist or cannot be run, their inputs, and circles."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

from engine.library.check_tools import argument_findings
from engine.library.codes import FindingCode
from engine.library.nearest import did_you_mean
from engine.library.outline import Outline
from engine.library.part import Part
from engine.model.place import Finding, Severity

FindSkill = Callable[[str], Part | None]
"""Gives the file of a skill by name; None when it does not exist or cannot be read."""

SkillErrors = Callable[[str], tuple[Finding, ...]]
"""Gives the errors of a skill by name, those of skills that it runs left out."""


def skill_findings(
    outlined: Outline, find: FindSkill, names: Collection[str], errors: SkillErrors
) -> Iterator[Finding]:
    """Everything wrong with the `skill` steps of a skill."""
    caller = outlined.skill.name()
    for step in outlined.steps:
        name = step.part.get("skill")
        if not isinstance(name, str):
            continue
        if wrong := _wrong_name(caller, step.part["skill"], find, names):
            yield wrong
            continue
        others = reached(name, find)
        yield from _broken(step.part, others, errors)
        yield from _inputs(step.part, name, find)
        if step.section == "always":
            yield from _asking(step.part, others, find)


def reached(name: str, find: FindSkill) -> tuple[str, ...]:
    """A skill, those it runs, those they run, and so on; each once, the nearest first."""
    seen = dict.fromkeys([name])
    pending = [name]
    while pending:
        for called in sorted(called_by(_value(find(pending.pop(0))))):
            if called not in seen:
                seen[called] = None
                pending.append(called)
    return tuple(seen)


def _wrong_name(caller: str, part: Part, find: FindSkill, names: Collection[str]) -> Finding | None:
    """What keeps a name from standing for a skill that can be run from here."""
    name = part.value
    if name != caller and name not in names:
        return Finding(
            place=part.place,
            code=FindingCode.UNKNOWN_SKILL,
            message=f"there is no skill called {name}",
            hint=did_you_mean(name, names) or "`skill list` lists the skills",
        )
    if circle := _circle(caller, name, find):
        return Finding(
            place=part.place,
            code=FindingCode.SKILL_CYCLE,
            message=f"this skill would run itself: {' -> '.join(circle)}",
            hint="break the circle: put what both need into a third skill",
        )
    return None


def _inputs(part: Part, name: str, find: FindSkill) -> Iterator[Finding]:
    callee = find(name)
    if callee is not None and ("inputs" not in part or isinstance(part.value["inputs"], dict)):
        yield from argument_findings(part, "inputs", f"the skill {name}", _parameters(callee))


def _broken(part: Part, names: Iterable[str], errors: SkillErrors) -> Iterator[Finding]:
    """The first of the skills a step comes to that has errors."""
    for name in names:
        if found := errors(name):
            through = "" if name == part.value["skill"] else f", which {part.value['skill']} runs,"
            several = f"{len(found)} errors; the first" if len(found) > 1 else "an error"
            yield Finding(
                place=part["skill"].place,
                code=FindingCode.BROKEN_SKILL,
                message=f"the skill {name}{through} has {several}: {found[0].place}: {found[0].message}",
                hint=f"`skill check {name}` shows all there is to mend",
            )
            return


def _asking(part: Part, names: Iterable[str], find: FindSkill) -> Iterator[Finding]:
    """A skill that `always` runs, and that asks."""
    for name in names:
        if any("ask" in step for step in steps_of(_value(find(name)))):
            yield Finding(
                place=part["skill"].place,
                code=FindingCode.ASK_IN_ALWAYS,
                message=f"the skill {name} asks, which fails when nobody is there to answer: `always` waits for nobody",
                hint="ask in `steps`, and give the answer as an input",
                severity=Severity.WARNING,
            )
            return


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
            ways.extend((*way, called) for called in sorted(called_by(_value(find(way[-1])))))
    return ()


def called_by(skill: Any) -> set[str]:
    """The names of the skills that a skill, given as its plain value, runs itself."""
    return {step["skill"] for step in steps_of(skill) if isinstance(step.get("skill"), str)}


def steps_of(skill: Any) -> Iterator[Mapping[str, Any]]:
    """Every step of a skill given as its plain value, however deep; forgiving."""
    pending = [skill]
    while pending:
        part = pending.pop()
        inner = part if isinstance(part, list) else ()
        if isinstance(part, dict):
            yield part
            inner = [part[key] for key in ("steps", "parallel", "always") if key in part]
        pending += inner


def _value(skill: Part | None) -> Any:
    return skill.value if skill is not None else None


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
