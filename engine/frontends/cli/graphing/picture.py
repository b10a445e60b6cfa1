"""From a graph to boxes and lines with a place: the flow runs downwards, branches stand beside each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from engine.frontends.cli.graphing.blocks import Block, Gated, Single, Undoable, column
from engine.frontends.cli.graphing.cards import NARROWEST, SLIM, Card, card, wanted_width
from engine.frontends.cli.graphing.drawing import Bar, Box, Drawing, Wire
from engine.frontends.cli.graphing.enclosing import Enclosed, branches
from engine.library.graph import EdgeKind, Graph, Node, NodeKind
from engine.model.lazy_dataclass import dataclass

MARGIN = 24
_START_WIDTH = 120
_LEAST_BULGE, _MOST_BULGE, _BULGE = 26, 150, 0.11
"""How far the line of a name swings out: at least, at most, and in parts of its height."""

Point = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arc:
    """A name's way from the step that defines it to one that reads it: a curve by its two ends and its bulge."""

    start: Point
    end: Point
    bulge: float
    names: str
    source: str
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Everything with its place, in pixels from the upper left corner."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    bars: tuple[Bar, ...]
    wires: tuple[Wire, ...]
    arcs: tuple[Arc, ...]


def picture(graph: Graph, *, top: float = 0, least: float = 0) -> Picture:
    """The picture of a graph, with `top` pixels free above it, and at least `least` wide."""
    build = _Build(children=graph.children(), ended=graph.run.status if graph.run else "")
    whole = build.column("")
    drawing = Drawing()
    whole.place(MARGIN + whole.left, top + MARGIN, drawing)
    arcs = _arcs(graph, drawing.boxes)
    reach = max((max(arc.start[0], arc.end[0]) + arc.bulge for arc in arcs), default=0)
    right = max(MARGIN + whole.left + whole.right, reach, least - MARGIN)
    return Picture(
        width=right + MARGIN,
        height=top + whole.height + 2 * MARGIN,
        boxes=tuple(drawing.boxes),
        bars=tuple(drawing.bars),
        wires=tuple(drawing.wires),
        arcs=arcs,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Build:
    children: Mapping[str, Sequence[Node]]
    ended: str = ""

    def column(self, inside: str) -> Block:
        """Everything that stands in a node, in order; the boxes of a column are equally wide."""
        nodes = self.children.get(inside, ())
        plain = [node for node in nodes if not node.opened and node.kind not in _AROUND]
        width = max(map(wanted_width, plain), default=NARROWEST)
        return column([self._block(node, nodes, width) for node in nodes if node.kind not in _AROUND])

    def _block(self, node: Node, nodes: Sequence[Node], width: float) -> Block:
        """One step with its condition and its undo."""
        around = {(other.kind, other.of): other for other in nodes if other.kind in _AROUND}
        block: Block = self._bare(node, width)
        if (undo := around.get((NodeKind.UNDO, node.id))) is not None:
            block = Undoable(inner=block, undo=card(undo, wanted_width(undo, SLIM)))
        if (gate := around.get((NodeKind.CONDITION, node.id))) is not None:
            block = Gated(gate=card(gate, width), inner=block)
        return block

    def _bare(self, node: Node, width: float) -> Block:
        if node.kind is NodeKind.START:
            return Single(card=card(replace(node, name="start", description=""), _START_WIDTH))
        if node.kind is NodeKind.END and node.outcome is not None:
            return Single(card=card(replace(node, name=f"ended {self.ended}"), width))
        if not node.opened:
            return Single(card=card(node, width))
        body = self._branches(node) if node.kind is NodeKind.PARALLEL else self.column(node.id)
        return Enclosed(card=card(node, max(body.left + body.right, wanted_width(node))), body=body)

    def _branches(self, node: Node) -> Block:
        nodes = self.children.get(node.id, ())
        steps = [inner for inner in nodes if inner.kind not in _AROUND]
        widths = {inner.id: wanted_width(inner, SLIM) for inner in steps}
        for inner in nodes:
            if inner.kind is NodeKind.CONDITION:
                widths[inner.of] = max(widths[inner.of], wanted_width(inner, SLIM))
        inside: Card = card(node, widths.get(node.id, NARROWEST))
        return branches([self._block(inner, nodes, widths[inner.id]) for inner in steps], inside)


_AROUND = frozenset({NodeKind.CONDITION, NodeKind.UNDO, NodeKind.FORK, NodeKind.JOIN})


def _arcs(graph: Graph, boxes: Sequence[Box]) -> tuple[Arc, ...]:
    """The curves of names, on the right of the boxes they join."""
    placed = {box.card.node.id: box for box in boxes}
    return tuple(
        _arc(placed[edge.source], placed[edge.target], edge.label) for edge in graph.edges if edge.kind is EdgeKind.DATA
    )


def _arc(source: Box, target: Box, names: str) -> Arc:
    ends = [(box.x + box.width, box.y + (box.header or box.height) / 2) for box in (source, target)]
    bulge = min(_MOST_BULGE, _LEAST_BULGE + _BULGE * abs(ends[1][1] - ends[0][1]))
    return Arc(
        start=ends[0],
        end=ends[1],
        bulge=bulge,
        names=names,
        source=source.card.node.id,
        target=target.card.node.id,
    )
