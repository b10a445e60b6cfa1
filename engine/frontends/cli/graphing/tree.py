"""A graph as a tree of lines, for a terminal or a plain file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from engine.frontends.cli.graphing.words import (
    SIGNS,
    called,
    clean,
    does,
    marks,
    run_words,
    state_words,
    summary,
    time_words,
    told,
)
from engine.frontends.cli.layout import LEAST_ROOM, fold
from engine.library.graph import END, START, Graph, MarkKind, Node, NodeKind, Outcome, State
from engine.model.lazy_dataclass import dataclass

Piece = tuple[str, Mapping[str, Any]]
Line = tuple[Piece, ...]
"""A line in pieces, each with the style click gives it."""

COLOURS: Mapping[State, Mapping[str, Any]] = {
    State.OK: {"fg": "green"},
    State.HEALED: {"fg": "cyan"},
    State.SKIPPED: {"dim": True},
    State.TOLERATED: {"fg": "yellow"},
    State.FAILED: {"fg": "red"},
    State.RUNNING: {"fg": "blue"},
    State.STOPPED: {"fg": "yellow"},
    State.WAITING: {"fg": "magenta"},
    State.UNREACHED: {"dim": True},
}
DIM: Mapping[str, Any] = {"dim": True}
BOLD: Mapping[str, Any] = {"bold": True}
PLAIN: Mapping[str, Any] = {}
WIDEST_NAME, WIDEST_ACTION = 44, 30
"""Columns that names and actions may take before what follows moves right on their lines only."""
MOST_LINES = 6
STATUS = len(State.UNREACHED)
_HIDDEN = frozenset({NodeKind.START, NodeKind.CONDITION, NodeKind.FORK, NodeKind.JOIN, NodeKind.END})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """A node, with what is drawn before it and before the lines under it."""

    node: Node
    head: str
    under: str


def tree(graph: Graph, *, width: int | None = None, verbose: bool = False) -> Iterator[Line]:
    """The lines of the tree, fitted to `width` columns; `verbose` adds what each step is for."""
    yield from _title(graph, width)
    rows = list(_rows(graph))
    names = min(WIDEST_NAME, max((len(_name(row)) for row in rows), default=0))
    actions = min(WIDEST_ACTION, max((len(does(row.node)) for row in rows), default=0))
    for row in rows:
        yield from _lines(row, names, actions, width, verbose=verbose)
    end = next(node for node in graph.nodes if node.id == END)
    for line in fold(clean(end.description), width) if end.description else ():
        yield ((line, DIM),)


def plain(lines: Iterator[Line]) -> str:
    """The lines without their styles."""
    return "".join("".join(text for text, _ in line).rstrip() + "\n" for line in lines)


def _title(graph: Graph, width: int | None) -> Iterator[Line]:
    start = next(node for node in graph.nodes if node.id == START)
    yield ((clean(start.name), BOLD),)
    if graph.run is None:
        texts: list[Piece] = [(clean(graph.description), DIM)]
    else:
        colour = next((COLOURS[node.outcome.state] for node in graph.nodes if node.id == END and node.outcome), PLAIN)
        texts = [(f"{run_words(graph.run)}: {summary(graph)}", colour), (clean(graph.run.message), colour)]
    for text, style in texts:
        for line in fold(text, width, lines=MOST_LINES) if text else ():
            yield ((line, style),)


def _rows(graph: Graph) -> Iterator[_Row]:
    children = graph.children()

    def walk(inside: str, under: str, *, parallel: bool) -> Iterator[_Row]:
        inner = [node for node in children.get(inside, ()) if node.kind not in _HIDDEN]
        undos = {node.of: node for node in inner if node.kind is NodeKind.UNDO}
        steps = [node for node in inner if node.kind is not NodeKind.UNDO]
        for step in steps:
            last = step is steps[-1]
            branch = ("╚═ " if last else "╠═ ") if parallel else ("╰─ " if last else "├─ ")
            rail = f"{under}{'   ' if last else '║  ' if parallel else '│  '}"
            yield _Row(node=step, head=f"{under}{branch}", under=rail)
            undo = undos.get(step.id)
            yield from (
                walk(step.id, rail, parallel=step.kind is NodeKind.PARALLEL)
                if undo is None
                else _with_undo(walk(step.id, rail, parallel=step.kind is NodeKind.PARALLEL), undo, rail)
            )

    return walk("", "", parallel=False)


def _with_undo(rows: Iterator[_Row], undo: Node, rail: str) -> Iterator[_Row]:
    """An undo stands first under its step."""
    inner = list(rows)
    yield _Row(node=undo, head=f"{rail}{'├┄ ' if inner else '╰┄ '}", under=f"{rail}{'│  ' if inner else '   '}")
    yield from inner


def _name(row: _Row) -> str:
    outcome = _shown(row.node)
    return f"{row.head}{SIGNS[outcome.state]} {called(row.node)}" if outcome else f"{row.head}{called(row.node)}"


def _shown(node: Node) -> Outcome | None:
    """The outcome of a step; what only stands around steps has none to show."""
    return node.outcome if node.is_step else None


def _lines(row: _Row, names: int, actions: int, width: int | None, *, verbose: bool) -> Iterator[Line]:
    """The row's line, and under it what did not fit beside."""
    node, outcome = row.node, _shown(row.node)
    name, action, texts = _name(row), does(node), _texts(node, verbose=verbose)
    style = COLOURS[outcome.state] if outcome else BOLD if node.opened else PLAIN
    pieces: list[Piece] = [(row.head, DIM), (name[len(row.head) :], style), (" " * (names - len(name)) + "  ", PLAIN)]
    if node.outcome is not None:
        pieces.append((_status(outcome), style))
    if width is not None and sum(len(text) for text, _ in pieces) + len(action) > width:
        action, texts = "", [action, *texts] if action else texts
    pieces.append((f"{action:<{actions}}  ", DIM if outcome else {"fg": "cyan"}))
    used = sum(len(text) for text, _ in pieces)
    beside = width is None or width - used >= min(LEAST_ROOM, sum(map(len, texts)))
    before = f"{row.under:<{used}}" if beside else f"{row.under}  "
    told = [((before, DIM), (line, _text_style(node))) for line in _packed(texts, width and width - len(before))]
    yield _trimmed((*pieces, told.pop(0)[1]) if beside and told else tuple(pieces))
    yield from told


