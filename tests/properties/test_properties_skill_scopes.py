"""Random skills of nested groups, branches and loops: `check` knows which name exists where, as a small model does."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.library import SkillLibrary
from engine.model.skill import GroupStep, Step
from engine.sandbox import Sandbox

LEAF, STEPS, PARALLEL = "compute", "steps", "parallel"
SHAPES = st.recursive(
    st.tuples(st.just(LEAF), st.booleans(), st.just(())),
    lambda inner: st.tuples(
        st.sampled_from([STEPS, PARALLEL]), st.booleans(), st.lists(inner, min_size=1, max_size=3).map(tuple)
    ),
    max_leaves=8,
)


@dataclass(frozen=True)
class Node:
    """A step of the model: `loop` says that it runs once for each element of a list."""

    name: str
    kind: str
    loop: bool
    inner: tuple[Node, ...]


def _named(shapes: Sequence[Any], numbers: Iterator[int]) -> tuple[Node, ...]:
    return tuple(Node(f"n{next(numbers)}", kind, loop, _named(inner, numbers)) for kind, loop, inner in shapes)


def _all(nodes: Sequence[Node]) -> Iterator[Node]:
    for node in nodes:
        yield node
        yield from _all(node.inner)


def _seen(
    nodes: Sequence[Node], values: frozenset[str], ended: frozenset[str], *, at_once: bool = False
) -> tuple[dict[str, frozenset[str]], frozenset[str]]:
    """The model: what each leaf can read, and which steps have told how they ended once all of `nodes` have."""
    seen: dict[str, frozenset[str]] = {}
    told = ended
    for node in nodes:
        own = values | {f"of_{node.name}"} if node.loop else values
        seen[node.name] = own | {f"steps.{name}.status" for name in ended}
        found, inside = _seen(node.inner, own, ended, at_once=node.kind == PARALLEL)
        seen |= found
        gained = {node.name} if node.loop else inside | {node.name}
        told |= gained
        if not at_once:
            values, ended = values | {node.name}, ended | gained
    return seen, told


def _written(node: Node, reads: dict[str, str]) -> dict[str, Any]:
    loop = {"foreach": "[1, 2]", "as": f"of_{node.name}"} if node.loop else {}
    if node.kind == LEAF:
        return {"name": node.name, **loop, "compute": f"result = ['{node.name}', {reads[node.name]}]"}
    return {"name": node.name, **loop, node.kind: [_written(inner, reads) for inner in node.inner]}


@st.composite
def _skills(draw: st.DrawFn) -> tuple[tuple[Node, ...], dict[str, str]]:
    nodes = _named(draw(st.lists(SHAPES, min_size=1, max_size=4)), iter(range(1_000)))
    everything = [*_all(nodes)]
    names = [*(node.name for node in everything), *(f"of_{node.name}" for node in everything if node.loop)]
    names += [f"steps.{node.name}.status" for node in everything]
    return nodes, {node.name: draw(st.sampled_from(names)) for node in everything if node.kind == LEAF}


def _count(steps: Sequence[Step]) -> int:
    return sum(1 + (_count(step.steps) if isinstance(step, GroupStep) else 0) for step in steps)


@settings(max_examples=80, deadline=None)
@given(_skills())
def test_a_name_is_accepted_exactly_where_it_exists(skill: tuple[tuple[Node, ...], dict[str, str]]) -> None:
    """One finding for each leaf that reads what it cannot see, none for another; without any, every step is parsed."""
    nodes, reads = skill
    seen, _ = _seen(nodes, frozenset(), frozenset())
    text = json.dumps({"name": "nested", "steps": [_written(node, reads) for node in nodes]}, indent=1)
    lines = text.split("\n")
    with TemporaryDirectory() as folder:
        path = Path(folder) / "nested.yaml"
        path.write_text(text, encoding="utf-8")
        library = SkillLibrary([Path(folder)], sandbox=Sandbox(), tools={})
        found = library.check("nested")
        wrong = {leaf for leaf, name in reads.items() if name not in seen[leaf]}
        assert {lines[finding.place.line - 1].split("'")[1] for finding in found} == wrong
        assert {str(finding.code) for finding in found} <= {"out-of-scope", "used-too-early"}
        if not wrong:
            assert _count(library.load("nested").steps) == len([*_all(nodes)])
