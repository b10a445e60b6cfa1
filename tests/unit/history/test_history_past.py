"""What a resume goes by: the run as far as it came, read from its events alone."""

from __future__ import annotations

from typing import Any

import pytest

from engine.errors import RunNotFoundError
from engine.history import History
from engine.model.event import EventKind
from engine.model.outcome import RunStatus, StepStatus
from engine.model.past import PastEnding, PastStep
from engine.model.secret import Secrets
from tests.unit.history.storyteller import NOON, Storyteller

BIG: dict[str, Any] = {"rows": [{"name": f"row {number}", "text": "x" * 300} for number in range(200)]}


@pytest.fixture
def run(story: Storyteller) -> Storyteller:
    """Tells of r1, which has begun."""
    story.begin("r1")
    return story


def step(history: History, path: str = "s") -> PastStep:
    """The step of r1 with that path."""
    return history.past("r1").steps[path]


def begin(story: Storyteller, path: str = "s", **fields: Any) -> None:
    """A step of r1 begins."""
    story.tell("r1", EventKind.STEP_STARTED, path, **{"index": 0, "action": "tool", "section": "steps", **fields})


def call(story: Storyteller, number: int = 1, path: str = "s") -> None:
    """A call of a step of r1 begins."""
    story.tell("r1", EventKind.ATTEMPT_STARTED, path, number=number, tool="kubectl_get_pods", args={"namespace": "n"})


def back(story: Storyteller, number: int = 1, path: str = "s", **fields: Any) -> None:
    """A call of a step of r1 comes back."""
    given = {"tool": "kubectl_get_pods", "ok": True, "value": None, "started_at": 1.0, "finished_at": 2.0}
    story.tell("r1", EventKind.ATTEMPT_FINISHED, path, number=number, **{**given, **fields})


def end(story: Storyteller, path: str = "s", **fields: Any) -> None:
    """A step of r1 ends."""
    story.tell("r1", EventKind.STEP_FINISHED, path, **{"status": "ok", "attempts": 1, "value": None, **fields})


def test_a_run_is_told_with_its_skill_and_inputs(history: History, story: Storyteller) -> None:
    """By its id, the beginning of it, or as the last."""
    story.begin("r1-abc", inputs={"mr_id": 7, "list": [1]}, text="name: deploy\n", digest="d7")
    for asked in ("r1-abc", "r1", "last"):
        past = history.past(asked)
        assert (past.run_id, past.skill, past.file, past.finished) == ("r1-abc", "deploy", "deploy.yaml", False)
        assert (past.text, past.digest, past.started_at) == ("name: deploy\n", "d7", NOON + 1)
        assert (past.inputs, past.masked_inputs) == ({"mr_id": 7, "list": [1]}, frozenset())
    story.end("r1-abc")
    assert history.past("last").finished


def test_a_run_nobody_knows_has_no_past(history: History) -> None:
    """As with every question."""
    with pytest.raises(RunNotFoundError):
        history.past("nope")


def test_a_finished_step_comes_back_with_its_value_and_order(history: History, run: Storyteller) -> None:
    """Steps in the order they began; `ended` says in which order they ended."""
    for path in ("a", "b"):
        begin(run, path, action="group")
    end(run, "b", value={"x": [1]}, status="healed", reason="because")
    end(run, "a")
    steps = history.past("r1").steps
    assert list(steps) == ["a", "b"]
    assert (steps["b"].status, steps["b"].value, steps["b"].action) == (StepStatus.HEALED, {"x": [1]}, "group")
    assert steps["b"].finished["reason"] == "because"
    assert 0 < steps["b"].ended < steps["a"].ended


def test_a_step_that_was_skipped_has_an_end_without_a_beginning(history: History, run: Storyteller) -> None:
    """An executor may say only that it ended."""
    end(run, status="skipped")
    assert (step(history).status, step(history).begun, step(history).section) == (StepStatus.SKIPPED, 0, "steps")


def test_a_call_that_was_cut_off_has_no_outcome(history: History, run: Storyteller) -> None:
    """It was begun, and that is all anybody knows."""
    begin(run, section="undo")
    call(run)
    past = step(history)
    assert (past.status, past.section, past.begun) == (None, "undo", 1)
    (tried,) = past.attempts
    assert (tried.number, tried.tool, tried.ok, tried.finished_at) == (1, "kubectl_get_pods", None, None)


def test_a_step_begun_anew_keeps_its_attempts(history: History, run: Storyteller) -> None:
    """Their numbers go on; `begun` counts the processes."""
    for number in (1, 2):
        begin(run)
        call(run, number)
    back(run, 2, ok=False, failure={"kind": "timeout", "message": "slow"})
    begin(run)
    past = step(history)
    assert past.begun == 3
    assert [(tried.number, tried.ok) for tried in past.attempts] == [(1, None), (2, False)]
    assert past.attempts[1].failure == {"kind": "timeout", "message": "slow"}


