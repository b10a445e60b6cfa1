"""What history answers about runs, steps and events."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from engine.errors import RunNotFoundError
from engine.history import History
from engine.model.event import EventKind
from engine.model.outcome import RunStatus, StepStatus
from engine.model.question import Question
from engine.model.secret import Secrets
from engine.model.skill import InputType
from tests.unit.history.storyteller import NOON, Storyteller


def test_a_run_is_told_as_it_was_recorded(history: History, story: Storyteller) -> None:
    """Every field of the run comes back, inputs and outputs as values."""
    story.begin("r1")
    story.end("r1", outputs={"url": "http://x", "n": 3}, message="fine", healed=2)
    run = history.run("r1")
    assert (run.skill, run.status, run.message, run.healed) == ("deploy", RunStatus.OK, "fine", 2)
    assert (run.version, run.file, run.digest, run.profile) == ("1", "deploy.yaml", "d1", "local")
    assert (run.started_at, run.finished_at, run.duration) == (NOON + 1, NOON + 2, 2.0)
    assert (run.inputs, run.outputs, run.notes) == ({"mr_id": 7}, {"url": "http://x", "n": 3}, ("n",))
    assert history.skill_text("r1") == "name: deploy\n"


def test_the_newest_runs_come_first_and_can_be_narrowed(history: History, story: Storyteller) -> None:
    """Order is by start; skill, status and limit narrow the list."""
    for number, skill in enumerate(["a", "b", "a", "b"]):
        story.begin(f"r{number}", skill=skill)
        story.end(f"r{number}", status="ok" if number < 2 else "failed")
    assert [run.id for run in history.runs()] == ["r3", "r2", "r1", "r0"]
    assert [run.id for run in history.runs(limit=2)] == ["r3", "r2"]
    assert [run.id for run in history.runs(skill="a")] == ["r2", "r0"]
    assert [run.id for run in history.runs(skill="a", status=RunStatus.FAILED)] == ["r2"]


def test_a_run_is_found_by_a_prefix_by_its_id_and_as_the_last(history: History, story: Storyteller) -> None:
    """An id that is also a prefix of others means itself."""
    for run in ("2026-a1", "2026-a1b", "2027-c"):
        story.begin(run)
    assert history.run("2027").id == "2027-c"
    assert history.run("2026-a1").id == "2026-a1"
    assert history.run("last").id == "2027-c"


def test_an_ambiguous_prefix_names_the_candidates(history: History, story: Storyteller) -> None:
    """No run is guessed."""
    for number in range(7):
        story.begin(f"2026-{number}")
    with pytest.raises(RunNotFoundError, match=r"fits several runs: 2026-6, 2026-5, .*, \.\.\.") as caught:
        history.run("2026")
    assert caught.value.hint


@pytest.mark.parametrize("asked", ["nope", "last", "%", "'; DROP TABLE runs; --"])
def test_an_unknown_run_is_an_error_with_a_way_out(history: History, asked: str) -> None:
    """Also where there is no history yet, and the question does not create one."""
    with pytest.raises(RunNotFoundError) as caught:
        history.run(asked)
    assert "skill " in caught.value.hint
    assert history.runs() == ()


def test_asking_creates_no_file(history: History, path: Path) -> None:
    """Reading an empty home leaves it empty."""
    assert (history.runs(), history.failures(), history.totals().total) == ((), (), 0)
    assert not path.parent.exists()


def test_steps_come_in_the_order_they_started_with_all_they_left(history: History, story: Storyteller) -> None:
    """A step that still runs has no status yet."""
    story.begin("r1")
    story.failing_step("r1", "zeta", helped=False)
    story.failing_step("r1", "alpha")
    story.tell("r1", EventKind.STEP_STARTED, "now", index=2, action="compute", section="always", call="")
    zeta, alpha, now = history.steps("r1")
    assert (zeta.name, zeta.status, zeta.attempts, zeta.fixes) == ("zeta", StepStatus.FAILED, 2, ("kube_login",))
    assert zeta.failure is not None
    assert zeta.failure["evidence"] == {"http_status": 401}
    assert zeta.remediation == ("log in",)
    assert (alpha.status, alpha.value, alpha.duration) == (StepStatus.HEALED, {"pods": 3}, 1.5)
    assert (alpha.action, alpha.section, alpha.call) == ("tool", "steps", "kubectl_get_pods")
    assert (now.status, now.section, now.position, now.finished_at) == (None, "always", 2, None)


def test_a_skipped_step_is_told_although_it_never_started(history: History, story: Storyteller) -> None:
    """An executor may say only that a step ended."""
    story.begin("r1")
    story.tell("r1", EventKind.STEP_FINISHED, "s", status="skipped", reason="condition", duration=0.0, attempts=0)
    (step,) = history.steps("r1")
    assert (step.status, step.reason) == (StepStatus.SKIPPED, "condition")


def test_events_come_back_in_order_and_from_a_number_on(history: History, story: Storyteller) -> None:
    """Watchers ask only for what is new."""
    story.begin("r1", text="long text")
    said = story.tell("r1", EventKind.PROGRESS, "s", text="half way")
    story.tell("r1", EventKind.NOTICE, text="hm", level="warning")
    numbers, events = zip(*history.events("r1"), strict=True)
    assert numbers == (1, 2, 3)
    assert events[1] == said
    assert events[0].data["text"] == ""
    assert [event.kind for _, event in history.events("r1", after=2)] == [EventKind.NOTICE]


def test_the_average_duration_is_of_runs_that_ended_ok(history: History, story: Storyteller) -> None:
    """None where nothing is known."""
    for number, (status, duration) in enumerate([("ok", 2.0), ("ok", 4.0), ("failed", 100.0)]):
        story.begin(f"r{number}")
        story.end(f"r{number}", status=status, duration=duration)
    story.begin("asked")
    story.tell("asked", EventKind.QUESTION_ASKED, "ask", name="ask", question="Now?")
    story.end("asked", duration=3_600.0)
    assert history.average_duration("deploy") == 3.0
    assert history.average_duration("other") is None


def test_a_run_nobody_has_any_more_looks_interrupted(history: History, story: Storyteller) -> None:
    """It stays `running` in the database; whether it lives is asked of its lock, whoever has its number now."""
    story.begin("dead", pid=os.getpid())
    history.claim("alive")
    story.begin("alive", pid=0)
    story.begin("ended")
    story.end("ended")
    dead, alive, done = history.run("dead"), history.run("alive"), history.run("ended")
    assert (dead.status, dead.alive, dead.interrupted) == (RunStatus.RUNNING, False, True)
    assert (alive.alive, alive.interrupted) == (True, False)
    assert (done.alive, done.interrupted) == (None, False)


def test_a_run_that_waits_is_not_interrupted(history: History, story: Storyteller) -> None:
    """Nobody has it, and nobody has to; it has no end, and is running again once it is resumed."""
    story.begin("r1")
    story.tell("r1", EventKind.RUN_WAITING, questions=[])
    run = history.run("r1")
    assert (run.status, run.alive, run.interrupted, run.finished_at) == (RunStatus.WAITING, None, False, None)
    assert [each.id for each in history.runs(status="waiting")] == ["r1"]
    story.tell("r1", EventKind.RUN_RESUMED, pid=4711, digest="d1")
    run = history.run("r1")
    assert (run.status, run.pid, run.digest) == (RunStatus.RUNNING, 4711, "d1")
    story.end("r1")
    assert history.run("r1").status is RunStatus.OK


def ask(story: Storyteller, name: str, step: str, **fields: Any) -> None:
    """A question of a step of run r1."""
    given = {"question": "sure?", "type": "boolean", "choices": [], "default": False, "about": "ask"}
    story.tell("r1", EventKind.QUESTION_ASKED, step, name=name, **{**given, **fields})


def test_a_run_that_waits_names_its_open_questions(history: History, story: Storyteller) -> None:
    """Neither those that were answered, nor those whose step has ended without an answer; one asked again is open."""
    story.begin("r1")
    for step in ("answered", "over", "open", "again"):
        story.tell("r1", EventKind.STEP_STARTED, step, index=0)
        ask(story, step, step)
    ask(story, "open.settle", "open", about="settle", type="string", choices=["repeat", "done"], default=None)
    story.tell("r1", EventKind.QUESTION_ANSWERED, "answered", name="answered", answer=True, by="person")
    story.tell("r1", EventKind.STEP_FINISHED, "over", status="tolerated", attempts=0)
    story.tell("r1", EventKind.QUESTION_ANSWERED, "again", name="again", answer=True, by="person")
    ask(story, "again", "again")
    assert history.run("r1").questions == ()
    story.tell("r1", EventKind.RUN_WAITING, questions=[])
    questions = {question.name: question for question in history.run("r1").questions}
    assert set(questions) == {"open", "open.settle", "again"}
    assert questions["open"] == Question(
        name="open", text="sure?", type=InputType.BOOLEAN, default=False, about="ask", step="open"
    )
    assert (questions["open.settle"].choices, questions["open.settle"].about) == (("repeat", "done"), "settle")


def test_a_question_without_its_fields_is_still_a_question(history: History, story: Storyteller) -> None:
    """What another version wrote is shown as well as it can be."""
    story.begin("r1")
    story.tell("r1", EventKind.QUESTION_ASKED, "s", name="s", type="colour", about="else", choices="red")
    story.tell("r1", EventKind.RUN_WAITING)
    assert history.run("r1").questions == (Question(name="s", text="", step="s"),)


def test_an_answer_that_could_not_be_kept_leaves_its_question_open(
    history: History, story: Storyteller, secrets: Secrets
) -> None:
    """It holds a secret, so it has to be given again."""
    secrets.add("hunter2-x")
    story.begin("r1")
    ask(story, "s", "s", type="string")
    story.tell("r1", EventKind.QUESTION_ANSWERED, "s", name="s", answer="hunter2-x", by="person")
    story.tell("r1", EventKind.RUN_WAITING, questions=[])
    assert [question.name for question in history.run("r1").questions] == ["s"]


def test_a_run_says_whose_outputs_it_took_over_and_a_step_that_it_is_one(history: History, story: Storyteller) -> None:
    """`skill retry` leaves a trace."""
    story.begin("r1")
    story.begin("r2", reused_from="r1")
    story.tell("r2", EventKind.STEP_FINISHED, "s", status="ok", value=1, reused=True)
    assert (history.run("r1").reused_from, history.run("r2").reused_from) == ("", "r1")
    assert [(step.reused, step.begun) for step in history.steps("r2")] == [(True, 0)]


def test_a_step_says_how_often_it_was_begun_and_that_it_is_many(history: History, story: Storyteller) -> None:
    """A step that keeps killing its process can be told from one that is merely slow."""
    story.begin("r1")
    for _ in range(3):
        story.tell("r1", EventKind.STEP_STARTED, "pods", index=0, action="tool", foreach=True, items=[1, 2])
    story.tell("r1", EventKind.STEP_STARTED, "pods[0]", index=0, action="tool", foreach=False)
    whole, element = history.steps("r1")
    assert (whole.begun, whole.foreach, element.begun, element.foreach) == (3, True, 1, False)


def test_a_run_on_another_machine_is_neither_dead_nor_alive(path: Path, secrets: Secrets) -> None:
    """Its process cannot be asked from here."""
    with History.open(path, secrets=secrets, host="elsewhere") as there:
        Storyteller(there).begin("r1")
    with History.open(path, secrets=secrets, host="here") as here:
        assert here.run("r1").alive is None
