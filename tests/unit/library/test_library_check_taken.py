"""Names that are taken twice, taken from others, or mislead, are told where they are given."""

from __future__ import annotations

import pytest

from tests.unit.library.skill_texts import Check, steps, told


def test_a_name_stands_for_one_step_in_the_whole_file(check: Check) -> None:
    """Members of groups, steps of `always` and undos with names of their own count like any step."""
    found = check(
        steps(
            "- {name: a, compute: result = 1}",
            "- {name: g, steps: [{name: a, output: a2, compute: result = 1}, {name: b, compute: result = 1}]}",
            "- {name: p, parallel: [{name: b, output: b2, compute: result = 1}]}",
            "- {name: t, tool: anything, undo: {name: g, tool: anything}}",
        )
        + "always:\n  - {name: p, output: p2, compute: result = 1}\n"
    )
    assert told(found) == [(4, "duplicate-name"), (5, "duplicate-name"), (6, "duplicate-name"), (8, "duplicate-name")]


ELEMENT = """name: example
inputs:
  - {name: pod}
steps:
  - {name: one, output: first, compute: result = 1}
  - name: loop
    foreach: "[1, 2]"
    as: %s
    steps:
      - {name: two, output: second, compute: result = 1}
      - name: inner
        foreach: "[3]"
        as: number
        compute: result = number
      - {name: three, compute: result = second}
"""


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("element", []),
        ("len", ["reserved-name"]),
        ("result", ["reserved-name"]),
        ("pod", ["shadowed-name"]),
        ("first", ["shadowed-name"]),
        ("second", ["duplicate-output"]),
        ("two", []),
    ],
)
def test_an_element_has_a_name_of_its_own(check: Check, name: str, found: list[str]) -> None:
    """One that hides an input or an earlier value misleads; one that a step inside would hide is a mistake."""
    assert told(check(ELEMENT % name)) == [(8, code) for code in found]


def test_an_inner_element_that_hides_the_outer_one_misleads(check: Check) -> None:
    """Two loops side by side may both say `item`; one inside the other is told."""
    assert told(check(ELEMENT % "number")) == [(13, "shadowed-name")]
    side_by_side = [f"- {{name: {name}, foreach: '[1]', compute: result = item}}" for name in ("a", "b")]
    assert check(steps(*side_by_side)) == ()


def test_the_name_of_an_element_may_not_be_that_of_its_own_value(check: Check) -> None:
    """An undo would see both."""
    undo = "undo: {tool: anything, args: {x: '{{ pod }}'}}"
    found = check(steps(f"- {{name: pod, foreach: '[1]', as: pod, tool: anything, {undo}}}"))
    assert told(found) == [(3, "duplicate-output")]
