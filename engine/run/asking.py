"""`ask`: the author's own questions, answered beforehand, by somebody now, or later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import anyio

from engine.attempt import failure_of
from engine.errors import EngineError, InputError, SandboxError, UnansweredError
from engine.library.inputs import coerced_answer
from engine.model.event import EventKind
from engine.model.failure import Failure, FailureKind
from engine.model.heal import Healing
from engine.model.question import Ask, Question
from engine.model.secret import MASK
from engine.model.skill import AskStep, Skill, SkillStep
from engine.run.ending import RESTING, Acted
from engine.run.frame import Frame
from engine.run.running import Running
from engine.run.scope import all_steps


def refuse_unasked(skill: Skill, answers: Mapping[str, Any]) -> None:
    """Raises InputError for an answer to something the skill does not ask, as far as its file tells."""
    steps = list(all_steps((*skill.steps, *skill.always)))
    asks = [step.name for step in steps if isinstance(step, AskStep)]
    if any(isinstance(step, SkillStep) for step in steps):
        return  # skills it calls ask questions of their own
    for name in answers:
        if name.rpartition("/")[2].partition("[")[0] not in asks and not name.endswith((".fix", ".settle")):
            known = f"it asks {', '.join(asks)}" if asks else "it asks nothing"
            raise InputError(f"{skill.name} does not ask {name}", hint=known)


async def answer(step: AskStep, frame: Frame, path: str, running: Running) -> Acted:
    """The answer as the step's value; the run rests when there is none and it may wait for one."""
    try:
        question = _question(step, frame, path, running)
        known, given = _known(step, path, running)
        if known:
            return _value(step, question, given, running, by="given")
    except SandboxError as error:
        return Acted(healing=Healing(failure=failure_of(error, tool="ask")))
    except InputError as error:
        return _refused(error)
    if frame.section != "steps":
        said = "a question cannot wait for its answer while the run is cleaned up"
        return Acted(healing=Healing(failure=Failure(message=said, kind=FailureKind.CONFIGURATION_ERROR)))
    return await _asked(step, question, running)


async def _asked(step: AskStep, question: Question, running: Running) -> Acted:
    told = question_data(question)
    if running.past is None or question.name not in running.past.asked:
        running.send(EventKind.QUESTION_ASKED, question.step, told)
    if running.ask is not None:
        try:
            with anyio.move_on_after(step.timeout):
                return _value(step, question, await running.ask(question), running, by="person")
            said = f"nobody answered within {step.timeout:g} s"
            return Acted(healing=Healing(failure=Failure(message=said, kind=FailureKind.TIMEOUT)))
        except UnansweredError:
            pass  # nobody is there now; somebody may answer later
        except InputError as error:
            return _refused(error)
    if not running.parks:
        said = "there is nobody to answer, and the run may not wait"
        return Acted(healing=Healing(failure=Failure(message=said, kind=FailureKind.CONFIGURATION_ERROR)))
    running.questions[question.name] = question
    return Acted(healing=Healing(question=question), ending=RESTING)


def _question(step: AskStep, frame: Frame, path: str, running: Running) -> Question:
    names = frame.scope.names
    default = running.sandbox.render(step.default, names)
    if step.secret:
        running.secrets.add(default)
    return Question(
        name=path,
        text=str(running.sandbox.render(step.question, names)),
        type=step.answer_type,
        choices=step.choices,
        default=default,
        step=path,
        secret=step.secret,
    )


def _known(step: AskStep, path: str, running: Running) -> tuple[bool, Any]:
    """Whether the answer was given beforehand, by the step's path or its name, and what it is."""
    # A secret answer is not kept, so it is asked for again.
    if running.answers.get(path, MASK) != MASK:
        return True, running.answers[path]
    return step.name in running.given, running.given.get(step.name)


def _value(step: AskStep, question: Question, given: Any, running: Running, *, by: str) -> Acted:
    value = coerced_answer(question, given, from_text=isinstance(given, str), secret=step.secret)
    if step.secret:
        running.secrets.add(value)
    if running.past is None or question.name not in running.past.answers:
        told = {"name": question.name, "answer": MASK if step.secret else value, "by": by}
        running.send(EventKind.QUESTION_ANSWERED, question.step, told, durable=False)
    return Acted(healing=Healing(value=value))


def _refused(error: InputError) -> Acted:
    return Acted(healing=Healing(failure=Failure(message=str(error), kind=FailureKind.USAGE_ERROR)))


def asker(ask: Ask, running: Running) -> Ask:
    """Asks the same, in words that may be shown; asking that breaks counts as nobody being there, and is noted."""

    async def asked(question: Question) -> Any:
        try:
            return await ask(replace(question, text=running.secrets.mask(question.text)))
        except EngineError:
            raise
        except Exception as error:
            said = f"{question.name} could not be asked: {type(error).__name__}: {error}"
            running.note(said, question.step)
            raise UnansweredError(said) from error

    return asked


def question_data(question: Question) -> dict[str, Any]:
    """A question as event data."""
    return {
        "name": question.name,
        "question": question.text,
        "type": question.type.value,
        "choices": list(question.choices),
        "default": MASK if question.secret and question.default is not None else question.default,
        "about": question.about,
        "secret": question.secret,
    }
