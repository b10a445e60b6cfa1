"""What a picture is drawn of, each with its place: boxes, bars and lines, in pixels from the upper left corner."""

from __future__ import annotations

from dataclasses import field
from typing import Literal

from engine.frontends.cli.graphing.cards import Card
from engine.model.lazy_dataclass import dataclass

Style = Literal["order", "skip", "undo"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A placed box; `header` is the height of what is written at the top of a box around others, 0 for any other."""

    card: Card
    x: float
    y: float
    width: float
    height: float
    header: float = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """Where branches part or meet."""

    x: float
    y: float
    width: float
    on: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """A line along points; `on` says whether the run went that way, None where no run is shown."""

    points: tuple[tuple[float, float], ...]
    style: Style = "order"
    on: bool | None = None
    arrow: bool = True


@dataclass(slots=True)
class Drawing:
    """What has been placed so far."""

    boxes: list[Box] = field(default_factory=list)
    bars: list[Bar] = field(default_factory=list)
    wires: list[Wire] = field(default_factory=list)

    def wire(self, *points: tuple[float, float], style: Style = "order", on: bool | None, arrow: bool = True) -> None:
        """Adds a line, if it has any length."""
        if len(set(points)) > 1:
            self.wires.append(Wire(points=points, style=style, on=on, arrow=arrow))
