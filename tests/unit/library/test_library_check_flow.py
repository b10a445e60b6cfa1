"""Steps that never run are told."""

from __future__ import annotations

import pytest

from tests.unit.library.skill_texts import Check, steps, told


@pytest.mark.parametrize("condition", ["false", '"False"', '"{{ false }}"', "'0'", '"{{ [] }}"'])
def test_a_condition_that_is_always_false_is_told(check: Check, condition: str) -> None:
    """A step switched off by hand runs never, and that is a warning."""
    (finding,) = check(steps(f"- {{name: a, condition: {condition}, compute: result = 1}}"))
    assert (finding.code, finding.severity) == ("unreachable", "warning")


def test_nothing_runs_after_a_stop_without_condition(check: Check) -> None:
    """The first step after it is told; `always` and outputs still run."""
    found = check(
        steps(
            "- {name: a, condition: run.id, stop: {status: ok, message: maybe}}",
            "- {name: b, compute: result = 1}",
            "- {name: c, condition: true, stop: {status: ok, message: enough}}",
            "- {name: d, compute: result = 1}",
            "- {name: e, compute: result = 1}",
        )
        + "always:\n  - {name: f, compute: result = 1}\n"
    )
    assert told(found) == [(6, "unreachable")]


@pytest.mark.parametrize(
    ("first", "told_at"),
    [
        ("steps: [{name: b, stop: {status: ok, message: m}}]", [4]),
        ("parallel: [{name: b, compute: result = 1}, {name: c, stop: {status: ok, message: m}}]", [4]),
        ("condition: run.id, steps: [{name: b, stop: {status: ok, message: m}}]", []),
        ("foreach: '[1]', steps: [{name: b, stop: {status: ok, message: m}}]", []),
        ("steps: [{name: b, stop: {status: ok, message: m}}, {name: c, compute: result = 1}]", [3, 4]),
        ("parallel: [{name: b, condition: run.id, stop: {status: ok, message: m}}]", []),
    ],
)
def test_a_stop_in_a_group_ends_what_comes_after_the_group(check: Check, first: str, told_at: list[int]) -> None:
    """When nothing can keep it from being reached; branches beside it are under way by then."""
    found = check(steps(f"- {{name: a, {first}}}", "- {name: last, compute: result = 1}"))
    assert told(found) == [(line, "unreachable") for line in told_at]
