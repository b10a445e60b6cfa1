"""Situations, sequences and calls that were looked at, with everything that does not matter filled in."""

from __future__ import annotations

from typing import Any

from engine.model.failure import FailureKind
from engine.model.prevention import PredictAction, Prediction, PredictionRecord, Sequence, Situation


def situation(**known: Any) -> Situation:
    """A call of `look` in the domain `door`, on a Monday at eight."""
    given: dict[str, Any] = {"tool": "look", "domain": "door", "at": 0.0, "hour": 8, "weekday": "mon", **known}
    return Situation(**given)


def sequence(**said: Any) -> Sequence:
    """A sequence about `door` that was right ten times of ten."""
    usual: dict[str, Any] = {
        "trigger": "mornings",
        "context": {"first_call_of_day": True},
        "kind": FailureKind.AUTH_EXPIRED,
        "domain": "door",
        "observations": 10,
        "confirmed": 10,
    }
    return Sequence(**{**usual, **said})


def record(
    came: str | None,
    action: PredictAction = PredictAction.NONE,
    *,
    name: str = "",
    run: str = "r",
    **known: Any,
) -> PredictionRecord:
    """A call that was looked at, and what came; `name` is the sequence that spoke."""
    kind = FailureKind.AUTH_EXPIRED if name else FailureKind.UNKNOWN
    told = Prediction(situation=situation(**known), sequence=name, kind=kind, action=action)
    return PredictionRecord(prediction=told, run_id=run, step="look", came=came)
