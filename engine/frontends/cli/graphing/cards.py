"""The boxes of the picture before they have a place: what is written in each, and how much room that takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from engine.frontends.cli.graphing.measure import Face, lines_of, pieces_of, text_width
from engine.frontends.cli.graphing.words import called, clean, does, marks, outcome_words, told
from engine.library.graph import Node, NodeKind, State
from engine.model.lazy_dataclass import dataclass

Tone = Literal["name", "does", "about", "mark", "told", "if", "badge"]

SIZES: dict[Tone, tuple[float, Face, float]] = {
    "name": (13, "mono", 18),
    "does": (11, "mono", 16),
    "about": (11, "sans", 15),
    "mark": (11, "sans", 15),
    "told": (11, "sans", 15),
    "if": (11, "mono", 15),
    "badge": (11, "bold", 15),
}
"""Height and face of the letters of each tone, and the height of a line."""
NARROWEST, WIDEST, WIDEST_NAME = 280, 340, 420
SLIM = 200
"""How narrow a box may be that has another beside it."""
SIDE, TOP = 14, 9
"""What is left free at the sides of a box, and above and below what is written in it."""
BADGE_GAP = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Lines of one tone; those of a name are one word."""

    tone: Tone
    lines: tuple[str, ...]

    @property
    def height(self) -> float:
        """The room the lines take."""
        return SIZES[self.tone][2] * len(self.lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What is written in a box; the badge stands in its upper right corner."""

    node: Node
    width: float
    rows: tuple[Row, ...]
    badge: str = ""

    @property
    def height(self) -> float:
        """The room the box takes."""
        return sum(row.height for row in self.rows) + 2 * TOP


def wanted_width(node: Node, least: float = NARROWEST) -> float:
    """How wide the box of a node would like to be."""
    if node.kind is NodeKind.CONDITION:
        return _within(_width(clean(node.name), "if"), least)
    name, badge = _width(called(node), "name"), badge_of(node)
    beside = _width(badge, "badge") + BADGE_GAP if badge else 0
    said = max((_width(text, "mark") for text in marks(node, condition=False)), default=0)
    return max(_within(max(_width(does(node), "does"), said), least), min(WIDEST_NAME, name + beside + 2 * SIDE))


def card(node: Node, width: float) -> Card:
    """The box of a node at a width."""
    room = width - 2 * SIDE
    badge = badge_of(node)
    return Card(node=node, width=width, rows=tuple(_rows(node, room, badge)), badge=badge)


def badge_of(node: Node) -> str:
    """How a step ended and how long it took; empty where no run is shown, and for what is no step."""
    if node.outcome is None or not node.is_step or _counted(node):
        return ""
    return outcome_words(node.outcome) if node.outcome.state is not State.UNREACHED else ""


def _counted(node: Node) -> bool:
    return node.outcome is not None and bool(node.outcome.counts)


def _rows(node: Node, room: float, badge: str) -> Iterator[Row]:
    if node.kind is NodeKind.CONDITION:
        yield _row("if", clean(node.name), room, most=3)
        return
    beside = _width(badge, "badge") + BADGE_GAP if badge else 0
    yield Row(tone="name", lines=tuple(pieces_of(called(node), room - beside, *SIZES["name"][:2])))
    if does(node):
        yield _row("does", does(node), room)
    if node.description:
        yield _row("about", clean(node.description), room)
    for mark in _packed(marks(node, condition=False), room):
        yield _row("mark", mark, room)
    if node.outcome is not None and node.is_step:
        if _counted(node):
            yield _row("told", outcome_words(node.outcome), room)
        if node.outcome.told and node.outcome.state is not State.SKIPPED:
            yield _row("told", told(node.outcome), room, most=4)


def _packed(texts: Sequence[str], room: float) -> list[str]:
    """The texts in as few lines as keep each together."""
    lines: list[str] = []
    for text in texts:
        joined = f"{lines[-1]} · {text}" if lines else text
        if lines and _width(joined, "mark") <= room:
            lines[-1] = joined
        else:
            lines.append(text)
    return lines


def _row(tone: Tone, text: str, room: float, *, most: int = 2) -> Row:
    return Row(tone=tone, lines=tuple(lines_of(text, room, *SIZES[tone][:2], most=most)))


def _width(text: str, tone: Tone) -> float:
    size, face, _ = SIZES[tone]
    return text_width(text, size, face)


def _within(width: float, least: float) -> float:
    return max(least, min(WIDEST, width + 2 * SIDE))
