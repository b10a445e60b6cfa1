"""Rehearsals reach every step of a skill by its path: elements, branches, groups, sub-skills, questions, fixes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.flow.playhouse import Playhouse, messages

PARTY = """
inputs:
  - {name: guests, type: array, default: [ann, bob, cem]}
steps:
  - name: doors
    parallel:
      - {name: front, tool: look}
      - {name: back, steps: [{name: unlock, tool: push, args: {name: lock}}]}
  - name: arrive
    foreach: inputs.guests
    as: guest
    parallel: 2
    tool: enter
    args: {name: "{{ guest }}"}
    undo: {name: go, tool: leave, args: {name: "{{ guest }}"}}
  - name: cheer
    skill: toast
    inputs: {to: "{{ inputs.guests[0] }}"}
outputs:
  - {name: toast, value: "{{ cheer.said }}"}
  - {name: inside, value: "{{ arrive }}"}
"""
TOAST = """
inputs: [{name: to, type: string}]
steps:
  - {name: clink, tool: push, args: {name: "{{ inputs.to }}"}}
outputs: [{name: said, value: "to {{ inputs.to }}"}]
"""
ANSWERS = """
skill: party
tools:
  look: [{works: true}]
  push: [{value: pushed}]
  enter:
    - {when: {name: ann}, value: ann is in, delay: 3}
    - {when: {name: bob}, value: bob is in, delay: 1}
    - {when: {name: cem}, value: cem is in, delay: 1}
  leave: [{works: true}]
  is_inside: [{value: false}]
"""


@pytest.fixture
def house(tmp_path: Path) -> Playhouse:
    """A workspace with a skill of every kind of step."""
    made = Playhouse(tmp_path / "work")
    made.furnish()
    made.skill("party", PARTY)
    made.skill("toast", TOAST)
    return made


def test_every_step_has_its_path(house: Playhouse) -> None:
    """Elements end in the order in which their answers come; the whole after its parts."""
    verdict = house.play(
        """
        expect:
          steps:
            - doors/front: ok
            - doors/back/unlock: ok
            - doors/back: ok
            - doors: ok
            - arrive[1]: ok
            - arrive[2]: ok
            - arrive[0]: ok
            - arrive: ok
            - cheer/clink: ok
            - cheer: ok
          calls: {enter: [{name: ann}, {name: bob}, {name: cem}], push: [{name: lock}, {name: ann}]}
          order: [{step: 'arrive[0]'}, {step: 'arrive[2]'}, {tool: push, step: cheer/clink}]
          outputs: {toast: to ann, inside: [ann is in, bob is in, cem is in]}
          holds: steps['arrive[0]'].duration == 3 and steps.arrive.duration == 3
        """,
        shared=ANSWERS,
    )
    assert messages(verdict) == []


def test_a_failure_can_be_injected_into_one_element(house: Playhouse) -> None:
    """The others that were under way are finished, then all that had come are sent out, last first."""
    verdict = house.play(
        """
        inject: [{step: 'arrive[1]', failure: {kind: conflict, message: bob is not on the list}}]
        expect:
          status: failed
          message: {contains: bob is not on the list}
          steps: {'arrive[1]': failed, 'arrive[0]': ok, arrive: failed, cheer: not_reached}
          calls: {leave: [{name: ann}]}
        """,
        shared=ANSWERS,
    )
    assert messages(verdict) == []


@pytest.mark.parametrize("point", ["doors/back/unlock", "arrive[1]", "arrive[2]", "arrive", "cheer/clink"])
def test_the_run_can_die_anywhere(house: Playhouse, point: str) -> None:
    """What was finished is not done again; a write that was cut off is settled by its `verify`, here: not yet."""
    expected = (
        "steps: {cheer: ok}, calls: {push: 2}, outputs: {toast: to ann, inside: [ann is in, bob is in, cem is in]}"
    )
    verdict = house.play(f"crash_after: '{point}'\nexpect: {{{expected}}}\n", shared=ANSWERS)
    assert messages(verdict) == []


def test_a_fix_that_asks_is_answered(house: Playhouse) -> None:
    """With an answer it runs, without one the run waits, and a no fails the step."""
    house.skill("peek", "steps: [{name: look, tool: look}]")
    shared = """
skill: peek
heal: ask
tools:
  look: [{failure: {kind: auth_expired, message: locked}}, {works: true}]
  log_in: [{works: true}]
"""
    agreed = house.play("answers: {look.fix: true}\nexpect: {steps: {look: healed}, calls: {log_in: 1}}", shared=shared)
    assert messages(agreed) == []
    waits = house.play("expect: {status: waiting, questions: [look.fix], calls: {log_in: 0}}", shared=shared)
    assert messages(waits) == []
    refused = house.play("answers: {look.fix: false}\nexpect: {status: failed, calls: {log_in: 0}}", shared=shared)
    assert messages(refused) == []


def test_the_run_s_deadline_can_be_rehearsed(house: Playhouse) -> None:
    """An answer that comes too late ends the run, and what had been done is undone."""
    verdict = house.play(
        """
        timeout: 1.5
        expect:
          status: failed
          message: the run did not end within 1.5 s
          calls: {leave: 1}
          steps: {'arrive[1]': ok, cheer: not_reached}
        """,
        shared=ANSWERS,
    )
    assert messages(verdict) == []


def test_an_answer_may_be_a_secret_as_the_real_one_is(house: Playhouse) -> None:
    """`secret` registers what a tool written in Python would register; without it the value is found."""
    house.skill("peek", "steps: [{name: look, tool: look}]\noutputs: [{name: seen, value: '{{ look.seen }}'}]")
    text = "skill: peek\nno_secrets: [open sesame]\ntools: {{look: [{{value: {{seen: open sesame}}{more}}}]}}\n"
    for more in (", secret: [seen]", ", secret: true"):
        assert messages(house.play("", shared=text.format(more=more))) == []
    assert len(messages(house.play("", shared=text.format(more="")))) == 2
