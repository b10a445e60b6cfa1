"""What the columns of a row are made of: the fields of an event as texts, numbers and moments."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from engine.history.database import Value

SNIPPET = 500
"""Characters of an error kept where errors are listed; the event has more."""

Fields = Mapping[str, Any]


class Spot:
    """Where one event goes: the run's number, the event's number in it, its step and time."""

    __slots__ = ("at", "number", "run", "step")

    def __init__(self, run: int, number: int, step: str, at: float) -> None:
        self.run = run
        self.number = number
        self.step = step
        self.at = at


def text_of(fields: Fields, name: str, limit: int = SNIPPET) -> str:
    """A field as text of at most `limit` characters; empty when it is no text or number."""
    # Only what the mask has seen: turning another object into text here would show the secrets inside it.
    value = fields.get(name)
    if not isinstance(value, str | int | float):
        return ""
    text = str(value)[:limit]
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def whole_of(fields: Fields, name: str) -> int:
    """A field as a whole number; 0 when it is none."""
    value = fields.get(name)
    return int(value) if isinstance(value, int | float) else 0


def number_of(fields: Fields, name: str) -> float | None:
    """A field as a number; None when it is none."""
    value = fields.get(name)
    return float(value) if isinstance(value, int | float) else None


def moment(fields: Fields, name: str, spot: Spot) -> Value:
    """A field as a time in seconds since the epoch; when the event happened if it has none."""
    value = number_of(fields, name)
    return spot.at if value is None else value


def calendar(at: float) -> tuple[str, str]:
    """The UTC day (`2026-11-20`) and the ISO week (`2026-W47`) of a time."""
    day = datetime.fromtimestamp(at, UTC)
    year, week, _ = day.isocalendar()
    return f"{day:%Y-%m-%d}", f"{year}-W{week:02}"
