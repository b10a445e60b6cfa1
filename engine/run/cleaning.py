"""The end of a skill: what was done is undone if it ended badly, then comes `always`, then its outputs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import anyio

from engine.errors import SandboxError
from engine.model.event import EventKind
from engine.model.outcome import RunStatus
from engine.model.past import PastEnding
from engine.run.ending import HALTED, Ending
from engine.run.frame import Frame, Gate, Undo, Walks

CLEANUP_TIMEOUT = 300.0
"""Seconds that undoing and `always` may take together after a bad ending; after a good one nothing limits `always`."""
ABANDONED = Ending(status=RunStatus.CANCELLED, message="the run ended while this waited for an answer")


async def clean_up(walk: Walks, frame: Frame, ending: Ending) -> Ending:
    """Undoes in reverse order after a bad ending, then runs `always`; nothing cancels it but its own limit.

    A step that fails here becomes a note; it fails a skill that would have been ok, and hides no other ending.
    """
    ended_well = ending.status is RunStatus.OK
    with (
        anyio.CancelScope(shield=True),
        anyio.move_on_after(None if ended_well else CLEANUP_TIMEOUT) as limit,
        walk.running.broadcast.carrying_on(),
    ):
        _tell(walk, frame, ending)
        frame.scope.ended(ending.status, ending.message)
        for resting in frame.resting:
            await clean_up(walk, resting, ABANDONED if ended_well else ending)
        if not ended_well:
            await _take_back(walk, frame, ending)
        ending = await _always(walk, frame, ending)
    if limit.cancelled_caught:
        walk.running.notes.append(f"cleaning up was cut off after {CLEANUP_TIMEOUT:g} s")
    return ending


def outputs(walk: Walks, frame: Frame, ending: Ending) -> tuple[dict[str, Any], Ending]:
    """The outputs that render; one that does not fails a skill that would have been ok, and is left out otherwise."""
    rendered: dict[str, Any] = {}
    for output in frame.skill.outputs:
        try:
            rendered[output.name] = walk.running.sandbox.render(output.value, frame.scope.names)
        except SandboxError as error:
            if ending.status is RunStatus.OK:
                ending = Ending(status=RunStatus.FAILED, message=f"the output {output.name} has no value: {error}")
    return rendered, ending


def _tell(walk: Walks, frame: Frame, ending: Ending) -> None:
    """Lets history know how it ended before anything is cleaned up, so that a resumed run ends the same way."""
    tell_breaking(walk)
    known = walk.running.past is not None and frame.at in walk.running.past.endings
    known = known or (not frame.at and walk.running.told_breaking)
    something = frame.skill.always or (ending.status is not RunStatus.OK and (frame.undo or frame.resting))
    if known or not something or frame.replaying:
        return
    walk.running.send(EventKind.RUN_ENDING, frame.at, ending_data(ending), durable=False)


def tell_breaking(walk: Walks) -> None:
    """Lets history know that the whole run is cancelled or out of time, before anything that comes of it."""
    running = walk.running
    ending = running.breaking()
    if ending is not None and not running.told_breaking and not (running.past and "" in running.past.endings):
        running.told_breaking = True
        running.send(EventKind.RUN_ENDING, "", ending_data(ending), durable=False)


def ending_data(ending: Ending | PastEnding) -> dict[str, Any]:
    """How something ends, as event data."""
    return {"status": ending.status, "message": ending.message, "timed_out": ending.timed_out}


async def _take_back(walk: Walks, frame: Frame, ending: Ending) -> None:
    for index, undo in enumerate(sorted(frame.undo, key=lambda each: each.order, reverse=True)):
        if undo.unsure is None or await _happened(walk, undo):
            await _undo(walk, frame, undo, index, ending)


async def _undo(walk: Walks, frame: Frame, undo: Undo, index: int, ending: Ending) -> None:
    undo.scope.ended(ending.status, ending.message)
    cleaning = replace(frame, scope=undo.scope, gate=Gate(), section="undo")
    ended = await walk.one(undo.step, cleaning, path=undo.path, index=index)
    if ended.ending is not None and ended.ending is not HALTED:
        _note(walk, "undo", undo.path, ended.ending)


async def _happened(walk: Walks, undo: Undo) -> bool:
    """Whether a call that was cut off had its effect; where nobody can tell, a person is told to look."""
    if undo.unsure is None:
        return True
    happened, answer = await walk.running.healer.settle(undo.unsure)
    if answer is not None:
        undo.scope.names[undo.output] = answer
    if happened is None:
        said = f"{undo.of} was cut off, and nobody knows whether it had its effect"
        walk.running.note(f"{said}; if it had, {undo.step.tool} takes it back", undo.of)
    return bool(happened)


async def _always(walk: Walks, frame: Frame, ending: Ending) -> Ending:
    cleaning = replace(frame, gate=Gate(), section="always")
    for index, step in enumerate(frame.skill.always):
        failed = await walk.step(step, cleaning, index=index)
        if failed is None or failed is HALTED:
            continue
        note = _note(walk, "always", step.name, failed)
        if ending.status is RunStatus.OK:
            ending = replace(failed, status=RunStatus.FAILED, message=note)
    return ending


def _note(walk: Walks, section: str, name: str, failed: Ending) -> str:
    said = failed.failure.message if failed.failure else failed.message
    note = f"{section} step {name} failed: {said}"
    walk.running.note(note, name)
    return note
