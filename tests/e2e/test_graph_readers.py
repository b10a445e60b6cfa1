"""Graphviz and Mermaid read what we write for them, and find in it what we meant: the real programs say so."""

from __future__ import annotations

import json
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from engine.frontends.cli.graphing.dot import dot
from engine.frontends.cli.graphing.mermaid import LONGEST, MOST_EDGES, mermaid, too_much
from engine.frontends.cli.graphing.svg import svg
from engine.frontends.cli.graphing.words import called
from engine.frontends.cli.layout import cut
from engine.library.graph import Graph, RunOutcome, graph_of, happened, with_data
from engine.sandbox import Sandbox
from tests.graphs import chain, graph, skill_of, skills
from tests.npm import program, unpacked

MERMAID = "12.3.0"
READER = Path(__file__).with_name("read_mermaid.mjs")
SVG = "{http://www.w3.org/2000/svg}"


def graphs(number: int) -> list[Graph]:
    """That many random graphs with the edges of data, always the same ones; some as a cut-off run left them."""
    found: list[Graph] = []

    @settings(
        max_examples=number,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(text=skills(), ran=st.booleans())
    def collect(text: str, *, ran: bool) -> None:
        skill = skill_of(text)
        made = graph_of(skill, sandbox=Sandbox(), find=lambda _, __: None)
        made = with_data(made, {"": skill}, sandbox=Sandbox())
        found.append(happened(made, RunOutcome(id="r", status="cancelled"), ()) if ran else made)

    collect()
    return found


def read_by_mermaid(texts: Sequence[str]) -> list[dict[str, Any]]:
    """What the real Mermaid reads in each text."""
    node, folder = program("node", package="nodejs"), unpacked("mermaid", MERMAID)
    done = subprocess.run(
        [node, READER, folder], input=json.dumps(texts), capture_output=True, text=True, check=True, timeout=100
    )
    read: list[dict[str, Any]] = json.loads(done.stdout)
    return read


def read_by_graphviz(text: str) -> ET.Element:
    """The picture Graphviz makes of a text; it must have nothing to say about it."""
    found = program("dot", package="graphviz")
    done = subprocess.run([found, "-Tsvg"], input=text, capture_output=True, text=True, check=False, timeout=100)
    # how it leads a line through a crowd is Graphviz's own affair
    said = [line for line in done.stderr.splitlines() if "spline routing" not in line]
    assert (done.returncode, said) == (0, [])
    return ET.fromstring(done.stdout)  # noqa: S314 - our own


def texts_of(picture: ET.Element) -> list[str]:
    """Every text in a picture."""
    return ["".join(text.itertext()) for text in picture.iter(f"{SVG}text")]


def test_mermaid_finds_every_node_edge_and_group_with_its_words() -> None:
    """Nothing an author wrote ends a label, begins an edge, or is changed."""
    made = graphs(150)
    for one, read in zip(made, read_by_mermaid([mermaid(one) for one in made]), strict=True):
        assert "error" not in read, (read, mermaid(one))
        groups = [node for node in one.nodes if node.opened]
        boxes = dict(read["groups"])
        # an edge to a group makes Mermaid note it among the nodes too
        nodes = [text for name, text in read["nodes"] if name not in boxes]
        assert (len(nodes), len(boxes)) == (len(one.nodes) - len(groups), len(groups))
        assert [edge[2] for edge in read["edges"]] == [edge.label for edge in one.edges]
        begins = [text.partition("<br/>")[0].rstrip("…") for text in nodes]
        assert sorted(begins) == sorted(cut(called(node), LONGEST).rstrip("…") for node in one.nodes if not node.opened)
        titles = [text.partition(" ·")[0].rstrip("…") for text in boxes.values()]
        assert sorted(titles) == sorted(called(node) for node in groups)


def test_mermaid_refuses_what_is_broken() -> None:
    """So that the test above means something."""
    assert "error" in read_by_mermaid(['flowchart TD\n  a["x'])[0]


def test_graphviz_draws_every_graph_without_a_word() -> None:
    """Every step has its name in the picture, and every group its box."""
    for one in graphs(40):
        picture = read_by_graphviz(dot(one))
        texts = texts_of(picture)
        steps = [node for node in one.nodes if node.is_step]
        assert [called(node) for node in steps if called(node) not in texts] == []
        kinds = [element.get("class") for element in picture.iter(f"{SVG}g")]
        assert kinds.count("cluster") == sum(node.opened for node in one.nodes)
        assert kinds.count("node") == sum(not node.opened for node in one.nodes)


@pytest.mark.parametrize("words", ['a "b" <c> & &lt;', r"\N \G \l \" C:\new", "end]; x -> y {", "--> b | c"])
def test_graphviz_shows_words_as_they_are(words: str) -> None:
    """Its escapes and its HTML are not ours, in a box or in what a pointer shows."""
    made = graph(json.dumps({"name": "example", "steps": [{"name": "a", "ask": {"question": words}}]}))
    picture = read_by_graphviz(dot(made))
    assert words in texts_of(picture)
    assert f"a. ask. {words}" in [link.get("{http://www.w3.org/1999/xlink}title") for link in picture.iter(f"{SVG}a")]


def test_a_long_skill_is_read_too() -> None:
    """Five hundred steps by Graphviz; by Mermaid as many as it draws, and beyond that we say what it will say."""
    whole, part = graph(chain(500)), graph(chain(MOST_EDGES // 2))
    kinds = [element.get("class") for element in read_by_graphviz(dot(whole)).iter(f"{SVG}g")]
    assert (kinds.count("node"), kinds.count("edge")) == (len(whole.nodes), len(whole.edges))
    drawn, refused = read_by_mermaid([mermaid(part), mermaid(whole)])
    assert len(drawn["nodes"]) == len(part.nodes)
    assert "maxEdges" in refused["error"]
    assert "maxEdges" in too_much(whole, mermaid(whole))
    assert too_much(part, mermaid(part)) == ""


def test_our_own_picture_becomes_pixels(tmp_path: Path) -> None:
    """A program that draws SVG without being a browser draws it, as large as it says it is."""
    rsvg = program("rsvg-convert", package="librsvg2-bin")
    for number, one in enumerate([*graphs(5), graph(chain(40))]):
        (tmp_path / f"{number}.svg").write_text(svg(one), encoding="utf-8")
        done = subprocess.run(
            [rsvg, f"{number}.svg", "-o", f"{number}.png"], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
        root = ET.fromstring((tmp_path / f"{number}.svg").read_text(encoding="utf-8"))  # noqa: S314 - our own
        head = (tmp_path / f"{number}.png").read_bytes()[:24]
        size = int.from_bytes(head[16:20]), int.from_bytes(head[20:24])
        assert abs(size[0] - float(root.attrib["width"])) <= 1
        assert abs(size[1] - float(root.attrib["height"])) <= 1
