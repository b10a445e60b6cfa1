"""The graph of a skill: what follows what, what stands in what, and what a run made of it."""

from __future__ import annotations

import json

import pytest

from engine.library.graph import Fact, Graph, RunOutcome, State, happened, legible, with_data
from engine.sandbox import Sandbox
from tests.graphs import edges, graph, node, skill_of

OTHER = """\
name: other
steps:
  - {name: look, tool: echo}
  - {name: enough, condition: look, stop: {status: ok, message: enough}}
  - {name: broken, condition: not look, stop: {status: failed, message: broken}}
  - {name: more, tool: echo}
always:
  - {name: tidy, tool: echo}
"""


def skill(*steps: str, more: str = "") -> str:
    """A skill with these steps, each on a line of its own."""
    return "name: example\nsteps:\n" + "".join(f"  - {step}\n" for step in steps) + more


def states(made: Graph) -> dict[str, str]:
    """How every step ended."""
    return {node.id: node.outcome.state.value for node in made.nodes if node.is_step and node.outcome}


def coloured(made: Graph, *facts: Fact, status: str = "ok") -> Graph:
    """The graph with a run's facts."""
    return happened(made, RunOutcome(id="r", status=status), facts)


def test_steps_follow_each_other_from_start_to_end() -> None:
    """In the order of the file, and nothing else."""
    made = graph(skill("{name: a, tool: echo}", "{name: b, compute: result = 1}"))
    assert edges(made) == {(".start", "a", "order"), ("a", "b", "order"), ("b", ".end", "order")}
    assert [each.line for each in made.nodes if each.is_step] == [3, 4]


def test_a_condition_leads_to_its_step_or_past_it() -> None:
    """Past several at once one by one, so that there are never more ways than twice the steps."""
    made = graph(skill(*(f"{{name: s{number}, tool: echo, condition: inputs.a}}" for number in range(50))))
    assert {("s0.if", "s0", "order"), ("s0.if", "s1.if", "skip"), ("s0", "s1.if", "order")} <= edges(made)
    assert {("s49", ".end", "order"), ("s49.if", ".end", "skip")} <= edges(made)
    assert len(made.edges) == 1 + 3 * 50


def test_a_condition_about_the_element_is_no_way_past_the_list() -> None:
    """It is looked at for each element; one about anything else is looked at once."""
    each = graph(skill("{name: a, foreach: inputs.x, as: host, condition: host.up, tool: echo}"))
    once = graph(skill("{name: a, foreach: inputs.x, as: host, condition: inputs.up, tool: echo}"))
    assert edges(each) == {(".start", "a", "order"), ("a", ".end", "order")}
    assert [mark.text for mark in node(each, "a").marks] == ["for each host of inputs.x", "only where host.up"]
    assert ("a.if", ".end", "skip") in edges(once)


def test_branches_part_and_meet() -> None:
    """Each begins at the fork and ends at the join, on whichever way."""
    made = graph(skill("{name: p, parallel: [{name: a, tool: echo}, {name: b, tool: echo, condition: inputs.b}]}"))
    assert edges(made) == {
        (".start", "p.fork", "order"),
        ("p.fork", "p/a", "fork"),
        ("p.fork", "p/b.if", "fork"),
        ("p/b.if", "p/b", "order"),
        ("p/a", "p.join", "join"),
        ("p/b", "p.join", "join"),
        ("p/b.if", "p.join", "skip"),
        ("p.join", ".end", "order"),
    }
    assert {each.id for each in made.children()["p"]} == {"p.fork", "p/a", "p/b.if", "p/b", "p.join"}


def test_a_stop_leads_to_what_is_always_done() -> None:
    """Or to the end where nothing is; what stands behind one without a condition is never reached."""
    made = graph(
        skill(
            "{name: a, condition: inputs.a, stop: {status: blocked, message: no}}",
            "{name: b, stop: {status: ok, message: done}}",
            "{name: c, tool: echo}",
            more="always:\n  - {name: tidy, tool: echo}\n",
        )
    )
    assert edges(made) == {
        (".start", "a.if", "order"),
        ("a.if", "a", "order"),
        ("a.if", "b", "skip"),
        ("a", "tidy", "end"),
        ("b", "tidy", "end"),
        ("c", "tidy", "order"),
        ("tidy", ".end", "order"),
    }
    assert node(made, "tidy").inside == ".always"


