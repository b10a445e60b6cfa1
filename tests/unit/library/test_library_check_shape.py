"""Older and broken files are checked like any other."""

from __future__ import annotations

import pytest

from tests.unit.library.skill_texts import Check, steps


def test_older_files_are_valid(check: Check) -> None:
    """The dialect of the reference material: text conditions, `dir()`, `on_error: auto_heal`."""
    found = check(
        "name: example\ndescription: Older.\nversion: '1.0'\n"
        "inputs:\n  - {name: project, type: string, required: true, description: Which.}\n"
        + steps(
            "- name: call_some_tool",
            "  description: Calls it.",
            "  tool: get_pods",
            '  args: {namespace: "{{ inputs.project }}"}',
            "  output: tool_result",
            "  on_error: continue",
            "- name: detect",
            "  condition: \"tool_result and ('x' in str(tool_result) or 'error' in str(tool_result).lower())\"",
            "  compute: |",
            "    text = str(tool_result)[:300]",
            "    needs = any(x in text.lower() for x in ['401', '403'])",
            "    result = {'failed': True, 'needs': needs}",
            "  output: failure",
            "- name: fix",
            "  condition: \"failure and failure.get('needs')\"",
            "  tool: anything",
            "  args: {}",
            "  output: fixed",
            "  on_error: auto_heal",
            "- name: merge",
            "  compute: |",
            "    if 'fixed' in dir() and fixed:",
            "        result = fixed",
            "    else:",
            "        result = tool_result",
        ).split("\n", 1)[1]
        + "outputs:\n  - name: merged\n    value: |\n      {% if merge %}{{ merge }}{% else %}none{% endif %}\n"
    )
    assert found == ()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "just text",
        "name: example",
        "name: [example]\nsteps: {a: 1}\n",
        "name: example\nsteps: [1, null, [x], {name: {a: 1}}]\n",
        "name: example\nsteps: [{name: a, tool: [1], args: [2], undo: x, until: 3, stop: [1]}]\n",
        "name: example\ninputs: [{name: 3, type: [a], enum: 4, pattern: 5, items: 6, default: 7}]\n",
        "name: example\nsteps: [{name: a, foreach: 3, as: [b], parallel: [1, {name: c}], ask: 3}]\n",
        "name: example\nsteps: [{name: a, skill: d, inputs: [3], retry: 1, undo: {tool: [1]}}]\n",
        "name: example\noutputs: [1, {value: 3, tool: 4}, {name: [x]}]\ndefaults: [1]\ntags: x\nalways: 3\n",
        "name: example\nsteps: [{name: a, compute: 3, condition: [1], expect: {}, output: [1], heal: no}]\n",
    ],
)
def test_no_shape_is_too_broken_to_be_checked(check: Check, text: str) -> None:
    """Whatever stands in the file, check ends with findings."""
    assert check(text) != ()
