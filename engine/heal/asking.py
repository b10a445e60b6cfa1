"""Questions that healing has: known answers first, then a person, else the call rests until somebody has answered."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import anyio

from engine.errors import UnansweredError
from engine.heal.request import HealRequest
from engine.heal.told import question_data
from engine.model.event import EventKind
from engine.model.heal import ApplyFix, Stage
from engine.model.lazy_dataclass import dataclass
from engine.model.question import Question
from engine.model.skill import InputType


class Heard(StrEnum):
    """What came of a question."""

    ANSWER = "answer"
    LATER = "later"
    TOO_LATE = "too_late"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer (`heard` says whether there is one): whoever asked judges whether it is one that counts."""

    heard: Heard
    answer: Any = None


async def ask(request: HealRequest, question: Question) -> Reply:
    """The answer, or why there is none; a person has until the step's deadline. Raises JournalError."""
    if question.name in request.answers:
        answer = request.answers[question.name]
        told = {"stage": Stage.DECIDE, "answer": f"{question.name} was answered: {answer}"}
        request.emit(EventKind.HEAL_STAGE, told, durable=False)
        return Reply(heard=Heard.ANSWER, answer=answer)
    if request.ask is None and not request.parks:
        return Reply(heard=Heard.NOBODY)
    request.emit(EventKind.QUESTION_ASKED, question_data(question))
    if request.ask is None:
        return Reply(heard=Heard.LATER)
    try:
        with anyio.move_on_after(request.time_left):
            answer = await request.ask(question)
            told = {"name": question.name, "answer": answer, "by": "person"}
            request.emit(EventKind.QUESTION_ANSWERED, told)
            return Reply(heard=Heard.ANSWER, answer=answer)
    except UnansweredError:
        return Reply(heard=Heard.LATER if request.parks else Heard.NOBODY)
    return Reply(heard=Heard.TOO_LATE)


def about_fix(request: HealRequest, decision: ApplyFix, *, number: int) -> Question:
    """Whether the fix may run; only True agrees. `number` counts the step's fixes."""
    call = decision.plan.call
    return Question(
        name=f"{request.step}.{numbered('fix', number)}",
        text=f"{decision.because} Run {call} and try {request.tool.name} again?",
        type=InputType.BOOLEAN,
        default=False,
        about="fix",
        step=request.step,
    )


def why_not(reply: Reply, decision: ApplyFix) -> str:
    """Why a fix that nobody agreed to was not run."""
    call = decision.plan.call
    match reply.heard:
        case Heard.ANSWER:
            return f"{call} was not agreed to, and was not run: {decision.because}"
        case Heard.TOO_LATE:
            return f"nobody agreed to {call} before the step's time was up, and it was not run: {decision.because}"
        case _:
            return f"{call} needs a person's agreement (-y gives it) and was not run: {decision.because}"


def numbered(name: str, number: int) -> str:
    """The name of a step's first, second, third question of one sort: `fix`, `fix2`, `fix3`; none reuses an answer."""
    return name if number == 1 else f"{name}{number}"