def test_an_attempt_told_only_at_its_end_is_one_too(history: History, run: Storyteller) -> None:
    """Earlier versions did not say that a call began."""
    begin(run)
    back(run, 1, ok=False, failure={"kind": "timeout"})
    back(run, 2, value=5)
    first, second = step(history).attempts
    assert (first.number, first.ok, first.value) == (1, False, None)
    assert (second.number, second.ok, second.value, second.started_at, second.finished_at) == (2, True, 5, 1.0, 2.0)


def test_a_later_end_counts(history: History, run: Storyteller) -> None:
    """Also when the step was begun again in between; while it has only begun again, it has none."""
    begin(run)
    end(run, status="failed")
    begin(run)
    assert (step(history).status, step(history).ended, step(history).finished) == (None, 0, {})
    end(run, value=2)
    assert (step(history).status, step(history).value) == (StepStatus.OK, 2)


def test_the_value_of_a_call_that_worked_is_there_for_the_step_it_did_not_get_to_end(
    history: History, run: Storyteller
) -> None:
    """Whole, however large: the call is not made again."""
    begin(run)
    call(run)
    back(run, value=BIG)
    call(run, 2)
    back(run, 2, value={"second": BIG})
    past = step(history)
    assert past.attempts[-1].value == {"second": BIG}
    assert not past.lost
    end(run, value={"second": BIG})
    assert step(history).value == {"second": BIG}


def test_a_call_that_worked_and_whose_value_was_masked_is_lost(
    history: History, run: Storyteller, secrets: Secrets
) -> None:
    """What stands in the event is not what the call gave."""
    secrets.add("hunter2-x")
    begin(run)
    call(run)
    back(run, value={"token": "hunter2-x"})
    assert step(history).lost
    call(run, 2)
    assert step(history).lost
    back(run, 2, value={"token": "none"})
    assert not step(history).lost


@pytest.mark.parametrize("value", [BIG, ["x" * 100_000], "x" * 100_000, [list(range(50_000))]])
def test_a_large_value_comes_back_whole(history: History, run: Storyteller, value: Any) -> None:
    """What skill status shows is cut; what a resume gets is not. The last end counts here, too."""
    begin(run)
    end(run, value=[0] * 20_000)
    end(run, value=value)
    assert history.events("r1")[-1][1].data["value"] != value
    assert (step(history).value, step(history).lost) == (value, False)
    assert step(history).finished["value"] == value


def test_a_masked_value_is_never_taken_for_the_real_one(history: History, run: Storyteller, secrets: Secrets) -> None:
    """By the journal's own mask, by a caller's, large or small."""
    secrets.add("hunter2-x")
    for path, value in {"a": "hunter2-x", "b": "•••", "c": {"big": BIG, "key": "hunter2-x"}, "d": b"x"}.items():
        end(run, path, value=value)
        assert step(history, path).lost, path
    end(run, "e", value={"fine": True})
    assert not step(history, "e").lost


def test_the_list_of_a_foreach_is_kept(history: History, run: Storyteller, secrets: Secrets) -> None:
    """Whole; what a resume must not go by is no list at all."""
    secrets.add("hunter2-x")
    for path, items in {"a": [1, {"b": 2}], "big": [BIG, BIG], "secret": [1, "hunter2-x"], "empty": []}.items():
        begin(run, path, foreach=True, items=items)
    steps = history.past("r1").steps
    assert (steps["a"].items, steps["a"].lost) == ((1, {"b": 2}), False)
    assert steps["big"].items == (BIG, BIG)
    assert (steps["secret"].items, steps["secret"].lost) == (None, True)
    assert steps["empty"].items == ()
    begin(run, "no_list")
    assert step(history, "no_list").items is None


def test_fixes_are_told_with_the_attempt_they_came_after(history: History, run: Storyteller) -> None:
    """One that has no end was cut off; one without a beginning is an outcome that was shared."""
    begin(run)
    back(run, 1, ok=False)
    about = {"fix": "kube_login", "domain": "ephemeral", "kind": "auth_expired", "signature": "x", "pattern": "p"}
    run.tell("r1", EventKind.FIX_STARTED, "s", **about, role="renew", call="kube_login()")
    run.fix("r1", "s")
    back(run, 2, ok=False)
    run.fix("r1", "s", shared=True, ok=False)
    run.tell("r1", EventKind.FIX_STARTED, "s", **about, role="renew", call="kube_login()")
    first, shared, cut_off = step(history).fixes
    assert (first.fix, first.domain, first.call) == ("kube_login", "ephemeral", "kube_login()")
    assert (first.after, first.ok, first.kind, first.pattern) == (1, True, "auth_expired", "unauthorized")
    assert (shared.after, shared.ok, shared.shared, shared.call) == (2, False, True, "")
    assert (cut_off.after, cut_off.ok, cut_off.call) == (2, None, "kube_login()")


