"""From values given for a run to the inputs its steps see."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from copy import deepcopy
from typing import Any

from engine.errors import InputError
from engine.library.nearest import nearest
from engine.library.values import UnfitError, Wanted, fit, from_typed
from engine.model.secret import MASK
from engine.model.skill import Input, Skill

LONGEST_SHOWN = 80
"""A refused value is quoted up to this many characters."""


def bind_inputs(skill: Skill, given: Mapping[str, Any], *, from_text: Collection[str] = ()) -> dict[str, Any]:
    """The value of every input of `skill`: given, default, or None; InputError names every problem at once.

    Values of the names in `from_text` were typed as text and are read as the input's type. A value of None counts as
    not given.
    """
    problems = _unknown(skill, given)
    bound: dict[str, Any] = {}
    for asked in skill.inputs:
        try:
            bound[asked.name] = _bind(asked, given.get(asked.name), typed=asked.name in from_text)
        except UnfitError as error:
            problems.append(str(error))
    if problems:
        raise InputError(_sentence(skill, problems), hint=f"skill run {skill.name} --help lists the inputs")
    return bound


def _bind(asked: Input, value: Any, *, typed: bool) -> Any:
    wanted = Wanted.of(asked)
    if value is None and asked.must_be_given:
        raise UnfitError(f"{asked.name} is missing: it wants {wanted}")
    if value is None:
        return deepcopy(asked.default)
    try:
        return fit(from_typed(value, wanted) if typed and isinstance(value, str) else value, wanted)
    except UnfitError as error:
        raise UnfitError(f"{asked.name} got {_quoted(asked, value)}, which {error}: it wants {wanted}") from error


def _unknown(skill: Skill, given: Mapping[str, Any]) -> list[str]:
    known = [asked.name for asked in skill.inputs]
    return [f"there is no input {name}{_guess(name, known)}" for name in given if name not in known]


def _guess(name: str, known: list[str]) -> str:
    near = nearest(name, known)
    if near:
        return f"; did you mean {' or '.join(near)}?"
    return f"; the inputs are {', '.join(known)}" if known else "; the skill has no inputs"


def _quoted(asked: Input, value: Any) -> str:
    if asked.secret:
        return MASK
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."


def _sentence(skill: Skill, problems: list[str]) -> str:
    if len(problems) == 1:
        return f"{skill.name}: {problems[0]}"
    return "\n".join([f"{skill.name}: {len(problems)} inputs do not fit", *(f"  - {problem}" for problem in problems)])
