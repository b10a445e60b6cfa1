"""From values given for a run to the inputs its steps see, and from an answer to what its question asks for."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from copy import deepcopy
from typing import Any

from engine.errors import InputError
from engine.library.nearest import nearest
from engine.library.values import UnfitError, Wanted, fit, from_typed
from engine.model.question import Question
from engine.model.secret import MASK
from engine.model.skill import Input, Skill

LONGEST_SHOWN = 80
"""A refused value is quoted up to this many characters."""


def bind_inputs(
    skill: Skill, given: Mapping[str, Any], *, from_text: Collection[str] = (), step: str = ""
) -> dict[str, Any]:
    """The value of every input of `skill`: given, default, or None; InputError names every problem at once.

    Values of the names in `from_text` were typed as text and are read as the input's type. A value of None counts as
    not given. `step` is the step that runs the skill, when it is one.
    """
    problems = _unknown(skill, given)
    bound: dict[str, Any] = {}
    for asked in skill.inputs:
        try:
            bound[asked.name] = _bind(asked, given.get(asked.name), typed=asked.name in from_text)
        except UnfitError as error:
            problems.append(str(error))
    if problems:
        whose = f"{skill.name}, run by the step {step}" if step else skill.name
        raise InputError(_sentence(whose, problems), hint=f"skill run {skill.name} --help lists the inputs")
    return bound


def coerced_answer(question: Question, given: Any, *, from_text: bool, secret: bool = False) -> Any:
    """The answer as a value of the question's type; InputError names the question, what it got and what it wants.

    With `from_text` it was typed as text, and is read as the type. None takes the default that was offered. A `secret`
    answer is not shown.
    """
    wanted = Wanted(type=question.type, enum=question.choices)
    asked, hint = f"the question {question.name}", f"it asks: {question.text}"
    given, from_text = (question.default, False) if given is None else (given, from_text)
    if given is None:
        raise InputError(f"{asked} has no answer: it wants {wanted}", hint=hint)
    try:
        return fit(from_typed(given, wanted) if from_text and isinstance(given, str) else given, wanted)
    except UnfitError as error:
        got = _quoted(given, secret=secret or question.secret)
        raise InputError(f"{asked} got {got}, which {error}: it wants {wanted}", hint=hint) from error


def _bind(asked: Input, value: Any, *, typed: bool) -> Any:
    wanted = Wanted.of(asked)
    if value is None and asked.must_be_given:
        raise UnfitError(f"{asked.name} is missing: it wants {wanted}")
    if value is None:
        return deepcopy(asked.default)
    try:
        return fit(from_typed(value, wanted) if typed and isinstance(value, str) else value, wanted)
    except UnfitError as error:
        raise UnfitError(
            f"{asked.name} got {_quoted(value, secret=asked.secret)}, which {error}: it wants {wanted}"
        ) from error


def _unknown(skill: Skill, given: Mapping[str, Any]) -> list[str]:
    known = [asked.name for asked in skill.inputs]
    return [f"there is no input {name}{_guess(name, known)}" for name in given if name not in known]


def _guess(name: str, known: list[str]) -> str:
    near = nearest(name, known)
    if near:
        return f"; did you mean {' or '.join(near)}?"
    return f"; the inputs are {', '.join(known)}" if known else "; the skill has no inputs"


def _quoted(value: Any, *, secret: bool) -> str:
    if secret:
        return MASK
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."


def _sentence(whose: str, problems: list[str]) -> str:
    if len(problems) == 1:
        return f"{whose}: {problems[0]}"
    return "\n".join([f"{whose}: {len(problems)} inputs do not fit", *(f"  - {problem}" for problem in problems)])
