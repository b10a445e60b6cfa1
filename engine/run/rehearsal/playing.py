"""Playing a rehearsal: the run itself, through every crash it is meant to survive."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Protocol

from engine.errors import InputError
from engine.library.nearest import did_you_mean
from engine.model.event import Event, EventKind
from engine.model.lazy_dataclass import dataclass
from engine.model.outcome import RunResult
from engine.model.rehearsal import REFUSED, Difference, Played, PlayedStep, Rehearsal
from engine.run.executor import SkillExecutor
from engine.run.parts import Parts
from engine.run.rehearsal.script import CutError, Script
from engine.run.rehearsal.stage import RehearsalHistory


class StagedParts(Parts, Protocol):
    """What a rehearsed run needs: the parts of any run, with tools and history that touch nothing real."""

    @property
    def journal(self) -> RehearsalHistory:
        """Where events are kept."""


Build = Callable[[], AbstractAsyncContextManager[StagedParts]]
"""Builds what one process has: for the run, and anew after each crash."""


async def play(rehearsal: Rehearsal, script: Script, build: Build) -> Played:
    """What comes of the rehearsal.

    Raises what keeps a skill from being run at all (SkillNotFoundError, SkillInvalidError, DocumentError,
    WorkspaceError); inputs that are refused are an outcome.
    """
    while True:
        try:
            async with build() as parts:
                result = await _run(parts, rehearsal, script)
                if not script.is_cut:
                    return _played(rehearsal, script, result, parts.journal)
        except InputError as error:
            return Played(status=REFUSED, message=str(error), calls=tuple(script.calls))
        except BaseException as error:
            if not (script.is_cut and _is_cut(error)):
                raise
        script.begin_again()


async def _run(parts: StagedParts, rehearsal: Rehearsal, script: Script) -> RunResult:
    """The run from its start, or on from where a process died in it."""
    answers = {name: wanted.value for name, wanted in rehearsal.answers.items()}
    executor = SkillExecutor(parts, answers=answers)
    skill = _skill(rehearsal)
    if not script.run_id:
        return await executor.run(skill, rehearsal.inputs, timeout=rehearsal.timeout)
    secret = {declared.name for declared in parts.library.load(skill).inputs if declared.secret}
    given = {name: value for name, value in rehearsal.inputs.items() if name in secret}
    return await executor.resume(script.run_id, given, timeout=rehearsal.timeout)


def _skill(rehearsal: Rehearsal) -> str:
    """The skill's name; a path is meant from the rehearsal's own folder."""
    if "/" in rehearsal.skill or rehearsal.skill.endswith(".yaml"):
        return str(Path(rehearsal.place.file).parent / rehearsal.skill)
    return rehearsal.skill


def _is_cut(error: BaseException) -> bool:
    """Whether an error says that the process has died, alone or among the cancellations that follow from it."""
    if isinstance(error, BaseExceptionGroup):
        return any(map(_is_cut, error.exceptions))
    return isinstance(error, CutError)


def _played(rehearsal: Rehearsal, script: Script, result: RunResult, history: RehearsalHistory) -> Played:
    events = tuple(event for _, event in history.events(result.run_id))
    return Played(
        status=result.status.value,
        run_id=result.run_id,
        message=result.message,
        outputs=result.outputs,
        notes=result.notes,
        steps=tuple(_step(event) for event in _of(EventKind.STEP_FINISHED, events)),
        heals=_heals(events),
        calls=tuple(script.calls),
        questions=tuple(question.name for question in result.questions),
        events=events,
        unmet=(*script.unmet(), *_never_asked(rehearsal, events)),
        duration=result.duration,
    )


def _of(kind: EventKind, events: Sequence[Event]) -> Iterator[Event]:
    return (event for event in events if event.kind is kind)


def _step(event: Event) -> PlayedStep:
    data = event.data
    failure: Mapping[str, Any] = data.get("failure") or {}
    return PlayedStep(
        path=event.step,
        status=str(data["status"]),
        kind=failure.get("kind"),
        error=failure.get("message"),
        attempts=data.get("attempts", 0),
        duration=data.get("duration", 0.0),
        value=data.get("value"),
    )


def _heals(events: Sequence[Event]) -> dict[str, tuple[str, ...]]:
    heals: dict[str, tuple[str, ...]] = {}
    for event in _of(EventKind.FIX_FINISHED, events):
        heals[event.step] = (*heals.get(event.step, ()), str(event.data["fix"]))
    return heals


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """The questions of a run, and how they were answered."""

    names: frozenset[str]
    told: tuple[str, ...]

    @classmethod
    def of(cls, events: Sequence[Event]) -> _Asked:
        """From what a run recorded."""
        kinds = (EventKind.QUESTION_ASKED, EventKind.QUESTION_ANSWERED)
        names = frozenset(str(event.data["name"]) for kind in kinds for event in _of(kind, events))
        return cls(
            names=names, told=tuple(str(event.data.get("answer")) for event in _of(EventKind.HEAL_STAGE, events))
        )

    def answered(self, name: str) -> bool:
        """Whether the answer given under `name` was used: a question's whole name, or the last part of its path.

        A question of healing that was answered beforehand is told as the answer of a stage, and in no event of its own.
        """
        by_path = any(asked == name or asked.rpartition("/")[2] == name for asked in self.names)
        return by_path or any(told.startswith(f"{name} was answered") for told in self.told)


def _never_asked(rehearsal: Rehearsal, events: Sequence[Event]) -> Iterator[Difference]:
    asked = _Asked.of(events)
    for name, wanted in rehearsal.answers.items():
        if not asked.answered(name):
            hint = did_you_mean(name, asked.names) or "no question of that name was asked"
            yield Difference(place=wanted.place, way=wanted.way, message=f"nobody asked for the answer {name}; {hint}")