def test_an_undo_stands_beside_its_step() -> None:
    """Under the name its author gave it, or that of its step."""
    made = graph(
        skill(
            "{name: a, tool: echo, undo: {name: back, tool: wait, condition: inputs.b}}",
            "{name: g, steps: [{name: b, tool: echo, undo: {tool: wait}}]}",
        )
    )
    assert {("a", "a.undo", "undo"), ("g/b", "g/b.undo", "undo")} <= edges(made)
    back = node(made, "a.undo")
    assert (back.name, back.target, back.of, back.mark(back.marks[0].kind)) == ("back", "wait", "a", "if inputs.b")
    assert node(made, "g/b.undo").inside == "g"


def test_a_called_skill_is_opened_as_deep_as_asked() -> None:
    """Its own stops end it and not the run: well, and the run goes on; badly, and nothing follows."""
    calls = skill("{name: call, skill: other}", "{name: after, tool: echo}")
    closed, opened = graph(calls, OTHER, depth=0), graph(calls, OTHER)
    assert edges(closed) == {(".start", "call", "order"), ("call", "after", "order"), ("after", ".end", "order")}
    assert node(closed, "call").marks == ()
    assert {("call/enough", "call/tidy", "end"), ("call/tidy", "after", "order")} <= edges(opened)
    assert "call/broken" not in {source for source, _, _ in edges(opened)}
    assert node(opened, "call/tidy").inside == "call/.always"


def test_what_cannot_be_opened_says_why() -> None:
    """A skill that is not there, and one that would call itself."""
    lost = graph(skill("{name: call, skill: nowhere}"))
    round_about = graph(skill("{name: call, skill: example}"), skill("{name: call, skill: example}"), depth=9)
    assert [mark.text for mark in node(lost, "call").marks] == ["the skill nowhere cannot be found"]
    assert [mark.text for mark in node(round_about, "call").marks] == ["the skill example would call itself"]


def test_every_option_is_told_in_words() -> None:
    """In the order in which a run meets them."""
    written = {
        "name": "a",
        "tool": "echo",
        "foreach": "{{ inputs.x }}",
        "parallel": 4,
        "until": {"condition": "result.ok", "every": 5, "timeout": "10m"},
        "retry": {"attempts": 3, "delay": "1h", "on": ["timeout", "unavailable"]},
        "expect": "result",
        "on_error": "continue",
        "timeout": "90s",
        "heal": {"domain": "cluster", "fixes": ["login"], "max_fixes": 1},
        "secret": True,
    }
    made = graph(json.dumps({"name": "example", "steps": [written, {"name": "b", "tool": "t", "heal": False}]}))
    assert [mark.text for mark in node(made, "a").marks] == [
        "for each item of inputs.x, 4 at a time",
        "every 5 s until result.ok, at most 10 m",
        "up to 3 times on timeout, unavailable, 1 h apart",
        "expects result",
        "goes on if it fails",
        "at most 90 s",
        "healed only by login, as part of cluster, by at most 1 fix",
        "secret",
    ]
    assert [mark.text for mark in node(made, "b").marks] == ["never healed"]


def test_data_leads_from_who_defines_a_name_to_who_reads_it() -> None:
    """In arguments, conditions, blocks and undos; by value and by how the step ended; also inside called skills."""
    text = skill(
        "{name: a, tool: echo, args: {value: 1}, output: first}",
        "{name: b, compute: 'result = first + 1'}",
        "{name: c, tool: echo, args: {value: 'x {{ b }} {{ first }}'}, undo: {tool: echo, args: {value: '{{ b }}'}}}",
        "{name: d, condition: steps.a.status == 'ok' and c, tool: echo}",
        "{name: g, steps: [{name: e, tool: echo}, {name: f, tool: echo, args: {value: '{{ e }}'}}], expect: result.e}",
        "{name: h, foreach: g.e, as: first_of, tool: echo, args: {value: '{{ first_of }}'}}",
    )
    made = with_data(graph(text), {"": skill_of(text)}, sandbox=Sandbox())
    assert {(edge.source, edge.target, edge.label) for edge in made.edges if edge.kind.value == "data"} == {
        ("a", "b", "first"),
        ("a", "c", "first"),
        ("b", "c", "b"),
        ("b", "c.undo", "b"),
        ("a", "d", "a"),
        ("c", "d", "c"),
        ("g/e", "g/f", "e"),
        ("g", "h", "g"),
    }
    calls = skill("{name: call, skill: other}")
    inner = with_data(graph(calls, OTHER), {"call": skill_of(OTHER)}, sandbox=Sandbox())
    assert {("call/look", "call/enough", "data"), ("call/look", "call/broken", "data")} <= edges(inner)


