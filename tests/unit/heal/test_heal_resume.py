"""A call that was cut off goes on where it was, and is never made twice where once counts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.heal.policy import HealPolicy
from engine.model.event import EventKind
from engine.model.failure import FailureKind
from engine.model.heal import HealMode
from engine.model.skill import HealOption
from tests.unit.heal.lives import RESET, SPOKEN, UNAUTHORISED, Book, Died, Shop
from tool_registry.tool import Effect, ToolError


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A shop that takes orders, and places each."""
    return Shop(folder=tmp_path)


async def test_every_attempt_is_known_before_it_begins(shop: Shop) -> None:
    """The first and the retry; the end of one that worked waits for the end of its step."""
    shop.acts = [UNAUTHORISED]
    healing = await shop.call()
    assert shop.book.kinds == [
        "attempt_started",
        "attempt_finished",
        "fix_started",
        "fix_finished",
        "attempt_started",
        "attempt_finished",
    ]
    assert [data["number"] for data in shop.book.told(EventKind.ATTEMPT_STARTED)] == [1, 2]
    assert shop.book.told(EventKind.ATTEMPT_STARTED)[0] == {"number": 1, "tool": "order", "args": {}}
    assert healing.recorded


async def test_what_history_cannot_keep_is_not_called(shop: Shop) -> None:
    """A journal that breaks stops the call before it begins."""
    shop.book = Book(breaks=True)
    with pytest.raises(Exception, match="the disk is full"):
        await shop.call()
    assert shop.calls == []


@pytest.mark.parametrize(("effect", "idempotent"), [(Effect.READ, False), (Effect.WRITE, True)])
async def test_a_read_or_an_idempotent_call_that_was_cut_off_is_made_again(
    shop: Shop, effect: Effect, idempotent: bool
) -> None:
    """The numbers go on, nothing had failed, and the new attempt is told with the end of its step."""
    shop.effect, shop.idempotent, shop.acts = effect, idempotent, [Died()]
    await shop.call_and_die()
    healing = await shop.go_on()
    assert (healing.ok, healing.healed, healing.recorded) == (True, False, False)
    assert [attempt.number for attempt in healing.attempts] == [2]
    assert shop.book.kinds == ["attempt_started", "attempt_started"]


async def test_a_write_that_was_cut_off_is_verified(shop: Shop) -> None:
    """It had happened: what `verify` found is its value, and the attempt that was cut off is the one that counts."""
    shop.verifies, shop.acts = True, [shop.placed_then(Died())]
    await shop.call_and_die()
    healing = await shop.go_on()
    assert (healing.ok, healing.value, healing.healed, healing.answer_lost) == (True, {"number": 1}, False, False)
    assert ([attempt.number for attempt in healing.attempts], healing.recorded) == ([1], False)
    assert (shop.calls, shop.placed) == (["order", "was_placed"], 1)


async def test_a_write_that_did_not_happen_is_made_again(shop: Shop) -> None:
    """`verify` says so, and its word is enough."""
    shop.verifies, shop.acts = True, [Died()]
    await shop.call_and_die()
    healing = await shop.go_on()
    assert (healing.value, shop.calls) == ({"number": 1}, ["order", "was_placed", "order"])


@pytest.mark.parametrize("verdict", [ToolError("nobody knows", http_status=500), "yes", {"found": True}])
@pytest.mark.parametrize("verifies", [True, False])
async def test_what_nothing_can_settle_is_asked(shop: Shop, verifies: bool, verdict: Any) -> None:
    """The question says which call, when, and that nobody knows; the run rests until it is answered."""
    shop.verifies, shop.verdict, shop.acts = verifies, verdict, [shop.placed_then(Died())]
    await shop.call_and_die()
    rests = await shop.go_on(parks=True)
    question = rests.question
    assert question is not None
    assert (rests.ok, question.name, question.about) == (False, "order.settle", "settle")
    assert question.choices == ("repeat", "done", "fail")
    assert "order(), called at 1970-01-01 00:00:01 UTC, was cut off before it answered" in question.text
    assert "nobody knows whether it had its effect" in question.text
    assert shop.book.kinds[-1] == "question_asked"
    assert shop.calls.count("order") == 1


