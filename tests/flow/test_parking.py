"""A run that needs an answer nobody gives rests, keeps all it did, and goes on when somebody has answered."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from engine import RunStatus, SkillExecutor, StepStatus
from engine.errors import InputError, RunStateError, UnansweredError
from engine.model.heal import HealMode
from engine.model.question import Question
from tests.flow.bench_of_tools import Tools
from tests.flow.conftest import Rig

ASKS = """
steps:
  - {name: before, tool: make, args: {word: a}, undo: {tool: unmake, args: {word: a}}}
  - name: sure
    ask: {question: "Make {{ before.made }} bigger?", type: boolean, default: false}
  - {name: after, condition: sure, tool: make, args: {word: b}}
always:
  - {name: bye, tool: say, args: {word: bye}}
outputs:
  - {name: sure, value: "{{ sure }}"}
"""


@pytest.fixture
def tools() -> Tools:
    """Nothing was called yet, and nothing fails."""
    return Tools()


@pytest.fixture
async def rig(make_rig: Callable[..., Rig], tools: Tools) -> AsyncIterator[Rig]:
    """A workspace with those tools."""
    made = make_rig(tools=tuple(tools.all()))
    yield made
    await made.engine.aclose()


async def test_a_question_nobody_answers_parks_the_run(rig: Rig, tools: Tools) -> None:
    """Nothing is undone, `always` does not run, and the question is told."""
    result = await rig.run(ASKS)
    assert result.status is RunStatus.WAITING
    assert tools.log == ["make a"]
    (question,) = result.questions
    assert (question.name, question.text, question.default) == ("sure", "Make a bigger?", False)
    record = rig.engine.journal.run(result.run_id)
    assert record.status is RunStatus.WAITING


async def test_an_answer_goes_on_where_it_rested(rig: Rig, tools: Tools) -> None:
    """Finished steps are not run again; an answer given as text is read as the question's type."""
    parked = await rig.run(ASKS)
    result = await rig.executor.answer(parked.run_id, {"sure": "yes"})
    assert (result.status, result.outputs) == (RunStatus.OK, {"sure": True})
    assert tools.log == ["make a", "make b", "bye"]
    assert [step.path for step in result.steps] == ["before", "sure", "after", "bye"]


async def test_an_answer_that_does_not_fit_changes_nothing(rig: Rig, tools: Tools) -> None:
    """It names the question; the run still waits."""
    parked = await rig.run(ASKS)
    with pytest.raises(InputError, match="sure"):
        await rig.executor.answer(parked.run_id, {"sure": "perhaps"})
    with pytest.raises(InputError, match="does not ask other"):
        await rig.executor.answer(parked.run_id, {"other": "yes"})
    assert rig.engine.journal.run(parked.run_id).status is RunStatus.WAITING
    assert tools.log == ["make a"]


async def test_a_parked_run_can_be_cancelled(rig: Rig, tools: Tools) -> None:
    """Then what it did is undone, and `always` runs."""
    parked = await rig.run(ASKS)
    result = await rig.executor.end(parked.run_id)
    assert result.status is RunStatus.CANCELLED
    assert tools.log == ["make a", "unmake a", "bye"]
    with pytest.raises(RunStateError, match="has ended"):
        await rig.executor.resume(parked.run_id)


async def test_an_answer_can_be_given_beforehand(rig: Rig, tools: Tools) -> None:
    """By the step's name; nobody is asked."""
    executor = SkillExecutor(rig.engine, answers={"sure": True})
    result = await executor.run(rig.write(ASKS))
    assert result.status is RunStatus.OK
    assert tools.log == ["make a", "make b", "bye"]


async def test_whoever_is_there_is_asked(rig: Rig) -> None:
    """The callback gets the whole question; leaving without an answer parks the run."""
    seen: list[Question] = []

    async def answer(question: Question) -> Any:
        seen.append(question)
        if len(seen) == 1:
            raise UnansweredError("not now")
        return True

    rig.ask = answer
    parked = await rig.run(ASKS)
    assert parked.status is RunStatus.WAITING
    result = await rig.executor.resume(parked.run_id)
    assert result.status is RunStatus.OK
    assert [question.name for question in seen] == ["sure", "sure"]


