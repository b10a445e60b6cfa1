"""Options that mean nothing where they stand, questions that cannot be answered, and what `always` may not hold."""

from __future__ import annotations

import pytest

from tests.unit.library.skill_texts import Check, steps, told

ACTIONS = {
    "tool": "tool: anything",
    "compute": "compute: result = 1",
    "skill": "skill: callee",
    "steps": "steps: [{name: inner, compute: result = 1}]",
    "parallel": "parallel: [{name: inner, compute: result = 1}]",
    "stop": "condition: run.id, stop: {status: ok, message: m}",
    "ask": "ask: {question: q}",
}
OPTIONS = {
    "heal": "heal: false",
    "retry": "retry: {attempts: 2}",
    "until": "until: {condition: result, every: 1, timeout: 2}",
    "foreach": "foreach: '[1]'",
    "expect": "expect: result",
    "secret": "secret: true",
    "timeout": "timeout: 5",
    "undo": "undo: {tool: anything}",
    "on_error": "on_error: continue",
    "output": "output: other",
}
USELESS = {
    "compute": {"heal"},
    "skill": {"heal"},
    "steps": {"heal"},
    "parallel": {"heal"},
    "stop": {"heal", "retry", "until", "foreach", "expect", "secret", "timeout", "undo"},
    "ask": {"heal", "retry", "until", "undo"},
}


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("option", OPTIONS)
def test_an_option_stands_only_where_it_means_something(check: Check, action: str, option: str) -> None:
    """What an action has no use for is told at the option, with the way out."""
    found = check(steps(f"- {{name: a, {ACTIONS[action]}, {OPTIONS[option]}}}"))
    misplaced = [finding for finding in found if finding.code != "unknown-skill"]
    expected = ["misplaced-key"] if option in USELESS.get(action, set()) else []
    assert [finding.code for finding in misplaced] == expected
    assert all(f"`{option}` means nothing beside `{action}`" in finding.message for finding in misplaced)
    assert all(finding.hint for finding in misplaced)


def test_healing_of_a_group_belongs_to_its_tools(check: Check) -> None:
    """The hint says where it would mean something."""
    (finding,) = check(steps("- {name: a, heal: {max_fixes: 0}, parallel: [{name: b, tool: anything, heal: false}]}"))
    assert "on the tool steps inside" in finding.hint


@pytest.mark.parametrize("keys", ["args: {x: 1}", "as: pod", "parallel: 3", "inputs: {x: 1}"])
def test_companions_are_told_when_they_are_alone(check: Check, keys: str) -> None:
    """`args` without `tool`, `inputs` without `skill`, `as` and a number `parallel` without `foreach`."""
    assert told(check(steps(f"- {{name: a, compute: result = 1, {keys}}}"))) == [(3, "misplaced-key")]


def test_always_can_neither_stop_nor_wait_nor_be_undone(check: Check) -> None:
    """However deep: a `stop` and an `undo` are mistakes, a question is a warning."""
    found = check(
        steps("- {name: a, compute: result = 1}")
        + """always:
  - name: g
    steps:
      - {name: b, ask: {question: q}}
      - {name: c, condition: b, stop: {status: ok, message: m}}
  - {name: d, tool: anything, undo: {tool: anything}}
"""
    )
    assert told(found) == [(7, "ask-in-always"), (8, "stop-in-always"), (9, "misplaced-key")]
    assert [str(finding.severity) for finding in found] == ["warning", "error", "error"]


@pytest.mark.parametrize(
    ("ask", "codes"),
    [
        ("choices: [a, b], default: a", []),
        ("choices: [a, b], default: '{{ run.id }}'", []),
        ("type: integer, choices: [1, 2.0], default: 2", []),
        ("type: boolean, default: false", []),
        ("type: array, choices: [[1], [2]], default: [1]", []),
        ("default: null", []),
        ("choices: [1, 2]", ["bad-choice", "bad-choice"]),
        ("type: integer, choices: [1, '2'], default: 3", ["bad-choice"]),
        ("choices: [a, b], default: c", ["bad-default"]),
        ("type: integer, default: soon", ["bad-default"]),
        ("type: number, default: true", ["bad-default"]),
    ],
)
def test_a_question_can_be_answered(check: Check, ask: str, codes: list[str]) -> None:
    """Choices are of the type of the answer, and the default is one of them."""
    assert [finding.code for finding in check(steps(f"- {{name: a, ask: {{question: q, {ask}}}}}"))] == codes
