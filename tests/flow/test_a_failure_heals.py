"""The author writes a tool step; what ails it is found, fixed and tried again."""

from __future__ import annotations

from typing import Any

import pytest

from engine import EventKind, FailureKind, HealMode, StepStatus
from engine.model.question import Question

LOOK = """
steps:
  - name: look
    tool: look
outputs:
  - name: seen
    value: "{{ look }}"
"""
ENTER = "steps:\n  - name: enter\n    tool: enter\n"


async def test_an_expired_token_is_healed_by_one_login(rig: Any) -> None:
    """401, login, again: the step is healed, the first failure is kept, and the value is the second call's."""
    rig.door.token = False
    result = await rig.run(LOOK)
    step = result.step("look")
    assert (result.status, result.healed, result.outputs) == ("ok", 1, {"seen": "inside"})
    assert rig.door.log == ["look", "log_in", "look"]
    assert (step.status, step.attempts, step.fixes) == (StepStatus.HEALED, 2, ("log_in()",))
    assert step.first_failure.kind is FailureKind.AUTH_EXPIRED


async def test_two_ailments_of_one_step_are_healed_one_after_the_other(rig: Any) -> None:
    """Refused, road built; then 401, logged in: two different fixes are the most one step gets, and enough here."""
    rig.door.road = rig.door.token = False
    result = await rig.run(LOOK)
    assert result.status == "ok"
    assert rig.door.log == ["look", "build_road", "road_is_open", "look", "log_in", "look"]
    assert result.step("look").first_failure.kind is FailureKind.CONNECTION_REFUSED


async def test_every_stage_leaves_an_event(rig: Any) -> None:
    """predict, detect, decide, retry, merge, and the fix with its beginning and end, in the order of events."""
    rig.door.token = False
    await rig.run(LOOK)
    told = [event.data.get("stage") or event.kind.value for event in rig.events]
    assert told == [
        "run_started",
        "step_started",
        "predict",
        "attempt_started",
        "attempt_finished",
        "detect",
        "decide",
        "fix_started",
        "fix_finished",
        "attempt_started",
        "attempt_finished",
        "retry",
        "merge",
        "step_finished",
        "run_finished",
    ]


async def test_a_fix_that_fails_ends_the_step_with_both_failures(rig: Any) -> None:
    """The tool's failure stands, and the fix's own is told beside it; nothing is called again."""
    rig.door.token = rig.door.login_works = False
    result = await rig.run(LOOK)
    step = result.step("look")
    assert (result.status, step.status) == ("failed", "failed")
    assert step.failure.kind is FailureKind.AUTH_EXPIRED
    assert "closed on Sundays" in step.reason
    assert rig.door.called("look") == 1


async def test_a_fix_that_works_but_does_not_help_counts_against_it(rig: Any) -> None:
    """It ran, the call failed as before: the step fails, the fix is not run twice, and history says it did not help."""
    rig.door.token = rig.door.login_helps = False
    result = await rig.run(LOOK)
    assert result.status == "failed"
    assert rig.door.log == ["look", "log_in", "look"]
    (fix,) = rig.engine.journal.fixes("log_in", "door")
    assert (fix.ok, fix.helped) == (True, False)
    assert rig.engine.journal.totals().auto_fixed == 0


async def test_an_open_breaker_suggests_and_does_not_act(rig: Any) -> None:
    """After three fruitless logins against one error the fourth is only suggested."""
    rig.door.token = rig.door.login_helps = False
    for _ in range(4):
        result = await rig.run(LOOK)
    assert rig.door.called("log_in") == 3
    step = result.step("look")
    assert "breaker" in step.reason
    assert any("log_in" in line for line in step.remediation)


