"""The order of a run: its steps, then what must be undone, then what is always done, then its outputs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import anyio

from engine.errors import JournalError, SandboxError
from engine.model.event import EventKind
from engine.model.outcome import RunStatus, StepResult, StepStatus
from engine.model.skill import Skill, Step, StopStep, ToolStep
from engine.run.perform import Performer
from engine.run.scope import VALUE_STATUSES, Scope

CLEANUP_TIMEOUT = 300.0
"""Seconds that undoing and `always` may take together once a run has been cancelled or has run out of time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """Why the steps of a run came to an end."""

    status: RunStatus
    message: str = ""
    timed_out: bool = False


@dataclass(slots=True, kw_only=True)
class Flow:
    """One walk through one skill; `results` and `undo` grow as steps finish, `notes` when a person should look."""

    skill: Skill
    scope: Scope
    performer: Performer
    results: list[StepResult] = field(default_factory=list)
    undo: list[ToolStep] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    async def steps(self) -> Ending:
        """Runs the steps in order until one ends the run. Raises JournalError."""
        for index, step in enumerate(self.skill.steps):
            result = await self._perform(step, index=index, section="steps")
            if step.undo is not None and result.status in VALUE_STATUSES:
                self.undo.append(step.undo)
            if ending := _ending(step, result):
                return ending
            if broken := self.performer.broadcast.failure:
                return unrecorded(broken)
        return Ending(status=RunStatus.OK)

    async def clean_up(self, ending: Ending) -> Ending:
        """Undoes in reverse order after a bad ending, then runs `always`; nothing cancels it but its own limit.

        A step that fails here becomes a note; it fails a run that would have been ok, and hides no other ending.
        """
        self.performer.broadcast.carry_on()
        with anyio.CancelScope(shield=True), anyio.move_on_after(CLEANUP_TIMEOUT) as limit:
            self.scope.ended(ending.status, ending.message)
            for step, section in self._cleaning(ending):
                ending = await self._clean(step, section, ending)
        if limit.cancelled_caught:
            self.notes.append(f"cleaning up was cut off after {CLEANUP_TIMEOUT:g} s")
        return ending

    def outputs(self, ending: Ending) -> tuple[dict[str, Any], Ending]:
        """The outputs that render; one that does not fails a run that would have been ok, and is a note otherwise."""
        rendered: dict[str, Any] = {}
        for output in self.skill.outputs:
            try:
                rendered[output.name] = self.performer.sandbox.render(output.value, self.scope.names)
            except SandboxError as error:
                if ending.status is RunStatus.OK:
                    ending = Ending(status=RunStatus.FAILED, message=f"the output {output.name} has no value: {error}")
        return rendered, ending

    def _cleaning(self, ending: Ending) -> Iterator[tuple[Step, str]]:
        if ending.status is not RunStatus.OK:
            yield from ((step, "undo") for step in reversed(self.undo))
        yield from ((step, "always") for step in self.skill.always)

    async def _clean(self, step: Step, section: str, ending: Ending) -> Ending:
        result = await self._perform(step, index=len(self.results), section=section)
        if result.status is not StepStatus.FAILED:
            return ending
        note = f"{section} step {step.name} failed: {result.failure.message if result.failure else result.reason}"
        self.notes.append(note)
        self.performer.broadcast.send(EventKind.NOTICE, {"text": note, "level": "warning"}, step=step.name)
        return Ending(status=RunStatus.FAILED, message=note) if ending.status is RunStatus.OK else ending

    async def _perform(self, step: Step, *, index: int, section: str) -> StepResult:
        result = await self.performer.perform(step, self.scope, index=index, section=section)
        self.results.append(result)
        return result


def unrecorded(error: JournalError) -> Ending:
    """The end of a run whose history broke."""
    return Ending(status=RunStatus.FAILED, message=f"history could not be written: {error}")


def _ending(step: Step, result: StepResult) -> Ending | None:
    """How a finished step ends the run; None when the run goes on."""
    if result.status is StepStatus.FAILED:
        said = result.failure.message if result.failure else result.reason
        return Ending(status=RunStatus.FAILED, message=f"the step {step.name} failed: {said}")
    if isinstance(step, StopStep) and result.status is StepStatus.OK:
        return Ending(status=RunStatus(step.status.value), message=result.value["message"])
    return None