async def test_other_branches_go_on_while_one_waits(rig: Rig, tools: Tools) -> None:
    """All questions are open together, and can be answered one by one."""
    parked = await rig.run("""
        steps:
          - name: both
            parallel:
              - {name: one, ask: {question: One?, type: integer}}
              - name: two
                steps:
                  - {name: two_a, tool: say, args: {word: a}}
                  - {name: two_b, ask: {question: Two?, choices: [x, y]}}
              - {name: three, tool: say, args: {word: c}}
        outputs:
          - {name: both, value: "{{ both }}"}
    """)
    assert {question.name for question in parked.questions} == {"both/one", "both/two/two_b"}
    still = await rig.executor.answer(parked.run_id, {"two_b": "y"})
    assert still.status is RunStatus.WAITING
    done = await rig.executor.answer(parked.run_id, {"one": "7"})
    assert done.outputs == {"both": {"one": 7, "two": {"two_a": "A", "two_b": "y"}, "three": "C"}}
    assert sorted(tools.log) == ["a", "c"]


async def test_a_failed_branch_ends_a_run_of_which_another_branch_waits(rig: Rig, tools: Tools) -> None:
    """What the waiting sub-skill did is undone and cleaned up with the rest."""
    rig.write(
        """
        steps:
          - {name: sub, tool: make, args: {word: x}, undo: {tool: unmake, args: {word: x}}}
          - {name: sure, ask: {question: Sure?}}
        always:
          - {name: sub_bye, tool: say, args: {word: sub_bye}}
        """,
        "called",
    )
    tools.fails["bad"] = 99
    result = await rig.run("""
        steps:
          - name: both
            parallel:
              - {name: other, skill: called}
              - {name: bad, tool: say, args: {word: bad, seconds: 0.05}, heal: false}
    """)
    assert result.status is RunStatus.FAILED
    assert tools.log == ["make x", "bad", "unmake x", "sub_bye"]


async def test_a_question_in_always_is_a_failure(rig: Rig) -> None:
    """Cleaning up waits for nobody."""
    result = await rig.run("""
        steps: [{name: one, tool: say, args: {word: a}}]
        always: [{name: sure, ask: {question: Sure?}}]
    """)
    assert result.status is RunStatus.FAILED
    assert result.step("sure").status is StepStatus.FAILED


async def test_a_fix_that_needs_agreement_asks_through_the_same_door(make_rig: Callable[..., Rig]) -> None:
    """The run parks; yes runs the fix and the step is healed, and the failed call is not made again before it."""
    rig = make_rig(heal=HealMode.ASK)
    rig.door.token = False
    parked = await rig.run("steps: [{name: look, tool: look}]\noutputs: [{name: seen, value: '{{ look }}'}]\n")
    assert parked.status is RunStatus.WAITING
    (question,) = parked.questions
    assert (question.name, question.about) == ("look.fix", "fix")
    assert rig.door.log == ["look"]
    result = await rig.executor.answer(parked.run_id, {"look.fix": True})
    await rig.engine.aclose()
    assert (result.status, result.outputs) == (RunStatus.OK, {"seen": "inside"})
    assert rig.door.log == ["look", "log_in", "look"]
    assert result.step("look").status is StepStatus.HEALED


async def test_a_list_in_order_waits_at_the_element_that_asks(rig: Rig, tools: Tools) -> None:
    """Nothing after it begins before it is answered."""
    parked = await rig.run("""
        steps:
          - name: each
            foreach: "['a', 'b']"
            steps:
              - {name: sure, ask: {question: "{{ item }}?"}}
              - {name: made, tool: say, args: {word: "{{ item }}{{ sure }}"}}
        outputs:
          - {name: each, value: "{{ each }}"}
    """)
    assert [question.name for question in parked.questions] == ["each[0]/sure"]
    still = await rig.executor.answer(parked.run_id, {"sure": "x"})
    assert [question.name for question in still.questions] == ["each[1]/sure"]
    done = await rig.executor.answer(parked.run_id, {"each[1]/sure": "y"})
    assert tools.log == ["ax", "by"]
    assert done.outputs == {"each": [{"sure": "x", "made": "AX"}, {"sure": "y", "made": "BY"}]}


async def test_a_secret_answer_is_used_and_kept_nowhere(rig: Rig, tools: Tools) -> None:
    """Neither the question's answer nor the step's value is in any event."""
    parked = await rig.run("""
        steps:
          - {name: password, secret: true, ask: {question: Password?}}
          - {name: use, tool: say, args: {word: "{{ password }}"}}
    """)
    result = await rig.executor.answer(parked.run_id, {"password": "correct horse"})
    assert result.status is RunStatus.OK
    assert tools.log == ["correct horse"]
    assert not any("correct horse" in str(event.data) for event in rig.events)
    kept = b"".join(path.read_bytes() for path in (rig.folder / "home").rglob("*") if path.is_file())
    assert b"correct horse" not in kept
