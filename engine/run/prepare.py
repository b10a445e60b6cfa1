"""What must be known, and must fit, before an earlier run is gone on with, or another is begun from it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import fields, is_dataclass, replace
from typing import Any

from engine.errors import InputError, RunBusyError, RunStateError, SkillInvalidError, SkillNotFoundError
from engine.library import SkillLibrary, bind_inputs
from engine.library.inputs import coerced_answer
from engine.model.event import Journal
from engine.model.outcome import StepStatus
from engine.model.past import PastRun
from engine.model.place import Place, Text
from engine.model.question import Question
from engine.model.secret import MASK
from engine.model.skill import GroupStep, InputType, Skill, Step
from engine.run.scope import VALUE_STATUSES, all_steps
from engine.run.subskill import digest_of

MARKS = re.compile(r"\[\d+\]|#\d+")
"""What a path says of elements and rounds."""
REUSABLE = frozenset({StepStatus.OK, StepStatus.HEALED, StepStatus.SKIPPED, StepStatus.TOLERATED})


@contextmanager
def claimed(journal: Journal, run_id: str) -> Iterator[PastRun]:
    """The run as far as it came, while this process alone may go on with it."""
    full = journal.past(run_id).run_id
    journal.claim(full)
    try:
        # Read again: only now can nobody else change it.
        yield journal.past(full)
    finally:
        journal.release(full)


def settled(journal: Journal, run_id: str) -> PastRun:
    """The run as far as it came; what its journal could not be told at the time, it is told first."""
    past = journal.past(run_id)
    if not past.finished:
        with suppress(RunBusyError):
            journal.claim(past.run_id)
            journal.release(past.run_id)
    return journal.past(past.run_id)


def refuse_elsewhere(past: PastRun, folder: str) -> None:
    """Raises RunStateError for a run of another workspace: its steps and undos would work in the wrong folder."""
    if past.folder and past.folder != folder:
        raise RunStateError(
            f"run {past.run_id} belongs to {past.folder}, and this is {folder}", hint=f"skill -C {past.folder} ..."
        )


def refuse_unended(past: PastRun) -> None:
    """Raises RunStateError for a run that may still use what another would take over."""
    if not past.finished:
        raise RunStateError(
            f"run {past.run_id} has not ended",
            hint=f"`skill resume {past.run_id}` goes on with it, `skill cancel {past.run_id}` ends it",
        )


def refuse_ended(past: PastRun) -> None:
    """Raises RunStateError for a run that has come to its end."""
    if past.finished:
        raise RunStateError(
            f"run {past.run_id} has ended", hint=f"`skill retry {past.run_id}` begins a new one with what it gave"
        )


def skill_to_resume(
    library: SkillLibrary, past: PastRun, *, with_new_version: bool = False
) -> tuple[Skill, tuple[str, ...]]:
    """The skill to go on with, and what a person should know about it."""
    kept = library.parse(past.text, past.file) if digest_of(past.text) == past.digest else None
    current = _current(library, past)
    changed = current is not None and digest_of(current.text) != past.digest
    if kept is None and (current is None or (changed and not with_new_version)):
        raise RunStateError(
            f"the skill {past.skill} of run {past.run_id} could not be kept as it was, and has changed since",
            hint="`--with-new-version` goes on with the file as it is now",
        )
    if with_new_version and current is not None:
        _refuse_unlike(kept, current, past)
        return current, (f"goes on with the new version of {past.file}",) if changed else ()
    told = f"{past.file} has changed since; the run goes on with the version it began with (`--with-new-version`)"
    return kept or _known(current), (told,) if changed else ()


def skill_to_retry(library: SkillLibrary, past: PastRun) -> Skill:
    """The skill as it is now. Raises SkillNotFoundError and SkillInvalidError."""
    try:
        return library.load(past.file)
    except SkillNotFoundError:
        return library.load(past.skill)


def inputs_to_resume(
    skill: Skill, past: PastRun, given: Mapping[str, Any], *, from_text: Collection[str] = (), changes: bool = False
) -> Mapping[str, Any]:
    """The run's inputs, secret ones given again. Raises InputError and RunStateError."""
    missing = sorted(past.masked_inputs - given.keys())
    if missing:
        raise RunStateError(
            f"the input {missing[0]} of run {past.run_id} is secret, and was not kept",
            hint=f"give it again: -i {missing[0]}=...",
        )
    kept = {name: value for name, value in past.inputs.items() if name not in past.masked_inputs and value is not None}
    bound = bind_inputs(skill, {**kept, **given}, from_text=from_text)
    other = [name for name in given if name in kept and bound[name] != kept[name]]
    if other and not changes:
        raise InputError(
            f"the input {other[0]} was {kept[other[0]]!r} when run {past.run_id} began, and cannot change now",
            hint=f"`skill retry {past.run_id} -i {other[0]}=...` begins a new run",
        )
    return bound