def _status(outcome: Outcome | None) -> str:
    """The columns of how a step ended and how long it took."""
    state = outcome.state.value if outcome and outcome.state is not State.OK else ""
    return f"{state:<{STATUS}} {time_words(outcome) if outcome else '':>8}  "


def _trimmed(line: Line) -> Line:
    """The line without blanks at its end."""
    kept = list(line)
    while kept and not kept[-1][0].strip():
        kept.pop()
    return (*kept[:-1], (kept[-1][0].rstrip(), kept[-1][1])) if kept else ()


def _packed(texts: list[str], room: int | None) -> list[str]:
    """The texts in as few lines as keep each together; one that is wider than a line is folded."""
    lines: list[str] = []
    for text in texts:
        joined = f"{lines[-1]} · {text}" if lines else text
        if room is None or len(joined) <= room:
            lines[-1:] = [joined]
        else:
            lines += fold(text, max(LEAST_ROOM, room), lines=MOST_LINES)
    return lines


def _texts(node: Node, *, verbose: bool) -> list[str]:
    """What is said of a step behind its action."""
    outcome = node.outcome
    told_anyway = node.kind in (NodeKind.ALWAYS, NodeKind.ASK)
    description = [clean(node.description)] if node.description and (verbose or told_anyway) else []
    if outcome is None:
        return [*description, *marks(node)]
    counted = [state_words(outcome)] if outcome.counts else []
    why = [told(outcome)] if outcome.told and outcome.state is not State.SKIPPED else []
    condition = [clean(node.mark(MarkKind.CONDITION))] if outcome.state is State.SKIPPED else []
    return [text for text in (*counted, *why, *condition, *description) if text]


def _text_style(node: Node) -> Mapping[str, Any]:
    if node.kind is NodeKind.ALWAYS:
        return DIM
    if node.outcome is None:
        return PLAIN
    return COLOURS[node.outcome.state] if node.outcome.state is not State.OK else DIM
