"""What history counts, and what it does not."""

from __future__ import annotations

from engine.history import FailureTotals, History
from engine.model.event import EventKind
from tests.unit.history.storyteller import NOON, Storyteller

DAY = 86_400.0


def test_a_failure_counts_once_per_step(history: History, story: Storyteller) -> None:
    """Two failed attempts of one step are one failure, of the tool that failed, with its first error."""
    story.begin("r1")
    story.failing_step("r1", "pods", helped=False)
    (failure,) = history.failures()
    assert (failure.tool, failure.kind, failure.error) == ("kubectl_get_pods", "auth_expired", "401 Unauthorized")
    assert (failure.fix, failure.success) == ("kube_login", False)
    assert (failure.skill, failure.step, failure.run_id) == ("deploy", "pods", "r1")
    assert history.totals() == FailureTotals(
        total=1, auto_fixed=0, daily={"2026-11-20": (1, 0)}, weekly={"2026-W47": (1, 0)}
    )


def test_auto_fixed_counts_only_what_a_fix_healed(history: History, story: Storyteller) -> None:
    """A plain retry that worked is a failure without a fix; a fix that did not help counts against."""
    story.begin("r1")
    story.failing_step("r1", "healed")
    story.failing_step("r1", "not_helped", helped=False)
    story.attempt("r1", "repeated", failure={"kind": "timeout", "message": "slow"})
    story.attempt("r1", "repeated", number=2)
    story.tell(
        "r1", EventKind.STEP_FINISHED, "repeated", status="healed", attempts=2, first_failure={"kind": "timeout"}
    )
    totals = history.totals()
    assert (totals.total, totals.auto_fixed) == (3, 1)


def test_a_step_refused_before_its_first_attempt_is_no_failed_call(history: History, story: Storyteller) -> None:
    """A condition that cannot be evaluated is the author's mistake, not a tool's failure."""
    story.begin("r1")
    story.tell("r1", EventKind.STEP_FINISHED, "s", status="failed", attempts=0, failure={"kind": "code_error"})
    story.attempt("r1", "fine")
    story.tell("r1", EventKind.STEP_FINISHED, "fine", status="ok", attempts=1, failure=None)
    assert history.totals() == FailureTotals()


def test_days_and_weeks_are_utc(history: History, story: Storyteller) -> None:
    """One second after midnight is the next day; the week is ISO's, whose year may be another."""
    story.begin("r1")
    for number, midnight in enumerate([NOON + DAY / 2, NOON + 42.5 * DAY]):
        for at, name in ((midnight - 100, "before"), (midnight + 100, "after")):
            story.now = at
            story.failing_step("r1", f"{name}{number}")
    totals = history.totals()
    assert totals.daily == dict.fromkeys(("2026-11-20", "2026-11-21", "2027-01-01", "2027-01-02"), (1, 1))
    assert totals.weekly == {"2026-W47": (2, 2), "2026-W53": (2, 2)}


def test_failures_are_listed_newest_first_and_bounded(history: History, story: Storyteller) -> None:
    """Memory shows the last hundred."""
    story.begin("r1")
    for number in range(5):
        story.failing_step("r1", f"s{number}")
    assert [failure.step for failure in history.failures(3)] == ["s4", "s3", "s2"]


def test_helped_is_unknown_until_the_step_ends(history: History, story: Storyteller) -> None:
    """Success is never counted before the retry."""
    story.begin("r1")
    story.fix("r1", "pods")
    (fix,) = history.fixes("kube_login", "ephemeral")
    assert (fix.ok, fix.helped, fix.run_id, fix.step) == (True, None, "r1", "pods")
    assert history.fix_counts() == {}
    healed_by = [{"fix": "kube_login", "domain": "ephemeral", "helped": True}]
    story.tell("r1", EventKind.STEP_FINISHED, "pods", status="healed", attempts=2, healed_by=healed_by)
    assert history.fixes("kube_login", "ephemeral")[0].helped is True
    assert history.fix_counts() == {("kube_login", "ephemeral"): (1, 1)}


