"""Fixes that need agreement ask by value: known answers first, then somebody, else the call rests."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from engine.heal.policy import HealPolicy
from engine.model.event import EventKind
from engine.model.heal import HealMode
from engine.model.question import Question
from engine.model.skill import InputType
from tests.unit.heal.lives import UNAUTHORISED, Shop


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A shop that wants a login once, in a workspace where every fix asks."""
    return Shop(folder=tmp_path, acts=[UNAUTHORISED], policy=HealPolicy(mode=HealMode.ASK, pause=0.0))


def answers(answer: Any, asked: list[Question]) -> Callable[[Question], Awaitable[Any]]:
    """Somebody who always says the same."""

    async def ask(question: Question) -> Any:
        asked.append(question)
        return answer

    return ask


async def test_somebody_who_agrees_is_asked_by_name_and_everything_is_told(shop: Shop) -> None:
    """The question is a value; asking and answering are events."""
    asked: list[Question] = []
    healing = await shop.call(ask=answers(True, asked))
    assert (healing.ok, shop.calls) == (True, ["order", "log_in", "order"])
    assert [(each.name, each.type, each.default, each.about, each.step) for each in asked] == [
        ("order.fix", InputType.BOOLEAN, False, "fix", "order")
    ]
    assert shop.book.told(EventKind.QUESTION_ASKED) == [
        {
            "name": "order.fix",
            "question": asked[0].text,
            "type": "boolean",
            "choices": [],
            "default": False,
            "about": "fix",
        }
    ]
    assert shop.book.told(EventKind.QUESTION_ANSWERED) == [{"name": "order.fix", "answer": True, "by": "person"}]
    assert "Run log_in() and try order again?" in asked[0].text


@pytest.mark.parametrize("answer", [False, None, "yes", "true", 1, [True]])
async def test_nothing_but_true_agrees(shop: Shop, answer: Any) -> None:
    """A text may have been meant for something else; and the failure says that nobody agreed."""
    for known in ({"ask": answers(answer, [])}, {"answers": {"order.fix": answer}}):
        shop.acts[:] = [UNAUTHORISED]
        shop.calls.clear()
        healing = await shop.call(**known)
        assert (healing.ok, healing.question, shop.calls) == (False, None, ["order"])
        assert "log_in() was not agreed to" in healing.reason


async def test_a_known_answer_asks_nobody(shop: Shop) -> None:
    """An answer given beforehand, or in an earlier process, is used."""
    asked: list[Question] = []
    healing = await shop.call(ask=answers(False, asked), answers={"order.fix": True}, parks=True)
    assert (healing.ok, asked, shop.book.told(EventKind.QUESTION_ASKED)) == (True, [], [])


async def test_where_nobody_is_there_the_call_rests_until_it_is_answered(shop: Shop) -> None:
    """It rests with its question, is no success, and goes on with the answer: one login, two calls in all."""
    rests = await shop.call(parks=True)
    assert rests.question is not None
    assert (rests.question.name, rests.ok) == ("order.fix", False)
    assert shop.book.kinds[-1] == "question_asked"
    assert "waits for an answer to order.fix" in rests.reason
    again = await shop.go_on(parks=True)
    assert again.question == rests.question
    healing = await shop.go_on(parks=True, answers={"order.fix": True})
    assert (healing.healed, shop.calls) == (True, ["order", "log_in", "order"])
    assert [attempt.number for attempt in healing.attempts] == [1, 2]


async def test_where_nobody_can_be_asked_the_fix_is_only_suggested(shop: Shop) -> None:
    """No questions while cleaning up: the failure stands, with the fix beside it."""
    healing = await shop.call()
    assert (healing.ok, healing.question, shop.book.told(EventKind.QUESTION_ASKED)) == (False, None, [])
    assert "needs a person's agreement" in healing.reason
    assert "log_in()" in healing.remediation[0]


async def test_a_second_fix_does_not_take_the_first_ones_answer(shop: Shop) -> None:
    """Fixes of one step are numbered, over all its calls."""
    rests = await shop.call(parks=True, fixes_before=1, answers={"order.fix": True})
    assert rests.question is not None
    assert rests.question.name == "order.fix2"


async def test_nobody_is_waited_for_longer_than_the_step_may_take(shop: Shop) -> None:
    """The deadline ends the question, and the reason says so."""

    async def ask(_: Question) -> Any:
        await anyio.sleep_forever()

    healing = await shop.call(ask=ask, deadline=anyio.current_time() + 0.05)
    assert "nobody agreed to log_in() before the step's time was up" in healing.reason


async def test_cancellation_passes_through_a_question(shop: Shop) -> None:
    """Whoever cancels a run that asks is obeyed."""
    asking = anyio.Event()

    async def ask(_: Question) -> Any:
        asking.set()
        await anyio.sleep_forever()

    async with anyio.create_task_group() as group:

        async def call() -> None:
            await shop.call(ask=ask)
            raise AssertionError("it was not cancelled")

        group.start_soon(call)
        await asking.wait()
        group.cancel_scope.cancel()
    assert shop.book.told(EventKind.QUESTION_ANSWERED) == []
