"""Steps that hold others, in a dry run: groups in order and at once, and a step for every element of a list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol

from engine.errors import SandboxError
from engine.model.outcome import Absent
from engine.model.place import Text
from engine.model.skill import ForeachOption, GroupStep, OnError, Step
from engine.run.dry.calls import Caller
from engine.run.dry.evaluate import Evaluator, ImpossibleError
from engine.run.dry.level import Course, Draft, Level, unknown_entry
from engine.run.dry.outline import may_write
from engine.run.dry.plan import Elements, PlannedStep, Verdict
from engine.run.dry.schema import list_of, types_of
from engine.run.dry.unknown import Unknown
from engine.run.scope import all_steps

STOPPING = frozenset({Verdict.WOULD_STOP, Verdict.MAY_STOP})


class Walking(Protocol):
    """The walk, as seen by the steps that hold others."""

    elements: int

    @property
    def caller(self) -> Caller:
        """Plans and makes calls."""

    @property
    def evaluator(self) -> Evaluator:
        """Evaluates texts."""

    async def sequence(self, steps: Sequence[Step], level: Level) -> tuple[PlannedStep, ...]:
        """Plans steps in order."""

    async def step(self, step: Step, level: Level) -> PlannedStep:
        """Plans one step, with all its elements."""

    async def one(self, step: Step, level: Level, *, path: str) -> PlannedStep:
        """Plans a step that is no `foreach`, or one element of it."""

    def outlined(self, step: Step, level: Level, path: str) -> PlannedStep:
        """What the file and the tool's declaration say of a step."""

    def holds(self, condition: Text | None, level: Level) -> bool | Unknown:
        """Whether a step's condition is true."""

    def skipped(self, step: Step, level: Level, planned: PlannedStep) -> PlannedStep:
        """A step whose condition is false."""

    def unreached(self, step: Step, level: Level, *, path: str) -> PlannedStep:
        """A step, with those inside it, that the run does not come to."""

    def failed(self, planned: PlannedStep, error: Exception, level: Level) -> Draft:
        """What becomes of a step that an error is known of."""

    def ended(self, step: Step, level: Level, draft: Draft, *, doubt: tuple[str, ...] = ()) -> PlannedStep:
        """Binds a planned step's value, and gives it its verdict."""


async def group(walk: Walking, step: GroupStep, level: Level, planned: PlannedStep) -> Draft:
    """The inner steps; the value is the mapping of their outputs."""
    before = len(level.course.failing)
    inner = replace(level, scope=level.scope.inner(step.steps), prefix=f"{planned.path}/")
    if step.parallel or step.until or step.retry:
        _may_change(walk, step)
    steps = await (_at_once(walk, step, inner) if step.parallel else walk.sequence(step.steps, inner))
    if step.on_error is OnError.CONTINUE and level.course.over is not None and any(each.may_fail for each in steps):
        # Should one of them fail first, the group is over, and what comes after it is reached.
        level.course.over = None
        level.course.doubts.append(planned.path)
        steps = tuple(map(_unsure, steps))
    return _whole(step, level, replace(planned, steps=steps), inner.scope.outputs(step.steps), before)


def _unsure(step: PlannedStep) -> PlannedStep:
    verdict = Verdict.MAY_STOP if step.verdict is Verdict.WOULD_STOP else step.verdict
    return replace(step, verdict=verdict, steps=tuple(map(_unsure, step.steps)))


async def _at_once(walk: Walking, step: GroupStep, level: Level) -> tuple[PlannedStep, ...]:
    """The branches, each without a look at the others; the first that would stop ends the group."""
    branches = [replace(level, scope=level.scope.branch(), course=level.course.branch()) for _ in step.steps]
    planned = [await walk.step(each, branch) for each, branch in zip(step.steps, branches, strict=True)]
    for each, branch in zip(step.steps, branches, strict=True):
        level.scope.joined(each, branch.scope)
    _join(level.course, [branch.course for branch in branches], planned)
    ending = [branch.course.end is not None for branch in branches]
    for index, each in enumerate(step.steps):
        if sum(ending) - ending[index] > 0:
            _doubt(each, level, planned[index].path)
    return tuple(planned)


def _doubt(step: Step, level: Level, path: str) -> None:
    """Makes unknown what a branch gives that another one's end may keep from beginning."""
    names = level.scope.names
    names[step.output] = Unknown(sources=(path,), origin=path)
    names["steps"].update({each.name: unknown_entry(each, path) for each in all_steps([step])})


def _join(course: Course, branches: Sequence[Course], planned: Sequence[PlannedStep]) -> None:
    """What the branches come to: where one may stop and another would fail, nobody knows which comes first."""
    course.over = next((branch.over for branch in branches if branch.over), None)
    failing = [each for branch in branches for each in branch.failing]
    if not any(step.verdict in STOPPING for branch in planned for step in branch.walk()):
        course.failing += failing
    elif failing:
        course.doubts.append(failing[0].step)