def named_answers(past: PastRun, answers: Mapping[str, Any]) -> dict[str, Any]:
    """The answers by the full names of the open questions, each as a value of its type. Raises InputError."""
    waiting = {name: asked for name, asked in past.asked.items() if past.answers.get(name, MASK) == MASK}
    found: dict[str, Any] = {}
    for name, answer in answers.items():
        full = _question_name(past, waiting, name)
        found[full] = coerced_answer(_question(full, waiting[full]), answer, from_text=isinstance(answer, str))
    return found


def reusable(skill: Skill, past: PastRun, *, from_step: str | None) -> PastRun:
    """What a new run takes over: the steps before `from_step`, else before the first that is not good any more."""
    names = [step.name for step in skill.steps]
    if from_step is not None and from_step not in names:
        raise RunStateError(f"{skill.name} has no step {from_step} at its top level", hint=f"it has {', '.join(names)}")
    undone = _undone(skill, past)
    taken: list[str] = []
    for name in names:
        step = past.steps.get(name)
        good = step is not None and step.status in REUSABLE and name not in undone
        if name == from_step or (from_step is None and not good):
            break
        if not good:
            why = "was undone" if name in undone else "did not end well"
            raise RunStateError(
                f"the step {name} of run {past.run_id} {why}, so nothing after it can be begun from what it gave",
                hint=f"`skill retry {past.run_id}` begins at the first step that has to be done again",
            )
        taken.append(name)
    if len(taken) == len(names):
        raise RunStateError(f"run {past.run_id} has nothing to be done again", hint="name a step: --from-step STEP")
    kept = {path: step for path, step in past.steps.items() if step.section == "steps" and _top(path) in taken}
    # What is done again asks again.
    answers = {name: answer for name, answer in past.answers.items() if _top(name) in taken}
    asked = {name: question for name, question in past.asked.items() if _top(name) in taken}
    return replace(past, steps=kept, answers=answers, asked=asked, endings={}, finished=False)


def _top(path: str) -> str:
    return path.partition("/")[0].partition("[")[0].partition("#")[0]


def _undone(skill: Skill, past: PastRun) -> set[str]:
    """The top-level steps of which something was taken back."""
    owners = {inner.undo.name: step.name for step in skill.steps for inner in all_steps([step]) if inner.undo}
    done = (step.path for step in past.steps.values() if step.section == "undo" and step.status in VALUE_STATUSES)
    return {_top(path) if "/" in path else owners.get(path.partition("[")[0], "") for path in done}


def _current(library: SkillLibrary, past: PastRun) -> Skill | None:
    try:
        return library.load(past.file)
    except (SkillNotFoundError, SkillInvalidError):
        return None


def _known(skill: Skill | None) -> Skill:
    if skill is None:
        raise RunStateError("there is no skill to go on with")
    return skill


def _refuse_unlike(kept: Skill | None, current: Skill, past: PastRun) -> None:
    """Raises RunStateError when a step that was done is another one in the new version."""
    if kept is None:
        return
    old, new = (dict(_placed((*each.steps, *each.always))) for each in (kept, current))
    for step in past.steps.values():
        place = MARKS.sub("", step.path)
        if step.status is None or place not in old:
            continue
        if place not in new or _bare(old[place]) != _bare(new[place]):
            raise RunStateError(
                f"the step {step.path} was done, and the new version of {past.file} has it otherwise or not at all",
                hint=f"go on without --with-new-version, or begin anew: skill retry {past.run_id}",
            )


def _placed(steps: Iterable[Step], prefix: str = "") -> Iterator[tuple[str, Step]]:
    """The steps by their paths, without elements and rounds."""
    for step in steps:
        yield f"{prefix}{step.name}", step
        if isinstance(step, GroupStep):
            yield from _placed(step.steps, f"{prefix}{step.name}/")


def _bare(value: Any) -> Any:
    """A step without the places it was written at."""
    match value:
        case Text():
            return value.text
        case Mapping():
            return {key: _bare(inner) for key, inner in value.items()}
        case tuple() | list():
            return [_bare(inner) for inner in value]
        case _ if is_dataclass(value):
            named = ((each.name, getattr(value, each.name)) for each in fields(value))
            return [type(value).__name__, *((name, _bare(inner)) for name, inner in named if not _is_place(inner))]
        case _:
            return value


def _is_place(value: Any) -> bool:
    return isinstance(value, Place)


def _question_name(past: PastRun, waiting: Mapping[str, Any], name: str) -> str:
    short = [full for full in waiting if full.rpartition("/")[2] == name]
    if name in waiting:
        return name
    if len(short) == 1:
        return short[0]
    open_ones = ", ".join(waiting) or "nothing"
    raise InputError(f"run {past.run_id} does not ask {name}", hint=f"it asks {open_ones}")


def _question(name: str, asked: Mapping[str, Any]) -> Question:
    return Question(
        name=name,
        text=str(asked.get("question", "")),
        type=InputType(asked.get("type", "string")),
        choices=tuple(asked.get("choices") or ()),
        default=None if MASK in str(asked.get("default")) else asked.get("default"),
        about=asked.get("about", "ask"),
        step=str(asked.get("step", name)),
        secret=bool(asked.get("secret")),
    )
