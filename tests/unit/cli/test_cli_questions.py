"""A question is put so that it can be answered: at the prompt, or by a command that can be copied."""

from __future__ import annotations

import shlex
from typing import Any

import pytest

from engine.errors import InputError
from engine.frontends.cli.questions import (
    answer_commands,
    asked_lines,
    hint,
    meaning,
    question_record,
    refusal,
    short_name,
    waiting_lines,
)
from engine.model.question import Question
from engine.model.skill import InputType

TARGET = Question(name="target", text="Where to?", choices=("staging", "production"), step="target")
SURE = Question(name="group/sure", text="Really?", type=InputType.BOOLEAN, default=True, step="group/sure")
FIX = Question(name="look.fix", text="Run log_in()?", type=InputType.BOOLEAN, about="fix", step="look")
COUNT = Question(name="each[3]/count", text="How many?", type=InputType.INTEGER, default=3, step="each[3]/count")
SETTLE = Question(
    name="pay.settle", text="Did it happen?", choices=("repeat", "done", "fail"), about="settle", step="pay"
)
SIZE = Question(name="size", text="Which size?", type=InputType.INTEGER, choices=(1, 2, 10), step="size")


@pytest.mark.parametrize(
    ("question", "typed", "value"),
    [
        (TARGET, "staging\n", "staging"),
        (TARGET, "2", "production"),
        (SURE, "", True),
        (SURE, "n", False),
        (SURE, "Yes", True),
        (FIX, "", False),
        (FIX, "y", True),
        (COUNT, "", 3),
        (COUNT, " 7 ", 7),
        (SETTLE, "1", "repeat"),
        (SETTLE, "done", "done"),
        (SIZE, "10", 10),
        (SIZE, "2", 2),
        (Question(name="x", text="?", type=InputType.ARRAY), "a, b", ["a", "b"]),
        (Question(name="x", text="?", type=InputType.OBJECT), '{"a": 1}', {"a": 1}),
        (Question(name="x", text="?"), "3", "3"),
    ],
)
def test_what_is_typed_means_a_value_of_the_questions_type(question: Question, typed: str, value: Any) -> None:
    """Enter is the default, a number names a choice unless choices are numbers."""
    assert meaning(question, typed) == value


@pytest.mark.parametrize(
    ("question", "typed"),
    [(TARGET, "nowhere"), (TARGET, "3"), (TARGET, ""), (COUNT, "many"), (SIZE, "3"), (FIX, "perhaps"), (SETTLE, "")],
)
def test_what_does_not_fit_is_refused(question: Question, typed: str) -> None:
    """And what is wanted is said."""
    with pytest.raises(InputError):
        meaning(question, typed)
    assert refusal(question).startswith("it wants ")


def test_the_prompt_shows_choices_and_what_enter_means() -> None:
    """Yes and no stand on one line, choices below one another, what each does where nobody could guess."""
    assert asked_lines(FIX, 80) == ["  ? look.fix  Run log_in()? [y/N]"]
    assert asked_lines(SURE, 80) == ["  ? sure  Really? [Y/n]"]
    assert asked_lines(TARGET, 80) == ["  ? target  Where to?", "      1. staging", "      2. production", "      >"]
    assert asked_lines(COUNT, 80)[-1] == "      [3] >"
    assert asked_lines(Question(name="x", text="?"), 80)[-1] == "      (text) >"
    assert asked_lines(SETTLE, 80)[1] == "      1. repeat  call it again"
    assert asked_lines(SIZE, 80)[1] == "      - 1"
    assert hint(Question(name="x", text="?", type=InputType.BOOLEAN)) == "[y/n]"


def test_the_command_that_answers_can_be_copied() -> None:
    """One for each of few choices; quoted for the shell; by the step's name where that is enough."""
    names = [TARGET.name, SURE.name, COUNT.name]
    assert answer_commands("r1", TARGET, names) == [
        "skill answer r1 target=staging",
        "skill answer r1 target=production",
    ]
    assert answer_commands("r1", SURE, names) == ["skill answer r1 sure=yes", "skill answer r1 sure=no"]
    assert answer_commands("r1", COUNT, [*names, "each[4]/count"]) == ["skill answer r1 'each[3]/count=VALUE'"]
    for question in (TARGET, SURE, COUNT, SETTLE, SIZE):
        for command in answer_commands("r1", question, names):
            assert len(shlex.split(command)) == 4


def test_a_short_name_is_used_only_where_it_is_the_only_one() -> None:
    """Two elements of a list ask the same."""
    assert short_name("each[3]/count", ["each[3]/count"]) == "count"
    assert short_name("each[3]/count", ["each[3]/count", "each[4]/count"]) == "each[3]/count"


def test_a_waiting_run_says_what_it_asks_and_how_to_go_on() -> None:
    """Each question, each command, and the way out."""
    many = Question(name="colour", text="Which?", choices=("red", "green", "blue", "black"), default="red")
    lines = waiting_lines("r1", [COUNT, many], 80)
    assert lines == [
        "  ? count  How many? (a whole number; default 3)",
        "      skill answer r1 count=VALUE",
        "  ? colour  Which? (one of red, green, blue, black; default red)",
        "      skill answer r1 colour=VALUE",
        "  or end it: skill cancel r1",
    ]


def test_a_question_as_data_has_the_command_too() -> None:
    """For agents and scripts."""
    record = question_record("r1", TARGET, ["target"])
    assert record["answer_with"] == "skill answer r1 target=VALUE"
    assert record["choices"] == ["staging", "production"]
    assert record["about"] == "ask"


def test_a_question_of_several_lines_keeps_them() -> None:
    """Each under the first, folded there; empty ones are left out. Without room beside the head they go below."""
    question = Question(name="step_1", text="Before you begin:\n\nStep 1 of 2: collect what was merged.", step="s")
    assert asked_lines(question, 40)[:-1] == [
        "  ? step_1  Before you begin:",
        "            Step 1 of 2: collect what",
        "            was merged.",
    ]
    name = "x" * 20
    long = Question(name=name, text="One.\nTwo.", step="x")
    assert waiting_lines("r", [long], 36)[:3] == [
        f"  ? {'x' * 20}  One.",
        "      Two. (text)",
        f"      skill answer r {'x' * 20}=VALUE",
    ]
