"""The picture of a graph: what is in it, where it stands, and that it fits."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from itertools import pairwise

import pytest

from engine.frontends.cli.graphing.colours import DARK, KINDS, LIGHT, STATES
from engine.frontends.cli.graphing.measure import fitted, lines_of, pieces_of, text_width
from engine.frontends.cli.graphing.picture import picture
from engine.frontends.cli.graphing.svg import svg
from engine.library.graph import Fact, Graph, RunOutcome, State, happened, with_data
from engine.sandbox import Sandbox
from tests.graphs import chain, graph, skill_of

SVG = "{http://www.w3.org/2000/svg}"
READABLE = 4.5
"""The contrast that small letters need to be readable (WCAG 2.2, 1.4.3)."""


def written(*steps: Mapping[str, object]) -> str:
    """A skill of these steps."""
    return json.dumps({"name": "example", "description": "About <it>", "steps": steps})


def drawn(made: Graph) -> ET.Element:
    """The picture as XML."""
    return ET.fromstring(svg(made))  # noqa: S314 - our own


def boxes(made: Graph) -> dict[str, tuple[float, float, float, float]]:
    """Where each node stands: left, top, right, bottom."""
    placed = picture(made).boxes
    return {box.card.node.id: (box.x, box.y, box.x + box.width, box.y + box.height) for box in placed}


def test_steps_stand_under_each_other_in_order() -> None:
    """On one line, equally wide."""
    found = boxes(graph(chain(4)))
    order = [found[name] for name in ("step_0", "step_1.if", "step_1", "step_2", "step_3")]
    assert all(above[3] < below[1] for above, below in pairwise(order))
    assert len({(left, right) for left, _, right, _ in order}) == 1


def test_branches_stand_beside_each_other() -> None:
    """At the same height, in the box of their group; many of them in several rows."""
    made = graph(written({"name": "p", "parallel": [{"name": f"b{number}", "tool": "echo"} for number in range(20)]}))
    found = boxes(made)
    branches = [found[f"p/b{number}"] for number in range(20)]
    rows = sorted({top for _, top, _, _ in branches})
    assert len(rows) > 1
    for row in rows:
        assert all(left[2] < right[0] for left, right in pairwise(each for each in branches if each[1] == row))
    assert found["p"][2] - found["p"][0] < 1700
    assert all(found["p"][0] < left and right < found["p"][2] for left, _, right, _ in branches)


def test_an_undo_stands_on_the_right_and_the_way_past_a_step_on_the_left() -> None:
    """A step with both, in a group that has a condition itself."""
    made = graph(written({"name": "a", "tool": "echo", "condition": "x", "undo": {"tool": "back"}}))
    found = boxes(made)
    assert found["a"][2] < found["a.undo"][0]
    assert found["a"][1] == found["a.undo"][1]
    [past] = [wire for wire in picture(made).wires if wire.style == "skip"]
    assert min(x for x, _ in past.points) < found["a"][0]


def test_the_picture_needs_nothing_and_says_what_it_is() -> None:
    """A title, a description, a name for every part, and no address but that of SVG itself."""
    made = graph(written({"name": "a", "tool": "echo", "description": "Says <hello>"}))
    root, text = drawn(made), svg(made)
    assert root.findtext(f"{SVG}title") == "example"
    assert "About <it>" in (root.findtext(f"{SVG}desc") or "")
    labels = {group.get("aria-label"): group.findtext(f"{SVG}title") for group in root.iter(f"{SVG}g")}
    assert labels["a"] == "a. echo. Says <hello>"
    assert re.findall(r"https?://[^\"]+", text) == ["http://www.w3.org/2000/svg"]
    assert not re.search(r"url\(|@import|@font-face|<script|javascript:", text)


def test_a_run_is_told_by_colour_and_by_word() -> None:
    """Of each step how it ended; of the whole too."""
    made = happened(
        graph(written({"name": "a", "tool": "echo"}, {"name": "b", "tool": "echo"}, {"name": "c", "tool": "echo"})),
        RunOutcome(id="r1", status="failed", duration=3.0, message="b broke"),
        [
            Fact(path="a", state=State.HEALED, duration=1.0, told="healed by login"),
            Fact(path="b", state=State.FAILED, duration=2.0, told="b broke"),
        ],
    )
    root = drawn(made)
    texts = ["".join(text.itertext()) for text in root.iter(f"{SVG}text")]
    assert {"healed 1.00 s", "healed by login", "failed 2.00 s", "b broke", "ended failed"} <= set(texts)
    assert "run r1 failed in 3.00 s: 1 healed, 1 failed, 1 not reached" in texts
    classes = {group.get("aria-label"): group.get("class", "").split() for group in root.iter(f"{SVG}g")}
    assert "s-failed" in classes["b, failed 2.00 s"]
    assert "s-not-reached" in classes["c, not reached"]


def test_names_that_are_read_are_curves_on_the_right() -> None:
    """Inside of the picture, from box to box."""
    text = written({"name": "a", "tool": "echo"}, *({"name": f"b{n}", "compute": "result = a"} for n in range(30)))
    made = with_data(graph(text), {"": skill_of(text)}, sandbox=Sandbox())
    found = picture(made)
    assert len(found.arcs) == 30
    assert max(arc.start[0] + arc.bulge for arc in found.arcs) <= found.width
    assert "b29 reads a of a" in svg(made)


def test_every_state_and_kind_has_its_colour_and_all_are_readable() -> None:
    """On light and on dark ground, in boxes and around them."""
    assert set(STATES) == set(State)
    for index, palette in enumerate((LIGHT, DARK)):
        inks = [palette["ink"], palette["dim"], *(colours[index] for colours in STATES.values())]
        for ground in ("card", "header", "paper"):
            poor = [ink for ink in inks if contrast(ink, palette[ground]) < READABLE]
            assert poor == [], (ground, index)
        assert contrast(palette["gate-ink"], palette["gate"]) >= READABLE
        assert contrast(palette["round-ink"], palette["round"]) >= READABLE
        assert contrast(KINDS["compute"][index], palette["card"]) >= READABLE


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, from 1 to 21 (WCAG 2.2)."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize(
    "text", ["a word or two, and then some more of them", "x" * 200, "中文" * 40, "🙂 " * 50, "iiii WWWW"]
)
def test_text_is_fitted(text: str) -> None:
    """Cut with an ellipsis, folded at blanks where there are any, or broken; never wider than its room."""
    room = 120.0
    assert text_width(fitted(text, room, 11), 11) <= room
    lines = lines_of(text, room, 11, most=3)
    assert 1 <= len(lines) <= 3
    assert all(text_width(line, 11) <= room for line in lines)
    assert "".join(pieces_of(text, room, 11, "mono")) == text


def test_an_accent_takes_no_room_and_a_wide_sign_more() -> None:
    """As fonts have it."""
    assert text_width("e\u0301", 10) == text_width("e", 10)
    assert text_width("中", 10) > text_width("W", 10) > text_width("i", 10)
