"""Events of a run as events of its spans: what healing saw and decided, by kind and never by content."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from engine.model.event import Event, EventKind
from engine.model.heal import Stage
from engine.telemetry import names

STAGES: dict[str, dict[str, str]] = {
    Stage.PREFLIGHT: {"check": names.CHECK, "action": names.CHECK_ACTION, "domain": names.DOMAIN, "kind": names.KIND},
    Stage.PREDICT: {
        "kind": names.KIND,
        "probability": names.PROBABILITY,
        "action": names.PREDICTION_ACTION,
        "fix": names.FIX,
    },
    Stage.DETECT: {"kind": names.KIND, "confidence": names.CONFIDENCE, "basis": names.BASIS},
    Stage.DECIDE: {"decision": names.DECISION},
}
"""The stages that are told, and which of their fields under which name; none of these holds what a run works with."""


class Happening(NamedTuple):
    """An event of a span."""

    name: str
    attributes: dict[str, Any]


def happening(event: Event) -> Happening | None:
    """What a span is told of the event; None for one it is not told of."""
    match event.kind:
        case EventKind.HEAL_STAGE:
            stage = str(event.data.get("stage", ""))
            fields = None if _says_nothing(stage, event.data) else STAGES.get(stage)
            return Happening(f"{names.HEAL_EVENT}{stage}", _named(event.data, fields)) if fields else None
        case EventKind.FIX_FINISHED:
            outcome = {names.FIX_OUTCOME: "worked" if event.data["ok"] else "failed"}
            told = {"fix": names.FIX, "domain": names.DOMAIN, "cause": names.FIX_CAUSE, "shared": names.FIX_SHARED}
            return Happening(f"{names.HEAL_EVENT}fix", {**_named(event.data, told), **outcome})
        case EventKind.QUESTION_ASKED:
            return Happening(f"{names.QUESTION_EVENT}asked", {names.QUESTION: str(event.data["name"])})
        case EventKind.QUESTION_ANSWERED:
            return Happening(f"{names.QUESTION_EVENT}answered", {names.QUESTION: str(event.data["name"])})
    return None


def _says_nothing(stage: str, data: Mapping[str, Any]) -> bool:
    """Whether it is a look ahead that foretells nothing: there is one before most calls."""
    return stage == Stage.PREDICT and not data.get("sequence")


def _named(data: Mapping[str, Any], fields: Mapping[str, str]) -> dict[str, Any]:
    """The fields there are under their names; texts stay texts, numbers numbers."""
    there = ((name, data.get(field)) for field, name in fields.items())
    return {
        name: value if isinstance(value, bool | int | float) else str(value)
        for name, value in there
        if value not in (None, "")
    }