def test_helped_is_set_for_the_step_it_was_for(history: History, story: Storyteller) -> None:
    """The same fix of another step or an earlier one of the run keeps its own outcome."""
    story.begin("r1")
    story.fix("r1", "other")
    story.failing_step("r1", "pods", helped=False)
    assert [fix.helped for fix in history.fixes("kube_login", "ephemeral")] == [False, None]


def test_each_run_of_a_fix_in_one_step_has_its_own_outcome(history: History, story: Storyteller) -> None:
    """The round after a `retry` needs the same fix once more: the first did not help, the second did."""
    story.begin("r1")
    healed_by = []
    for helped in (False, True):
        story.fix("r1", "pods")
        began = story.now - 1
        healed_by.append({"fix": "kube_login", "domain": "ephemeral", "started_at": began, "helped": helped})
    story.tell("r1", EventKind.STEP_FINISHED, "pods", status="healed", attempts=4, healed_by=healed_by)
    assert [fix.helped for fix in history.fixes("kube_login", "ephemeral")] == [True, False]
    assert history.fix_counts() == {("kube_login", "ephemeral"): (2, 1)}


def test_a_shared_outcome_is_one_observation(history: History, story: Storyteller) -> None:
    """Ten steps that waited for one login are not ten proofs that logging in helps."""
    story.begin("r1")
    story.failing_step("r1", "first")
    for number in range(9):
        story.failing_step("r1", f"waited{number}", shared=True)
    assert history.fix_counts() == {("kube_login", "ephemeral"): (1, 1)}
    assert len(history.fixes("kube_login", "ephemeral")) == 10


def test_a_fix_that_failed_did_not_help(history: History, story: Storyteller) -> None:
    """No retry follows it, so nobody else would say so."""
    story.begin("r1")
    story.fix("r1", "pods", ok=False)
    assert history.fix_counts() == {("kube_login", "ephemeral"): (1, 0)}


def test_the_last_fix_is_the_last_that_really_ran(history: History, story: Storyteller) -> None:
    """Its time decides about the cool-down; using a shared outcome does not prolong it."""
    assert history.last_fix("kube_login", "ephemeral") is None
    story.begin("r1")
    story.fix("r1", "a")
    story.fix("r1", "b")
    story.fix("r1", "c", shared=True)
    last = history.last_fix("kube_login", "ephemeral")
    assert last is not None
    assert last.step == "b"
    assert history.last_fix("kube_login", "stage") is None


def test_patterns_count_where_the_truth_came_out(history: History, story: Storyteller) -> None:
    """An outcome nobody can judge is no observation."""
    story.begin("r1")
    story.failing_step("r1", "a", helped=True)
    story.failing_step("r1", "b", helped=False)
    story.failing_step("r1", "c", helped=None)
    assert history.pattern_counts() == {"unauthorized": (2, 1)}


def test_a_step_taken_over_from_another_run_is_counted_there(history: History, story: Storyteller) -> None:
    """Its failure, its fix and its pattern were seen once, however many runs go on from it."""
    story.begin("r1")
    story.failing_step("r1", "pods")
    ended = story.history.events("r1")[-1][1]
    before = (history.totals(), history.fix_counts(), history.pattern_counts())
    story.begin("r2", reused_from="r1")
    story.tell("r2", EventKind.STEP_STARTED, "pods", index=0, action="tool", section="steps")
    story.tell("r2", EventKind.STEP_FINISHED, "pods", **{**ended.data, "reused": True})
    assert (history.totals(), history.fix_counts(), history.pattern_counts()) == before


def test_a_step_run_again_keeps_the_failure_it_had(history: History, story: Storyteller) -> None:
    """A resumed run repeats the step; what happened stays counted."""
    story.begin("r1")
    story.failing_step("r1", "pods", helped=False)
    story.begin("r1")
    story.tell("r1", EventKind.STEP_STARTED, "pods", index=0, action="tool", section="steps", call="")
    story.attempt("r1", "pods")
    story.tell("r1", EventKind.STEP_FINISHED, "pods", status="ok", attempts=1)
    assert history.totals().total == 1
    assert [step.status for step in history.steps("r1")] == ["ok"]
