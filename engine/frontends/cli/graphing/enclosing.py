"""The parts of the picture that hold others: boxes around steps, and branches beside each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

from engine.frontends.cli.graphing.blocks import (
    BAR,
    BETWEEN,
    OVER,
    PADDING,
    ROWS,
    SHORT,
    WIDEST_ROW,
    Block,
    came_to,
    got_through,
)
from engine.frontends.cli.graphing.cards import Card
from engine.frontends.cli.graphing.drawing import Bar, Box, Drawing
from engine.model.lazy_dataclass import dataclass


@dataclass(frozen=True, kw_only=True)
class Enclosed:
    """A box around a block, with what is written about it at its top."""

    card: Card
    body: Block

    @cached_property
    def left(self) -> float:
        """As far as the border."""
        return self.body.left + PADDING

    @cached_property
    def right(self) -> float:
        """As far as the border: at least as wide as what is written."""
        return max(self.body.right + PADDING, self.card.width - self.left)

    @cached_property
    def height(self) -> float:
        """What is written, the block, and some room at both ends."""
        return self.card.height + self.body.height + 2 * SHORT

    @property
    def goes_on(self) -> bool:
        """When the block does."""
        return self.body.goes_on

    @property
    def entered(self) -> bool | None:
        """Whether the run came to it."""
        return came_to(self.card.node)

    @property
    def passed(self) -> bool | None:
        """Whether the run got through."""
        return got_through(self.card.node)

    def place(self, x: float, y: float, drawing: Drawing) -> None:
        """Draws the box, and the block in it."""
        header = self.card.height
        drawing.boxes.append(
            Box(
                card=self.card,
                x=x - self.left,
                y=y,
                width=self.left + self.right,
                height=self.height,
                header=header,
            )
        )
        top, end = y + header, y + self.height
        drawing.wire((x, top), (x, top + SHORT), on=self.body.entered)
        self.body.place(x, top + SHORT, drawing)
        if self.body.goes_on:
            drawing.wire((x, end - SHORT), (x, end), on=self.body.passed, arrow=False)


@dataclass(frozen=True, kw_only=True)
class Branches:
    """Blocks beside each other between two bars, in as many rows as they need."""

    rows: Sequence[Sequence[Block]]
    node: Card

    @cached_property
    def left(self) -> float:
        """Half of the widest row; several rows are joined at their left."""
        return self._width / 2

    @cached_property
    def right(self) -> float:
        """The other half."""
        return self._width / 2

    @cached_property
    def _width(self) -> float:
        return max(map(_row_width, self.rows), default=0) + (2 * BETWEEN if len(self.rows) > 1 else 0)

    @cached_property
    def height(self) -> float:
        """Every row with its two bars."""
        return sum(map(_row_height, self.rows)) + ROWS * (len(self.rows) - 1)

    @property
    def goes_on(self) -> bool:
        """When any branch does."""
        return any(block.goes_on for row in self.rows for block in row)

    @property
    def entered(self) -> bool | None:
        """Whether the run came to it."""
        return came_to(self.node.node)

    @property
    def passed(self) -> bool | None:
        """Whether the run got through."""
        return got_through(self.node.node)

    def place(self, x: float, y: float, drawing: Drawing) -> None:
        """Draws the rows under each other; a line on the left leads to the later ones, one on the right from them."""
        tops = list(self._tops(y))
        width = max(map(_row_width, self.rows))
        ends = [top + _row_height(row) for row, top in zip(self.rows, tops, strict=True)]
        for row, top in zip(self.rows, tops, strict=True):
            self._row(row, x, top, drawing)
        bars = [(bar.x, bar.x + bar.width) for bar in drawing.bars[-2 * len(tops) :: 2]]
        for (left, _), top in zip(bars[1:], tops[1:], strict=True):
            away = x - width / 2 - BETWEEN
            start = (bars[0][0], tops[0] + BAR / 2)
            drawing.wire(start, (away, start[1]), (away, top + BAR / 2), (left, top + BAR / 2), on=self.entered)
        for (_, right), end in zip(bars[:-1], ends[:-1], strict=True):
            away = x + width / 2 + BETWEEN
            last = (bars[-1][1], ends[-1] - BAR / 2)
            drawing.wire((right, end - BAR / 2), (away, end - BAR / 2), (away, last[1]), last, on=self.passed)

    def _tops(self, y: float) -> Iterator[float]:
        for row in self.rows:
            yield y
            y += _row_height(row) + ROWS

    def _row(self, row: Sequence[Block], x: float, y: float, drawing: Drawing) -> None:
        """One row: a bar a little longer than from its first branch to its last, the branches, and such a bar again."""
        end, at, lines = y + _row_height(row), x - _row_width(row) / 2, [x]
        for block in row:
            line = at + block.left
            drawing.wire((line, y + BAR), (line, y + BAR + SHORT), on=block.entered)
            block.place(line, y + BAR + SHORT, drawing)
            if block.goes_on:
                drawing.wire((line, y + BAR + SHORT + block.height), (line, end - BAR), on=block.passed)
            at += block.left + block.right + BETWEEN
            lines.append(line)
        left, width = min(lines) - OVER, max(lines) - min(lines) + 2 * OVER
        drawing.bars.append(Bar(x=left, y=y, width=width, on=self.entered))
        drawing.bars.append(Bar(x=left, y=end - BAR, width=width, on=self.passed))


def branches(blocks: Sequence[Block], node: Card) -> Branches:
    """Blocks beside each other, in rows that are not too wide."""
    rows: list[list[Block]] = []
    for block in blocks:
        if rows and _row_width([*rows[-1], block]) <= WIDEST_ROW:
            rows[-1].append(block)
        else:
            rows.append([block])
    return Branches(rows=rows, node=node)


def _row_width(row: Sequence[Block]) -> float:
    return sum(block.left + block.right for block in row) + BETWEEN * (len(row) - 1)


def _row_height(row: Sequence[Block]) -> float:
    return max(block.height for block in row) + 2 * (BAR + SHORT)
