"""The parts of the picture, each with the room it takes around the line that runs down through it.

A block is entered at its top and left at its bottom, both on that line (its `x`); `left` and `right` are how far it
reaches from there. Blocks are made from the inside out, then placed from the outside in; what holds others remembers
its size, or one inside of many others would be measured again by each.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Protocol

from engine.frontends.cli.graphing.cards import Card
from engine.frontends.cli.graphing.drawing import Box, Drawing
from engine.library.graph import Node, NodeKind, State
from engine.model.lazy_dataclass import dataclass

GAP, SHORT = 24, 14
"""Between one block and the next; between a condition and its step, and at the ends of a box around others."""
RAIL, MERGE = 18, 14
"""How far beside a block the way around it runs; how far under it that comes back."""
ASIDE = 34
"""Between a step and its undo."""
PADDING, BETWEEN, ROWS = 18, 30, 30
"""Inside a box around others; between branches beside each other, and between rows of them."""
WIDEST_ROW = 1500
"""How wide branches beside each other may become before they are continued in another row."""
BAR, OVER = 4, 28
"""How high the bars are where branches part and meet, and how far they reach beyond the first and the last."""


class Block(Protocol):
    """One part of the picture; `goes_on` says whether anything can follow it."""

    @property
    def left(self) -> float: ...  # noqa: D102 - see above
    @property
    def right(self) -> float: ...  # noqa: D102 - see above
    @property
    def height(self) -> float: ...  # noqa: D102 - see above
    @property
    def goes_on(self) -> bool: ...  # noqa: D102 - see above
    @property
    def entered(self) -> bool | None: ...  # noqa: D102 - whether the run came to it; None where no run is shown
    @property
    def passed(self) -> bool | None: ...  # noqa: D102 - whether the run went on from it

    def place(self, x: float, y: float, drawing: Drawing) -> None:
        """Draws it with its upper end at (x, y)."""
        ...


def came_to(node: Node) -> bool | None:
    """Whether the run reached the node and did not skip it."""
    return None if node.outcome is None else node.outcome.state not in (State.UNREACHED, State.SKIPPED)


def got_through(node: Node) -> bool | None:
    """Whether the run went on behind the node."""
    return None if node.outcome is None else node.outcome.state in (State.OK, State.HEALED, State.TOLERATED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Single:
    """One box."""

    card: Card

    @property
    def left(self) -> float:
        """Half of the box."""
        return self.card.width / 2

    @property
    def right(self) -> float:
        """The other half."""
        return self.card.width / 2

    @property
    def height(self) -> float:
        """The height of the box."""
        return self.card.height

    @property
    def goes_on(self) -> bool:
        """Not where it ends the run."""
        return self.card.node.kind not in (NodeKind.STOP, NodeKind.END)

    @property
    def entered(self) -> bool | None:
        """Whether the run came to it."""
        return came_to(self.card.node)

    @property
    def passed(self) -> bool | None:
        """Whether the run got through."""
        return got_through(self.card.node)

    def place(self, x: float, y: float, drawing: Drawing) -> None:
        """Draws the box."""
        card = self.card
        drawing.boxes.append(Box(card=card, x=x - self.left, y=y, width=card.width, height=card.height))


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """Blocks one under the other."""

    blocks: Sequence[Block]
    left: float = 0
    right: float = 0
    height: float = 0

    @property
    def goes_on(self) -> bool:
        """When the last one does."""
        return not self.blocks or self.blocks[-1].goes_on

    @property
    def entered(self) -> bool | None:
        """When the first one is."""
        return self.blocks[0].entered if self.blocks else None

    @property
    def passed(self) -> bool | None:
        """When the last one is."""
        return self.blocks[-1].passed if self.blocks else None

    def place(self, x: float, y: float, drawing: Drawing) -> None:
        """Draws one after the other, each joined to the next where the flow goes on."""
        before: Block | None = None
        for block in self.blocks:
            if before is not None:
                if before.goes_on:
                    drawing.wire((x, y), (x, y + GAP), on=_both(before.passed, block.entered))
                y += GAP
            block.place(x, y, drawing)
            y += block.height
            before = block


def column(blocks: Sequence[Block]) -> Column:
    """Blocks one under the other, measured."""
    return Column(
        blocks=blocks,
        left=max((block.left for block in blocks), default=0),
        right=max((block.right for block in blocks), default=0),
        height=sum(block.height for block in blocks) + GAP * max(0, len(blocks) - 1),
    )


@dataclass(frozen=True, kw_only=True)
class Gated:
    """A block with its condition above it, and a way around it for when that is false."""

    gate: Card
    inner: Block

    @cached_property
    def left(self) -> float:
        """As far as the way around."""
        return max(self.inner.left, self.gate.width / 2) + RAIL

    @cached_property
    def right(self) -> float:
        """As far as the wider of the two."""
        return max(self.inner.right, self.gate.width / 2)

    @cached_property
    def height(self) -> float:
        """Both, and where the way around comes back."""
        return self.gate.height + SHORT + self.inner.height + MERGE

    @property
    def goes_on(self) -> bool:
        """Always: the condition may be false."""
        return True

    @property
    def entered(self) -> bool | None:
        """Whether the condition was looked at."""
        outcome = self.gate.node.outcome
        return None if outcome is None else outcome.state is not State.UNREACHED

    @property
    def skipped(self) -> bool | None:
        """Whether it was false."""
        outcome = self.gate.node.outcome
        return None if outcome is None else outcome.state is State.SKIPPED

    @property
    def passed(self) -> bool | None:
        """Whether the run went through or around."""
        return None if self.skipped is None else self.skipped or bool(self.inner.goes_on and self.inner.passed)

    def place(self, x: float, y: float, drawing: Drawing) -> None:
        """Draws the condition, the block, and the way around it on the left."""
        gate, inner = self.gate, self.inner
        drawing.boxes.append(Box(card=gate, x=x - gate.width / 2, y=y, width=gate.width, height=gate.height))
        top = y + gate.height
        drawing.wire((x, top), (x, top + SHORT), on=_both(self.entered, inner.entered))
        inner.place(x, top + SHORT, drawing)
        bottom, end = top + SHORT + inner.height, y + self.height
        if inner.goes_on:
            drawing.wire((x, bottom), (x, end), on=inner.passed, arrow=False)
        rail, middle = x - self.left, y + gate.height / 2
        around = ((x - gate.width / 2, middle), (rail, middle), (rail, end), (x, end))
        drawing.wire(*around, style="skip", on=self.skipped, arrow=False)


@dataclass(frozen=True, kw_only=True)
class Undoable:
    """A block with its undo on its right."""

    inner: Block
    undo: Card

    @cached_property
    def left(self) -> float:
        """As far as the block."""
        return self.inner.left

    @cached_property
    def right(self) -> float:
        """As far as the undo."""
        return self.inner.right + ASIDE + self.undo.width

    @cached_property
    def height(self) -> float:
        """The higher of the two."""
        return max(self.inner.height, self.undo.height)

    @property
    def goes_on(self) -> bool:
        """When the block does."""
        return self.inner.goes_on

    @property
    def entered(self) -> bool | None:
        """When the block is."""
        return self.inner.entered

    @property
    def passed(self) -> bool | None:
        """When the block is."""
        return self.inner.passed

    def place(self, x: float, y: float, drawing: Drawing) -> None:
        """Draws the block, and the undo beside its upper end."""
        self.inner.place(x, y, drawing)
        if self.inner.goes_on:
            drawing.wire((x, y + self.inner.height), (x, y + self.height), on=self.inner.passed, arrow=False)
        edge, undo = x + self.inner.right, self.undo
        height = y + min(self.inner.height, undo.height) / 2
        drawing.wire((edge, height), (edge + ASIDE, height), style="undo", on=came_to(undo.node))
        drawing.boxes.append(Box(card=undo, x=edge + ASIDE, y=y, width=undo.width, height=undo.height))


def _both(before: bool | None, after: bool | None) -> bool | None:
    return None if before is None or after is None else before and after
