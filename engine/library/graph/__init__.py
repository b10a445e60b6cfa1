"""A skill as a graph: pure values that every picture of it is drawn from, and what a run made of them."""

from __future__ import annotations

from engine.library.graph.building import graph_of
from engine.library.graph.dependencies import with_data
from engine.library.graph.happened import Fact, happened
from engine.library.graph.legible import legible
from engine.library.graph.nodes import (
    END,
    START,
    Edge,
    EdgeKind,
    Graph,
    Mark,
    MarkKind,
    Node,
    NodeKind,
    Outcome,
    RunOutcome,
    State,
)

__all__ = [
    "END",
    "START",
    "Edge",
    "EdgeKind",
    "Fact",
    "Graph",
    "Mark",
    "MarkKind",
    "Node",
    "NodeKind",
    "Outcome",
    "RunOutcome",
    "State",
    "graph_of",
    "happened",
    "legible",
    "with_data",
]
