"""What a graph of a skill is made of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum

from engine.model.lazy_dataclass import dataclass

START, END, ALWAYS = ".start", ".end", ".always"
"""Ids of the nodes that are no steps; no name of a step holds a dot."""


class NodeKind(StrEnum):
    """What a node stands for; the actions are called as authors write them."""

    START = "start"
    TOOL = "tool"
    COMPUTE = "compute"
    SKILL = "skill"
    STEPS = "steps"
    PARALLEL = "parallel"
    STOP = "stop"
    ASK = "ask"
    CONDITION = "condition"
    FORK = "fork"
    JOIN = "join"
    UNDO = "undo"
    ALWAYS = "always"
    END = "end"


class EdgeKind(StrEnum):
    """Why one node comes after another.

    `skip` is taken when a condition is false, `undo` when the run does not end well, `end` by a `stop`; `data` leads
    from the step that defines a name to one that reads it.
    """

    ORDER = "order"
    SKIP = "skip"
    FORK = "fork"
    JOIN = "join"
    UNDO = "undo"
    END = "end"
    DATA = "data"


class MarkKind(StrEnum):
    """The options of a step that a picture shows."""

    CONDITION = "condition"
    FOREACH = "foreach"
    UNTIL = "until"
    RETRY = "retry"
    EXPECT = "expect"
    ON_ERROR = "on_error"
    TIMEOUT = "timeout"
    HEAL = "heal"
    SECRET = "secret"  # noqa: S105 - the name of an option, not a password
    NOTE = "note"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One option of a step, in words."""

    kind: MarkKind
    text: str


class State(StrEnum):
    """How far a step of a run came: how it ended, or why it has no end."""

    OK = "ok"
    HEALED = "healed"
    SKIPPED = "skipped"
    TOLERATED = "tolerated"
    FAILED = "failed"
    RUNNING = "running"
    STOPPED = "stopped"
    WAITING = "waiting"
    UNREACHED = "not reached"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What happened to a node in a run.

    `counts` says how many of its elements ended how, where there were several; `told` is why it ended so, in a
    sentence; `duration` in seconds, None when nobody can say.
    """

    state: State
    duration: float | None = None
    attempts: int = 0
    fixes: tuple[str, ...] = ()
    told: str = ""
    counts: Mapping[State, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOutcome:
    """The run a graph is coloured by."""

    id: str
    status: str
    duration: float | None = None
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One thing in the picture.

    `id` is unique in the graph, and for a step its path; `inside` is the node it stands in ("" for none), `of` the step
    that a condition, fork, join or undo belongs to. `target` is the tool or skill it calls, or the status of a `stop`.
    `opened`: what stands in it is drawn too. `line` is its line in `file`, 0 when it has none.
    """

    id: str
    kind: NodeKind
    name: str
    inside: str = ""
    of: str = ""
    target: str = ""
    description: str = ""
    marks: tuple[Mark, ...] = ()
    opened: bool = False
    file: str = ""
    line: int = 0
    outcome: Outcome | None = None

    @property
    def is_step(self) -> bool:
        """Whether a run performs it: a step, or the undo of one."""
        return self.kind not in _NO_STEPS

    def mark(self, kind: MarkKind) -> str:
        """The words of one mark; empty when the node has none of that kind."""
        return next((mark.text for mark in self.marks if mark.kind is kind), "")


_NO_STEPS = frozenset({NodeKind.START, NodeKind.CONDITION, NodeKind.FORK, NodeKind.JOIN, NodeKind.ALWAYS, NodeKind.END})


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """From one node to another; `taken` None when no run is shown."""

    source: str
    target: str
    kind: EdgeKind = EdgeKind.ORDER
    label: str = ""
    taken: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """A skill as nodes, in the order of the file and each before what stands in it, and edges between those ids."""

    skill: str
    version: str = ""
    description: str = ""
    file: str = ""
    nodes: tuple[Node, ...] = ()
    edges: tuple[Edge, ...] = ()
    run: RunOutcome | None = None

    def children(self) -> Mapping[str, tuple[Node, ...]]:
        """The nodes that stand in each node, in order; those in none under ""."""
        found: dict[str, list[Node]] = defaultdict(list)
        for node in self.nodes:
            found[node.inside].append(node)
        return {inside: tuple(nodes) for inside, nodes in found.items()}