async def each(walk: Walking, step: Step, option: ForeachOption, level: Level) -> PlannedStep:
    """The step for every element of its list; once for all of them where the list is not known."""
    planned = walk.outlined(step, level, f"{level.prefix}{step.name}")
    try:
        per_element = _reads(walk, step.condition, option.bind)
        holds = True if per_element else walk.holds(step.condition, level)
        if holds is False:
            return walk.skipped(step, level, planned)
        doubt = holds.sources if isinstance(holds, Unknown) else ()
        inner = level.doubted(doubt) if isinstance(holds, Unknown) else level
        items = _items(walk, option, inner)
    except SandboxError as error:
        return walk.ended(step, level, walk.failed(planned, error, level))
    element = replace(step, foreach=None, condition=step.condition if per_element else None)
    planner = _of_unknown if isinstance(items, Unknown) else _of_list
    if items:
        _may_change(walk, step)
    draft = await planner(walk, element, option, inner, planned, items)
    return walk.ended(replace(step, undo=None), inner, draft, doubt=doubt)


def _reads(walk: Walking, condition: Text | None, name: str) -> bool:
    if condition is None:
        return False
    return any(use.path[0] == name for use in walk.evaluator.sandbox.read_expression(condition).uses)


def _items(walk: Walking, option: ForeachOption, level: Level) -> Any:
    """The list, or an unknown that may be one. Raises SandboxError for what is none."""
    items = walk.evaluator.value(option.items, level.scope.names)
    if isinstance(items, Unknown):
        types = types_of(items.schema)
        if types and "array" not in types:
            raise ImpossibleError(_no_list(option, " or ".join(sorted(types))), place=option.items.place)
        return items
    if not isinstance(items, list | tuple | range):
        raise SandboxError(_no_list(option, type(items).__name__), place=option.items.place)
    return list(items)


def _no_list(option: ForeachOption, kind: str) -> str:
    return f"`foreach` wants a list, and {option.items.text.strip()} is of type {kind}"


async def _of_list(
    walk: Walking, step: Step, option: ForeachOption, level: Level, planned: PlannedStep, items: Any
) -> Draft:
    before, found, values = len(level.course.failing), [], []
    for index, item in enumerate(items):
        if walk.elements <= 0 or level.course.over is not None:
            break
        walk.elements -= 1
        inner = replace(level, scope=level.scope.element(option.bind, item))
        found.append(await walk.one(step, inner, path=f"{planned.path}[{index}]"))
        values.append(_value(step, inner))
    if level.course.over is not None and option.parallel > 1:
        level.course.doubts.append(planned.path)
    if not items:
        found.append(walk.unreached(step, level, path=f"{planned.path}[*]"))
    left = max(0, len(items) - len(found))
    values += [Unknown(sources=(planned.path,), origin=planned.path) for _ in range(left)]
    told = Elements(bind=option.bind, count=len(items), parallel=option.parallel, left_out=left)
    return _whole(step, level, replace(planned, elements=told, steps=tuple(found)), values, before)


async def _of_unknown(
    walk: Walking, step: Step, option: ForeachOption, level: Level, planned: PlannedStep, items: Any
) -> Draft:
    before = len(level.course.failing)
    item = items.element(str(items).strip("<>"))
    inner = replace(level.doubted(items.sources), scope=level.scope.element(option.bind, item))
    found = await walk.one(step, inner, path=f"{planned.path}[*]")
    value = _value(step, inner)
    schema = list_of(value.schema if isinstance(value, Unknown) else None)
    sources = tuple(dict.fromkeys((*items.sources, planned.path)))
    told = Elements(bind=option.bind, parallel=option.parallel)
    planned = replace(planned, elements=told, steps=(found,), unknown={"foreach": items.sources})
    return _whole(step, level, planned, Unknown(sources=sources, origin=planned.path, schema=schema), before)


def _value(step: Step, level: Level) -> Any:
    value = level.scope.names[step.output]
    return None if isinstance(value, Absent) else value


def _whole(step: Step, level: Level, planned: PlannedStep, value: Any, before: int) -> Draft:
    """A step that holds others: it would fail where one inside would fail for good."""
    failing = level.course.failing[before:]
    if not failing:
        return Draft(planned=planned, value=value)
    if step.on_error is OnError.CONTINUE:
        del level.course.failing[before:]
    return Draft(planned=planned, value=value, failure=failing[0].message)


def _may_change(walk: Walking, step: Step) -> None:
    """Before steps that run at once or again: one that writes comes before every one that reads."""
    walk.caller.changed = walk.caller.changed or may_write(step, walk.caller.registry)
