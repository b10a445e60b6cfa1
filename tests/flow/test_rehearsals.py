"""A rehearsal says whether a skill does what it must, and says no when it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.model.event import EventKind
from tests.flow.playhouse import Playhouse, messages


@pytest.fixture
def house(tmp_path: Path) -> Playhouse:
    """A workspace with the skill `visit`."""
    made = Playhouse(tmp_path / "work")
    made.furnish()
    return made


GOOD = """
expect:
  status: ok
  steps: {look: ok, enter: {status: ok, attempts: 1, value: {inside: true}}, push: ok}
  order: [look, {tool: enter, args: {name: ann}}, {step: push}]
  calls: {look: 1, enter: [{name: ann}], leave: 0, log_in: 0}
  heals: {look: []}
  outputs:
    seen: {contains: table}
    count: {letters: 3, town: {matches: "^U"}}
  message: ""
  holds:
    - steps.enter.status == 'ok' and outputs.count.letters == 3
    - len(calls) == 3
  no_events: [notice, fix_started]
"""


def test_a_rehearsal_passes_when_everything_is_as_expected(house: Playhouse) -> None:
    """Every kind of expectation, all of them met."""
    assert messages(house.play(GOOD)) == []


WRONG = [
    ("status: failed", "the run ended ok, not failed"),
    ("message: done", 'the message: expected "done", got ""'),
    ("refused: {contains: no}", "the run was not refused, it ended ok"),
    ("steps: {look: healed}", 'the status of look: expected "healed", got "ok"'),
    ("steps: {loook: ok}", "the run did not come to a step loook; did you mean look?"),
    ("steps: {look: {attempts: 2}}", "the attempts of look: expected 2, got 1"),
    ("steps: {look: {kind: timeout}}", 'the kind of look: expected "timeout", got null'),
    ("steps: {look: {value: {seen: a chair}}}", 'the value of look: expected "a chair", got "a table"'),
    ("steps: {look: not_reached}", 'the status of look: expected "not_reached", got "ok"'),
    ("steps: [look: ok, enter: ok, push: ok]", "the steps that ended are others, or in another order"),
    ("steps: [look: ok, enter: ok, count: skipped, push: ok]", 'the status of count: expected "skipped", got "ok"'),
    ("order: [enter, look]", "there is no call of look after enter"),
    ("order: [log_in]", "there is no call of log_in"),
    ("order: [{tool: enter, args: {name: bob}}]", 'there is no call of enter with {"name": "bob"}'),
    ("order: [{tool: look, step: push}]", "there is no call of look in the step push"),
    ("calls: {look: 2}", "look was called once, not twice: look()"),
    ("calls: {look: 0}", "look was called once, and may not be: look()"),
    ("calls: {enter: [{name: bob}]}", 'the argument name of call 1 of enter: expected "bob", got "ann"'),
    ("calls: {enter: [{nmae: bob}]}", "the argument nmae of call 1 of enter is missing: enter(name='ann')"),
    ("calls: {enter: [{}, {}]}", "enter was called once, not twice: enter(name='ann')"),
    ("heals: {look: [log_in]}", "the fixes of look: expected log_in, got none"),
    ("outputs: {seen: a chair}", 'the output seen: expected "a chair", got "a table"'),
    ("outputs: {seeen: a chair}", "there is no output seeen; did you mean seen?"),
    ("outputs: {seen: {contains: chair}}", 'the output seen: expected something that contains "chair", got "a table"'),
    ("outputs: {seen: {matches: '^table'}}", 'the output seen: expected a text that matches ^table, got "a table"'),
    ("outputs: {count: {letters: 3}}", 'the output count.town: town was not expected; it is "Ulm"'),
    ("outputs: {count: {letters: 3.5, town: Ulm}}", "the output count.letters: expected 3.5, got 3"),
    (
        "outputs: {count: {letters: 3, town: Ulm, more: 1}}",
        "the output count.more: more is missing; there is letters, town",
    ),
    ("outputs: {count: {contains: {letters: 4}}}", 'expected something that contains {"letters": 4}'),
    ("outputs: {count: {contains: {letters: true}}}", 'expected something that contains {"letters": true}'),
    ("outputs: {seen: {equals: {contains: table}}}", 'expected {"contains": "table"}, got "a table"'),
    ("questions: [approve]", 'the questions that wait: expected ["approve"], got []'),
    ("holds: outputs.count.letters == 4", "outputs.count.letters == 4 is not true; it is false"),
    ("holds: [status == 'ok', outputs.nothing.at.all]", "outputs.nothing.at.all: "),
    ("no_events: [step_finished]", "step_finished happened 4 times, first in the step look: "),
]


@pytest.mark.parametrize(("expectation", "message"), WRONG, ids=[expectation for expectation, _ in WRONG])
def test_an_expectation_that_is_not_met_fails_at_its_own_line(house: Playhouse, expectation: str, message: str) -> None:
    """One difference, the right one, at the line of the expectation."""
    verdict = house.play(f"expect:\n  {expectation}\n")
    assert len(verdict.differences) == 1, messages(verdict)
    assert message in messages(verdict)[0]
    line = (house.folder / "rehearsals" / "visit.yaml").read_text().splitlines().index(f"  {expectation}") + 1
    assert verdict.differences[0].place.line == line


def test_an_answer_can_be_made_late(house: Playhouse) -> None:
    """With nothing but a delay the usual answer comes, if somebody still waits for it."""
    late = house.play("inject: [{tool: look, delay: 19s}]\nexpect: {holds: steps.look.duration == 19}")
    assert messages(late) == []
    too_late = house.play("inject: [{tool: push, delay: 1h}]" + LATE, shared="")
    assert messages(too_late) == []


LATE = """
skill: visit
tools: {look: [{works: true}], enter: [{works: true}], leave: [{works: true}], push: [{works: true}]}
expect: {status: failed, steps: {push: {status: failed, kind: timeout}, go_back: ok}}
"""


def test_without_expectations_the_run_must_end_ok(house: Playhouse) -> None:
    """A rehearsal that says nothing still fails when the run does."""
    assert messages(house.play("")) == []
    failing = house.play("inject: [{tool: look, failure: {kind: conflict, message: no}}]")
    assert "the run ended failed, not ok: the step look failed: no" in messages(failing)[0]


UNCANNED = """
skill: visit
tools:
  look: [{value: {seen: a table}}]
  push: [{when: {name: somebody}, works: true}]
