"""Steps that hold others: groups in order, groups at once, and the elements of a list."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import anyio

from engine.errors import JournalError
from engine.model.heal import Healing
from engine.model.outcome import RunStatus, StepStatus
from engine.model.skill import GroupStep, Step
from engine.run.ending import HALTED, RESTING, Acted, Ended, Ending, worst
from engine.run.frame import Frame, Gate, Walks


async def group(walk: Walks, step: GroupStep, frame: Frame, path: str) -> Acted:
    """Runs the inner steps; the value is the mapping of their outputs."""
    inner = replace(frame, scope=frame.scope.inner(step.steps), prefix=f"{path}/")
    run = at_once if step.parallel else in_order
    ending = await run(walk, step.steps, inner)
    return acted_of(ending, inner.scope.outputs(step.steps))


async def in_order(walk: Walks, steps: Sequence[Step], frame: Frame) -> Ending | None:
    """Runs steps one after the other."""
    return await walk.sequence(steps, frame)


async def at_once(walk: Walks, steps: Sequence[Step], frame: Frame) -> Ending | None:
    """Runs steps at the same time; when one ends badly, nothing new begins and what is under way is finished."""
    gate = Gate(frame.gate, shut=_had_ended(walk, [f"{frame.prefix}{step.name}" for step in steps]))
    branches = [replace(frame, scope=frame.scope.branch(), gate=gate) for _ in steps]
    endings: list[Ending] = []

    async def branch(index: int) -> None:
        note(await walk.step(steps[index], branches[index], index=index), endings, gate)

    await all_of(branch, range(len(steps)), at_once=len(steps), gate=gate)
    for step, inner in zip(steps, branches, strict=True):
        frame.scope.joined(step, inner.scope)
    return worst(endings)


async def elements(
    walk: Walks, step: Step, frame: Frame, path: str, items: Sequence[Any], *, bind: str, parallel: int
) -> tuple[list[Ended | None], Ending | None]:
    """Performs `step` once for each item, `parallel` at a time; an element that never began is None."""
    gate = Gate(frame.gate, shut=_had_ended(walk, [f"{path}[{index}]" for index in range(len(items))]))
    found: list[Ended | None] = [None] * len(items)
    endings: list[Ending] = []

    async def element(index: int) -> None:
        scope = frame.scope.element(bind, items[index])
        inner = replace(frame, scope=scope, gate=gate)
        ended = found[index] = await walk.one(step, inner, path=f"{path}[{index}]", index=index)
        note(ended.ending, endings, gate)
        # In order means that nothing comes before what waits.
        gate.shut = gate.shut or (parallel == 1 and ended.ending is RESTING)

    await all_of(element, range(len(items)), at_once=parallel, gate=gate)
    return found, worst(endings)


def _had_ended(walk: Walks, paths: list[str]) -> bool:
    """Whether one of several had failed in an earlier process already, so that nothing new begins beside it."""
    if walk.running.past is None:
        return False
    before = (walk.running.past_step(path) for path in paths)
    return any(step is not None and step.status is StepStatus.FAILED for step in before)


async def all_of(act: Callable[[int], Awaitable[None]], indices: Iterable[int], *, at_once: int, gate: Gate) -> None:
    """Calls `act` for every index, `at_once` at a time. Raises the first JournalError once nothing is under way."""
    waiting = iter(indices)
    broken: list[JournalError] = []

    async def work() -> None:
        for index in waiting:
            try:
                await act(index)
            except JournalError as error:
                broken.append(error)
                gate.shut = True

    if at_once == 1:
        await work()
    else:
        async with anyio.create_task_group() as tasks:
            for _ in range(at_once):
                tasks.start_soon(work)
    if broken:
        raise broken[0]


def note(ending: Ending | None, endings: list[Ending], gate: Gate) -> None:
    """Notes how a branch ended, if it ended its surroundings; a branch that waits for an answer stops no other."""
    if ending is not None:
        endings.append(ending)
        gate.shut = gate.shut or ending is not RESTING


def acted_of(ending: Ending | None, value: Any) -> Acted:
    """What a group comes to, by how its steps ended."""
    if ending is None:
        return Acted(healing=Healing(value=value))
    if ending in (RESTING, HALTED):
        return Acted(healing=Healing(), ending=ending)
    if ending.failure is None:
        return Acted(healing=Healing(value=value), ending=ending)
    failure = replace(ending.failure, message=ending.message)
    healing = Healing(failure=failure, repeatable=ending.repeatable)
    return Acted(healing=healing, ending=ending if ending.status is RunStatus.BLOCKED else None)