def test_elements_of_a_list_are_counted() -> None:
    """Those of a step, and those of a step inside of a repeated group."""
    made = graph(skill("{name: a, foreach: x, steps: [{name: b, tool: echo}]}", "{name: c, tool: echo}"))
    told = coloured(
        made,
        Fact(path="a", state=State.TOLERATED, duration=3.0),
        Fact(path="a[0]", state=State.OK, duration=1.0),
        Fact(path="a[0]/b", state=State.HEALED, fixes=("login()",)),
        Fact(path="a[1]", state=State.TOLERATED),
        Fact(path="a[1]/b", state=State.FAILED, told="no"),
        Fact(path="a[2]", state=State.OK),
        Fact(path="a[2]/b", state=State.OK),
    )
    assert states(told) == {"a": "tolerated", "a/b": "failed", "c": "not reached"}
    outer, inner = node(told, "a").outcome, node(told, "a/b").outcome
    assert outer is not None
    assert inner is not None
    assert (outer.duration, outer.counts) == (3.0, {State.OK: 2, State.TOLERATED: 1})
    assert (inner.counts, inner.told) == ({State.OK: 1, State.HEALED: 1, State.FAILED: 1}, "no")
    assert inner.fixes == ("login()",)


def test_of_rounds_the_last_one_counts() -> None:
    """A group that was repeated shows how it ended up."""
    made = graph(skill("{name: g, retry: {attempts: 3}, steps: [{name: a, tool: echo}, {name: b, tool: echo}]}"))
    told = coloured(
        made,
        Fact(path="g", state=State.HEALED),
        Fact(path="g/a", state=State.OK),
        Fact(path="g/b", state=State.FAILED),
        Fact(path="g#2/a", state=State.OK),
        Fact(path="g#2/b", state=State.OK),
    )
    assert states(told) == {"g": "healed", "g/a": "ok", "g/b": "ok"}


def test_the_ways_that_were_taken_are_known() -> None:
    """Through a step or past it, and none to what was not reached."""
    made = graph(
        skill(
            "{name: a, tool: echo, undo: {name: back, tool: echo}}",
            "{name: b, condition: x, tool: echo}",
            "{name: c, tool: echo}",
            "{name: d, tool: echo}",
        )
    )
    told = coloured(
        made,
        Fact(path="a", state=State.OK),
        Fact(path="b", state=State.SKIPPED),
        Fact(path="c", state=State.FAILED),
        Fact(path="back", state=State.OK, section="undo"),
        status="failed",
    )
    assert {(edge.source, edge.target) for edge in told.edges if edge.taken} == {
        (".start", "a"),
        ("a", "a.undo"),
        ("a", "b.if"),
        ("b.if", "c"),
    }
    assert states(told)["a.undo"] == "ok"
    end = node(told, ".end").outcome
    assert end is not None
    assert end.state is State.FAILED


def test_a_step_and_an_undo_of_the_same_name_are_kept_apart() -> None:
    """An author may call an undo like another step."""
    made = graph(skill("{name: a, tool: echo, undo: {name: b, tool: echo}}", "{name: b, tool: echo}"))
    told = coloured(made, Fact(path="b", state=State.FAILED), Fact(path="b", state=State.OK, section="undo"))
    assert states(told) == {"a": "not reached", "a.undo": "ok", "b": "failed"}


def test_a_failure_is_told_where_it_happened_and_not_again_around_it() -> None:
    """What a group says of itself alone stays."""
    made = graph(skill("{name: g, steps: [{name: a, tool: echo}]}", "{name: h, steps: [{name: b, tool: echo}]}"))
    told = coloured(
        made,
        Fact(path="g", state=State.FAILED, told="the step a failed: no route"),
        Fact(path="g/a", state=State.FAILED, told="no route"),
        Fact(path="h", state=State.FAILED, told="it took too long"),
        Fact(path="h/b", state=State.OK),
    )
    assert {each.id: each.outcome.told for each in told.nodes if each.outcome and each.outcome.told} == {
        "g/a": "no route",
        "h": "it took too long",
    }


@pytest.mark.parametrize("text", ["", "]", "name: x\n", "name: x\nsteps:\n  - {name: a, •••: 5}\n"])
def test_what_is_no_skill_any_more_is_not_drawn(text: str) -> None:
    """It is for the caller to say what is drawn instead."""
    assert legible(text, "x.yaml") is None
    found = legible(skill("{name: a, tool: gone_since}"), "x.yaml")
    assert found is not None
    assert found.steps[0].name == "a"
