"""A graph as a Mermaid flowchart, for Markdown pages that draw it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from engine.frontends.cli.graphing.words import called, does, marks, outcome_words, says, told
from engine.frontends.cli.layout import cut
from engine.library.graph import Edge, EdgeKind, Graph, Node, NodeKind, State
from engine.model.lazy_dataclass import dataclass

MOST_EDGES, MOST_CHARACTERS = 500, 50_000
"""What Mermaid draws unless it is told otherwise (`maxEdges`, `maxTextSize`)."""
LONGEST, LONGEST_TITLE = 120, 60
"""Characters of one line in a box, and of the title of one around others; more would only make it unreadable."""

_SHAPES: Mapping[NodeKind, tuple[str, str]] = {
    NodeKind.START: ("([", "])"),
    NodeKind.END: ("([", "])"),
    NodeKind.COMPUTE: ("(", ")"),
    NodeKind.SKILL: ("[[", "]]"),
    NodeKind.ASK: ("[/", "\\]"),
    NodeKind.STOP: ("{{", "}}"),
    NodeKind.CONDITION: ("{", "}"),
    NodeKind.FORK: ("((", "))"),
    NodeKind.JOIN: ("((", "))"),
    NodeKind.UNDO: (">", "]"),
}
_RECTANGLE = ("[", "]")
_ARROWS: Mapping[EdgeKind, str] = {
    EdgeKind.SKIP: "-.->",
    EdgeKind.UNDO: "-.->",
    EdgeKind.END: "-.->",
    EdgeKind.DATA: "-.->",
}
_CLASSES: Mapping[State, str] = {
    State.OK: "fill:#d7f5dd,stroke:#1a7f37,color:#0b3d1a",
    State.HEALED: "fill:#c9f1f5,stroke:#0b7285,color:#063b45",
    State.SKIPPED: "fill:#f2f3f5,stroke:#8c959f,color:#57606a,stroke-dasharray:4 3",
    State.TOLERATED: "fill:#fff3c4,stroke:#9a6700,color:#4d3800",
    State.FAILED: "fill:#ffdcd9,stroke:#c62828,color:#6b1111,stroke-width:2px",
    State.RUNNING: "fill:#dbeafe,stroke:#1f6feb,color:#0a3069",
    State.STOPPED: "fill:#ffe8d1,stroke:#bc4c00,color:#5c2600",
    State.WAITING: "fill:#eadcfb,stroke:#8250df,color:#3e1f79",
    State.UNREACHED: "fill:#f2f3f5,stroke:#d0d7de,color:#8c959f",
}
"""The colours of a run; each carries its own text colour, so that a dark page shows them too."""
_DATA_STYLE = "stroke:#3b82f6,stroke-width:1px"
_UNSAFE = re.compile(r"[^\w\s,:()='!/.+·…-]|\ufb02")
"""What is written as its number: all but letters and signs that mean nothing to Mermaid, whose own sign U+FB02 is."""
_LISTED = re.compile(r"^(\d+)\.|^([-+*])")


def mermaid(graph: Graph) -> str:
    """The flowchart; every text of the skill in it is escaped."""
    return "\n".join(
        _Writer(graph=graph, ids={node.id: f"n{number}" for number, node in enumerate(graph.nodes)}).lines()
    )


def too_much(graph: Graph, text: str) -> str:
    """Why Mermaid would refuse to draw it as it is; empty when it would not."""
    if len(graph.edges) > MOST_EDGES:
        return (
            f"Mermaid draws {MOST_EDGES} edges unless its `maxEdges` is raised, and this graph has {len(graph.edges)}"
        )
    if len(text) > MOST_CHARACTERS:
        return (
            f"Mermaid reads {MOST_CHARACTERS:,} characters unless its `maxTextSize` is raised; this has {len(text):,}"
        )
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Writer:
    graph: Graph
    ids: Mapping[str, str]

    def lines(self) -> Iterator[str]:
        """The whole file, line by line."""
        yield "flowchart TD"
        yield from self._nodes()
        for edge in self.graph.edges:
            yield f"  {self._edge(edge)}"
        yield from self._styles()
        yield ""

    def _nodes(self) -> Iterator[str]:
        children = self.graph.children()

        def walk(inside: str, indent: str) -> Iterator[str]:
            for node in children.get(inside, ()):
                if not node.opened:
                    yield f"{indent}{self._node(node)}"
                    continue
                yield f'{indent}subgraph {self.ids[node.id]}["{_label(node)}"]'
                yield f"{indent}  direction TB"
                yield from walk(node.id, f"{indent}  ")
                yield f"{indent}end"

        return walk("", "  ")

    def _node(self, node: Node) -> str:
        before, after = _SHAPES.get(node.kind, _RECTANGLE)
        return f'{self.ids[node.id]}{before}"{_label(node) or " "}"{after}'

    def _edge(self, edge: Edge) -> str:
        label = f'|"{escaped(edge.label)}"|' if edge.label else ""
        return f"{self.ids[edge.source]} {_ARROWS.get(edge.kind, '-->')}{label} {self.ids[edge.target]}"

    def _styles(self) -> Iterator[str]:
        states: dict[State, list[str]] = {}
        for node in self.graph.nodes:
            if node.outcome is not None:
                states.setdefault(node.outcome.state, []).append(self.ids[node.id])
        for state, ids in states.items():
            name = state.value.replace(" ", "_")
            yield f"  classDef {name} {_CLASSES[state]}"
            yield f"  class {','.join(ids)} {name}"
        data = [str(number) for number, edge in enumerate(self.graph.edges) if edge.kind is EdgeKind.DATA]
        if data:
            yield f"  linkStyle {','.join(data)} {_DATA_STYLE}"


def _label(node: Node) -> str:
    """The lines of a node, escaped."""
    outcome = node.outcome if node.is_step else None
    lines = [called(node), does(node), says(node), *marks(node, condition=False)]
    if outcome is not None:
        lines += [outcome_words(outcome), told(outcome) if outcome.state is not State.SKIPPED else ""]
    if node.opened:
        # Mermaid leaves room for one line above what stands in a box around others.
        return escaped(cut(" · ".join(filter(None, lines)), max(LONGEST_TITLE, len(lines[0]) + 2)))
    return "<br/>".join(escaped(cut(line, LONGEST)) for line in lines if line)


def escaped(text: str) -> str:
    """`text` with everything Mermaid or HTML would read as more than letters written as its number."""
    plain = _UNSAFE.sub(lambda found: f"#{ord(found[0])};", text)
    return _LISTED.sub(lambda found: f"{found[1]}#46;" if found[1] else f"#{ord(found[2])};", plain)
