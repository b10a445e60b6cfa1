"""A graph in DOT, the language of Graphviz."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.frontends.cli.graphing.words import (
    called,
    clean,
    described,
    does,
    marks,
    outcome_words,
    run_words,
    says,
    summary,
    told,
)
from engine.frontends.cli.layout import cut, fold
from engine.library.graph import Edge, EdgeKind, Graph, Node, NodeKind, State
from engine.model.lazy_dataclass import dataclass

WIDE, LONGEST = 44, 160
"""Characters of one line in a box; what cannot be folded may have more, up to a limit."""
MOST_LINES = 3
_SHAPES: Mapping[NodeKind, str] = {
    NodeKind.START: 'shape=box style="rounded,filled" fillcolor="#24292f" fontcolor="#ffffff"',
    NodeKind.END: 'shape=box style="rounded,filled" fillcolor="#24292f" fontcolor="#ffffff"',
    NodeKind.COMPUTE: 'shape=box style="rounded,filled"',
    NodeKind.SKILL: "shape=box peripheries=2",
    NodeKind.ASK: "shape=note",
    NodeKind.STOP: "shape=octagon",
    NodeKind.CONDITION: 'shape=hexagon style="filled" fillcolor="#fff8e1" color="#b08800" fontcolor="#5f4b00"',
    NodeKind.UNDO: 'shape=box style="rounded,dashed,filled"',
}
_BAR = 'shape=box style="filled" fillcolor="#57606a" color="#57606a" label="" height=0.06 width=1.2 fixedsize=true'
_EDGES: Mapping[EdgeKind, str] = {
    EdgeKind.SKIP: 'style=dashed color="#8c959f" fontcolor="#8c959f"',
    EdgeKind.UNDO: 'style=dashed color="#bc4c00" fontcolor="#bc4c00"',
    EdgeKind.END: 'style=dotted color="#8c959f" fontcolor="#8c959f" constraint=false',
    EdgeKind.DATA: 'color="#3b82f6" fontcolor="#3b82f6" penwidth=0.7 arrowsize=0.5 constraint=false',
}
_STATES: Mapping[State, tuple[str, str]] = {
    State.OK: ("#d7f5dd", "#1a7f37"),
    State.HEALED: ("#c9f1f5", "#0b7285"),
    State.SKIPPED: ("#f2f3f5", "#8c959f"),
    State.TOLERATED: ("#fff3c4", "#9a6700"),
    State.FAILED: ("#ffdcd9", "#c62828"),
    State.RUNNING: ("#dbeafe", "#1f6feb"),
    State.STOPPED: ("#ffe8d1", "#bc4c00"),
    State.WAITING: ("#eadcfb", "#8250df"),
    State.UNREACHED: ("#f6f8fa", "#c4cbd3"),
}
"""Filling and border by state."""
_SIGNS = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"}
_IN_HTML = str.maketrans({**_SIGNS, "\\": "&#92;" * 2})
_IN_QUOTES = str.maketrans({**_SIGNS, "\\": "\\" * 4})
"""Signs by their names or numbers; Graphviz undoes backslashes once in its HTML, and twice in what a pointer shows."""


def dot(graph: Graph) -> str:
    """The graph as `dot` reads it; every text of the skill in it is escaped."""
    opened = frozenset(node.id for node in graph.nodes if node.opened)
    return "\n".join(_Writer(graph=graph, children=graph.children(), opened=opened).lines())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Writer:
    graph: Graph
    children: Mapping[str, tuple[Node, ...]]
    opened: frozenset[str]

    def lines(self) -> Iterator[str]:
        """The whole file, line by line."""
        yield f"digraph {quoted(self.graph.skill)} {{"
        if self.graph.run is not None:
            told = f"{run_words(self.graph.run)}: {summary(self.graph)}"
            yield f"  label={quoted(told)} labelloc=t labeljust=l"
        yield "  graph [compound=true rankdir=TB ranksep=0.35 nodesep=0.4]"
        yield '  graph [fontname="Helvetica" fontsize=12 fontcolor="#24292f"]'
        yield '  node [shape=box style="filled" fillcolor="#ffffff" color="#57606a" fontname="Helvetica" fontsize=12]'
        yield '  edge [color="#57606a" fontname="Helvetica" fontsize=10 arrowsize=0.7]'
        yield from self._inside("", "  ")
        for edge in self.graph.edges:
            yield f"  {self._edge(edge)}"
        yield "}\n"

    def _edge(self, edge: Edge) -> str:
        """An edge; one from or to a box around others is drawn from or to its border."""
        ends = {"ltail": edge.source, "lhead": edge.target}
        borders = [f"{key}={quoted(f'cluster {end}')}" for key, end in ends.items() if end in self.opened]
        attributes = " ".join((*_edge_style(edge), *borders))
        arrow = f"{quoted(self._anchor(edge.source))} -> {quoted(self._anchor(edge.target))}"
        return f"{arrow} [{attributes}]" if attributes else arrow

    def _anchor(self, name: str) -> str:
        """The first node in a box around others, for Graphviz has no edges between boxes."""
        while name in self.opened:
            name = self.children[name][0].id
        return name

    def _inside(self, inside: str, indent: str) -> Iterator[str]:
        for node in self.children.get(inside, ()):
            if not node.opened:
                yield f"{indent}{quoted(node.id)} [{_attributes(node)}]"
                if node.kind is NodeKind.UNDO and node.of not in self.opened:
                    yield f"{indent}{{rank=same; {quoted(node.of)}; {quoted(node.id)}}}"
                continue
            fill, border = _colours(node)
            yield f"{indent}subgraph {quoted(f'cluster {node.id}')} {{"
            yield f'{indent}  label=<{_label(node)}> labeljust=l style="rounded,filled" fillcolor="{fill}"'
            yield f'{indent}  color="{border}" tooltip={quoted(described(node))}'
            yield from self._inside(node.id, f"{indent}  ")
            yield f"{indent}}}"


def _colours(node: Node) -> tuple[str, str]:
    """Filling and border of a box around others."""
    if node.outcome is None or not node.is_step:
        return "#f6f8fa", "#afb8c1"
    return "#f6f8fa", _STATES[node.outcome.state][1]


def _attributes(node: Node) -> str:
    if node.kind in (NodeKind.FORK, NodeKind.JOIN):
        return _BAR
    parts = [f"label=<{_label(node)}>", f"tooltip={quoted(described(node))}", _SHAPES.get(node.kind, "")]
    if node.outcome is not None and node.kind is NodeKind.END:
        parts.append(f'fillcolor="{_STATES[node.outcome.state][1]}"')
    elif node.outcome is not None and node.is_step:
        fill, border = _STATES[node.outcome.state]
        parts.append(f'fillcolor="{fill}" color="{border}"')
        parts.append('fontcolor="#8c959f"' if node.outcome.state is State.UNREACHED else "")
    return " ".join(filter(None, parts))


def _label(node: Node) -> str:
    """The lines of a node in the little HTML Graphviz has: its name, what it does, its options, what happened."""
    outcome = node.outcome if node.is_step else None
    lines = [f"<b>{_html(called(node))}</b>"]
    small = [does(node), says(node), *marks(node, condition=False)]
    if outcome is not None:
        small += [outcome_words(outcome), told(outcome) if outcome.state is not State.SKIPPED else ""]
    if node.kind is NodeKind.CONDITION:
        lines = [_html(line) for line in fold(called(node), WIDE, lines=MOST_LINES)]
    for text in filter(None, small):
        lines += [f'<font point-size="10">{_html(line)}</font>' for line in fold(text, WIDE, lines=MOST_LINES)]
    return "<br/>".join(lines)


def _html(text: str) -> str:
    return cut(text, LONGEST).translate(_IN_HTML) or " "


def _edge_style(edge: Edge) -> Iterator[str]:
    if edge.label:
        yield f"label={quoted(edge.label)}"
    if edge.kind in _EDGES:
        yield _EDGES[edge.kind]
    if edge.taken is True and edge.kind is not EdgeKind.DATA:
        yield 'color="#1a7f37" penwidth=1.6'
    elif edge.taken is False:
        yield 'color="#d0d7de"'


def quoted(text: str) -> str:
    """`text` as a string of DOT, in which Graphviz finds nothing to obey."""
    return '"' + clean(text).translate(_IN_QUOTES) + '"'
