"""What the pictures say about a node, in words that every one of them uses."""

from __future__ import annotations

import re

from engine.frontends.cli.layout import one_line, printable, took
from engine.library.graph import Graph, MarkKind, Node, NodeKind, Outcome, RunOutcome, State

SIGNS = {
    State.OK: "✓",
    State.HEALED: "✚",
    State.SKIPPED: "·",
    State.TOLERATED: "!",
    State.FAILED: "✗",
    State.RUNNING: "…",
    State.STOPPED: "■",
    State.WAITING: "?",
    State.UNREACHED: " ",
}
"""One sign a state, so that nobody needs colours to tell them apart; the first ones as `skill status` has them."""

_TELLING = frozenset({NodeKind.START, NodeKind.END, NodeKind.ALWAYS, NodeKind.ASK})
_UNWRITABLE = re.compile("[\ud800-\udfff\ufffe\uffff]")


def clean(text: str) -> str:
    """`text` on one line, without what a terminal would obey or a file cannot hold."""
    return _UNWRITABLE.sub("\ufffd", one_line(printable(text)))


def does(node: Node) -> str:
    """What a node does, in two or three words; empty for a node that only joins others."""
    target = clean(node.target)
    told = {
        NodeKind.TOOL: target,
        NodeKind.UNDO: target,
        NodeKind.SKILL: f"skill {target}",
        NodeKind.STOP: f"stop: {target}",
        NodeKind.PARALLEL: "at the same time",
        NodeKind.STEPS: "in order",
        NodeKind.COMPUTE: "compute",
        NodeKind.ASK: "ask",
    }
    return told.get(node.kind, "")


def called(node: Node) -> str:
    """The name of a node; that of an undo says what it is, and no more where its author gave it none."""
    if node.kind is not NodeKind.UNDO:
        return clean(node.name)
    return "undo" if node.name.endswith(".undo") else f"undo: {clean(node.name)}"


def says(node: Node) -> str:
    """What must be read to understand the flow: what it is about, what it asks, what it returns; empty for the rest."""
    return clean(node.description) if node.kind in _TELLING else ""


def marks(node: Node, *, condition: bool = True) -> list[str]:
    """The options of a step, each in words; without its condition where the picture draws that itself."""
    return [clean(mark.text) for mark in node.marks if condition or not _is_drawn(node, mark.kind, mark.text)]


def _is_drawn(node: Node, kind: MarkKind, text: str) -> bool:
    """Whether a mark is a condition that is a node of its own; undos and elements of a list have none."""
    return kind is MarkKind.CONDITION and node.kind is not NodeKind.UNDO and text.startswith("if ")


def state_words(outcome: Outcome) -> str:
    """How it ended: `ok`, or of several `12 ok, 1 healed, 1 failed`."""
    if outcome.counts:
        return ", ".join(f"{count} {state.value}" for state, count in outcome.counts.items())
    return outcome.state.value


def time_words(outcome: Outcome) -> str:
    """How long it took; empty for what did not happen."""
    return "" if outcome.state in (State.SKIPPED, State.UNREACHED) else took(outcome.duration)


def outcome_words(outcome: Outcome) -> str:
    """How it ended and how long it took, on one line."""
    return " ".join(filter(None, (state_words(outcome), time_words(outcome))))


def told(outcome: Outcome) -> str:
    """Why it ended so."""
    return clean(outcome.told)


def run_words(run: RunOutcome) -> str:
    """A run in a line: its id, how it ended, how long it took."""
    return f"run {clean(run.id)} {run.status}{f' in {took(run.duration)}' if run.duration is not None else ''}"


def summary(graph: Graph) -> str:
    """How many of the steps ended how; groups are counted by what stands in them."""
    steps = [node for node in graph.nodes if node.is_step and not node.opened]
    states = [node.outcome.state for node in steps if node.outcome and not _idle_undo(node)]
    return ", ".join(f"{states.count(state)} {state.value}" for state in State if state in states)


def _idle_undo(node: Node) -> bool:
    """Whether nothing had to be undone, which is no step left out."""
    return node.kind is NodeKind.UNDO and node.outcome is not None and node.outcome.state is State.UNREACHED


def described(node: Node) -> str:
    """Everything about a node in sentences, for who reads it aloud or points at it."""
    parts = [called(node), does(node), clean(node.description), *marks(node)]
    if node.outcome is not None and node.is_step:
        parts += [outcome_words(node.outcome), told(node.outcome)]
    return ". ".join(filter(None, parts))