@pytest.mark.parametrize(
    ("answer", "ok", "calls"), [("repeat", True, 2), ("done", True, 1), ("fail", False, 1), (True, False, 1)]
)
async def test_somebodys_word_settles_it(shop: Shop, answer: Any, ok: bool, calls: int) -> None:
    """Repeat calls again, done goes on without the answer, and anything else fails and says why."""
    shop.acts = [shop.placed_then(Died())]
    await shop.call_and_die()
    healing = await shop.go_on(answers={"order.settle": answer})
    assert (healing.ok, shop.calls.count("order")) == (ok, calls)
    assert healing.answer_lost is (answer == "done")
    if not ok:
        assert healing.failure is not None
        assert healing.failure.kind is FailureKind.CANCELLED
        assert not healing.repeatable
        assert [data["ok"] for data in shop.book.told(EventKind.ATTEMPT_FINISHED)] == [False]


async def test_an_answer_settles_one_call_only(shop: Shop) -> None:
    """The repeat that somebody wanted is cut off as well: that is a new question."""
    shop.acts = [shop.placed_then(Died()), shop.placed_then(Died())]
    await shop.call_and_die()
    known = {"order.settle": "repeat"}
    await shop.call_and_die(past=shop.book.past(), answers=known)
    rests = await shop.go_on(answers=known, parks=True)
    assert rests.question is not None
    assert (rests.question.name, shop.placed) == ("order.settle2", 2)


async def test_while_cleaning_up_nobody_is_asked(shop: Shop) -> None:
    """The call fails, is not made again, and the reason says what is not known."""
    shop.acts = [shop.placed_then(Died())]
    await shop.call_and_die()
    healing = await shop.go_on()
    assert (healing.ok, healing.question, shop.calls) == (False, None, ["order"])
    assert "order may have had its effect" in healing.reason
    assert "nobody could be asked" in healing.reason


@pytest.mark.parametrize("stopped", ["heal: false", "kill switch", "off"])
async def test_settling_is_not_healing(shop: Shop, stopped: str) -> None:
    """Where healing is stopped a cut-off call is settled all the same; but no fix runs."""
    policies = {"kill switch": HealPolicy(kill_switch=True), "off": HealPolicy(mode=HealMode.OFF)}
    shop.policy = policies.get(stopped, shop.policy)
    narrowing = HealOption(enabled=stopped != "heal: false")
    shop.verifies, shop.acts = True, [Died(), UNAUTHORISED]
    await shop.call_and_die(narrowing=narrowing)
    healing = await shop.go_on(narrowing=narrowing)
    assert shop.calls == ["order", "was_placed", "order"]
    assert healing.failure is not None
    assert healing.failure.kind is FailureKind.AUTH_EXPIRED


async def test_a_call_that_had_failed_is_not_made_a_first_time_again(shop: Shop) -> None:
    """Its failure is rebuilt from the event, and is healed as it would have been."""
    shop.acts = [UNAUTHORISED]
    shop.book.dies_before = 2
    await shop.call_and_die()
    assert shop.book.kinds == ["attempt_started", "attempt_finished"]
    healing = await shop.go_on()
    assert (healing.healed, shop.calls) == (True, ["order", "log_in", "order"])
    assert healing.first_failure is not None
    assert (healing.first_failure.kind, healing.first_failure.evidence.http_status) == (FailureKind.AUTH_EXPIRED, 401)
    assert healing.diagnosis is not None
    assert healing.diagnosis.kind is FailureKind.AUTH_EXPIRED


async def test_a_failure_is_understood_anew_not_believed(shop: Shop) -> None:
    """Words prove no more after a crash than before: what a write said before it was killed does not make it safe."""
    shop.acts = [shop.placed_then(SPOKEN)]
    shop.book.dies_before = 2
    await shop.call_and_die()
    healing = await shop.go_on()
    assert (healing.ok, shop.calls, healing.repeatable) == (False, ["order"], False)
    assert healing.failure is not None
    assert healing.failure.kind is FailureKind.AUTH_EXPIRED


