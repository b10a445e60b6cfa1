"""What a person should do, with the real values in the sentence."""

from __future__ import annotations

from typing import Any

import pytest

from engine.heal.detect import diagnose
from engine.heal.explain import remediation, short_sha
from engine.model.failure import Evidence, Failure
from engine.model.heal import Domain, FixPlan, KnownIssue
from engine.model.outcome import ToolCall
from tests.unit.heal.shipped import PATTERNS

FULL = "74ec56e1a2b3c4d5e6f708192a3b4c5d6e7f8091"
EPHEMERAL = Domain(
    name="ephemeral",
    fixes={
        "login": FixPlan(call=ToolCall(tool="kube_login", args={"cluster": "ephemeral"})),
        "connect": FixPlan(call=ToolCall(tool="vpn_connect")),
    },
)


def told(
    text: str = "",
    *,
    args: dict[str, Any] | None = None,
    domain: Domain | None = EPHEMERAL,
    known: tuple[KnownIssue, ...] = (),
    **evidence: Any,
) -> str:
    """The sentences for a failure, one a line."""
    failure = Failure(message="it failed", tool="deploy", evidence=Evidence(text=text, **evidence))
    call = ToolCall(tool="deploy", args=args or {})
    return "\n".join(remediation(failure, diagnose(failure, PATTERNS), call, domain, known))


def test_an_expired_token_says_since_when_and_how_to_log_in() -> None:
    """The domain's own login call, ready to run."""
    said = told(http_status=401, details={"expired_at": "2026-01-12T11:00:00Z"})
    assert "expired at 2026-01-12T11:00:00Z" in said
    assert "kube_login(cluster='ephemeral')" in said
    assert "the server deploy uses" in told(http_status=401, domain=None)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("ssh: connect to host 10.0.0.9 port 22: No route to host", "no route from this machine to 10.0.0.9"),
        ("curl: (6) Could not resolve host: api.example.org", "api.example.org cannot be resolved"),
        ("dial tcp 10.0.0.9:6443: connect: connection refused", "accepts connections at 10.0.0.9:6443"),
    ],
)
def test_a_network_failure_names_the_host_and_the_way_there(text: str, sentence: str) -> None:
    """From the words, where the tool gave no details."""
    said = told(text)
    assert sentence in said
    assert "vpn_connect()" in said


def test_details_are_better_than_words() -> None:
    """What the tool knows as values is not searched for in its text."""
    said = told("refused by 10.0.0.9", errno="ECONNREFUSED", details={"host": "api.example.org", "port": 6443})
    assert "api.example.org:6443" in said


def test_a_registry_login_names_the_registry() -> None:
    """The command a person runs, for the registry that refused."""
    said = told(
        "reading manifest 1 in registry.example.org/app: unauthorized: "
        "access to the requested resource is not authorized"
    )
    assert "podman login registry.example.org" in said


def test_a_prompt_without_a_terminal_names_the_program() -> None:
    """And the kind of flag that answers it."""
    said = told("the input device is not a TTY", program="bonfire")
    assert "bonfire asks a question" in said
    assert "--yes" in said


def test_a_foreign_namespace_names_its_owner_and_lists_yours() -> None:
    """By details or by words."""
    text = "namespace ephemeral-ab12 owned by jdoe"
    assert "The namespace ephemeral-ab12 belongs to jdoe" in told(text)
    assert "bonfire namespace list --mine" in told(text)
    assert "Yours are: ephemeral-1, ephemeral-2." in told(text, details={"owned": ["ephemeral-1", "ephemeral-2"]})
    assert "You have none" in told(text, details={"owned": []})
    assert "Yours are: ephemeral-3." in told(text, details={"ours": ["ephemeral-3"]})


def test_a_short_sha_is_counted_and_expanded() -> None:
    """The argument, its length, and the command that gives the rest."""
    said = told(declared="image_not_found", args={"image_tag": "74ec56e"})
    assert "image_tag is the short SHA 74ec56e (7 of 40 digits)" in said
    assert "git rev-parse 74ec56e" in said


def test_a_missing_image_with_a_full_sha_is_not_built_yet() -> None:
    """The image, the tag, and where the build can be seen."""
    said = told(
        declared="image_not_found",
        args={"image": "registry.example.org/app", "tag": FULL},
        details={"pipeline": "https://ci.example.org/7"},
    )
    assert f"no image registry.example.org/app with the tag {FULL}" in said
    assert "https://ci.example.org/7" in said


@pytest.mark.parametrize(
    ("args", "found"),
    [
        ({"tag": "74ec56e"}, ("tag", "74ec56e")),
        ({"image": "registry.example.org/app:74ec56e1"}, ("image", "74ec56e1")),
        ({"commit_sha": FULL}, None),
        ({"tag": "20260112"}, None),
        ({"tag": "defaced"}, None),
        ({"name": "74ec56e"}, None),
        ({"tag": 7}, None),
    ],
)
def test_only_a_shortened_commit_is_a_short_sha(args: dict[str, Any], found: tuple[str, str] | None) -> None:
    """Neither a date, nor a word, nor a whole one."""
    assert short_sha(ToolCall(tool="deploy", args=args)) == found


def test_a_branch_is_named_with_the_command_that_helps() -> None:
    """Without commits: commit; not pushed: push."""
    assert "git commit" in told("fatal: your current branch 'fix-7' does not have any commits yet")
    unpushed = told("fatal: The current branch fix-7 has no upstream branch.\nTo push the current branch ...")
    assert "git push --set-upstream origin fix-7" in unpushed
    assert "The branch fix-7 exists only on this machine." in told("fatal: couldn't find remote ref fix-7")


def test_what_memory_knows_is_added_once() -> None:
    """Root cause and fix as one sentence, commands as suggestions; a role's bare name is not shown."""
    issue = KnownIssue(
        source="s", meaning="m", root_cause="The flag is missing", fix="add --force", commands=("run x",)
    )
    role = KnownIssue(source="s", meaning="It is down", fix="connect")
    said = told(declared="conflict", known=(issue, issue, role)).splitlines()
    assert said == ["The flag is missing: add --force", "Try: run x", "It is down."]


def test_what_nobody_knows_is_not_explained() -> None:
    """No sentence is better than a guess."""
    assert told(declared="code_error") == ""