async def test_statistics_are_written_after_the_thing_has_happened(rig: Any) -> None:
    """A healed step counts one failure and one automatic fix, in history and in the file people read."""
    rig.door.token = False
    await rig.run(LOOK)
    totals = rig.engine.journal.totals()
    assert (totals.total, totals.auto_fixed) == (1, 1)
    kept = (rig.folder / "home" / "memory" / "learned" / "tool_failures.yaml").read_text()
    assert "total_failures: 1" in kept
    assert "auto_fixed: 1" in kept


@pytest.mark.parametrize(
    ("mode", "logins"), [(HealMode.OFF, 0), (HealMode.SUGGEST, 0), (HealMode.ASK, 0), (HealMode.AUTO, 1)]
)
async def test_policy_says_how_much_healing_does_on_its_own(make_rig: Any, mode: HealMode, logins: int) -> None:
    """Off and suggest never act; ask acts only when somebody agrees, and here nobody can."""
    rig = make_rig(heal=mode)
    rig.door.token = False
    result = await rig.run(LOOK)
    await rig.engine.aclose()
    assert rig.door.called("log_in") == logins
    assert (result.status == "ok") is bool(logins)


@pytest.mark.parametrize("agrees", [True, False])
async def test_somebody_who_is_asked_decides(make_rig: Any, agrees: bool) -> None:
    """With ask, the question names the fix; yes runs it, no leaves the failure."""
    rig = make_rig(heal=HealMode.ASK)
    rig.door.token = False
    questions: list[str] = []

    async def ask(question: Question) -> bool:
        questions.append(question.text)
        return agrees

    rig.ask = ask
    result = await rig.run(LOOK)
    await rig.engine.aclose()
    assert (len(questions), "log_in" in questions[0]) == (1, True)
    assert (result.status == "ok") is agrees


async def test_heal_false_leaves_a_step_alone(rig: Any) -> None:
    """An author can say that a step is not to be healed."""
    rig.door.token = False
    result = await rig.run(LOOK.replace("tool: look", "tool: look\n    heal: false"))
    assert (result.status, rig.door.log) == ("failed", ["look"])


async def test_the_kill_switch_file_stops_all_healing(rig: Any) -> None:
    """A file in the state folder is enough."""
    (rig.folder / "home" / "state").mkdir(parents=True)
    (rig.folder / "home" / "state" / "heal-off").touch()
    rig.door.token = False
    assert (await rig.run(LOOK)).status == "failed"
    assert rig.door.called("log_in") == 0


async def test_the_kill_switch_stops_an_engine_that_has_healed_before(rig: Any) -> None:
    """It is asked before every decision, not once."""
    rig.door.token = False
    assert (await rig.run(LOOK)).healed == 1
    (rig.folder / "home" / "state" / "heal-off").touch()
    rig.door.token = False
    assert (await rig.run(LOOK)).status == "failed"
    assert rig.door.called("log_in") == 1


async def test_a_permission_refused_is_not_answered_by_logging_in(rig: Any) -> None:
    """403 says who you are is known; a login cannot help."""
    from tool_registry.tool import ToolError  # noqa: PLC0415 - the one test that needs it

    rig.door.failure = ToolError("forbidden", http_status=403, output="401 403 unauthorized token expired")
    result = await rig.run(LOOK)
    assert result.step("look").failure.kind is FailureKind.PERMISSION_DENIED
    assert rig.door.called("log_in") == 0


async def test_a_write_that_was_refused_is_called_again_after_the_fix(rig: Any) -> None:
    """401 proves that nothing happened, so even a write may be repeated."""
    rig.door.token = False
    result = await rig.run(ENTER)
    assert (result.status, rig.door.entered) == ("ok", 1)


async def test_recorded_heals_match_what_was_shown(rig: Any) -> None:
    """History has the same events in the same order as the listeners saw."""
    rig.door.token = False
    result = await rig.run(LOOK)
    kept = [event.kind for _, event in rig.engine.journal.events(result.run_id)]
    assert kept == [event.kind for event in rig.events if event.kind is not EventKind.NOTICE]
