"""`skill`: another skill as a step, with a scope of its own, and cleaned up on its own when it ends badly."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import anyio

from engine.attempt import failure_of
from engine.errors import EngineError, InputError, JournalError, OwnershipLostError, SandboxError
from engine.library import bind_inputs
from engine.model.failure import Failure, FailureKind
from engine.model.heal import Healing
from engine.model.outcome import Absent, RunStatus
from engine.model.skill import GroupStep, Skill, SkillStep, Step
from engine.run.cleaning import clean_up, outputs
from engine.run.ending import HALTED, RESTING, Acted, Ending, broken_off, counting, unrecorded
from engine.run.frame import Frame, Gate, Walks
from engine.run.running import Running
from engine.run.scope import Scope, new_scope


async def call_skill(walk: Walks, step: SkillStep, frame: Frame, path: str) -> Acted:
    """Runs another skill; its outputs are the value."""
    try:
        skill = skill_of(walk.running, step, path)
        skill = _in_secret(skill) if step.secret else skill
        scope = _scope(walk, step, skill, frame, path)
    except (SandboxError, EngineError) as error:
        if frame.gate.closed:
            walk.running.note(f"{path} was cut off, and what it had done is not undone: {error}", path)
        return Acted(healing=Healing(failure=failure_of(error, tool=step.skill)))
    if skill.name in (*frame.skills, frame.skill.name):
        said = f"this skill would run itself: {' -> '.join((*frame.skills, frame.skill.name, skill.name))}"
        return Acted(healing=Healing(failure=Failure(message=said, kind=FailureKind.CONFIGURATION_ERROR)))
    inner = Frame(
        skill=skill,
        scope=scope,
        gate=frame.gate,
        prefix=f"{path}/",
        at=path,
        section=frame.section,
        replaying=frame.replaying,
        skills=(*frame.skills, frame.skill.name),
    )
    return await _run(walk, step, frame, inner)


async def _run(walk: Walks, step: SkillStep, frame: Frame, inner: Frame) -> Acted:
    ending = await _steps(walk, inner)
    if ending is RESTING:
        frame.resting.append(inner)
        return Acted(healing=Healing(), ending=RESTING)
    halted, worked = ending is HALTED, ending.status is RunStatus.OK
    ending = await clean_up(walk, inner, ending)
    if halted:
        return Acted(healing=Healing(), ending=HALTED)
    if worked:  # even if `always` or an output fails: what its steps did was not taken back
        frame.undo.extend(inner.undo)
    value, ending = outputs(walk, inner, ending)
    if ending.status is RunStatus.OK:
        return Acted(healing=Healing(value=value))
    said = f"the skill {inner.skill.name} ended {ending.status}: {ending.message}"
    kind = ending.failure.kind if ending.failure else FailureKind.RAISED
    failure = replace(ending.failure or Failure(message=said), message=said, kind=kind, tool=step.skill)
    blocked = Ending(status=RunStatus.BLOCKED, message=ending.message, failure=failure)
    return Acted(
        healing=Healing(failure=failure, repeatable=ending.repeatable),
        ending=blocked if ending.status is RunStatus.BLOCKED else None,
    )


async def _steps(walk: Walks, inner: Frame) -> Ending:
    """How the skill's own steps ended; cancelled from outside, it is cleaned up before that goes on."""
    past = walk.running.past.endings.get(inner.at) if walk.running.past else None
    frame = replace(inner, gate=Gate(inner.gate, shut=True)) if past else inner
    try:
        ending = await walk.sequence(inner.skill.steps, frame) or Ending(status=RunStatus.OK)
    except OwnershipLostError:
        raise
    except JournalError as error:
        return unrecorded(error)
    except BaseException as error:
        with anyio.CancelScope(shield=True):
            await clean_up(walk, inner, broken_off(error))
        raise
    return counting(ending, past)


def skill_of(running: Running, step: SkillStep, path: str) -> Skill:
    """The skill as the run began with it, else as it is now. Raises SkillNotFoundError and SkillInvalidError."""
    past = running.past_step(path)
    kept = past is not None and bool(past.skill_text) and digest_of(past.skill_text) == past.digest
    # Another run's steps are read with its version of a skill; those that are done now, with today's.
    name = past.digest if past is not None and kept and running.reuses else step.skill
    if name not in running.skills:
        running.skills[name] = (
            running.library.parse(past.skill_text, past.skill_file)
            if past is not None and kept
            else running.library.load(step.skill)
        )
    return running.skills[name]


def _in_secret(skill: Skill) -> Skill:
    """The skill with every step secret: what a secret step gives is made of theirs."""
    steps, always = (tuple(_secret(step) for step in section) for section in (skill.steps, skill.always))
    return replace(skill, steps=steps, always=always)


def _secret(step: Step) -> Step:
    if isinstance(step, GroupStep):
        return replace(step, secret=True, steps=tuple(_secret(inner) for inner in step.steps))
    return replace(step, secret=True)


def skill_data(skill: Skill) -> dict[str, Any]:
    """Which skill it is, in which version, as event data."""
    return {
        "skill": skill.name,
        "version": skill.version,
        "file": skill.file,
        "digest": digest_of(skill.text),
        "text": skill.text,
    }


def digest_of(text: str) -> str:
    """The SHA-256 of a skill's text."""
    from hashlib import sha256  # noqa: PLC0415 - late: hashing costs a millisecond at start-up

    return sha256(text.encode()).hexdigest()


def _what_is_known(running: Running, step: SkillStep, skill: Skill, frame: Frame, why: str) -> dict[str, Any]:
    """The inputs of a skill that an earlier process began; one whose value could not be kept is told as missing."""
    bound: dict[str, Any] = {}
    for declared in skill.inputs:
        try:
            given = running.sandbox.render(step.inputs.get(declared.name, declared.default), frame.scope.names)
        except SandboxError:
            given = Absent(step=step.name, reason=f"its input {declared.name} could not be kept ({why})")
        bound[declared.name] = given
    return bound


def _scope(walk: Walks, step: SkillStep, skill: Skill, frame: Frame, path: str) -> Scope:
    running = walk.running
    try:
        given = running.sandbox.render(step.inputs, frame.scope.names)
        bound = bind_inputs(skill, given, step=step.name)
    except (SandboxError, InputError) as error:
        if running.past_step(path) is None:
            raise
        bound = _what_is_known(running, step, skill, frame, str(error))
    for declared in skill.inputs:
        if declared.secret:
            running.secrets.add(bound[declared.name])
    run = {**frame.scope.names["run"], "name": skill.name, "status": RunStatus.RUNNING.value, "message": ""}
    return new_scope(skill=skill, inputs=bound, config=running.config, env=running.env, run=run)
