"""Which events of a run its spans are told of, and what of them."""

from __future__ import annotations

from typing import Any

import pytest

from engine.model.event import Event, EventKind
from engine.telemetry.told import happening

SAID = "a sentence that quotes an argument"


def told(kind: EventKind, data: dict[str, Any]) -> Any:
    """What a span is told of such an event."""
    return happening(Event(kind=kind, run_id="r", at=0.0, step="s", data=data))


@pytest.mark.parametrize(
    ("data", "name", "attributes"),
    [
        (
            {"stage": "detect", "answer": SAID, "kind": "timeout", "confidence": 1.0, "basis": "declared"},
            "skill.heal.detect",
            {
                "skill.failure.kind": "timeout",
                "skill.failure.confidence": 1.0,
                "skill.failure.basis": "declared",
            },
        ),
        (
            {"stage": "decide", "answer": SAID, "decision": "fix", "fix": f"log_in(user={SAID!r})", "risk": "low"},
            "skill.heal.decide",
            {"skill.heal.decision": "fix"},
        ),
        (
            {"stage": "predict", "answer": SAID, "sequence": "s", "kind": "timeout", "probability": 0.9, "fix": None,
             "action": "noted"},
            "skill.heal.predict",
            {
                "skill.failure.kind": "timeout",
                "skill.prediction.probability": 0.9,
                "skill.prediction.action": "noted",
            },
        ),
    ],
)  # fmt: skip
def test_stages_are_told_by_kind_and_never_in_words(
    data: dict[str, Any], name: str, attributes: dict[str, Any]
) -> None:
    """Sentences, and calls with their arguments, stay here."""
    assert told(EventKind.HEAL_STAGE, data) == (name, attributes)


def test_a_look_that_foretells_nothing_is_not_told() -> None:
    """There is one before most calls."""
    data = {"stage": "predict", "sequence": "", "action": "none", "probability": 0.0}
    assert told(EventKind.HEAL_STAGE, data) is None


def test_questions_are_told_by_name() -> None:
    """Neither what is asked nor what is answered."""
    asked = told(EventKind.QUESTION_ASKED, {"name": "sure", "question": SAID, "default": SAID})
    answered = told(EventKind.QUESTION_ANSWERED, {"name": "sure", "answer": SAID, "by": "person"})
    assert asked == ("skill.question.asked", {"skill.question.name": "sure"})
    assert answered == ("skill.question.answered", {"skill.question.name": "sure"})


@pytest.mark.parametrize("kind", [EventKind.NOTICE, EventKind.PROGRESS, EventKind.STEP_FINISHED])
def test_nothing_else_is_told(kind: EventKind) -> None:
    """Texts are for people; ends are spans' own."""
    assert told(kind, {"text": SAID, "value": SAID}) is None
