"""How a run of the past was to go, which whoever goes on with it keeps to: its profile, and what healing may do."""

from __future__ import annotations

from collections.abc import Iterable

from engine.model.event import Event, EventKind
from engine.model.heal import HealMode

BEGINNINGS = (EventKind.RUN_STARTED, EventKind.RUN_RESUMED)


def manner_of(past: Iterable[Event]) -> tuple[str, HealMode | None]:
    """The profile it began with, empty where none is known, and the heal mode it was told last."""
    began = [event.data for event in past if event.kind in BEGINNINGS]
    told = [data["heal"] for data in began if data.get("heal")]
    profile = str(began[0].get("profile") or "") if began else ""
    return profile, HealMode(told[-1]) if told and told[-1] in {*HealMode} else None
