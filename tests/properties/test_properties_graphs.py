"""Whatever a skill looks like: every picture of it can be drawn, names every step, and its boxes keep apart."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from itertools import combinations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.frontends.cli.graphing.dot import dot
from engine.frontends.cli.graphing.drawing import Box
from engine.frontends.cli.graphing.mermaid import mermaid
from engine.frontends.cli.graphing.picture import Picture, picture
from engine.frontends.cli.graphing.svg import svg
from engine.frontends.cli.graphing.tree import plain, tree
from engine.frontends.cli.graphing.words import called
from engine.library.graph import Fact, Graph, NodeKind, RunOutcome, State, graph_of, happened, with_data
from engine.sandbox import Sandbox
from tests.graphs import ODD, skill_of, skills

OTHER = '{"name": "other", "steps": [{"name": "inner", "tool": "echo", "condition": "a"}, {"name": "z", "tool": "b"}]}'
RELAXED = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """A random graph, with the edges of data, and perhaps coloured by a run."""
    skill, other = skill_of(draw(skills(("other", "nowhere")))), skill_of(OTHER)
    found = {"": skill}

    def find(path: str, name: str) -> object:
        return found.setdefault(path, other) if name == "other" else None

    made = graph_of(skill, sandbox=Sandbox(), find=find, depth=draw(st.integers(0, 2)))  # type: ignore[arg-type]
    made = with_data(made, found, sandbox=Sandbox())
    if draw(st.booleans()):
        facts = [draw(_fact(node.id)) for node in made.nodes if node.is_step and draw(st.booleans())]
        made = happened(
            made, RunOutcome(id="r1", status="failed", duration=1.5, message=draw(st.sampled_from(ODD))), facts
        )
    return made


@st.composite
def _fact(draw: st.DrawFn, path: str) -> Fact:
    path += draw(st.sampled_from(["", "", "[0]", "[1]", "#2"]))
    state = draw(st.sampled_from([state for state in State if state is not State.UNREACHED]))
    return Fact(
        path=path, state=state, duration=draw(st.sampled_from([None, 0.01, 4000])), told=draw(st.sampled_from(ODD))
    )


def named(made: Graph) -> list[str]:
    """The names a picture must show."""
    return [called(node) for node in made.nodes if node.is_step]


@RELAXED
@given(made=graphs(), width=st.sampled_from([None, 40, 80, 120]))
def test_a_tree_names_every_step_and_moves_no_cursor(made: Graph, width: int | None) -> None:
    """One line a step at least, and nothing a terminal would obey."""
    text = plain(tree(made, width=width, verbose=True))
    assert [name for name in named(made) if name not in text] == []
    assert len(text.splitlines()) > len(named(made))
    assert not any(sign in text for sign in "\x1b\x07\u202e")


@RELAXED
@given(made=graphs())
def test_mermaid_and_dot_name_every_step_on_a_line_of_its_own(made: Graph) -> None:
    """No text of the skill breaks out of its line."""
    steps = len(named(made))
    for text in (mermaid(made), dot(made)):
        assert not any(sign in text for sign in "\x1b\x07\u202e\r")
        plain_text = text.replace("<br/>", "")
        assert all(name in plain_text for name in named(made))
        assert len(text.splitlines()) >= steps


@RELAXED
@given(made=graphs())
def test_an_svg_is_well_formed_and_names_every_step(made: Graph) -> None:
    """Each name is the whole of a text, nothing of the skill becomes an element, and nothing is loaded or run."""
    root = ET.fromstring(svg(made))  # noqa: S314 - our own
    texts = ["".join(text.itertext()) for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert [name for name in named(made) if name not in texts] == []
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert tags <= {"svg", "title", "desc", "style", "g", "rect", "path", "circle", "text", "tspan"}
    assert not [
        element for element in root.iter() for name in element.attrib if name.startswith("on") or "href" in name
    ]


@RELAXED
@given(made=graphs())
def test_boxes_keep_apart_and_lines_keep_clear_of_them(made: Graph) -> None:
    """Boxes overlap only where one stands in the other, below its header; lines run through none but those around."""
    drawn = picture(made)
    children = made.children()
    around = {box.card.node.id: box for box in drawn.boxes if box.header}
    for one, other in combinations(drawn.boxes, 2):
        assert not overlap(one, other) or stands_in(one, other) or stands_in(other, one), (one, other)
    for inside, box in around.items():
        for node in children[inside]:
            assert all(stands_in(each, box) for each in drawn.boxes if each.card.node.id == node.id)
    single = [box for box in drawn.boxes if not box.header]
    crossed = [(wire, box) for wire in segments(drawn) for box in single if runs_through(wire, box)]
    assert crossed == []
    for box in drawn.boxes:
        assert box.x >= 0
        assert box.x + box.width <= drawn.width
        assert box.y + box.height <= drawn.height
    shown = {box.card.node.id for box in drawn.boxes}
    assert shown == {node.id for node in made.nodes if node.kind not in (NodeKind.FORK, NodeKind.JOIN)}


def overlap(one: Box, other: Box) -> bool:
    """Whether two boxes share any room."""
    return (
        one.x < other.x + other.width
        and other.x < one.x + one.width
        and one.y < other.y + other.height
        and other.y < one.y + one.height
    )


def stands_in(inner: Box, outer: Box) -> bool:
    """Whether a box stands wholly in another, under what is written at its top."""
    return bool(
        outer.header
        and outer.x < inner.x
        and inner.x + inner.width < outer.x + outer.width
        and outer.y + outer.header < inner.y
        and inner.y + inner.height < outer.y + outer.height
    )


def segments(drawn: Picture) -> Iterator[Sequence[tuple[float, float]]]:
    """Every straight piece of every line."""
    for wire in drawn.wires:
        yield from zip(wire.points, wire.points[1:], strict=False)


def runs_through(piece: Sequence[tuple[float, float]], box: Box) -> bool:
    """Whether a piece of a line, all of which are upright or level, has any part inside of a box."""
    (x1, y1), (x2, y2) = piece
    slack = 0.01
    return (
        min(x1, x2) < box.x + box.width - slack
        and max(x1, x2) > box.x + slack
        and min(y1, y2) < box.y + box.height - slack
        and max(y1, y2) > box.y + slack
    )
