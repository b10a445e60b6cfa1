"""A whole skill in a dry run: the run's own, and those it calls, each with a scope of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from engine.errors import SandboxError
from engine.library import bind_inputs
from engine.model.lazy_dataclass import dataclass
from engine.model.outcome import Absent, RunStatus
from engine.model.place import Severity
from engine.model.skill import Input, Skill, SkillStep, Step
from engine.run.dry.acts import unknown_in
from engine.run.dry.evaluate import Evaluator
from engine.run.dry.level import Course, Draft, Level, absent, unknown_entry
from engine.run.dry.plan import MAY_RUN, PlannedEnd, PlannedOutput, PlannedStep, Verdict
from engine.run.dry.surroundings import DryParts
from engine.run.dry.unknown import Unknown, is_known, sources_in
from engine.run.scope import NOT_REACHED, Scope, all_steps, new_scope


class Skilled(Protocol):
    """The walk, as a whole skill sees it."""

    @property
    def parts(self) -> DryParts:
        """The rooms around."""

    @property
    def evaluator(self) -> Evaluator:
        """Evaluates texts."""

    async def sequence(self, steps: Sequence[Step], level: Level) -> tuple[PlannedStep, ...]:
        """Plans steps in order."""

    def tell(self, place: Any, code: str, message: str, hint: str = "", severity: Severity = Severity.WARNING) -> None:
        """Notes a finding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A whole skill as planned; `end` is where it surely ends early, `values` its outputs with their unknowns."""

    steps: tuple[PlannedStep, ...]
    always: tuple[PlannedStep, ...]
    outputs: tuple[PlannedOutput, ...]
    end: PlannedEnd | None


async def whole(walk: Skilled, skill: Skill, level: Level) -> Planned:
    """Plans steps, then `always`, then outputs."""
    steps = await walk.sequence(skill.steps, level)
    end = level.course.end
    _forget_after(end, skill, steps, level)
    cleaning = level.cleaning("always", end, surely=not level.course.doubts)
    cleaning = replace(cleaning, course=level.course.branch())
    _doubt_from(_first(steps, _may_end), skill, steps, cleaning)
    always = await walk.sequence(skill.always, cleaning)
    end = end or cleaning.course.end
    outputs, wrong = _outputs(walk, skill, _returning(skill, steps, level, cleaning), well=end is None)
    return Planned(steps=steps, always=always, outputs=outputs, end=end or wrong)


def _forget_after(end: PlannedEnd | None, skill: Skill, planned: Sequence[PlannedStep], level: Level) -> None:
    """Takes back what steps were taken to give that the run surely does not come to."""
    if end is None:
        return
    last = _first(planned, lambda step: step.path == end.step)
    for step in skill.steps[last + 1 :]:
        level.scope.names[step.output] = absent(step, "the run would have ended before")
        for each in all_steps([step]):
            level.scope.names["steps"][each.name] = dict(NOT_REACHED)


def _doubt_from(first: int, skill: Skill, planned: Sequence[PlannedStep], level: Level) -> None:
    """Makes unknown what steps give that the run perhaps does not come to: the first call may be what ends it."""
    names = level.scope.names
    entries = dict(names["steps"])
    for step, told in zip(skill.steps[first:], planned[first:], strict=True):
        if told.verdict in {Verdict.NOT_REACHED, Verdict.SKIPPED} and isinstance(names[step.output], Absent):
            continue
        if not isinstance(names[step.output], Unknown):
            names[step.output] = Unknown(sources=(told.path,), origin=told.path)
        entries |= {each.name: unknown_entry(each, told.path) for each in all_steps([step])}
    names["steps"] = entries


def _returning(skill: Skill, planned: Sequence[PlannedStep], level: Level, cleaning: Level) -> Level:
    """The names that outputs see when the skill ends well: all that its steps gave, but what a `stop` may leave out."""
    always = {step.output: cleaning.scope.names[step.output] for step in skill.always}
    entries = {step.name: cleaning.scope.names["steps"][step.name] for step in all_steps(skill.always)}
    names = {**level.scope.names, **always, "run": cleaning.scope.names["run"]}
    names["steps"] = {**names["steps"], **entries}
    returning = replace(level, scope=Scope(names=names))
    _doubt_from(_first(planned, _may_end_well) + 1, skill, planned, returning)
    return returning


def _first(planned: Sequence[PlannedStep], is_it: Callable[[PlannedStep], bool]) -> int:
    """Where the first step stands in which one is found; after all of them when there is none."""
    return next((index for index, step in enumerate(planned) if any(map(is_it, step.walk()))), len(planned))


def _may_end(step: PlannedStep) -> bool:
    acts = bool(step.tool) or step.question is not None
    return step.verdict is Verdict.MAY_STOP or (acts and step.verdict in MAY_RUN)


def _may_end_well(step: PlannedStep) -> bool:
    return step.verdict is Verdict.MAY_STOP and step.stops == "ok"


def _outputs(
    walk: Skilled, skill: Skill, level: Level, *, well: bool
) -> tuple[tuple[PlannedOutput, ...], PlannedEnd | None]:
    """The outputs, and how one without a value fails a skill that would end well."""
    found, wrong = [], None
    for output in skill.outputs:
        try:
            value = walk.evaluator.tree(output.value, level.scope.names)
        except SandboxError as error:
            if well:
                message = f"the output {output.name} would have no value: {error.message}"
                walk.tell(error.place or output.place, "would-fail", message, error.hint, Severity.ERROR)
                wrong = wrong or PlannedEnd(status=RunStatus.FAILED, step=level.prefix.rstrip("/"), message=message)
            continue
        found.append(PlannedOutput(name=output.name, value=value, unknown=sources_in(value)))
    return tuple(found), wrong


async def call(walk: Skilled, step: SkillStep, level: Level, planned: PlannedStep) -> Draft:
    """Another skill; its outputs are the value. Raises SandboxError and EngineError."""
    skill = walk.parts.library.load(step.skill)
    callers = (*level.skills, level.skill.name)
    if skill.name in callers:
        raise SandboxError(f"this skill would run itself: {' -> '.join((*callers, skill.name))}", place=step.place)
    given = walk.evaluator.tree(step.inputs, level.scope.names)
    bound = bind_known(walk.parts, skill, given)
    run = {**level.scope.names["run"], "name": skill.name}
    scope = scope_of(walk.parts, skill, bound, run)
    inner = replace(level, skill=skill, scope=scope, course=Course(), prefix=f"{planned.path}/", skills=callers)
    found = await whole(walk, skill, inner)
    level.course.doubts.extend(inner.course.doubts)
    planned = replace(planned, args=given, unknown=unknown_in(given), steps=(*found.steps, *found.always))
    return _value(planned, skill, found)


def _value(planned: PlannedStep, skill: Skill, found: Planned) -> Draft:
    value = {output.name: output.value for output in found.outputs}
    if found.end is None or found.end.status is RunStatus.OK:
        return Draft(planned=planned, value=value)
    end = replace(found.end, step=planned.path) if found.end.status is RunStatus.BLOCKED else None
    message = f"the skill {skill.name} would end {found.end.status}: {found.end.message}"
    return Draft(planned=planned, failure=message, end=end)


def bind_known(parts: DryParts, skill: Skill, given: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs of a called skill; those not known yet as they are, the others checked. Raises InputError."""
    doubtful = {name: value for name, value in given.items() if not is_known(value)}
    asked = replace(skill, inputs=tuple(each for each in skill.inputs if each.name not in doubtful))
    names = {each.name for each in skill.inputs}
    strangers = {name: None for name in doubtful if name not in names}
    bound = bind_inputs(asked, {**{name: value for name, value in given.items() if name not in doubtful}, **strangers})
    for each in skill.inputs:
        if each.secret and each.name in bound:
            parts.secrets.add(bound[each.name])
    return {
        each.name: _typed(each, doubtful[each.name]) if each.name in doubtful else bound[each.name]
        for each in skill.inputs
    }


def _typed(asked: Input, value: Any) -> Any:
    """An unknown input, with the input's own schema where its source promises nothing."""
    if not isinstance(value, Unknown) or value.schema or asked.type is None:
        return value
    return replace(value, schema={"type": asked.type.value, **({"items": asked.items} if asked.items else {})})


def scope_of(parts: DryParts, skill: Skill, inputs: Mapping[str, Any], run: Mapping[str, Any]) -> Scope:
    """The names a skill begins with."""
    return new_scope(skill=skill, inputs=inputs, config=parts.config, env=parts.env, run=run)
