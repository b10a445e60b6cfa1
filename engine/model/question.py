"""What a run asks a person or an agent, as a value."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Literal

from engine.model.lazy_dataclass import dataclass
from engine.model.skill import InputType

About = Literal["ask", "fix", "settle"]
"""What a question is about: an author's `ask`, whether a fix may run, or what became of a call that was cut off."""

REPEAT, DONE, FAIL = "repeat", "done", "fail"
"""The answers to a `settle` question: call again, take it as done, or fail the step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question; `name` is what an answer is given under, `step` the path of the step that asks.

    `choices` empty means any value of `type`; `default` None means that there is none; the answer to a `secret` one is
    neither shown nor kept.
    """

    name: str
    text: str
    type: InputType = InputType.STRING
    choices: tuple[Any, ...] = ()
    default: Any = None
    about: About = "ask"
    step: str = ""
    secret: bool = False


Ask = Callable[[Question], Awaitable[Any]]
"""Asks somebody, and returns the answer as a JSON value of the question's type.

Raises UnansweredError when nobody is there.
"""
