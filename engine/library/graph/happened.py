"""A graph coloured by a run: which of its nodes were reached, how they ended, and which edges were taken."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from engine.library.graph.nodes import Edge, EdgeKind, Graph, Node, NodeKind, Outcome, RunOutcome, State
from engine.model.lazy_dataclass import dataclass

_ROUND = re.compile(r"#\d+")
_ELEMENT = re.compile(r"\[\d+\]")
_WORST_FIRST = (
    State.FAILED,
    State.STOPPED,
    State.WAITING,
    State.RUNNING,
    State.TOLERATED,
    State.HEALED,
    State.OK,
    State.SKIPPED,
    State.UNREACHED,
)
_ENDINGS = {"ok": State.OK, "failed": State.FAILED, "waiting": State.WAITING, "running": State.RUNNING}
"""By a run's status; what is not here ended it before its time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What is known of one step of a run; `path` as the run called it, with its elements and rounds."""

    path: str
    state: State
    section: str = "steps"
    duration: float | None = None
    attempts: int = 0
    fixes: tuple[str, ...] = ()
    told: str = ""


def happened(graph: Graph, run: RunOutcome, facts: Iterable[Fact]) -> Graph:
    """The graph with the outcome of every node; `facts` in the order in which the steps began."""
    known: dict[tuple[bool, str], list[Fact]] = defaultdict(list)
    for fact in _last_rounds(facts):
        known[fact.section == "undo", static(fact.path)].append(fact)
    steps = {node.id: _outcome(known[_key(node)]) for node in graph.nodes if node.is_step}
    entered = {node.inside for node in graph.nodes if node.id in steps and steps[node.id].state is not State.UNREACHED}
    nodes = _once(replace(node, outcome=_told(node, steps, entered, run)) for node in graph.nodes)
    outcomes = {node.id: node.outcome for node in nodes if node.outcome is not None}
    edges = tuple(replace(edge, taken=_taken(edge, outcomes)) for edge in graph.edges)
    return replace(graph, nodes=nodes, edges=edges, run=run)


def _once(nodes: Iterable[Node]) -> tuple[Node, ...]:
    """The nodes without what one says of another's failure, where that stands in it and says so itself."""
    found = tuple(nodes)
    inner: dict[str, list[str]] = defaultdict(list)
    for node in found:
        if node.outcome is not None and node.outcome.told:
            inner[node.inside].append(node.outcome.told)
    return tuple(
        replace(node, outcome=replace(node.outcome, told=""))
        if node.outcome is not None and any(told in node.outcome.told for told in inner[node.id])
        else node
        for node in found
    )


def static(path: str) -> str:
    """The path of a step as its skill has it, without the elements and rounds of a run."""
    return _ELEMENT.sub("", _ROUND.sub("", path))


def _last_rounds(facts: Iterable[Fact]) -> Iterable[Fact]:
    """Of the rounds of a repeated step only what the last one made of each step."""
    last: dict[tuple[str, str], Fact] = {}
    for fact in facts:
        path = _ROUND.sub("", fact.path)
        last[fact.section, path] = replace(fact, path=path)
    return last.values()


def _key(node: Node) -> tuple[bool, str]:
    """Whether a node is an undo, and the path by which a run tells of it."""
    if node.kind is not NodeKind.UNDO:
        return False, node.id
    group, slash, _ = node.of.rpartition("/")
    return True, f"{group}{slash}{node.name}"


def _outcome(facts: Sequence[Fact]) -> Outcome:
    """What the facts about one node come to: of a step, of a list and its elements, or of a step of each element."""
    if not facts:
        return Outcome(state=State.UNREACHED)
    elements = [fact for fact in facts if fact.path.endswith("]")]
    wholes = [fact for fact in facts if not fact.path.endswith("]")]
    several = elements or (wholes if len(wholes) > 1 else [])
    counts = Counter(fact.state for fact in several)
    main = min(wholes or elements, key=lambda fact: _WORST_FIRST.index(fact.state))
    return Outcome(
        state=main.state,
        duration=main.duration if len(wholes) == 1 else None,
        attempts=sum(fact.attempts for fact in facts),
        fixes=tuple(dict.fromkeys(fix for fact in facts for fix in fact.fixes)),
        told=main.told or next((fact.told for fact in several if fact.state is main.state), ""),
        counts={state: counts[state] for state in State if counts[state]},
    )


def _told(node: Node, steps: Mapping[str, Outcome], entered: Collection[str], run: RunOutcome) -> Outcome:
    """The outcome of any node: a step's own, and for the others what became of the steps they belong to."""
    if node.id in steps:
        return steps[node.id]
    match node.kind:
        case NodeKind.CONDITION:
            state = steps[node.of].state
            return Outcome(state=State.SKIPPED if state is State.SKIPPED else _reached(state))
        case NodeKind.ALWAYS:
            return Outcome(state=State.OK if node.id in entered else State.UNREACHED)
        case NodeKind.FORK | NodeKind.JOIN:
            return Outcome(state=_reached(steps[node.of].state))
        case NodeKind.END:
            return Outcome(state=_ended(run.status), told=run.message, duration=run.duration)
        case _:
            return Outcome(state=State.OK)


def _reached(state: State) -> State:
    return State.UNREACHED if state in (State.UNREACHED, State.SKIPPED) else State.OK


def _ended(status: str) -> State:
    """How a whole run ended, as a state."""
    return _ENDINGS.get(status, State.STOPPED)


def _taken(edge: Edge, outcomes: Mapping[str, Outcome]) -> bool:
    """Whether the run went along an edge, as far as the ends of the steps tell."""
    source, target = outcomes[edge.source].state, outcomes[edge.target].state
    if State.UNREACHED in (source, target):
        return False
    if edge.kind is EdgeKind.SKIP:
        return source is State.SKIPPED
    return source is not State.SKIPPED or edge.kind is EdgeKind.DATA