async def test_after_a_fix_that_worked_comes_the_retry(shop: Shop) -> None:
    """No second login, no first call; and the fix is credited."""
    shop.acts = [UNAUTHORISED, Died()]
    await shop.call_and_die()
    shop.book.kept.pop()
    assert shop.book.kinds[-1] == "fix_finished"
    healing = await shop.go_on()
    assert (healing.healed, shop.calls) == (True, ["order", "log_in", "order", "order"])
    assert [(str(fix.call), fix.helped, fix.kind) for fix in healing.fixes] == [
        ("log_in()", True, FailureKind.AUTH_EXPIRED)
    ]


async def test_a_retry_that_was_cut_off_is_settled_like_a_first_call(shop: Shop) -> None:
    """The fix was done, the second attempt was begun: `verify` decides, and the step counts as healed."""
    shop.verifies, shop.acts = True, [UNAUTHORISED, shop.placed_then(Died())]
    await shop.call_and_die()
    healing = await shop.go_on()
    assert (healing.value, shop.placed) == ({"number": 1}, 1)
    assert (healing.healed, healing.recorded) == (True, True)
    assert shop.calls == ["order", "log_in", "order", "was_placed"]
    assert [data["number"] for data in shop.book.told(EventKind.ATTEMPT_FINISHED)] == [1, 2]


async def test_after_a_fix_that_failed_comes_the_end(shop: Shop) -> None:
    """As it would have: nothing more is called, and both failures are told."""
    shop.acts, shop.log_in_acts = [UNAUTHORISED], [ToolError("closed on Sundays", http_status=503)]
    await shop.call()
    healing = await shop.go_on()
    assert (healing.ok, shop.calls) == (False, ["order", "log_in"])
    assert "the fix log_in() failed: closed on Sundays" in healing.reason
    assert healing.repeatable


@pytest.mark.parametrize(("idempotent", "logins"), [(True, 2), (False, 1)])
async def test_a_fix_that_was_cut_off_runs_again_only_where_it_may(shop: Shop, idempotent: bool, logins: int) -> None:
    """An idempotent one does, and asks nobody a second time; any other is left alone, and the reason says why."""
    shop.log_in_idempotent, shop.acts, shop.log_in_acts = idempotent, [UNAUTHORISED], [Died()]
    shop.policy = replace(shop.policy, mode=HealMode.ASK)
    await shop.call_and_die(answers={"order.fix": True})
    healing = await shop.go_on(parks=True)
    assert (healing.ok, healing.question, shop.calls.count("log_in")) == (idempotent, None, logins)
    assert idempotent or "nobody knows what it did" in healing.reason
    assert len(healing.fixes) == int(idempotent)


async def test_the_kill_switch_holds_for_a_fix_that_was_cut_off(shop: Shop) -> None:
    """It was thrown between two processes: the fix is not run again."""
    shop.acts, shop.log_in_acts = [UNAUTHORISED], [Died()]
    await shop.call_and_die()
    shop.policy = HealPolicy(kill_switch=True)
    healing = await shop.go_on()
    assert (healing.ok, healing.reason, shop.calls) == (
        False,
        "Healing is stopped by the kill switch.",
        ["order", "log_in"],
    )


async def test_a_value_that_was_kept_counts(shop: Shop) -> None:
    """The call worked, its end is known, only the step's end is not: nothing is called, nothing is told twice."""
    shop.acts = [UNAUTHORISED]
    await shop.call()
    shop.book.emit(EventKind.NOTICE, {})
    before, calls = len(shop.book.kept), list(shop.calls)
    healing = await shop.go_on()
    assert (healing.value, healing.healed, healing.recorded) == ({"number": 1}, True, True)
    assert (len(shop.book.kept), shop.calls) == (before, calls)


