"""Names are told that do not exist where they are used, and no others."""

from __future__ import annotations

from pathlib import Path

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
    assert told(found) == [(10, "out-of-scope"), (12, "out-of-scope")]
    assert [finding.hint for finding in found] == [
        "use it after together has ended, or write `steps` there instead of `parallel`",
        "read it through the group's value: group.a",
    ]


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
    assert told(found) == [(5, "out-of-scope"), (6, "out-of-scope")]


def test_what_an_element_defines_ends_with_it(check: Check) -> None:
    """Inside one element its steps, their statuses and its name are seen, in `expect`, `until` and `undo` too."""
    found = check(
        steps(
            "- name: each",
            "  foreach: '[1, 2]'",
            "  as: number",
            "  expect: steps.first.status == 'ok' and number and result.first",
            "  until: {condition: steps.first.healed or number, every: 1, timeout: 5}",
            "  undo: {tool: anything, args: {x: '{{ number }}', y: '{{ steps.first.status }}', z: '{{ each.first }}'}}",
            "  steps:",
            "    - {name: first, compute: result = number}",
            "    - {name: second, condition: steps.first.status, compute: result = first}",
            "- {name: later, compute: 'result = [steps.first.status, first, number, each[0].first]'}",
        )
    )
    assert told(found) == [(12, "out-of-scope")] * 3
    assert [finding.message.split(" does")[0] for finding in found] == ["the step first", "first", "number"]
    assert found[1].hint == "read it through the list of all elements, each"


def test_branches_see_the_statuses_of_others_only_afterwards(check: Check) -> None:
    """`steps.NAME` of another branch is not known before the group has ended, whatever stands between."""
    found = check(
        steps(
            "- name: both",
            "  parallel:",
            "    - name: left",
            "      steps:",
            "        - name: inner",
            "          parallel:",
            "            - {name: a, compute: result = 1}",
            "            - {name: b, condition: steps.a.status, compute: result = 1}",
            "        - {name: c, condition: steps.a.status and steps.b.status, compute: result = inner.a}",
            "    - {name: right, condition: steps.a.status or steps.left.status, compute: result = 1}",
            "- {name: after, condition: steps.a.status and steps.right.status, compute: result = both.left.inner.b}",
        )
    )
    assert told(found) == [(10, "out-of-scope"), (12, "out-of-scope"), (12, "out-of-scope")]


def test_a_branch_that_stands_below_is_at_the_same_time_too(check: Check) -> None:
    """Moving the other branch up would not help, so that is not proposed."""
    (finding,) = check(
        steps(
            "- name: both",
            "  parallel:",
            "    - {name: left, compute: result = right}",
            "    - {name: right, compute: result = 1}",
        )
    )
    assert (finding.code, "run at the same time" in finding.message) == ("out-of-scope", True)


def test_a_condition_of_a_loop_may_be_about_what_was_before(check: Check) -> None:
    """One that does not read the element is looked at before the list; the names are the same for both."""
    found = check(
        steps(
            "- {name: a, compute: 'result = [1]'}",
            "- {name: b, condition: a and not later, foreach: a, compute: result = item}",
            "- {name: later, compute: result = 1}",
        )
    )
    assert told(found) == [(4, "used-too-early")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("group.a + group.b", ""),
        ("group.get('x')", ""),
        ("group.c", "there is no value in group called c"),
        ("other.o", ""),
        ("other.p", "there is no value in other called p"),
        ("each[0].d + len(each)", ""),
        ("[one.d for one in each]", ""),
        ("each.d", "each is a list, with a value for each element of the foreach each"),
        ("each[0].e", "there is no value in each called e"),
        ("tool.anything", ""),
    ],
)
def test_what_a_group_or_another_skill_gives_is_known(check: Check, folder: Path, text: str, message: str) -> None:
    """A key that its mapping cannot have, and a list taken for a mapping, are told before any run."""
    (folder / "callee.yaml").write_text(
        "name: callee\nsteps:\n  - {name: a, compute: result = 1}\noutputs:\n  - {name: o, value: 1}\n",
        encoding="utf-8",
    )
    found = check(
        steps(
            "- {name: group, steps: [{name: a, compute: result = 1}, {name: b, compute: result = 1}]}",
            "- {name: other, skill: callee}",
            "- {name: each, foreach: '[1]', expect: result.d, steps: [{name: d, compute: result = 1}]}",
            "- {name: tool, tool: anything}",
            f"- {{name: last, compute: 'result = {text.replace(chr(39), chr(34))}'}}",
        )
    )
    assert [finding.message for finding in found] == ([message] if message else [])


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