expect: {status: failed}
"""


def test_a_call_without_an_answer_fails_the_rehearsal_and_calls_nothing(house: Playhouse) -> None:
    """Even where the run was expected to fail: the missing answer is named, with the call."""
    assert messages(house.play("", shared=UNCANNED)) == [
        "enter(name='ann') was called (in the step enter), and `tools` has no answers of enter; nothing real was called"
    ]


def test_a_call_for_which_no_answer_is_meant_fails_the_rehearsal(house: Playhouse) -> None:
    """`when` narrows; a call with other arguments is not answered by chance."""
    shared = UNCANNED.replace("expect: {status: failed}", "  enter: [{works: true}]\nexpect: {status: failed}")
    message, *_ = messages(house.play("", shared=shared))
    assert message.startswith("push(name='nothing') was called")
    assert "none of the answers of push is for these arguments" in message


def test_a_fix_without_an_answer_is_not_run_for_real(house: Playhouse) -> None:
    """Healing calls tools too."""
    verdict = house.play(
        "inject: [{step: look, failure: {kind: auth_expired, message: locked}}]\nexpect: {status: failed}"
    )
    assert [message.partition(" was called")[0] for message in messages(verdict)] == ["log_in()"]


def test_an_expired_token_heals_with_a_canned_fix(house: Playhouse) -> None:
    """A failure that is injected into the first call, a fix, and the usual answer."""
    verdict = house.play(
        """
        name: heals
        inject: [{step: look, failure: {kind: auth_expired, message: the token is too old}}]
        tools:
          look: [{value: {seen: a chair}}]
          log_in: [{works: true}]
          enter: [{works: true}]
          push: [{works: true}]
        expect:
          steps: {look: {status: healed, attempts: 2}, push: ok}
          heals: {look: [log_in]}
          order: [look, log_in, look, enter]
          outputs: {seen: a chair, count: {contains: {letters: 3}}}
        """,
        shared="skill: visit\n",
    )
    assert messages(verdict) == []


def test_what_failed_for_good_is_undone(house: Playhouse) -> None:
    """The second write fails; the first is taken back, and the rest is not reached."""
    verdict = house.play(
        """
        tools:
          look: [{value: {seen: a chair}}]
          enter: [{works: true}]
          leave: [{works: true}]
          push: [{failure: {kind: conflict, message: the wall is in the way}}]
        expect:
          status: failed
          message: {contains: the wall is in the way}
          steps: {push: {status: failed, kind: conflict, error: the wall is in the way}, go_back: ok}
          calls: {leave: [{name: ann}], push: 1}
        """,
        shared="skill: visit\n",
    )
    assert messages(verdict) == []


@pytest.mark.parametrize(
    ("answer", "ending"),
    [
        ("{works: true}", "{status: ok, value: {seen: made up}}"),
        ("{value: {seen: 7}}", "{status: failed, kind: api_contract_mismatch}"),
        ("{not_found: true}", "{status: ok, value: null}"),
        ("{garbled: true}", "{status: failed, kind: api_contract_mismatch}"),
        ("{failure: {http_status: 403, message: no}}", "{status: failed, kind: permission_denied}"),
        ("{failure: {exit_status: 127, program: git}}", "{status: failed, kind: dependency_missing}"),
        ("{failure: {errno: EHOSTUNREACH, sent: false}}", "{status: failed, kind: network_unreachable}"),
        ("{value: {seen: late}, delay: 1h}", "{status: failed, kind: timeout}"),
        ("{value: {seen: late}, delay: 19}", "{status: ok, value: {seen: late}}"),
        ("{raw: {stdout: hello}}", "{status: failed, kind: api_contract_mismatch}"),
        ("{raw: {exit_status: 3, stderr: it broke}}", "{status: failed, error: {contains: exit status 3}}"),
    ],
)  # fmt: skip
def test_every_form_of_answer_comes_to_what_the_real_one_would(house: Playhouse, answer: str, ending: str) -> None:
    """The tool's own promises and its own reading of raw output judge canned answers too."""
    shared = f"skill: visit\ntools: {{look: [{answer}], enter: [{{works: true}}], push: [{{works: true}}]}}\n"
    status = "ok" if "status: ok" in ending else "failed"
    if "not_found" in answer:
        status = "failed"  # `look.seen` of nothing has no value
    verdict = house.play(f"heal: 'off'\nexpect: {{status: {status}, steps: {{look: {ending}}}}}\n", shared=shared)
    assert messages(verdict) == []


