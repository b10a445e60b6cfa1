"""The whole language: groups, branches, lists, sub-skills, repeats, and how each of them ends."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from engine import FailureKind, RunStatus, StepStatus
from engine.model.heal import HealMode
from tests.flow.bench_of_tools import Tools
from tests.flow.conftest import Rig


@pytest.fixture
def tools() -> Tools:
    """Nothing was called yet, and nothing fails."""
    return Tools()


@pytest.fixture
async def rig(make_rig: Callable[..., Rig], tools: Tools) -> AsyncIterator[Rig]:
    """A workspace with those tools; healing is off, so that what is counted is what the language does."""
    made = make_rig(tools=tuple(tools.all()), heal=HealMode.OFF)
    yield made
    await made.engine.aclose()


def statuses(result: Any) -> dict[str, str]:
    """The status of every step by its path."""
    return {step.path: step.status.value for step in result.steps}


async def test_a_group_gives_a_mapping_of_its_outputs_and_keeps_its_names_to_itself(rig: Rig) -> None:
    """Inner outputs are read through the group; `steps.INNER` stays."""
    result = await rig.run("""
        steps:
          - name: both
            steps:
              - {name: one, tool: say, args: {word: a}}
              - {name: two, tool: say, args: {word: "{{ one }}b"}, output: second}
        outputs:
          - {name: value, value: "{{ both }}"}
          - {name: inner, value: "{{ steps.one.status }}"}
    """)
    assert result.outputs == {"value": {"one": "A", "second": "AB"}, "inner": "ok"}
    assert statuses(result) == {"both/one": "ok", "both/two": "ok", "both": "ok"}


async def test_a_list_is_worked_on_in_order_and_gives_a_list(rig: Rig, tools: Tools) -> None:
    """One call for each element, each a step with its own path."""
    result = await rig.run("""
        steps:
          - name: each
            foreach: "['a', 'b', 'c']"
            as: letter
            tool: say
            args: {word: "{{ letter }}"}
        outputs:
          - {name: value, value: "{{ each }}"}
    """)
    assert result.outputs == {"value": ["A", "B", "C"]}
    assert tools.log == ["a", "b", "c"]
    assert statuses(result) == {"each[0]": "ok", "each[1]": "ok", "each[2]": "ok", "each": "ok"}


async def test_parallel_elements_share_the_time_and_keep_their_places(rig: Rig, tools: Tools) -> None:
    """At most N at once; the first to begin may be the last to end, and the list does not care."""
    result = await rig.run("""
        steps:
          - name: each
            foreach: "[3, 2, 1, 0]"
            parallel: 2
            tool: say
            args: {word: "w{{ item }}", seconds: "{{ item / 50 }}"}
        outputs:
          - {name: value, value: "{{ each }}"}
    """)
    assert result.outputs == {"value": ["W3", "W2", "W1", "W0"]}
    assert tools.most == 2


async def test_a_failed_element_is_tolerated_alone(rig: Rig, tools: Tools) -> None:
    """`on_error: continue` is per element: None in its place, the list stays."""
    tools.fails["b"] = 9
    result = await rig.run("""
        steps:
          - name: each
            foreach: "['a', 'b', 'c']"
            on_error: continue
            tool: say
            args: {word: "{{ item }}"}
        outputs:
          - {name: value, value: "{{ each }}"}
    """)
    assert result.outputs == {"value": ["A", None, "C"]}
    assert statuses(result) == {"each[0]": "ok", "each[1]": "tolerated", "each[2]": "ok", "each": "tolerated"}
    assert result.step("each").reason == "1 of 3 failed"


async def test_a_failed_element_ends_the_list(rig: Rig, tools: Tools) -> None:
    """Nothing new begins after it."""
    tools.fails["b"] = 9
    result = await rig.run("""
        steps:
          - {name: each, foreach: "['a', 'b', 'c']", tool: say, args: {word: "{{ item }}"}}
          - {name: after, tool: say, args: {word: after}}
    """)
    assert result.status is RunStatus.FAILED
    assert tools.log == ["a", "b"]
    assert statuses(result) == {"each[0]": "ok", "each[1]": "failed", "each": "failed"}


async def test_a_condition_about_the_element_is_asked_for_each(rig: Rig, tools: Tools) -> None:
    """A skipped element is None."""
    result = await rig.run("""
        steps:
          - {name: each, foreach: "[1, 2, 3]", condition: item != 2, tool: say, args: {word: "{{ item }}x"}}
        outputs:
          - {name: value, value: "{{ each }}"}
    """)
    assert result.outputs == {"value": ["1X", None, "3X"]}
    assert tools.log == ["1x", "3x"]


async def test_a_condition_about_something_else_is_asked_once_before_the_list(rig: Rig, tools: Tools) -> None:
    """So a list that does not exist is not asked for."""
    result = await rig.run("""
        steps:
          - {name: pods, condition: "false", tool: say, args: {word: pods}}
          - {name: each, foreach: pods.items, condition: pods, tool: say, args: {word: "{{ item }}"}}
    """)
    assert statuses(result) == {"pods": "skipped", "each": "skipped"}
    assert tools.log == []


async def test_what_is_no_list_fails_with_its_kind(rig: Rig) -> None:
    """A mapping says how its elements are got."""
    result = await rig.run("""
        steps:
          - {name: each, foreach: "{'a': 1}", tool: say, args: {word: "{{ item }}"}}
    """)
    failure = result.step("each").failure
    assert failure is not None
    assert failure.kind is FailureKind.USAGE_ERROR
    assert "wants a list" in failure.message
    assert "x.items()" in failure.message


async def test_an_empty_list_is_no_failure(rig: Rig) -> None:
    """It gives an empty list."""
    result = await rig.run("""
        steps:
          - {name: each, foreach: "[]", tool: say, args: {word: "{{ item }}"}}
        outputs:
          - {name: value, value: "{{ each }}"}
    """)
    assert result.outputs == {"value": []}


async def test_branches_run_at_the_same_time_and_do_not_see_each_other(rig: Rig) -> None:
    """All of them are under way at once; together they give a mapping."""
    result = await rig.run("""
        steps:
          - name: both
            parallel:
              - {name: slow, tool: say, args: {word: slow, seconds: 0.05}}
              - name: quick
                compute: |
                  result = 'seen' if 'slow' in dir() else 'alone'
        outputs:
          - {name: value, value: "{{ both }}"}
    """)
    assert result.outputs == {"value": {"slow": "SLOW", "quick": "alone"}}


async def test_a_failed_branch_lets_the_others_finish_what_they_do_and_nothing_more(rig: Rig, tools: Tools) -> None:
    """As `make` does: what is under way ends, nothing new begins."""
    tools.fails["bad"] = 9
    result = await rig.run("""
        steps:
          - name: both
            parallel:
              - {name: bad, tool: say, args: {word: bad}}
              - name: good
                steps:
                  - {name: under_way, tool: say, args: {word: under_way, seconds: 0.1}}
                  - {name: not_begun, tool: say, args: {word: not_begun}}
    """)
    assert result.status is RunStatus.FAILED
    assert "not_begun" not in tools.log
    assert statuses(result)["both/good/under_way"] == "ok"
    assert "both/good" not in statuses(result)


async def test_a_group_is_tolerated_as_a_whole(rig: Rig, tools: Tools) -> None:
    """Its failed step ends it, not the run."""
    tools.fails["bad"] = 9
    result = await rig.run("""
        steps:
          - name: both
            on_error: continue
            steps:
              - {name: bad, tool: say, args: {word: bad}}
              - {name: more, tool: say, args: {word: more}}
          - {name: after, tool: say, args: {word: after}, condition: not both}
    """)
    assert result.status is RunStatus.OK
    assert statuses(result) == {"both/bad": "failed", "both": "tolerated", "after": "ok"}


async def test_undo_is_last_first_over_everything_that_was_done(rig: Rig, tools: Tools) -> None:
    """Groups, elements and sub-skills: whatever it stood in."""
    rig.write(
        """
        inputs: [{name: word, type: string}]
        steps:
          - name: sub
            tool: make
            args: {word: "{{ inputs.word }}"}
            undo: {tool: unmake, args: {word: "{{ sub.made }}"}}
        always:
          - {name: bye, tool: say, args: {word: bye}}
        """,
        "called",
    )
    tools.fails["bad"] = 9
    result = await rig.run("""
        steps:
          - {name: first, tool: make, args: {word: a}, undo: {tool: unmake, args: {word: a}}}
          - name: each
            foreach: "['b', 'c']"
            tool: make
            args: {word: "{{ item }}"}
            undo: {tool: unmake, args: {word: "{{ item }}-{{ each.made }}"}}
          - name: inside
            steps:
              - {name: inner, tool: make, args: {word: d}, undo: {tool: unmake, args: {word: "{{ inner.made }}"}}}
          - {name: other, skill: called, inputs: {word: e}}
          - {name: bad, tool: say, args: {word: bad}}
    """)
    assert result.status is RunStatus.FAILED
    done = ["make a", "make b", "make c", "make d", "make e", "bye", "bad"]
    assert tools.log == [*done, "unmake e", "unmake d", "unmake c-c", "unmake b-b", "unmake a"]
    undone = [step.path for step in result.steps if "undo" in step.path]
    assert undone == ["other/sub.undo", "inside/inner.undo", "each.undo[1]", "each.undo[0]", "first.undo"]


async def test_a_sub_skill_that_fails_cleans_up_at_once(rig: Rig, tools: Tools) -> None:
    """Its own undo and `always` run before the caller goes on."""
    rig.write(
        """
        steps:
          - {name: sub, tool: make, args: {word: x}, undo: {tool: unmake, args: {word: x}}}
          - {name: bad, tool: say, args: {word: bad}}
        always:
          - {name: bye, tool: say, args: {word: "bye {{ run.status }}"}}
        """,
        "called",
    )
    tools.fails["bad"] = 9
    result = await rig.run("""
        steps:
          - {name: other, skill: called, on_error: continue}
          - {name: after, tool: say, args: {word: after}}
    """)
    assert result.status is RunStatus.OK
    assert tools.log == ["make x", "bad", "unmake x", "bye failed", "after"]


async def test_a_sub_skill_gives_its_outputs(rig: Rig) -> None:
    """And its own `stop` with ok ends it, not the caller."""
    rig.write(
        """
        inputs: [{name: n, type: integer, required: true}]
        steps:
          - {name: enough, condition: inputs.n > 1, stop: {status: ok, message: enough}}
          - {name: more, tool: say, args: {word: more}}
        outputs:
          - {name: twice, value: "{{ inputs.n * 2 }}"}
          - {name: more, value: "{{ more }}"}
        """,
        "called",
    )
    result = await rig.run("""
        steps:
          - {name: each, foreach: "[1, 2]", skill: called, inputs: {n: "{{ item }}"}}
        outputs:
          - {name: value, value: "{{ each }}"}
    """)
    assert result.outputs == {"value": [{"twice": 2, "more": "MORE"}, {"twice": 4, "more": None}]}
    assert "each[0]/more" in statuses(result)


async def test_a_blocked_sub_skill_blocks_the_run(rig: Rig) -> None:
    """Unless its failure is tolerated."""
    rig.write("steps: [{name: halt, stop: {status: blocked, message: not today}}]\n", "called")
    result = await rig.run("steps: [{name: other, skill: called}]\n")
    assert (result.status, result.message) == (RunStatus.BLOCKED, "not today")
    tolerated = await rig.run("steps: [{name: other, skill: called, on_error: continue}]\n")
    assert tolerated.status is RunStatus.OK


async def test_a_stop_inside_a_group_ends_the_run(rig: Rig, tools: Tools) -> None:
    """With its status."""
    result = await rig.run("""
        steps:
          - name: both
            steps:
              - {name: enough, stop: {status: ok, message: that is all}}
          - {name: after, tool: say, args: {word: after}}
    """)
    assert (result.status, result.message) == (RunStatus.OK, "that is all")
    assert tools.log == []


async def test_until_calls_again_until_it_holds(rig: Rig, tools: Tools) -> None:
    """Each call is an attempt of one step."""
    result = await rig.run("""
        steps:
          - {name: poll, tool: count, until: {condition: result >= 3, every: 0.01, timeout: 5}}
        outputs:
          - {name: value, value: "{{ poll }}"}
    """)
    assert result.outputs == {"value": 3}
    assert result.step("poll").attempts == 3
    assert tools.log == ["count"] * 3


async def test_until_gives_up_when_its_time_is_over(rig: Rig) -> None:
    """As a failure of kind timeout."""
    result = await rig.run("""
        steps:
          - {name: poll, tool: count, until: {condition: result < 0, every: 0.02, timeout: 0.1}}
    """)
    failure = result.step("poll").failure
    assert failure is not None
    assert failure.kind is FailureKind.TIMEOUT


async def test_retry_repeats_a_read(rig: Rig, tools: Tools) -> None:
    """Until it works, and the step counts as healed by that."""
    tools.fails["a"] = 2
    result = await rig.run("""
        steps:
          - {name: one, tool: say, args: {word: a}, retry: {attempts: 3, delay: 0.01}}
    """)
    assert tools.log == ["a", "a", "a"]
    assert result.step("one").status is StepStatus.HEALED


async def test_retry_never_repeats_a_write_that_may_have_happened(rig: Rig, tools: Tools) -> None:
    """A 503 to a write that is not idempotent says nothing about what it did."""
    tools.fails["make a"] = 1
    result = await rig.run("""
        steps:
          - {name: one, tool: make, args: {word: a}, retry: {attempts: 3, delay: 0.01}}
    """)
    assert tools.log == ["make a"]
    assert "may have had its effect" in result.step("one").reason


async def test_retry_is_only_for_the_kinds_it_names(rig: Rig, tools: Tools) -> None:
    """Other failures are final."""
    tools.fails["a"] = 1
    await rig.run("""
        steps:
          - {name: one, tool: say, args: {word: a}, retry: {attempts: 3, delay: 0.01, on: [timeout]}}
    """)
    assert tools.log == ["a"]


async def test_a_group_is_repeated_as_a_whole(rig: Rig, tools: Tools) -> None:
    """The second round's steps have paths of their own."""
    tools.fails["b"] = 1
    result = await rig.run("""
        steps:
          - name: both
            retry: {attempts: 2, delay: 0.01}
            steps:
              - {name: one, tool: say, args: {word: a}}
              - {name: two, tool: say, args: {word: b}}
    """)
    assert result.status is RunStatus.OK
    assert tools.log == ["a", "b", "a", "b"]
    assert set(statuses(result)) == {"both/one", "both/two", "both#2/one", "both#2/two", "both"}
    assert result.step("both").status is StepStatus.HEALED


async def test_a_groups_time_is_over_for_all_that_is_in_it(rig: Rig, tools: Tools) -> None:
    """What is under way is cut off and says so; no task is left behind."""
    result = await rig.run("""
        steps:
          - name: both
            timeout: 0.05
            parallel:
              - {name: one, tool: say, args: {word: a, seconds: 3}}
              - {name: two, tool: say, args: {word: b, seconds: 3}}
    """)
    failure = result.step("both").failure
    assert failure is not None
    assert failure.kind is FailureKind.TIMEOUT
    assert statuses(result) == {"both/one": "failed", "both/two": "failed", "both": "failed"}
    assert tools.running == 0


async def test_expect_is_asked_of_a_group_too(rig: Rig) -> None:
    """Its value is the mapping of its outputs."""
    result = await rig.run("""
        steps:
          - name: both
            expect: result.one == 'B'
            steps:
              - {name: one, tool: say, args: {word: a}}
    """)
    failure = result.step("both").failure
    assert failure is not None
    assert failure.kind is FailureKind.UNEXPECTED_RESULT
