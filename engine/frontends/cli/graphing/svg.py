"""A graph as an SVG picture: no scripts, no fonts and nothing else from outside; readable on light and dark ground."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from html import escape

from engine.frontends.cli.graphing.cards import SIDE, SIZES, TOP
from engine.frontends.cli.graphing.colours import state_class, style_sheet
from engine.frontends.cli.graphing.drawing import Bar, Box, Wire
from engine.frontends.cli.graphing.measure import fitted, lines_of, text_width
from engine.frontends.cli.graphing.picture import MARGIN, Arc, Picture, picture
from engine.frontends.cli.graphing.words import called, clean, described, outcome_words, run_words, summary
from engine.library.graph import START, Graph, MarkKind, Node, NodeKind
from engine.model.lazy_dataclass import dataclass

WIDEST_TEXT, NARROWEST_PAGE = 720, 420
"""Pixels the lines above the picture may take, and the picture is wide at least."""
_TITLE, _ABOUT = 20, 13
_ABOUT_LINE = 19
_RADIUS, _ROUNDEST, _HEAD = 6, 15, 4.5
_ROUND = frozenset({NodeKind.START, NodeKind.END, NodeKind.CONDITION})


def svg(graph: Graph) -> str:
    """The picture; every text of the skill in it is escaped and fitted."""
    heading = _heading(graph)
    drawn = picture(graph, top=heading.height, least=max(NARROWEST_PAGE, heading.width + 2 * MARGIN))
    return "\n".join(_lines(graph, heading, drawn)) + "\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Heading:
    """What stands above the picture."""

    title: str
    lines: Sequence[str]
    style: str
    width: float
    height: float


def _heading(graph: Graph) -> _Heading:
    title = next(clean(node.name) for node in graph.nodes if node.id == START)
    texts, style = [clean(graph.description)], "about-all"
    if graph.run is not None:
        texts = [f"{run_words(graph.run)}: {summary(graph)}", clean(graph.run.message)]
    lines = [line for text in texts for line in lines_of(text, WIDEST_TEXT, _ABOUT, most=3)]
    widths = [text_width(title, _TITLE, "bold"), *(text_width(line, _ABOUT) for line in lines)]
    return _Heading(
        title=title, lines=lines, style=style, width=max(widths), height=MARGIN + 16 + _ABOUT_LINE * len(lines)
    )


def _lines(graph: Graph, heading: _Heading, drawn: Picture) -> Iterator[str]:
    width, height = _number(drawn.width), _number(drawn.height)
    what = f"run {clean(graph.run.id)} of the skill" if graph.run else "the skill"
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="skill-graph" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" role="graphics-document" aria-roledescription="flow chart">'
    )
    yield f"<title>{escape(heading.title)}</title>"
    yield f"<desc>The steps of {escape(what)} {escape(heading.title)}. {escape(clean(graph.description))}</desc>"
    yield f"<style>\n{style_sheet()}</style>"
    yield f'<rect class="paper" width="{width}" height="{height}"/>'
    yield from _headlines(heading)
    boxes = drawn.boxes
    yield from (_around(box) for box in boxes if box.header)
    yield from (_bar(bar) for bar in drawn.bars)
    yield from (_wire(wire) for wire in drawn.wires)
    yield from (_arc(arc) for arc in drawn.arcs)
    yield from (_box(box) for box in boxes if not box.header)
    yield "</svg>"


def _headlines(heading: _Heading) -> Iterator[str]:
    y = MARGIN + 16
    yield f'<text class="title" x="{MARGIN}" y="{y}">{escape(heading.title)}</text>'
    for index, line in enumerate(heading.lines, start=1):
        yield f'<text class="{heading.style}" x="{MARGIN}" y="{y + 4 + _ABOUT_LINE * index}">{escape(line)}</text>'


def _around(box: Box) -> str:
    """A box around others: its border, its header, and what is written there."""
    corner, side = f"a{_RADIUS} {_RADIUS} 0 0 1", _number(box.header - _RADIUS)
    header = (
        f'<path class="header" d="M{_point((box.x, box.y + box.header))}v-{side}{corner} {_RADIUS} -{_RADIUS}'
        f'h{_number(box.width - 2 * _RADIUS)}{corner} {_RADIUS} {_RADIUS}v{side}z"/>'
    )
    frames = f"{_stack(box)}{_frame(box, _RADIUS)}{header}{_frame(box, _RADIUS, 'rim')}"
    return f"{_begin(box.card.node, 'around')}{frames}{_written(box)}</g>"


def _frame(box: Box, radius: float, name: str = "box") -> str:
    x, y, width, height = map(_number, (box.x, box.y, box.width, box.height))
    return f'<rect class="{name}" x="{x}" y="{y}" width="{width}" height="{height}" rx="{_number(radius)}"/>'


def _box(box: Box) -> str:
    node = box.card.node
    if node.kind in _ROUND:
        return f"{_begin(node)}{_frame(box, min(box.height / 2, _ROUNDEST))}{_written(box)}</g>"
    return f"{_begin(node)}{_stack(box)}{_frame(box, _RADIUS)}{_stripe(box)}{_written(box)}</g>"


def _stack(box: Box) -> str:
    """The edges of the cards behind that of a step that is done for each element of a list."""
    if not box.card.node.mark(MarkKind.FOREACH):
        return ""
    behind = (replace(box, x=box.x + away, y=box.y + away) for away in (6, 3))
    return "".join(_frame(each, _RADIUS, "box stack") for each in behind)


def _stripe(box: Box) -> str:
    """The coloured edge that says what a step does, or how it ended."""
    corner = f"a{_RADIUS} {_RADIUS} 0 0 0"
    return (
        f'<path class="stripe" d="M{_number(box.x + _RADIUS)} {_number(box.y)}{corner} -{_RADIUS} {_RADIUS}'
        f'v{_number(box.height - 2 * _RADIUS)}{corner} {_RADIUS} {_RADIUS}z"/>'
    )


def _begin(node: Node, *classes: str) -> str:
    """The opening of a group: what it is, how it ended, and the same in words for who cannot see it."""
    names = [f"stop-{node.target}" if node.kind is NodeKind.STOP else node.kind.value, *classes]
    told = called(node)
    if node.is_step:
        names.append("step")
    if node.outcome is not None:
        names.append(state_class(node.outcome.state))
        told += f", {outcome_words(node.outcome)}" if node.is_step else ""
    return (
        f'<g class="{" ".join(names)}" role="graphics-symbol" aria-label="{escape(told)}">'
        f"<title>{escape(described(node))}</title>"
    )


def _written(box: Box) -> str:
    """The lines in a box."""
    card, parts = box.card, []
    y = box.y + TOP
    middle = card.node.kind in _ROUND
    for row in card.rows:
        _, _, line = SIZES[row.tone]
        x = box.x + (box.width / 2 if middle else SIDE)
        anchor = ' text-anchor="middle"' if middle else ""
        spans = "".join(
            f'<tspan x="{_number(x)}" y="{_number(y + line * (index + 1) - 5)}">{escape(text)}</tspan>'
            for index, text in enumerate(row.lines)
        )
        parts.append(f'<text class="{row.tone}"{anchor}>{spans}</text>')
        y += row.height
    if card.badge:
        x, y = box.x + box.width - SIDE, box.y + TOP + 13
        parts.append(f'<text class="badge" x="{_number(x)}" y="{_number(y)}">{escape(card.badge)}</text>')
    return "".join(parts)


def _bar(bar: Bar) -> str:
    return (
        f'<rect class="bar{_state(bar.on)}" x="{_number(bar.x)}" y="{_number(bar.y)}" '
        f'width="{_number(bar.width)}" height="4" rx="2"/>'
    )


def _wire(wire: Wire) -> str:
    """A line, and its head where it has one."""
    start, *more = wire.points
    path = f"M{_point(start)}" + "".join(f"L{_point(point)}" for point in more)
    style = {"order": "", "skip": " skip", "undo": " undo-wire"}[wire.style]
    line = f'<path class="wire{style}{_state(wire.on)}" d="{path}"/>'
    return line + (_arrow_head(wire) if wire.arrow else "")


def _arrow_head(wire: Wire) -> str:
    (x, y), (before, _) = wire.points[-1], wire.points[-2]
    if before == x:
        path = f"M{_point((x, y))}l-{_HEAD} -{_HEAD * 1.6:g}h{_HEAD * 2:g}z"
    else:
        path = f"M{_point((x, y))}l{'-' if before < x else ''}{_HEAD * 1.6:g} -{_HEAD}v{_HEAD * 2:g}z"
    style = " undo-head" if wire.style == "undo" else ""
    return f'<path class="head{style}{_state(wire.on)}" d="{path}"/>'


def _arc(arc: Arc) -> str:
    reach = max(arc.start[0], arc.end[0]) + arc.bulge * 4 / 3
    names = fitted(arc.names, WIDEST_TEXT, _ABOUT)
    return (
        f'<path class="arc" d="M{_point(arc.start)}C{_point((reach, arc.start[1]))} {_point((reach, arc.end[1]))} '
        f'{_point(arc.end)}"><title>{escape(f"{arc.target} reads {names} of {arc.source}")}</title></path>'
        f'<circle class="reader" cx="{_number(arc.end[0])}" cy="{_number(arc.end[1])}" r="3"/>'
    )


def _state(on: bool | None) -> str:
    return "" if on is None else " on" if on else " off"


def _point(point: tuple[float, float]) -> str:
    return f"{_number(point[0])} {_number(point[1])}"


def _number(value: float) -> str:
    """A length to a tenth of a pixel."""
    return f"{round(value, 1):g}"