def test_waiting_takes_no_time(house: Playhouse) -> None:
    """Hours of polling pass on the rehearsal's own clock, which begins when the rehearsal says."""
    house.skill(
        "patient",
        """
        steps:
          - name: ready
            tool: look
            until: {condition: result.seen == 'light', every: 10m, timeout: 24h}
          - name: moment
            compute: |
              result = now().isoformat()
        outputs: [{name: moment, value: "{{ moment }}"}]
        """,
    )
    verdict = house.play(
        """
        skill: patient
        clock: "2026-03-01T23:00:00+01:00"
        tools:
          look: [{value: {seen: dark}}, {value: {seen: dark}, delay: 5}, {value: {seen: light}}]
        expect:
          steps: {ready: {status: ok, attempts: 3}}
          outputs: {moment: "2026-03-01T22:20:05+00:00"}
          holds: steps.ready.duration == 1205
        """,
        shared="",
    )
    assert messages(verdict) == []


SECRET = 'quo"te/+5'


@pytest.mark.parametrize("tool", ["look", "push"])
def test_a_secret_that_leaks_fails_the_rehearsal(house: Playhouse, tool: str) -> None:
    """The input is masked everywhere; the same text in a value nobody declared secret is found."""
    text = f"""
        inputs: {{code: '{SECRET}'}}
        no_secrets: ['{SECRET}', the other word]
        tools:
          look: [{{value: {{seen: a table}}}}]
          enter: [{{value: {{said: "{"the other word" if tool == "look" else "nothing"}"}}}}]
          push: [{{works: true}}]
        """
    found = messages(house.play(text, shared="skill: visit\n"))
    places = ["the events", "history.db"] if tool == "look" else []
    assert [message.partition(" as it is")[0] for message in found] == [
        f"the secret stands in {place}" for place in places
    ]


def test_the_run_can_die_after_a_step_and_goes_on(house: Playhouse) -> None:
    """Nothing that was finished is done again, and the outputs are the same."""
    verdict = house.play("""
        crash_after: [look, enter]
        expect:
          steps: [look: ok, enter: ok, count: ok, push: ok]
          calls: {look: 1, enter: 1, push: 1}
          outputs: {seen: a table, count: {contains: {letters: 3}}}
        """)
    assert messages(verdict) == []
    assert verdict.played is not None
    assert [event.kind for event in verdict.played.events].count(EventKind.RUN_RESUMED) == 2


def test_a_read_that_the_run_dies_in_is_called_again(house: Playhouse) -> None:
    """The process dies in mid-call; a read does no harm twice."""
    verdict = house.play("crash_during: look\nexpect: {calls: {look: 2, enter: 1}, steps: {look: ok}}")
    assert messages(verdict) == []


def test_a_write_that_the_run_dies_in_is_asked_after(house: Playhouse) -> None:
    """Its `verify` says that it happened, so it is not called again; without one, somebody is asked."""
    verdict = house.play(
        """
        crash_during: enter
        tools:
          look: [{value: {seen: a table}}]
          is_inside: [{value: {happened: true, value: {inside: true}}}]
          push: [{works: true}]
        expect:
          calls: {enter: 1, is_inside: [{name: ann}]}
          steps: {enter: {value: {inside: true}}}
        """,
        shared="skill: visit\n",
    )
    assert messages(verdict) == []
    waiting = house.play("crash_during: push\nexpect: {status: waiting, questions: [push.settle], calls: {push: 1}}")
    assert messages(waiting) == []
    answered = house.play("crash_during: push\nanswers: {push.settle: repeat}\nexpect: {calls: {push: 2}}")
    assert messages(answered) == []


