"""Calls of tools and skills are compared with what they take."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.library import SkillLibrary
from tests.unit.library.skill_texts import Check, steps, told


@pytest.mark.parametrize(
    ("args", "codes"),
    [
        ("{namespace: x, limit: 3, labels: [a]}", []),
        ('{namespace: "{{ run.id }}", limit: "{{ run.id }}", labels: "{{ run.id }}"}', []),
        ('{namespace: x, labels: [a, "{{ run.id }}"], options: {wide: "{{ run.id }}"}}', []),
        ('{namespace: x, limit: "at most {{ run.id }}"}', ["wrong-argument"]),
        ("{namespace: 1}", ["wrong-argument"]),
        ("{namespace: x, limit: 0}", ["wrong-argument"]),
        ("{namespace: x, labels: [a, 1]}", ["wrong-argument"]),
        ('{namespace: x, labels: {a: "{{ run.id }}"}}', ["wrong-argument"]),
        ('{namespace: x, options: {wide: "{{ run.id }}", long: 1}}', ["wrong-argument"]),
        ("{limit: 1, name: x}", ["missing-argument", "unknown-argument"]),
        ("{}", ["missing-argument"]),
    ],
)
def test_arguments_are_judged_where_they_are_constant(check: Check, args: str, codes: list[str]) -> None:
    """What a template gives is left to the call; everything else is compared with the tool's parameters."""
    assert [finding.code for finding in check(steps(f"- {{name: a, tool: get_pods, args: {args}}}"))] == codes


def test_a_wrong_argument_is_told_at_its_value(check: Check) -> None:
    """The place is the element that is wrong, however deep."""
    (finding,) = check(steps("- {name: a, tool: get_pods, args: {namespace: x, labels: [a, 1]}}"))
    assert finding.place.line == 3
    assert finding.place.column == 64


def test_tools_with_open_parameters_take_anything(check: Check) -> None:
    """Only a tool that closes its parameters refuses unknown ones."""
    assert check(steps("- {name: a, tool: anything, args: {x: 1, y: [2]}}")) == ()


def test_the_undo_is_checked_like_a_step(check: Check) -> None:
    """Its tool, its arguments and its names."""
    found = check(
        steps(
            "- name: a",
            "  tool: anything",
            "  undo: {tool: get_pod}",
            "- name: b",
            "  tool: anything",
            "  undo:",
            "    tool: get_pods",
            "    args: {namespace: '{{ c }}'}",
            "    condition: d",
            "- {name: c, compute: result = 1}",
        )
    )
    assert told(found) == [(5, "unknown-tool"), (10, "used-too-early"), (11, "unknown-name")]


def test_skills_that_run_each_other_are_told_at_the_call(folder: Path, library: SkillLibrary) -> None:
    """A circle through other files is found, and drawn."""
    for name, called in (("a", "b"), ("b", "c"), ("c", "a"), ("d", "a")):
        text = f"name: {name}\nsteps:\n  - {{name: one, skill: {called}}}\n"
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    (circle,) = library.check("a")
    assert (circle.code, circle.place.line) == ("skill-cycle", 3)
    assert "a -> b -> c -> a" in circle.message
    assert [finding.code for finding in library.check("d")] == ["broken-skill"]


@pytest.mark.parametrize(
    "callee",
    [
        "steps:\n  - {name: g, steps: [{name: p, parallel: [{name: one, skill: example}]}]}\n",
        "steps:\n  - {name: l, foreach: '[1]', skill: example}\n",
        "steps:\n  - {name: a, compute: result = 1}\nalways:\n  - {name: g, steps: [{name: one, skill: example}]}\n",
    ],
)
def test_circles_are_found_wherever_the_call_stands(check: Check, folder: Path, callee: str) -> None:
    """Through groups, branches, loops and `always`, of the other skill and of one's own."""
    (folder / "callee.yaml").write_text(f"name: callee\n{callee}", encoding="utf-8")
    found = check(
        steps("- {name: a, parallel: [{name: b, steps: [{name: c, skill: callee}]}]}")
        + "always:\n  - {name: d, steps: [{name: e, skill: callee}]}\n"
    )
    assert told(found) == [(3, "skill-cycle"), (5, "skill-cycle")]


def test_a_skill_that_cannot_be_run_is_told_at_the_call(check: Check, folder: Path) -> None:
    """One with errors, one that is no YAML, a link; warnings of another skill are its own."""
    (folder / "wrong.yaml").write_text("name: wrong\nsteps:\n  - {name: a, tool: nope}\n", encoding="utf-8")
    (folder / "unread.yaml").write_text("name: [", encoding="utf-8")
    (folder / "linked.yaml").symlink_to(folder / "fine.yaml")
    (folder / "fine.yaml").write_text(
        "name: fine\nsteps:\n  - {name: a, condition: false, compute: result = 1}\n", encoding="utf-8"
    )
    names = ("wrong", "unread", "linked", "fine")
    found = check(steps(*(f"- {{name: call_{name}, skill: {name}}}" for name in names)))
    assert told(found) == [(3, "broken-skill"), (4, "broken-skill"), (5, "broken-skill")]
    assert "wrong.yaml:3:21: there is no tool called nope" in found[0].message
    assert "links are not followed" in found[2].message


def test_a_question_of_a_skill_that_always_runs_is_a_warning(check: Check, folder: Path) -> None:
    """Nobody waits for its answer there, however deep it is asked."""
    for name, step in (("asks", "ask: {question: q}"), ("between", "skill: asks")):
        (folder / f"{name}.yaml").write_text(f"name: {name}\nsteps:\n  - {{name: a, {step}}}\n", encoding="utf-8")
    found = check(steps("- {name: a, skill: between}") + "always:\n  - {name: b, skill: between}\n")
    assert told(found) == [(5, "ask-in-always")]
    assert found[0].severity == "warning"


def test_the_inputs_of_a_called_skill_are_checked(folder: Path, library: SkillLibrary, check: Check) -> None:
    """Unknown, missing and wrong inputs of another skill, as for a tool."""
    (folder / "callee.yaml").write_text(
        "name: callee\ninputs:\n  - {name: days, type: integer, required: true}\n"
        "steps:\n  - {name: one, compute: result = 1}\n",
        encoding="utf-8",
    )
    found = check(
        steps(
            "- {name: a, skill: callee, inputs: {dayz: 1}}",
            "- {name: g, parallel: [{name: b, skill: callee, inputs: {days: soon}}]}",
        )
    )
    assert told(found) == [
        (3, "missing-argument"), (3, "unknown-argument"), (4, "wrong-argument"),
    ]  # fmt: skip
    assert library.check("callee") == ()
