"""What a run is given becomes what its steps see, or is refused with every problem named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from engine.errors import InputError
from engine.library import bind_inputs, coerced_answer
from engine.model.place import Place
from engine.model.question import Question
from engine.model.secret import MASK
from engine.model.skill import Input, InputType, Skill

PLACE = Place(file="example.yaml", line=1, column=1)


def _skill(*inputs: Input) -> Skill:
    return Skill(name="example", file="example.yaml", text="", inputs=inputs)


def _input(name: str = "value", **rules: Any) -> Input:
    return Input(name=name, place=PLACE, **rules)


def _bound(asked: Input, given: Any, *, typed: bool = False) -> Any:
    return bind_inputs(_skill(asked), {asked.name: given}, from_text=[asked.name] if typed else [])[asked.name]


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("string", "007", "007"),
        ("integer", " 12 ", 12),
        ("integer", "-3", -3),
        ("number", "2.5", 2.5),
        ("number", "2", 2),
        ("boolean", "yes", True),
        ("boolean", "TRUE", True),
        ("boolean", "off", False),
        ("boolean", "0", False),
        ("array", "a, b", ["a", "b"]),
        ("array", '["a", 1]', ["a", 1]),
        ("array", "", []),
        ("object", '{"a": [1]}', {"a": [1]}),
    ],
)
def test_typed_text_becomes_the_type_asked_for(kind: str, text: str, value: Any) -> None:
    """Text from a command line is read as the input's type."""
    assert _bound(_input(type=InputType(kind)), text, typed=True) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("integer", "3.5"),
        ("integer", "three"),
        ("number", "nan"),
        ("number", "1,5"),
        ("boolean", "maybe"),
        ("object", "{"),
        ("object", "[1]"),
        ("array", "[1"),
        ("array", "[" * 100_000),
    ],
)
def test_text_that_cannot_mean_the_type_is_refused(kind: str, text: str) -> None:
    """What cannot be read as the type is refused, naming the input."""
    with pytest.raises(InputError, match=r"example: value got .* it wants "):
        _bound(_input(type=InputType(kind)), text, typed=True)


def test_values_that_were_not_typed_are_not_reinterpreted() -> None:
    """An agent that gives the text "3" for a number is told so; only command lines are text."""
    with pytest.raises(InputError, match='got "3"'):
        _bound(_input(type=InputType.INTEGER), "3")


def test_elements_of_a_typed_list_are_read_as_the_type_of_its_items() -> None:
    """`-i ports=80,443` gives numbers where the items are numbers."""
    assert _bound(_input(type=InputType.ARRAY, items={"type": "integer"}), "80,443", typed=True) == [80, 443]


def test_an_input_without_type_accepts_any_value() -> None:
    """Without a type nothing is coerced."""
    assert _bound(_input(), "12", typed=True) == "12"
    assert _bound(_input(), {"a": 1}) == {"a": 1}


def test_a_whole_float_is_a_whole_number_and_true_is_none() -> None:
    """3.0 is the integer 3 as in JSON Schema; True is no number although Python says so."""
    value = _bound(_input(type=InputType.INTEGER), 3.0)
    assert (value, type(value)) == (3, int)
    with pytest.raises(InputError, match="got true"):
        _bound(_input(type=InputType.INTEGER), True)
    with pytest.raises(InputError, match="got true"):
        _bound(_input(enum=(1, 2)), True)


@pytest.mark.parametrize(
    ("rules", "value", "wanted"),
    [
        ({"enum": ("a", "b")}, "c", "one of a, b"),
        ({"pattern": "[a-z]+"}, "abc1", r"matching \[a-z\]\+"),
        ({"minimum": 2}, 1, "at least 2"),
        ({"maximum": 2}, 2.5, "at most 2"),
        ({"type": InputType.ARRAY, "items": {"type": "integer"}}, [1, "x"], "each element a whole number"),
    ],
)
def test_a_broken_rule_is_named_with_what_it_wants(rules: Mapping[str, Any], value: Any, wanted: str) -> None:
    """The message says what was got and what is wanted."""
    with pytest.raises(InputError, match=wanted):
        _bound(_input(**rules), value)


def test_a_pattern_must_match_the_whole_text() -> None:
    """A match somewhere inside is not enough, not even before a line break."""
    asked = _input(pattern="[a-z]+")
    assert _bound(asked, "abc") == "abc"
    with pytest.raises(InputError, match="does not match"):
        _bound(asked, "abc\n")


def test_a_pattern_is_not_tried_on_endless_text() -> None:
    """Text longer than the limit is refused before the pattern sees it."""
    with pytest.raises(InputError, match="longer than"):
        _bound(_input(pattern="(a|b)*"), "a" * 1_000_000)