def test_answers_are_known_by_the_name_of_their_question(history: History, run: Storyteller) -> None:
    """What is asked again wants a new answer; the fields of a question come with the step that asked."""
    for name in ("s", "s.fix", "t"):
        run.tell("r1", EventKind.QUESTION_ASKED, name[0], name=name, question="sure?", type="boolean", about="ask")
    for name in ("s", "s.fix"):
        run.tell("r1", EventKind.QUESTION_ANSWERED, name[0], name=name, answer=True, by="person")
    run.tell("r1", EventKind.QUESTION_ASKED, "s", name="s.fix", question="really?", type="boolean", about="fix")
    past = history.past("r1")
    assert past.answers == {"s": True}
    assert set(past.asked) == {"s", "s.fix", "t"}
    assert (past.asked["s.fix"]["question"], past.asked["s.fix"]["step"]) == ("really?", "s")


def test_a_question_of_a_step_that_ended_without_an_answer_is_not_asked_any_more(
    history: History, run: Storyteller
) -> None:
    """Nobody answered in time, and the step has failed for that."""
    begin(run)
    run.tell("r1", EventKind.QUESTION_ASKED, "s", name="s", question="sure?", type="boolean")
    end(run, status="tolerated")
    assert history.past("r1").asked == {}


def test_an_answer_with_a_secret_in_it_has_to_be_given_again(
    history: History, run: Storyteller, secrets: Secrets
) -> None:
    """A long one is kept whole."""
    secrets.add("hunter2-x")
    for name, answer in {"secret": "hunter2-x", "long": "x" * 100_000}.items():
        run.tell("r1", EventKind.QUESTION_ASKED, name, name=name, question="?")
        run.tell("r1", EventKind.QUESTION_ANSWERED, name, name=name, answer=answer, by="person")
    assert history.past("r1").answers == {"long": "x" * 100_000}


def test_how_runs_and_sub_skills_had_ended_is_known(history: History, run: Storyteller) -> None:
    """By the path of the sub-skill's step, and empty for the run itself."""
    run.tell("r1", EventKind.RUN_ENDING, "call", status="failed", message="oh")
    run.tell("r1", EventKind.RUN_ENDING, status="cancelled", message="", timed_out=True)
    assert history.past("r1").endings == {
        "call": PastEnding(status=RunStatus.FAILED, message="oh"),
        "": PastEnding(status=RunStatus.CANCELLED, timed_out=True),
    }


def test_the_text_of_a_sub_skill_comes_with_its_step(history: History, run: Storyteller) -> None:
    """It is kept once, and in no event."""
    for path in ("call", "again"):
        begin(run, path, skill="inner", file="inner.yaml", digest="d2", text="name: inner\n", version="1")
    past = step(history, "call")
    assert (past.skill_text, past.skill_file, past.digest) == ("name: inner\n", "inner.yaml", "d2")
    assert step(history, "again").skill_text == "name: inner\n"
    assert [event.data["text"] for _, event in history.events("r1")] == ["", "", ""]


def test_the_skill_is_that_of_the_last_version_that_was_gone_on_with(history: History, run: Storyteller) -> None:
    """A version whose text nobody kept is none to go on with."""
    run.tell("r1", EventKind.RUN_RESUMED, pid=1, digest="d2", text="name: newer\n")
    run.tell("r1", EventKind.RUN_RESUMED, pid=1, digest="d3")
    past = history.past("r1")
    assert (past.digest, past.text) == ("d2", "name: newer\n")
    assert (history.run("r1").digest, history.skill_text("r1")) == ("d2", "name: newer\n")


def test_a_skill_file_as_large_as_any_can_be_is_kept_whole(history: History, story: Storyteller) -> None:
    """Whoever parses it compares its digest."""
    text = "# " + "x" * 999_998
    story.begin("r1", text=text)
    assert history.past("r1").text == text


def test_inputs_that_were_masked_or_lost_are_named(history: History, story: Storyteller, secrets: Secrets) -> None:
    """However large the others are; they have to be given again."""
    secrets.add("hunter2-x")
    inputs = {"big": BIG, "masked": "•••", "inside": {"a": ["hunter2-x"]}, "odd": b"x", "fine": 1, "none": None}
    story.begin("r1", inputs=inputs)
    past = history.past("r1")
    assert past.masked_inputs == {"masked", "inside", "odd"}
    assert (past.inputs["big"], past.inputs["fine"], past.inputs["none"]) == (BIG, 1, None)
    assert set(past.inputs) == set(inputs)


def test_what_only_tells_people_is_passed_over(history: History, run: Storyteller) -> None:
    """Progress, notices and stages of healing change nothing."""
    before = history.past("r1")
    for kind in (EventKind.PROGRESS, EventKind.NOTICE, EventKind.HEAL_STAGE):
        run.tell("r1", kind, "s", text="x", stage="decide", answer="y")
    assert history.past("r1") == before
