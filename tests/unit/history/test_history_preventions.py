"""What history says was stopped before a call, and what a fix healed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.history import History
from engine.model.event import EventKind
from engine.model.secret import Secrets
from engine.model.tally import Prevention
from tests.unit.history.storyteller import Storyteller


@pytest.fixture
def story(tmp_path: Path) -> Storyteller:
    """A storyteller whose run has begun."""
    made = Storyteller(History.open(tmp_path / "history.db", secrets=Secrets()))
    made.begin("r1")
    return made


def stopped(story: Storyteller, step: str, *, action: str = "blocked", tool: str = "") -> None:
    """One look before a call, or before the run where `step` is empty."""
    cause = {"id": "short_sha", "because": "74ec56e is a shortened SHA", "found": {}}
    told = {"stage": "preflight", "answer": "the arguments do not fit", "check": "arguments", "domain": "ephemeral"}
    more: dict[str, Any] = {"tool": tool} if tool else {}
    more |= {"ok": action == "passed", "kind": "usage_error", "action": action, "fix": "", "cause": cause}
    story.tell("r1", EventKind.HEAL_STAGE, step, **told, **more)


def test_a_call_that_was_stopped_is_one_however_often_it_was_looked_at(story: Storyteller) -> None:
    """As before the run, and then before the call."""
    stopped(story, "deploy", tool="bonfire_deploy")
    stopped(story, "deploy", tool="bonfire_deploy")
    text = "the arguments do not fit\n74ec56e is a shortened SHA"
    expected = Prevention(tool="bonfire_deploy", text=text, cause="short_sha")
    assert story.history.preventions() == (expected,)


def test_a_run_that_was_stopped_counts_for_the_tool_it_was_stopped_for(story: Storyteller) -> None:
    """Though no step of it began."""
    stopped(story, "", tool="bonfire_deploy")
    assert [each.tool for each in story.history.preventions()] == ["bonfire_deploy"]


@pytest.mark.parametrize(("action", "tool"), [("passed", "t"), ("noted", "t"), ("blocked", "")])
def test_a_look_that_stopped_nothing_is_none(story: Storyteller, action: str, tool: str) -> None:
    """Neither is one whose call is not known."""
    stopped(story, "", action=action, tool=tool)
    assert story.history.preventions() == ()


def test_steps_that_a_fix_healed_are_counted_together(story: Storyteller) -> None:
    """By tool, words and fix; one that no fix helped is none."""
    for number in range(3):
        story.failing_step("r1", f"pods{number}")
    story.failing_step("r1", "worse", helped=False)
    (healed,) = story.history.preventions()
    assert (healed.tool, healed.fix, healed.text, healed.count) == (
        "kubectl_get_pods",
        "kube_login",
        "401 Unauthorized",
        3,
    )


def test_failures_can_be_asked_for_by_tool(story: Storyteller) -> None:
    """As `debug_tool` does."""
    story.failing_step("r1", "pods")
    assert len(story.history.failures(tool="kubectl_get_pods")) == 1
    assert story.history.failures(tool="git_push") == ()
