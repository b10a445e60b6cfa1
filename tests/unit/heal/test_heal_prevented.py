"""How often a known mistake was prevented: what was stopped before a call, and what the named fix healed."""

from __future__ import annotations

import pytest

from engine.heal.prevented import names, times_prevented
from engine.memory.fixes import FixEntry
from engine.model.tally import Prevention

SHA = FixEntry(tool="bonfire_deploy", error_pattern="manifest unknown", fix="Use the full SHA", cause="short_sha")
LOGIN = FixEntry(tool="kubectl_*", error_pattern="token expired", fix="Log in: kube_login() renews it")


def counted(*preventions: Prevention) -> list[int]:
    """The counts of both entries."""
    counts = times_prevented([SHA, LOGIN], preventions)
    return [counts.get(SHA.key, 0), counts.get(LOGIN.key, 0)]


def test_a_call_stopped_for_the_root_cause_of_an_entry_counts() -> None:
    """Also where other words were said of it."""
    assert counted(Prevention(tool="bonfire_deploy", text="74ec56e is a shortened SHA", cause="short_sha")) == [1, 0]


def test_a_call_stopped_in_the_words_of_an_entry_counts() -> None:
    """Case and line breaks do not matter."""
    assert counted(Prevention(tool="kubectl_logs", text="the Token\n expired 2 h ago", cause="auth_expired")) == [0, 1]


def test_a_failure_healed_by_the_fix_an_entry_names_counts_as_often_as_it_was() -> None:
    """Thirty steps, thirty times."""
    assert counted(Prevention(tool="kubectl_logs", text="token expired", fix="kube_login", count=30)) == [0, 30]


@pytest.mark.parametrize(
    "prevention",
    [
        Prevention(tool="bonfire_release", text="manifest unknown", cause="short_sha"),
        Prevention(tool="bonfire_deploy", text="no such namespace", cause="namespace"),
        Prevention(tool="kubectl_logs", text="token expired", fix="vpn_connect"),
        Prevention(tool="kubectl_logs", text="forbidden", fix="kube_login"),
    ],
    ids=["another tool", "another cause and words", "another fix", "other words"],
)
def test_what_is_not_that_very_mistake_does_not_count(prevention: Prevention) -> None:
    """Better too few than one too many."""
    assert counted(prevention) == [0, 0]


@pytest.mark.parametrize(
    ("fix", "tool", "named"),
    [
        ("kube_login()", "kube_login", True),
        ("run kube_login('e')", "kube_login", True),
        ("kube_login_all()", "kube_login", False),
        ("my-kube_login", "kube_login", False),
        ("log in to kube", "kube_login", False),
    ],
)
def test_a_fix_names_a_tool_only_as_a_word_of_its_own(fix: str, tool: str, named: bool) -> None:
    """A name inside another names another."""
    assert names(fix, tool) is named
