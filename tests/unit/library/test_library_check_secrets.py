"""Secrets are followed through computing, groups, loops and other skills to wherever they would get out."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.library.skill_texts import Check, told

TWICE_REMOVED = """- {name: a, tool: anything, secret: true}
  - {name: b, compute: result = a}
  - {name: c, compute: result = b}"""
SECRET = "name: example\ninputs:\n  - {name: token, secret: true}\n  - {name: plain}\nsteps:\n"


@pytest.mark.parametrize(
    ("written", "output", "leaks"),
    [
        ("- {name: a, compute: result = 1}", "{{ inputs.token }}", True),
        ("- {name: a, compute: result = 1}", "{{ inputs.plain }}", False),
        ("- {name: a, compute: result = 1}", "{{ inputs }}", True),
        ("- {name: a, tool: anything, secret: true}", "x {{ a.password }}", True),
        ("- {name: a, tool: anything, secret: true}", "{{ steps.a.status }}", False),
        ("- {name: a, compute: 'result = inputs.token'}", "{{ a }}", True),
        ("- {name: a, compute: 'result = inputs.plain'}", "{{ a }}", False),
        (TWICE_REMOVED, "{{ c }}", True),
        ('- {name: a, tool: anything, args: {x: "{{ inputs.token }}"}}', "{{ a }}", False),
        ("- {name: a, tool: anything, secret: true}", "{{ a is defined }}", False),
    ],
)
def test_secrets_are_followed_to_the_outputs(check: Check, written: str, output: str, leaks: bool) -> None:
    """Secret inputs, values of secret steps, and what is computed from them may not be returned."""
    found = check(f'{SECRET}  {written}\noutputs:\n  - name: out\n    value: {{nested: ["{output}"]}}\n')
    assert [finding.code for finding in found] == (["secret-leak"] if leaks else [])


def test_secrets_are_followed_to_messages(check: Check) -> None:
    """A `stop` message is shown and written, so it may hold no secret."""
    found = check(f'{SECRET}  - {{name: a, stop: {{status: ok, message: "token {{{{ inputs.token }}}}"}}}}\n')
    assert [(finding.code, finding.place.column) for finding in found] == [("secret-leak", 53)]


GROUP = """- name: group
    steps:
      - {name: login, tool: anything, secret: true}
      - {name: known, tool: anything}
      - {name: deep, parallel: [{name: key, compute: 'result = str(login)'}, {name: note, compute: result = 1}]}"""
LOOP = """- {name: keys, tool: anything, secret: true}
  - {name: each, foreach: keys, as: key, compute: 'result = key.id'}"""
LOOP_OF_GROUPS = """- name: each
    foreach: "[1, 2]"
    steps:
      - {name: login, tool: anything, secret: true}
      - {name: known, tool: anything}
  - {name: again, foreach: each, as: one, compute: result = one.known}
  - {name: worse, foreach: each, as: one, compute: result = one.login}"""


@pytest.mark.parametrize(
    ("written", "output", "leaks"),
    [
        (GROUP, "{{ group }}", True),
        (GROUP, "{{ group.login.token }}", True),
        (GROUP, "{{ group.known }}", False),
        (GROUP, "{{ group.deep.key }}", True),
        (GROUP, "{{ group.deep.note }}", False),
        (GROUP, "{{ group.get('known') }}", True),
        (GROUP, "{{ steps.login.status }}", False),
        (LOOP, "{{ each }}", True),
        (LOOP, "{{ each[0] }}", True),
        (LOOP, "{{ len(each) }}", True),
        (LOOP_OF_GROUPS, "{{ each[0].known }}", False),
        (LOOP_OF_GROUPS, "{{ each[1].login }}", True),
        (LOOP_OF_GROUPS, "{{ each }}", True),
        (LOOP_OF_GROUPS, "{{ again }}", False),
        (LOOP_OF_GROUPS, "{{ worse[0] }}", True),
        ("- {name: g, secret: true, steps: [{name: a, tool: anything}]}", "{{ g.a }}", True),
        ("- {name: q, secret: true, ask: {question: token?}}", "{{ q }}", True),
        ("- {name: a, foreach: '[inputs.token]', compute: result = item}", "{{ a }}", True),
        ("- {name: a, foreach: '[inputs.token]', tool: anything}", "{{ a }}", False),
        ("- {name: a, foreach: '[1]', as: inputs_token, compute: result = inputs_token}", "{{ a }}", False),
    ],
)
def test_groups_and_loops_give_secrets_away_no_more_than_steps(
    check: Check, written: str, output: str, leaks: bool
) -> None:
    """What holds a secret is secret, key by key where the key is written down."""
    found = check(f'{SECRET}  {written}\noutputs:\n  - name: out\n    value: "{output}"\n')
    assert [finding.code for finding in found] == (["secret-leak"] if leaks else [])


def test_a_value_is_secret_only_once_it_exists(check: Check) -> None:
    """In a loop beside, an element of the same name is no secret."""
    found = check(
        f"{SECRET}  - {{name: a, foreach: '[inputs.token]', compute: result = item}}\n"
        "  - {name: b, foreach: '[1]', steps: [{name: c, ask: {question: '{{ item }}?'}}]}\n"
    )
    assert found == ()


def test_a_question_shows_what_it_offers(check: Check) -> None:
    """The default of a question is shown with it."""
    found = check(f"{SECRET}  - {{name: a, ask: {{question: which?, default: '{{{{ inputs.token }}}}'}}}}\n")
    assert told(found) == [(6, "secret-leak")]


def test_another_skill_may_be_given_a_secret_that_it_keeps(check: Check, folder: Path) -> None:
    """An input that is not secret there would be shown; what is given to a secret input need not be one."""
    (folder / "callee.yaml").write_text(
        "name: callee\ninputs:\n  - {name: kept, secret: true}\n  - {name: shown}\n"
        "steps:\n  - {name: a, compute: result = 1}\noutputs:\n  - {name: o, value: '{{ a }}'}\n",
        encoding="utf-8",
    )
    text = (
        f"{SECRET}  - {{name: a, skill: callee, inputs: {{kept: '{{{{ inputs.token }}}}', shown: x}}}}\n"
        "  - {name: b, skill: callee, inputs: {kept: '{{ inputs.plain }}'}}\n"
        "  - {name: c, skill: callee, inputs: {shown: ['{{ inputs.token }}']}}\n"
        "outputs:\n  - {name: out, value: '{{ a.o }}'}\n"
    )
    (finding,) = check(text)
    assert told([finding]) == [(8, "secret-leak")]
    assert "the input shown of the skill callee" in finding.message
