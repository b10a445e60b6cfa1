"""Predictions as they are told in events."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from engine.model.heal import FixOutcome
from engine.model.prevention import Prediction


def prediction_data(prediction: Prediction, done: FixOutcome | None) -> dict[str, Any]:
    """A look ahead as event data; `done` is what became of the fix, None when none ran."""
    situation = prediction.situation
    known = {each.name: getattr(situation, each.name) for each in fields(situation)}
    return {
        "answer": sentence(prediction, done),
        "situation": {**known, "last_calls": list(situation.last_calls)},
        "sequence": prediction.sequence,
        "kind": prediction.kind if prediction.sequence else "",
        "probability": prediction.probability,
        "action": prediction.action,
        "fix": prediction.fix,
        "ok": done.ok if done is not None else None,
        "cost_of_fix": prediction.cost_of_fix,
        "cost_of_failure": prediction.cost_of_failure,
    }


def sentence(prediction: Prediction, done: FixOutcome | None) -> str:
    """What is foretold and what was done about it, for a person."""
    if not prediction.sequence:
        return "Nothing foretells a failure."
    foretold = f"{prediction.sequence} foretells {prediction.kind} (at least {prediction.probability:.0%} likely)."
    if done is None:
        return f"{foretold} {prediction.because}"
    if not done.ok:
        said = done.failure.message if done.failure else "it failed"
        return f"{foretold} {done.fix} ran first and failed: {said}"
    ran = "had just run" if done.shared else "ran first"
    return f"{foretold} {done.fix} {ran} and worked."
