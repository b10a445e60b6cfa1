"""What history answers about runs, steps and events."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from engine.errors import RunNotFoundError
from engine.history import History
from engine.model.event import EventKind
from engine.model.outcome import RunStatus, StepStatus
from engine.model.secret import Secrets
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
    assert history.average_duration("deploy") == 3.0
    assert history.average_duration("other") is None


def test_a_run_whose_process_died_looks_interrupted(history: History, story: Storyteller) -> None:
    """It stays `running` in the database; liveness is asked of the machine."""
    ended = subprocess.Popen(["true"])
    ended.wait()
    story.now = time.time()
    story.begin("dead", pid=ended.pid)
    story.begin("alive", pid=os.getpid())
    story.begin("ended")
    story.end("ended")
    dead, alive, done = history.run("dead"), history.run("alive"), history.run("ended")
    assert (dead.status, dead.alive, dead.interrupted) == (RunStatus.RUNNING, False, True)
    assert (alive.alive, alive.interrupted) == (True, False)
    assert (done.alive, done.interrupted) == (None, False)


def test_a_later_process_with_the_same_number_is_another(history: History, story: Storyteller) -> None:
    """This test's process began long after the run's time."""
    story.now = 1_000_000_000.0
    story.begin("old", pid=os.getpid())
    assert history.run("old").alive is False


def test_a_run_on_another_machine_is_neither_dead_nor_alive(path: Path, secrets: Secrets) -> None:
    """Its process cannot be asked from here."""
    with History.open(path, secrets=secrets, host="elsewhere") as there:
        Storyteller(there).begin("r1")
    with History.open(path, secrets=secrets, host="here") as here:
        assert here.run("r1").alive is None