@pytest.mark.parametrize(("effect", "calls"), [(Effect.READ, 2), (Effect.WRITE, 1)])
async def test_a_value_that_was_lost_is_settled(shop: Shop, effect: Effect, calls: int) -> None:
    """It held a secret, so history has no value: a read is made again, a write is asked about."""
    shop.effect = effect
    first = await shop.call()
    told = {"number": 1, "tool": "order", "started_at": 1.0, "finished_at": 2.0, "ok": True, "failure": None}
    shop.book.emit(EventKind.ATTEMPT_FINISHED, {**told, "value": "•••"})
    healing = await shop.go_on(lost=True, parks=True)
    assert (first.ok, shop.calls.count("order")) == (True, calls)
    assert (healing.question is not None) is (effect is Effect.WRITE)
    if healing.question:
        assert "worked, but its answer could not be kept" in healing.question.text
        done = await shop.go_on(lost=True, answers={"order.settle": "done"})
        assert (done.ok, done.answer_lost, done.recorded) == (True, True, True)


async def test_limits_count_what_was_done_before(shop: Shop) -> None:
    """The one plain repeat was made by the process that died."""
    shop.effect, shop.acts = Effect.READ, [RESET, RESET]
    shop.book.dies_before = 8
    await shop.call_and_die()
    assert shop.book.kinds[-1] == "attempt_finished"
    shop.acts = [RESET]
    healing = await shop.go_on()
    assert (healing.ok, shop.calls) == (False, ["order", "order"])
    assert [attempt.number for attempt in healing.attempts] == [1, 2]


async def test_a_read_that_is_killed_again_and_again_keeps_its_plain_repeat(shop: Shop) -> None:
    """Being cut off is no failure, and uses nothing up."""
    shop.effect, shop.acts = Effect.READ, [Died() for _ in range(7)]
    await shop.call_and_die()
    for _ in range(6):
        await shop.call_and_die(past=shop.book.past())
    shop.acts = [RESET]
    healing = await shop.go_on()
    assert (healing.ok, [attempt.number for attempt in healing.attempts]) == (True, [8, 9])


async def test_a_step_that_calls_often_leaves_its_finished_calls_alone(shop: Shop) -> None:
    """Numbers go on, and neither values nor fixes of earlier calls belong to this one."""
    shop.effect, shop.acts = Effect.READ, [UNAUTHORISED]
    first = await shop.call()
    assert [attempt.number for attempt in first.attempts] == [1, 2]
    shop.acts = [Died()]
    await shop.call_and_die(attempts_before=2, fixes_before=1)
    shop.acts = [UNAUTHORISED]
    healing = await shop.go_on(attempts_before=2, fixes_before=1)
    assert [attempt.number for attempt in healing.attempts] == [4, 5]
    assert (healing.healed, len(healing.fixes)) == (True, 1)


async def test_an_answer_that_counts_ends_a_call_even_if_nobody_says_so(shop: Shop) -> None:
    """What came before an attempt that worked belongs to an earlier call of the same step."""
    shop.effect, shop.acts = Effect.READ, [UNAUTHORISED]
    await shop.call()
    shop.acts = [Died()]
    await shop.call_and_die(attempts_before=2)
    healing = await shop.go_on()
    assert ([attempt.number for attempt in healing.attempts], healing.healed) == ([4], False)


async def test_a_past_without_a_call_is_a_first_call(shop: Shop) -> None:
    """The step had begun, and died before it called anything."""
    healing = await shop.go_on()
    assert (healing.ok, [attempt.number for attempt in healing.attempts], healing.recorded) == (True, [1], False)


async def test_a_failure_too_large_to_keep_is_taken_for_unknown(shop: Shop) -> None:
    """What is missing proves nothing: a write is left alone."""
    shop.acts = [UNAUTHORISED]
    shop.book.dies_before = 2
    await shop.call_and_die()
    shop.book.kept[1][1]["failure"] = {"truncated": True, "size": 99_999, "start": "{"}
    healing = await shop.go_on()
    assert healing.failure is not None
    assert (healing.ok, healing.failure.kind, shop.calls) == (False, FailureKind.UNKNOWN, ["order"])