@pytest.mark.parametrize(
    ("prepared", "message"),
    [
        ("crash_after: elsewhere", "the process was to die after the step elsewhere, and the run never came to that"),
        ("crash_during: elsewhere", "the process was to die in the step elsewhere, and the run never came to that"),
        ("inject: [{tool: look, call: 2, failure: {}}]", "call 2 was to fail, but look was called once"),
        ("inject: [{step: far, failure: {}}]", "call 1 was to fail, but its tool in the step far was never called"),
        ("answers: {approve: true}", "the run ended refused, not ok: visit does not ask approve (it asks nothing)"),
    ],
)  # fmt: skip
def test_what_was_prepared_and_never_happened_is_a_failure(house: Playhouse, prepared: str, message: str) -> None:
    """Else a rehearsal of a crash would go on passing when the step has been renamed."""
    assert messages(house.play(prepared)) == [message]


def test_questions_are_answered_or_park_the_run(house: Playhouse) -> None:
    """With an answer the run goes on, without it waits; both can be expected."""
    house.skill(
        "polite",
        """
        steps:
          - {name: may_i, ask: {question: May I?, type: boolean}}
          - {name: look, condition: may_i, tool: look}
        """,
    )
    shared = "skill: polite\ntools: {look: [{works: true}]}\n"
    assert messages(house.play("answers: {may_i: true}\nexpect: {steps: {look: ok}}", shared=shared)) == []
    assert messages(house.play("answers: {may_i: false}\nexpect: {steps: {look: skipped}}", shared=shared)) == []
    waiting = house.play("expect: {status: waiting, questions: [may_i], steps: {look: not_reached}}", shared=shared)
    assert messages(waiting) == []
    [message] = messages(house.play("", shared=shared))
    assert message == "the run ended waiting, not ok; it waits for an answer to may_i"


def test_inputs_that_are_refused_can_be_expected(house: Playhouse) -> None:
    """A run that does not begin is an outcome like others."""
    refused = "inputs: {whom: bob}\n"
    assert messages(house.play(refused + "expect: {refused: {contains: did you mean who?}}")) == []
    [message] = messages(house.play(refused))
    assert message.startswith("the run ended refused, not ok: visit: there is no input whom")


def test_domains_config_and_environment_are_the_rehearsal_s(house: Playhouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a rehearsal says is laid over the workspace's settings; the real environment is not seen."""
    monkeypatch.setenv("STREET", "of the real world")
    house.skill(
        "where",
        """
        steps:
          - {name: look, tool: look}
        outputs:
          - {name: town, value: "{{ config.town }} {{ config.region }} {{ env.get('STREET') }}"}
        """,
    )
    verdict = house.play(
        """
        skill: where
        config: {region: south}
        env: {STREET: Main Street}
        domains:
          door:
            fixes: {login: {call: {tool: leave}}}
        tools:
          look: [{failure: {kind: auth_expired, message: locked}}, {works: true}]
        expect:
          status: failed
          outputs: {town: Ulm south Main Street}
          steps: {look: {status: failed, error: locked}}
        """,
        shared="",
    )
    assert messages(verdict) == []


def test_a_skill_that_is_invalid_is_an_error_and_no_difference(house: Playhouse) -> None:
    """The rehearsal is not to blame."""
    house.skill("broken", "steps: [{name: look, tool: loook}]")
    verdict = house.play("skill: broken\n", shared="")
    assert verdict.error is not None
    assert "did you mean" in str(verdict.error)
    assert not verdict.passed


def test_rehearsals_of_one_file_share_what_stands_beside_them(house: Playhouse) -> None:
    """Own answers replace shared ones tool by tool; each is played on its own."""
    first, second = house.rehearsals(USUAL_LIST)
    assert messages(house.played(first)) == []
    assert messages(house.played(second)) == []


USUAL_LIST = """
skill: visit
inputs: {who: bob}
tools:
  look: [{value: {seen: a table}}]
  enter: [{works: true}]
  push: [{works: true}]
rehearsals:
  - name: the usual
    expect: {outputs: {seen: a table, count: {contains: {letters: 3}}}}
  - name: another view
    inputs: {who: charles}
    tools:
      look: [{value: {seen: a chair}}]
    expect: {outputs: {seen: a chair, count: {contains: {letters: 7}}}}
"""


def test_a_path_names_a_skill_beside_the_file(house: Playhouse) -> None:
    """Wherever the command is run from."""
    shared = Path("../skills/visit.yaml")
    text = f"skill: {shared}\ntools: {{look: [{{works: true}}], enter: [{{works: true}}], push: [{{works: true}}]}}\n"
    assert messages(house.play("", shared=text)) == []
