"""A graph as JSON-like data, for programs."""

from __future__ import annotations

from typing import Any

from engine.library.graph import Edge, Graph, Node, Outcome


def graph_record(graph: Graph) -> dict[str, Any]:
    """The whole graph: its nodes in the order of the file, its edges, and the run it is coloured by."""
    run = graph.run
    return {
        "skill": graph.skill,
        "version": graph.version,
        "file": graph.file,
        "run": {"run": run.id, "status": run.status, "duration": run.duration, "message": run.message} if run else None,
        "nodes": [_node(node) for node in graph.nodes],
        "edges": [_edge(edge) for edge in graph.edges],
    }


def _node(node: Node) -> dict[str, Any]:
    return {
        "id": node.id,
        "kind": node.kind.value,
        "name": node.name,
        "inside": node.inside or None,
        "of": node.of or None,
        "target": node.target or None,
        "description": node.description,
        "marks": {mark.kind.value: mark.text for mark in node.marks},
        "opened": node.opened,
        "file": node.file or None,
        "line": node.line or None,
        "outcome": _outcome(node.outcome) if node.outcome else None,
    }


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return {
        "state": outcome.state.value,
        "duration": outcome.duration,
        "attempts": outcome.attempts,
        "fixes": list(outcome.fixes),
        "told": outcome.told,
        "counts": {state.value: count for state, count in outcome.counts.items()},
    }


def _edge(edge: Edge) -> dict[str, Any]:
    return {
        "source": edge.source,
        "target": edge.target,
        "kind": edge.kind.value,
        "label": edge.label,
        "taken": edge.taken,
    }
