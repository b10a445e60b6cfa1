"""The figures of healing: what is counted as what, and what the dashboard says of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.bundle import bundle
from engine.documents import read
from engine.errors import DocumentError
from engine.history import History
from engine.improve.dashboard import NOT_ENOUGH, counts_record, figures_of, write_dashboard
from engine.memory import Memory
from engine.model.event import EventKind
from engine.model.figures import Counts, Dimension
from engine.model.secret import Secrets
from tests.unit.history.storyteller import NOON, Storyteller

SITUATION = {"tool": "kubectl_get_pods", "domain": "ephemeral", "hour": 8, "weekday": "fri", "last_calls": ["a"]}


def foretell(story: Storyteller, step: str, *, action: str, came: bool) -> None:
    """One call that was foretold to fail for want of credentials, and whether it did."""
    told = {"sequence": "morning", "kind": "auth_expired", "probability": 0.8, "action": action, "fix": "kube_login"}
    story.tell("r1", EventKind.HEAL_STAGE, step, stage="predict", answer="x", situation=SITUATION, **told)
    if came:
        story.failing_step("r1", step)
    else:
        story.attempt("r1", step)
        story.tell("r1", EventKind.STEP_FINISHED, step, status="ok", duration=1.0, attempts=1)


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    """A memory without live files."""
    return Memory(tmp_path / "memory", seeds=bundle("memory"), secrets=Secrets())


def test_without_history_there_is_nothing(history: History) -> None:
    """And nothing is made by asking."""
    figures = history.figures()
    assert (figures.runs, figures.first, figures.cells) == (0, None, ())
    assert counts_record(figures.total) == {"failures": 0, "auto_fixed": 0}


def test_a_healed_step_is_a_failure_of_its_tool_kind_fix_and_day(history: History, story: Storyteller) -> None:
    """Told apart by each, it is the same one failure."""
    story.begin("r1")
    story.failing_step("r1", "s1")
    figures = history.figures()
    assert figures.total == Counts(failures=1, auto_fixed=1, tried=1, helped=1)
    for dimension, name in (
        (Dimension.TOOL, "kubectl_get_pods"),
        (Dimension.KIND, "auth_expired"),
        (Dimension.DAY, "2026-11-20"),
        (Dimension.WEEK, "2026-W47"),
    ):
        assert figures.by(dimension) == {name: figures.total}
    assert set(figures.by(Dimension.FIX)) == {
        "kube_login",
        "kube_login ephemeral",
    }  # the story tells no domain of calls


def test_a_fix_is_one_fix_whoever_tells_of_it(history: History, story: Storyteller) -> None:
    """A check names the call that repaired it, a run of the fix its tool: in the figures they are the same row."""
    story.begin("r1")
    ran = {"fix": "kube_login", "domain": "ephemeral", "ok": True, "shared": False, "kind": "auth_expired"}
    story.tell("r1", EventKind.FIX_STARTED, "", cause="preflight", **ran)
    story.tell("r1", EventKind.FIX_FINISHED, "", cause="preflight", duration=1.0, **ran)
    seen = {"check": "token", "domain": "ephemeral", "ok": False, "kind": "auth_expired", "fix": "kube_login()"}
    story.tell("r1", EventKind.HEAL_STAGE, stage="preflight", answer="x", action="fixed", **seen)
    assert set(history.figures().by(Dimension.FIX)) == {"kube_login ephemeral"}


def test_a_fix_beforehand_is_none_after_a_failure(history: History, story: Storyteller) -> None:
    """It says nothing about how often the fix helps."""
    story.begin("r1")
    told = {"fix": "kube_login", "domain": "ephemeral", "ok": True, "shared": False, "kind": "auth_expired"}
    story.tell("r1", EventKind.FIX_FINISHED, "", cause="preflight", **told)
    assert history.figures().total == Counts(beforehand=1)
    assert history.figures().by(Dimension.FIX) == {"kube_login ephemeral": Counts(beforehand=1)}


@pytest.mark.parametrize(
    ("action", "counts"),
    [
        ("passed", Counts(checked=1)),
        ("fixed", Counts(checked=1, repaired=1)),
        ("blocked", Counts(checked=1, blocked=1)),
        ("noted", Counts(checked=1)),
    ],
)
def test_checks_count_by_what_came_of_them(history: History, story: Storyteller, action: str, counts: Counts) -> None:
    """Good, repaired beforehand, blocked, or only noted."""
    story.begin("r1")
    seen = {"check": "token", "domain": "ephemeral", "ok": action == "passed", "kind": "auth_expired"}
    story.tell("r1", EventKind.HEAL_STAGE, stage="preflight", answer="x", action=action, fix="", **seen)
    assert history.figures().by(Dimension.DOMAIN) == {"ephemeral": counts}


def test_only_calls_without_the_fix_can_be_false_alarms(history: History, story: Storyteller) -> None:
    """One that had it first and worked may have been prevented; nobody knows."""
    story.begin("r1")
    for number, (action, came) in enumerate([("fix", False), ("fix", True), ("shadow", True), ("noted", False)]):
        foretell(story, f"s{number}", action=action, came=came)
    total = history.figures().total
    assert (total.fixed_first, total.fixed_failed, total.left, total.left_failed) == (2, 1, 2, 1)
    assert (total.foretold, total.false_alarms) == (4, 1)


def test_a_failure_of_another_kind_is_not_what_was_foretold(history: History, story: Storyteller) -> None:
    """The credentials were foretold to be gone, and something else was."""
    story.begin("r1")
    told = {"sequence": "morning", "kind": "timeout", "probability": 0.8, "action": "shadow", "fix": "kube_login"}
    story.tell("r1", EventKind.HEAL_STAGE, "s1", stage="predict", answer="x", situation=SITUATION, **told)
    story.failing_step("r1", "s1")
    assert (history.figures().total.left, history.figures().total.left_failed) == (1, 0)


def test_a_kind_that_the_same_fix_repairs_is_what_was_foretold(history: History, story: Storyteller) -> None:
    """A lost network refuses one call and times another out: to whoever runs the fix first it is the same."""
    story.begin("r1")
    told = {"sequence": "woken", "kind": "network_unreachable", "probability": 0.8, "action": "shadow", "fix": "vpn"}
    story.tell("r1", EventKind.HEAL_STAGE, "s1", stage="predict", answer="x", situation=SITUATION, **told)
    failure = {"kind": "connection_refused", "message": "refused"}
    story.attempt("r1", "s1", failure=failure)
    story.tell("r1", EventKind.STEP_FINISHED, "s1", status="failed", duration=1.0, attempts=1, first_failure=failure)
    assert (history.figures().total.shadow_failed, figures_of(history).total.shadow_failed) == (0, 1)


def test_a_prediction_without_an_outcome_is_not_counted(history: History, story: Storyteller) -> None:
    """The run died before the call came back."""
    story.begin("r1")
    told = {"sequence": "morning", "kind": "auth_expired", "probability": 0.8, "action": "fix", "fix": "kube_login"}
    story.tell("r1", EventKind.HEAL_STAGE, "s1", stage="predict", answer="x", situation=SITUATION, **told)
    assert history.figures().total.foretold == 0


def test_since_leaves_out_what_was_before(history: History, story: Storyteller) -> None:
    """Of two failures a day apart, the second."""
    story.begin("r1")
    story.failing_step("r1", "s1")
    story.now = NOON + 86_400
    story.begin("r2")
    story.failing_step("r2", "s2")
    assert history.figures().total.failures == 2
    assert history.figures(NOON + 80_000).total.failures == 1
    assert history.figures(NOON + 80_000).runs == 1


def test_below_eight_observations_there_is_no_rate() -> None:
    """Seven of seven says so; eight of eight is a rate with its interval."""
    assert counts_record(Counts(failures=7, auto_fixed=7))["healed"] == {"of": 7, "rate": NOT_ENOUGH}
    assert counts_record(Counts(failures=8, auto_fixed=8))["healed"] == {
        "of": 8,
        "rate": 1.0,
        "low": 0.676,
        "high": 1.0,
    }


def test_what_was_prevented_is_a_difference_between_measured_rates() -> None:
    """9 of 10 failed without the fix, 3 of 30 with it: 24 of 30 prevented, with the interval of the difference."""
    record = counts_record(Counts(fixed_first=30, fixed_failed=3, shadow=10, shadow_failed=9, noted=50))["prevented"]
    assert (record["rate"], record["calls"]) == (0.8, 24)
    assert 0 < record["low"] < 0.8 < record["high"] < 1
    few = counts_record(Counts(fixed_first=30, fixed_failed=3, shadow=7, shadow_failed=7, noted=50))["prevented"]
    assert few["rate"] == NOT_ENOUGH


def test_the_dashboard_keeps_what_a_person_wrote_above_it(history: History, story: Storyteller, memory: Memory) -> None:
    """Comments stay; what the engine writes is brought up to date; nothing in it breaks its schema."""
    story.begin("r1")
    story.failing_step("r1", "s1")
    write_dashboard(memory, history, NOON)
    path = memory.folder / "stats" / "auto_heal_dashboard.yaml"
    path.write_text(f"# mine\n{path.read_text()}")
    story.failing_step("r1", "s2")
    write_dashboard(memory, history, NOON + 60)
    told: dict[str, Any] = read(path).value
    assert (told["generated"], told["totals"]["failures"]) == ("2026-11-20T12:01:00Z", 2)
    assert path.read_text().startswith("# mine\n")
    assert memory.findings() == ()


def test_a_broken_dashboard_is_left_alone(history: History, memory: Memory) -> None:
    """It says where, and is not written over."""
    path = memory.folder / "stats" / "auto_heal_dashboard.yaml"
    path.parent.mkdir(parents=True)
    path.write_text("totals: [\n")
    with pytest.raises(DocumentError):
        write_dashboard(memory, history, NOON)
    assert path.read_text() == "totals: [\n"
