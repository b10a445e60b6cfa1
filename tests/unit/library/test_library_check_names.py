"""Names are told that do not exist where they are used, and no others."""

from __future__ import annotations

import pytest

from tests.unit.library.skill_texts import Check, steps, told


def test_names_of_earlier_steps_exist_in_everything_that_follows(check: Check) -> None:
    """Conditions, arguments, compute, stop, undo, `always` and outputs see what has run before."""
    found = check(
        steps(
            '- {name: first-one, tool: get_pods, args: {namespace: "{{ run.id }}"}, expect: result}',
            "- {name: two, condition: first_one.ok, compute: 'result = first_one.ok'}",
            '- {name: three, tool: get_pods, args: {namespace: "{{ two }}"},',
            '   undo: {tool: anything, args: {x: "{{ three.x }}"}}}',
            "- name: four",
            "  condition: steps.three.healed",
            "  stop: {status: ok, message: \"{{ steps['first-one'].status }}\"}",
        )
        + 'always:\n  - {name: five, compute: "result = [first_one, run.status]"}\n'
        + 'outputs:\n  - {name: all, value: ["{{ five }}", {a: "{{ two }}"}]}\n'
    )
    assert found == ()


def test_a_step_does_not_see_itself(check: Check) -> None:
    """Its own value exists only in `expect`, as `result`, and in its undo."""
    found = check(
        steps(
            "- {name: one, condition: one, compute: 'result = one'}",
            "- {name: two, condition: result, compute: 'result = 1'}",
            "- {name: three, compute: 'result = 1', expect: three}",
            "- {name: four, compute: 'result = steps.four.status'}",
        )
    )
    assert told(found) == [
        (3, "used-too-early"), (3, "used-too-early"), (4, "unknown-name"), (5, "used-too-early"), (6, "used-too-early"),
    ]  # fmt: skip


def test_names_inside_a_group_stay_inside(check: Check) -> None:
    """The steps of a group see each other, parallel ones do not, and others see only the group's value."""
    found = check(
        steps(
            "- name: group",
            "  steps:",
            "    - {name: a, compute: 'result = 1'}",
            "    - {name: b, compute: 'result = a'}",
            "- name: together",
            "  parallel:",
            "    - {name: c, compute: 'result = group.a'}",
            "    - {name: d, compute: 'result = c'}",
            "- {name: after, compute: 'result = group.a + together.c'}",
            "- {name: outside, compute: 'result = a'}",
        )
    )
    assert told(found, leave_out="not-yet") == [(10, "used-too-early"), (12, "used-too-early")]


def test_the_element_of_a_loop_exists_only_in_its_step(check: Check) -> None:
    """`item`, or the name after `as`, ends with the step."""
    found = check(
        steps(
            "- {name: a, foreach: '[1]', condition: item, compute: 'result = item'}",
            "- {name: b, foreach: '[1]', as: pod, compute: 'result = pod'}",
            "- {name: c, compute: 'result = item'}",
            "- {name: d, foreach: item, compute: 'result = 1'}",
        )
    )
    assert told(found, leave_out="not-yet") == [(5, "unknown-name"), (6, "unknown-name")]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("inputs.dayz", "did you mean days?"),
        ("days", "it is an input: write inputs.days"),
        ("defaults.clusta", "did you mean cluster?"),
        ("cluster", "it is a default: write defaults.cluster"),
        ("steps.frist.status", "did you mean first?"),
        ("steps.first.state", "did you mean status?"),
        ("run.statuses", "did you mean status?"),
        ("first", "the value of that step is called value"),
        ("valu", "did you mean value?"),
        ("xyzzy", "give an earlier step this `output`"),
    ],
)
def test_an_unknown_name_brings_the_way_out(check: Check, text: str, hint: str) -> None:
    """Whatever is nearest to what was written is proposed."""
    (finding,) = check(
        "name: example\ninputs:\n  - {name: days}\ndefaults: {cluster: stage}\nsteps:\n"
        "  - {name: first, output: value, compute: result = 1}\n"
        f"  - {{name: b, condition: {text}, compute: result = 1}}\n"
    )
    assert (str(finding.place).rpartition("/")[2], finding.code) == ("example.yaml:7:26", "unknown-name")
    assert hint in finding.hint


def test_methods_of_mappings_are_no_names(check: Check) -> None:
    """`inputs.get('x')` asks for no input called get."""
    assert check(steps("- {name: a, condition: \"inputs.get('x') or defaults.get('y')\", compute: result = 1}")) == ()


def test_asking_whether_an_unknown_name_is_defined_is_only_a_warning(check: Check) -> None:
    """Older files ask this; the answer is always no."""
    (finding,) = check(steps("- {name: a, condition: xyzzy is defined, compute: result = 1}"))
    assert (finding.code, finding.severity) == ("unknown-name", "warning")
