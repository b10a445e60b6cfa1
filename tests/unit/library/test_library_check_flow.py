"""Steps that never run and secrets that would get out are told."""

from __future__ import annotations

import pytest

from tests.unit.library.skill_texts import Check, steps, told


@pytest.mark.parametrize("condition", ["false", '"False"', '"{{ false }}"', "'0'", '"{{ [] }}"'])
def test_a_condition_that_is_always_false_istold(check: Check, condition: str) -> None:
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
