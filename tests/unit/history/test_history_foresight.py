"""What was looked at, what was foretold and what came, read back from the events of runs."""

from __future__ import annotations

from typing import Any

import pytest

from engine.heal.predict.told import prediction_data
from engine.history import History
from engine.model.event import EventKind
from engine.model.failure import FailureKind
from engine.model.heal import FixOutcome
from engine.model.outcome import ToolCall
from engine.model.prevention import PredictAction, Prediction, Situation
from tests.unit.history.storyteller import NOON, Storyteller

UNAUTHORISED = {"kind": "auth_expired", "message": "401", "tool": "kubectl_get_pods", "evidence": {}}


def foretold(**said: Any) -> Prediction:
    """A prediction about a morning in the domain `cluster`."""
    situation = Situation(
        tool="kubectl_get_pods",
        domain="cluster",
        at=said.pop("at", NOON),
        hour=8,
        weekday="mon",
        first_call_of_day=True,
        since_wake=30.5,
        token_left=None,
        last_calls=("git_push", "quay_get_tag"),
        last_failure="timeout",
    )
    return Prediction(situation=situation, **said)


def looked(story: Storyteller, run: str, prediction: Prediction, step: str = "pods", *, ok: bool | None = None) -> None:
    """A look ahead in a run, and whether the fix worked that ran first."""
    done = None
    if ok is not None:
        call = ToolCall(tool=prediction.fix)
        done = FixOutcome(
            fix=prediction.fix, domain="cluster", call=call, ok=ok, shared=False, started_at=0, finished_at=1
        )
    story.tell(run, EventKind.HEAL_STAGE, step, stage="predict", **prediction_data(prediction, done))


def ended(story: Storyteller, run: str, *, status: str = "ok", failed: bool = False, step: str = "pods") -> None:
    """The step's end, after a first attempt that failed or worked."""
    failure = UNAUTHORISED if failed else None
    told = {"status": status, "duration": 3.0, "attempts": 2 if failed else 1, "first_failure": failure}
    story.tell(run, EventKind.STEP_FINISHED, step, **told, failure=failure if status == "failed" else None)


def test_a_look_ahead_is_read_back_as_it_was(history: History, story: Storyteller) -> None:
    """The situation, what was said and done, and what came."""
    story.begin("run")
    said = foretold(
        sequence="mornings",
        kind=FailureKind.AUTH_EXPIRED,
        probability=0.8,
        fix="kube_login",
        action=PredictAction.FIX,
    )
    looked(story, "run", said, ok=True)
    (before,) = history.predictions()
    assert (before.came, before.cost, before.fix_ok) == (None, None, True)
    ended(story, "run")
    (after,) = history.predictions()
    assert (after.came, after.cost, after.run_id, after.step) == ("", 3.0, "run", "pods")
    assert after.prediction == said
    assert after.treated


def test_what_came_is_the_kind_of_the_first_failure(history: History, story: Storyteller) -> None:
    """Also where the step was healed."""
    story.begin("run")
    looked(story, "run", foretold())
    story.attempt("run", "pods", failure=UNAUTHORISED)
    ended(story, "run", status="healed", failed=True)
    (found,) = history.predictions()
    assert found.came == "auth_expired"
    assert not found.treated
    assert history.recent_failures() == (("kubectl_get_pods", "auth_expired"),)


def test_looks_come_oldest_first_and_only_those_asked_for(history: History, story: Storyteller) -> None:
    """The newest count where there are more than are asked for."""
    story.begin("run")
    for hour in (3, 1, 2):
        looked(story, "run", foretold(at=NOON + hour), step=f"s{hour}")
    assert [each.step for each in history.predictions()] == ["s1", "s2", "s3"]
    assert [each.step for each in history.predictions(since=NOON + 2)] == ["s2", "s3"]
    assert [each.step for each in history.predictions(limit=1)] == ["s3"]
    assert history.last_look("cluster", until=NOON + 9) == NOON + 3
    assert history.last_look("other", until=NOON + 9) is None


def test_a_look_by_a_clock_that_was_set_back_since_is_not_the_last_one(history: History, story: Storyteller) -> None:
    """Else every call until then would be the first of its day."""
    story.begin("run")
    for moment in (NOON, NOON + 400 * 86_400):
        looked(story, "run", foretold(at=moment), step=f"s{moment}")
    assert history.last_look("cluster", until=NOON + 60) == NOON


def test_the_calls_before_are_the_newest_of_the_last_runs(history: History, story: Storyteller) -> None:
    """Each once, however often it was tried, oldest first."""
    assert history.last_calls() == ()
    for run in ("one", "two"):
        story.begin(run)
        story.attempt(run, "a", failure=UNAUTHORISED)
        story.attempt(run, "a", number=2)
        story.tell(run, EventKind.ATTEMPT_FINISHED, "b", number=1, tool=f"last_of_{run}", ok=True)
    assert history.last_calls() == ("kubectl_get_pods", "last_of_one", "kubectl_get_pods", "last_of_two")
    assert history.last_calls(1) == ("last_of_two",)


def test_the_newest_comparison_is_one_without_the_fix(history: History, story: Storyteller) -> None:
    """A call that had the fix first compares nothing; one whose end is not known says nothing yet."""
    assert history.last_compared("mornings") is None
    for number, (action, failed) in enumerate([(PredictAction.SHADOW, True), (PredictAction.FIX, False)]):
        run = f"run{number}"
        story.begin(run)
        looked(story, run, foretold(sequence="mornings", action=action, at=NOON + number))
        ended(story, run, status="healed" if failed else "ok", failed=failed)
    assert history.last_compared("mornings") == "auth_expired"
    story.begin("later")
    looked(story, "later", foretold(sequence="mornings", action=PredictAction.NOTED, at=NOON + 9))
    assert history.last_compared("mornings") == "auth_expired"
    ended(story, "later")
    assert history.last_compared("mornings") == ""


def test_a_failure_costs_the_time_until_the_attempt_that_counted(history: History, story: Storyteller) -> None:
    """A step that stayed failed cost the whole run; the fix's own time is measured beside it."""
    story.begin("healed")
    looked(story, "healed", foretold())
    story.attempt("healed", "pods", failure=UNAUTHORISED)
    story.now += 40
    story.fix("healed", "pods")
    story.attempt("healed", "pods", number=2)
    ended(story, "healed", status="healed", failed=True)
    (seconds,) = history.failure_seconds("cluster", {"auth_expired"})
    assert 40 < seconds < 50
    (fix,) = history.fix_seconds("kube_login", "ephemeral")
    assert 0 <= fix < 40
    story.begin("lost")
    looked(story, "lost", foretold(at=NOON + 99))
    story.attempt("lost", "pods", failure=UNAUTHORISED)
    ended(story, "lost", status="failed", failed=True)
    story.end("lost", status="failed", duration=600.0)
    assert history.failure_seconds("cluster", {"auth_expired"}) == (600.0, seconds)
    assert history.failure_seconds("cluster", {"timeout"}) == ()
    assert history.failure_seconds("cluster", ()) == ()


@pytest.mark.parametrize("data", [{}, {"situation": "morning"}, {"situation": {"last_calls": None}}])
def test_a_look_that_tells_little_breaks_nothing(history: History, story: Storyteller, data: dict[str, Any]) -> None:
    """Events of another version are read as far as they go."""
    story.begin("run")
    story.tell("run", EventKind.HEAL_STAGE, "pods", stage="predict", answer="?", **data)
    assert len(history.predictions()) == (1 if isinstance(data.get("situation"), dict) else 0)
