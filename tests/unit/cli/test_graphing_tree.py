"""The tree of a graph, line by line."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from engine.frontends.cli.graphing.tree import COLOURS, Line, plain, tree
from engine.library.graph import Fact, Graph, RunOutcome, State, happened
from tests.graphs import graph

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "graph.md").read_text(encoding="utf-8")
PUBLISH, SCAN = re.findall(r"```yaml\n(.*?)```", PAGE, flags=re.DOTALL)
SHIPPED = sorted((Path(__file__).resolve().parents[3] / "skills").glob("*.yaml"))
STEPS = {
    "name": "example",
    "steps": [
        {"name": "a", "tool": "echo"},
        {"name": "b", "tool": "echo", "condition": "a", "undo": {"tool": "back"}},
        {"name": "c", "foreach": "a", "tool": "echo"},
        {"name": "d", "tool": "echo", "undo": {"name": "undone", "tool": "back"}},
    ],
}


def lines(made: Graph, *, width: int | None = None, verbose: bool = False) -> list[str]:
    """The lines without their styles."""
    return plain(tree(made, width=width, verbose=verbose)).splitlines()


def told() -> Graph:
    """A graph in which each step ended in another way."""
    return happened(
        graph(json.dumps(STEPS)),
        RunOutcome(id="r1", status="failed", duration=2.0, message="the step d failed: no\x1b[2J\nroute"),
        [
            Fact(path="a", state=State.HEALED, duration=1.5, told="healed by login", fixes=("login()",)),
            Fact(path="b", state=State.SKIPPED, duration=0.0, told="condition is false"),
            Fact(path="c", state=State.TOLERATED, duration=61.0),
            *(Fact(path=f"c[{number}]", state=State.OK) for number in range(12)),
            Fact(path="c[12]", state=State.HEALED),
            Fact(path="c[13]", state=State.TOLERATED, told="was away"),
            Fact(path="d", state=State.FAILED, duration=0.25, told="no\x1b[2J\nroute"),
        ],
    )


def test_a_run_is_told_step_by_step() -> None:
    """Signs, states, times, counts and reasons; control characters are gone."""
    assert lines(told()) == [
        "example",
        "run r1 failed in 2.00 s: 1 healed, 1 skipped, 1 tolerated, 1 failed",
        "the step d failed: no route",
        "├─ ✚ a                healed        1.50 s  echo  healed by login",
        "├─ · b                skipped               echo  if a",
        "│  ╰┄   undo          not reached           back",
        "├─ ! c                tolerated     61.0 s  echo  12 ok, 1 healed, 1 tolerated · was away",
        "╰─ ✗ d                failed        0.25 s  echo  no route",
        "   ╰┄   undo: undone  not reached           back",
    ]


def test_every_state_has_a_colour_and_colours_are_not_all_that_tells() -> None:
    """The line of a step is in the colour of its state, and says it too."""
    assert set(COLOURS) == set(State)
    drawn: list[Line] = [line for line in tree(told()) if any("✗ d" in text for text, _ in line)]
    assert [dict(style) for text, style in drawn[0] if "✗" in text or "failed" in text] == [{"fg": "red"}] * 2


@pytest.mark.parametrize("width", [60, 80, 100, 120])
@pytest.mark.parametrize("text", [PUBLISH, *(path.read_text(encoding="utf-8") for path in SHIPPED)])
def test_no_line_is_wider_than_the_terminal(text: str, width: int) -> None:
    """And none of the words is lost."""
    made = graph(text, SCAN)
    assert [line for line in lines(made, width=width) if len(line) > width] == []
    folded = {word for line in lines(made, width=width) for word in re.findall(r"[\w.]+", line)}
    assert {word for line in lines(made) for word in re.findall(r"[\w.]+", line)} == folded


def test_what_each_step_is_for_is_told_on_request() -> None:
    """With -v."""
    assert not any("One image for each service" in line for line in lines(graph(PUBLISH, SCAN)))
    assert any(
        "One image for each service · for each service" in line for line in lines(graph(PUBLISH, SCAN), verbose=True)
    )
