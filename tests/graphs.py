"""Skills for the tests of graphs: from a text, or random ones of nested steps with every option and odd words."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from typing import Any

from hypothesis import strategies as st

from engine.documents import parse
from engine.library.graph import Graph, Node, graph_of
from engine.library.parse import parse_skill
from engine.model.skill import Skill
from engine.sandbox import Sandbox

Draw = Callable[[st.SearchStrategy[Any]], Any]

ODD = (
    'Says "so" & <b>x</b>',
    "#35; `a` ]] }} )) |pipe| end",
    "%%{init: {}}%% --> x; y",
    r"back\slash \n \N \" and 'quotes'",
    "1. first",
    "- second",
    "\x1b[31mred\x1b[0m \x07 \u202eturned",
    "{{ x }} {% if y %} z {% endif %}",
    "中文和 emoji 🙂 a\u0301 ﬂ°°34¶ß",
    "]]> <!-- <script>alert(1)</script> &amp; &#x41;",
    "a" * 90,
    "word " * 60,
    "*bold* _it_ ~~x~~ $$y$$",
    "",
)


def skill_of(text: str, name: str = "example.yaml") -> Skill:
    """The skill in a text that is right."""
    return parse_skill(parse(text, name))


def graph(text: str, *others: str, depth: int = 1) -> Graph:
    """The graph of the skill in a text; `others` are the skills it may call."""
    known = {skill.name: skill for skill in map(skill_of, others)}
    return graph_of(skill_of(text), sandbox=Sandbox(), find=lambda _, name: known.get(name), depth=depth)


def edges(made: Graph) -> set[tuple[str, str, str]]:
    """Every edge as source, target and kind."""
    return {(edge.source, edge.target, edge.kind.value) for edge in made.edges}


def node(made: Graph, name: str) -> Node:
    """The node with an id."""
    return next(each for each in made.nodes if each.id == name)


def chain(length: int) -> str:
    """A skill of that many steps, of every kind a step can be."""
    args = {"value": 1}
    kinds: tuple[Mapping[str, Any], ...] = (
        {"tool": "echo", "args": args, "description": "Says something about nothing in particular, at length"},
        {"tool": "echo", "args": args, "condition": "run.id", "on_error": "continue"},
        {"compute": "result = 1", "foreach": "[1, 2]"},
        {"tool": "echo", "args": args, "undo": {"tool": "echo", "args": args}, "timeout": "5m"},
    )
    steps = [{"name": f"step_{number}", **kinds[number % len(kinds)]} for number in range(length)]
    return json.dumps({"name": "example", "steps": steps})


@st.composite
def skills(draw: Draw, called: tuple[str, ...] = (), most: int = 5) -> str:
    """The text of a random skill; its steps may call those named in `called`."""
    names = count(1)
    written: dict[str, Any] = {
        "name": "example",
        "version": draw(st.sampled_from(ODD)),
        "description": draw(st.sampled_from(ODD)),
        "steps": draw(_steps(names, called, 4, most)),
    }
    if draw(st.booleans()):
        written["always"] = draw(_steps(names, called, 1, 2))
    if draw(st.booleans()):
        written["outputs"] = [{"name": "out", "value": "{{ inputs }}"}]
    return json.dumps(written, ensure_ascii=False)


@st.composite
def _steps(draw: Draw, names: Iterator[int], called: tuple[str, ...], depth: int, most: int) -> list[dict[str, Any]]:
    return [draw(_step(names, called, depth, most)) for _ in range(draw(st.integers(1, most)))]


@st.composite
def _step(draw: Draw, names: Iterator[int], called: tuple[str, ...], depth: int, most: int) -> dict[str, Any]:
    name = f"{draw(st.sampled_from(['s', 'a-b', 'end', 'X' * 60, '_']))}{next(names)}"
    kinds = ["tool", "tool", "compute", "stop", "ask"]
    kinds += ["steps", "parallel"] if depth else []
    kinds += ["skill"] if called else []
    kind = draw(st.sampled_from(kinds))
    step = {"name": name, **draw(_options(name, kind))}
    match kind:
        case "tool":
            step |= {"tool": draw(st.sampled_from(["echo", 'odd"tool<&>', "t" * 70]))}
        case "compute":
            step |= {"compute": "result = 1"}
        case "stop":
            step |= {"stop": {"status": draw(st.sampled_from(["ok", "blocked", "failed"])), "message": "{{ x }}"}}
        case "ask":
            step |= {"ask": {"question": draw(st.sampled_from(ODD))}}
        case "skill":
            step |= {"skill": draw(st.sampled_from(called))}
        case group:
            step |= {group: draw(_steps(names, called, depth - 1, min(most, 3)))}
    return step


@st.composite
def _options(draw: Draw, name: str, kind: str) -> dict[str, Any]:
    """Some of the options; a number beside `parallel` would be another one's, so no group gets it."""
    expression = st.sampled_from(["inputs.a", "{{ not b }}", "item", 'x == "<&>"', "a and " * 40 + "b"])
    possible: dict[str, st.SearchStrategy[Any]] = {
        "description": st.sampled_from(ODD),
        "condition": expression,
        "foreach": expression,
        "on_error": st.just("continue"),
        "timeout": st.sampled_from([5, "90s", "2h"]),
        "retry": st.just({"attempts": 3, "on": ["timeout"]}),
        "until": st.fixed_dictionaries({"condition": expression, "every": st.just(1), "timeout": st.just("5m")}),
        "expect": expression,
        "secret": st.just(True),
        "heal": st.sampled_from([False, {"fixes": ["a", "b"], "max_fixes": 1}]),
        "undo": st.sampled_from([{"tool": "echo"}, {"name": f"u_{name}", "tool": "echo", "condition": "a"}]),
    }
    chosen = draw(st.sets(st.sampled_from(sorted(possible)), max_size=4))
    written = {key: draw(possible[key]) for key in sorted(chosen)}
    if "foreach" in written and kind != "parallel":
        written["parallel"] = 3
    return written
