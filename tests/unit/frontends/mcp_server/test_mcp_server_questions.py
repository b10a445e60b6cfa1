"""Questions as forms, and what comes back in them."""

from __future__ import annotations

from typing import Any

import pytest
from mcp_types import ElicitResult

from engine.errors import InputError
from engine.frontends.mcp_server.questions import answer_of, form
from engine.model.question import Question
from engine.model.skill import InputType

FIELDS: list[tuple[Question, dict[str, Any]]] = [
    (Question(name="q", text="?"), {"type": "string"}),
    (Question(name="q", text="?", type=InputType.INTEGER, default=3), {"type": "integer", "default": 3}),
    (Question(name="q", text="?", type=InputType.NUMBER), {"type": "number"}),
    (Question(name="q", text="?", type=InputType.BOOLEAN, default=False), {"type": "boolean", "default": False}),
    (
        Question(name="q", text="?", choices=("a", "b"), default="b"),
        {"type": "string", "enum": ["a", "b"], "default": "b"},
    ),
    (Question(name="q", text="?", type=InputType.INTEGER, choices=(1, 2)), {"type": "string", "enum": ["1", "2"]}),
    (
        Question(name="q", text="?", type=InputType.ARRAY, default=[1]),
        {"type": "string", "description": "JSON: an array", "default": "[1]"},
    ),
    (Question(name="q", text="?", type=InputType.OBJECT), {"type": "string", "description": "JSON: an object"}),
    (Question(name="q", text="?", secret=True, default="x"), {"type": "string"}),
]


@pytest.mark.parametrize(("question", "field"), FIELDS)
def test_a_form_has_one_field_of_the_questions_kind(question: Question, field: dict[str, Any]) -> None:
    """Of the few kinds that forms have; a secret default is not shown."""
    asked = form(question)
    assert asked.requested_schema == {
        "type": "object",
        "properties": {"answer": {"title": "q", **field}},
        "required": ["answer"],
    }
    assert asked.message == "?"


@pytest.mark.parametrize(
    ("question", "given", "answer"),
    [
        (FIELDS[1][0], 7, 7),
        (FIELDS[1][0], "7", 7),
        (FIELDS[2][0], 2, 2),
        (FIELDS[3][0], True, True),
        (FIELDS[4][0], "a", "a"),
        (FIELDS[5][0], "2", 2),
        (FIELDS[6][0], '["x", {"y": 1}]', ["x", {"y": 1}]),
        (FIELDS[7][0], '{"a": 1}', {"a": 1}),
    ],
)
def test_an_answer_is_a_value_of_the_questions_type(question: Question, given: Any, answer: Any) -> None:
    """However clients write it into the form."""
    assert answer_of(question, ElicitResult(action="accept", content={"answer": given})) == answer


@pytest.mark.parametrize(
    ("question", "content"),
    [
        (FIELDS[1][0], {"answer": "many"}),
        (FIELDS[3][0], {"answer": "perhaps"}),
        (FIELDS[4][0], {"answer": "c"}),
        (FIELDS[7][0], {"answer": "[1]"}),
        (FIELDS[0][0], {"other": "x"}),
        (FIELDS[0][0], None),
    ],
)
def test_what_does_not_fit_is_refused(question: Question, content: Any) -> None:
    """With a sentence that the next form repeats."""
    with pytest.raises(InputError, match="q"):
        answer_of(question, ElicitResult(action="accept", content=content))
    assert form(question, "that was wrong").message == "that was wrong\n?"