def test_every_problem_is_told_at_once() -> None:
    """Unknown, missing and unfit inputs come in one error, with the nearest name."""
    skill = _skill(_input("days", type=InputType.INTEGER), _input("cluster", required=True))
    with pytest.raises(InputError) as caught:
        bind_inputs(skill, {"days": "x", "clustr": "stage"})
    told = str(caught.value)
    assert "3 inputs do not fit" in told
    assert "there is no input clustr; did you mean cluster?" in told
    assert 'days got "x"' in told
    assert "cluster is missing: it wants a value" in told
    assert caught.value.exit_status == 2


def test_defaults_and_absent_inputs() -> None:
    """Not given: the default, else None; a given None counts as not given."""
    skill = _skill(
        _input("a", default=[1], has_default=True), _input("b"), _input("c", required=True, default=2, has_default=True)
    )
    assert bind_inputs(skill, {}) == {"a": [1], "b": None, "c": 2}
    assert bind_inputs(skill, {"a": None}) == {"a": [1], "b": None, "c": 2}


def test_a_run_cannot_change_a_default() -> None:
    """Each run gets a copy of its own."""
    skill = _skill(_input("a", default=[1], has_default=True))
    bind_inputs(skill, {})["a"].append(2)
    assert bind_inputs(skill, {}) == {"a": [1]}


def test_a_secret_value_is_never_shown() -> None:
    """The refusal of a secret masks what was given."""
    with pytest.raises(InputError) as caught:
        _bound(_input("token", secret=True, pattern="[0-9]+"), "hunter2-hunter2")
    assert "hunter2" not in str(caught.value)
    assert MASK in str(caught.value)


def test_a_long_value_is_quoted_short() -> None:
    """A refusal does not repeat a page of text."""
    with pytest.raises(InputError) as caught:
        _bound(_input(type=InputType.INTEGER), "x" * 10_000)
    assert len(str(caught.value)) < 400


def test_what_a_step_gives_a_skill_names_both() -> None:
    """Inputs of a skill that a step runs are refused with the skill's name and the step's."""
    skill = _skill(_input("days", type=InputType.INTEGER))
    with pytest.raises(InputError, match=r'^example, run by the step group/call: days got "x"'):
        bind_inputs(skill, {"days": "x"}, step="group/call")


def _question(**rules: Any) -> Question:
    return Question(name="group/fate", text="Keep it?", step="group/fate", **rules)


@pytest.mark.parametrize(
    ("rules", "text", "value"),
    [
        ({}, "keep", "keep"),
        ({"type": InputType.BOOLEAN}, "yes", True),
        ({"type": InputType.INTEGER, "choices": (1, 2)}, " 2 ", 2),
        ({"type": InputType.ARRAY}, "a, b", ["a", "b"]),
        ({"choices": ("keep", "release")}, "release", "release"),
    ],
)
def test_an_answer_given_as_text_is_read_like_an_input(rules: Mapping[str, Any], text: str, value: Any) -> None:
    """The question's type says what the text means."""
    assert coerced_answer(_question(**rules), text, from_text=True) == value


@pytest.mark.parametrize(
    ("rules", "given", "from_text", "message"),
    [
        (
            {"choices": ("keep", "release")},
            "kepe",
            True,
            'got "kepe", which is not one of them: .* one of keep, release',
        ),
        ({"type": InputType.INTEGER}, "soon", True, 'got "soon", which is no whole number: it wants a whole number'),
        ({"type": InputType.INTEGER}, "3", False, 'got "3", which is of another type'),
        ({"type": InputType.BOOLEAN}, 1, False, "got 1, which is of another type"),
        ({"type": InputType.BOOLEAN}, None, False, "has no answer: it wants true or false"),
    ],
)
def test_an_answer_that_does_not_fit_is_refused(
    rules: Mapping[str, Any], given: Any, from_text: bool, message: str
) -> None:
    """The error names the question, what it got and what it wants, and the hint repeats what is asked."""
    with pytest.raises(InputError, match=f"the question group/fate {message}") as caught:
        coerced_answer(_question(**rules), given, from_text=from_text)
    assert caught.value.hint == "it asks: Keep it?"


def test_no_answer_takes_what_was_offered() -> None:
    """The default is a value already, whatever the answer came as."""
    assert coerced_answer(_question(type=InputType.INTEGER, default=3), None, from_text=True) == 3


def test_a_secret_answer_is_never_shown() -> None:
    """Its refusal masks what was given."""
    with pytest.raises(InputError, match=f"got {MASK}") as caught:
        coerced_answer(_question(type=InputType.INTEGER), "hunter2", from_text=True, secret=True)
    assert "hunter2" not in str(caught.value)
