"""What a person should do, with the real values in the sentence: what is known without looking anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import anyio
import pytest

from engine.heal.causes import token
from engine.heal.causes.case import Case
from engine.heal.causes.looks import NoLooks, Seen
from engine.heal.causes.short_sha import shortened
from engine.heal.detect import diagnose
from engine.heal.explain import explain
from engine.model.failure import Evidence, Failure
from engine.model.heal import Domain, FixPlan, KnownIssue, TokenExpiry
from engine.model.outcome import ToolCall
from engine.model.remediation import RootCause, root_cause_of
from tests.unit.heal.shipped import PATTERNS
from tests.unit.heal.situations import nothing
from tool_registry.tool import Tool

FULL = "74ec56e1a2b3c4d5e6f708192a3b4c5d6e7f8091"
EPHEMERAL = Domain(
    name="ephemeral",
    fixes={
        "login": FixPlan(call=ToolCall(tool="kube_login", args={"cluster": "ephemeral"})),
        "connect": FixPlan(call=ToolCall(tool="vpn_connect")),
    },
)
WHOLE = {"type": "object", "properties": {"ref": {"type": "string", "pattern": "^[0-9a-f]{40}$"}}}


def found(
    text: str = "",
    *,
    args: dict[str, Any] | None = None,
    domain: Domain | None = EPHEMERAL,
    known: tuple[KnownIssue, ...] = (),
    now: float = 0.0,
    **evidence: Any,
) -> RootCause | None:
    """The root cause of a failure, as far as it can be told without looking."""
    failure = Failure(message="it failed", tool="deploy", evidence=Evidence(text=text, **evidence))
    call, meant = ToolCall(tool="deploy", args=args or {}), diagnose(failure, PATTERNS)
    case = Case(failure=failure, diagnosis=meant, call=call, domain=domain, now=now)

    async def explained() -> RootCause | None:
        return (await explain(case, known=known)).cause

    return anyio.run(explained)


def told(text: str = "", **more: Any) -> str:
    """The sentences for a failure, one a line."""
    cause = found(text, **more)
    return "\n".join(cause.sentences) if cause else ""


def test_an_expired_token_says_since_when_and_how_to_log_in() -> None:
    """The domain's own login call, ready to run; a time that the server gives as a number is told as a person reads."""
    said = told(http_status=401, details={"expired_at": "2026-01-12T11:00:00Z"})
    assert "expired at 2026-01-12T11:00:00Z" in said
    assert "skill tools exec kube_login -i cluster=ephemeral --domain ephemeral" in said
    assert "the server deploy uses" in told(http_status=401, domain=None)
    assert "12 min ago" in told(http_status=401, details={"expired_at": 1000.0, "user": "ada"}, now=1720.0)


class TokenThere(NoLooks):
    """Looks that find a token which says nothing of its end."""

    async def at(self, tool: str, args: Mapping[str, Any] | None = None, *, domain: str | None = None) -> Seen:
        """The token, whatever is asked."""
        seen = await super().at(tool, args, domain=domain)
        return replace(seen, value={"ok": True, "expires_at": None, "user": ""})


async def test_a_token_that_says_nothing_of_its_end_is_not_called_missing() -> None:
    """It is there, and the server has refused it: nobody is told that nobody had logged in."""
    expiry = TokenExpiry(call=ToolCall(tool="kubeconfig_expiry"))
    failure = Failure(message="401", tool="deploy", evidence=Evidence(http_status=401))
    domain = replace(EPHEMERAL, name="stage", expiry=expiry)
    call = ToolCall(tool="deploy")
    case = Case(failure=failure, diagnosis=diagnose(failure, PATTERNS), call=call, domain=domain)
    cause = await token.find(case, TokenThere())
    assert cause is not None
    assert cause.because == "The credentials are missing or no longer valid."
    assert str(cause.steps[0]) == "Log in: skill tools exec kube_login -i cluster=ephemeral --domain stage"


def test_a_revoked_token_and_one_that_is_refused_are_told_apart() -> None:
    """By the server's own word, else by what the token says of itself."""
    revoked, refused = (
        found(http_status=401, details=details) for details in ({"reason": "revoked"}, {"expires_at": 9000.0})
    )
    assert revoked is not None
    assert refused is not None
    assert (revoked.id, revoked.found["state"], refused.found["state"]) == ("token", "revoked", "refused")
    assert "was revoked" in revoked.because
    assert "but the server refuses it" in refused.because


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
    assert "skill tools exec vpn_connect" in said


def test_a_host_that_only_words_name_is_known_by_nobody() -> None:
    """Nothing is to be asked of it: whoever wrote the words would choose whom this machine talks to."""
    failure = Failure(message="it failed", evidence=Evidence(text="connect to evil.example.org:80: refused"))
    case = Case(failure=failure, diagnosis=diagnose(failure, ()), call=ToolCall(tool="deploy"))
    assert (case.address().host, case.address().known) == ("evil.example.org", False)
    named = Case(failure=failure, diagnosis=case.diagnosis, call=ToolCall(tool="t", args={"url": "https://a.example"}))
    assert (named.address().host, named.address().port, named.address().known) == ("a.example", 443, True)


@pytest.mark.parametrize(("name", "value"), [("expires_at", 10**400), ("expired_at", 1e300), ("expires_at", -1e300)])
def test_an_end_that_no_calendar_has_is_not_told(name: str, value: float) -> None:
    """A server may say any number."""
    assert "no longer valid" in told(http_status=401, details={name: value})


@pytest.mark.parametrize("evidence", [{"http_status": 401, "told": "registry-"}, {"errno": "ECONNREFUSED"}])
def test_a_host_is_one_word_of_a_command(evidence: dict[str, Any]) -> None:
    """Commands are there to be copied into a shell; what a server or an argument calls itself is no part of them."""
    code = '{"errors": [{"code": "UNAUTHORIZED"}]}' if evidence.pop("told", "") else ""
    errno = evidence.pop("errno", None)
    more = {"declared": "dns_failure"} if errno else evidence
    said = told(code, args={"host": "forge; rm -rf ~"}, domain=None, **more)
    assert "'forge; rm -rf ~'" in said


def test_details_are_better_than_words() -> None:
    """What the tool knows as values is not searched for in its text."""
    said = told("refused by 10.0.0.9", errno="ECONNREFUSED", details={"host": "api.example.org", "port": 6443})
    assert "api.example.org:6443" in said


def test_a_time_out_without_a_host_is_told_as_that() -> None:
    """What a test run waits for is no server of anybody's."""
    assert "deploy did not end in the time it had" in told(declared="timeout", domain=None)
    assert "skill tools exec vpn_connect" in told(declared="timeout")


def test_a_registry_login_names_the_registry() -> None:
    """The command a person runs, for the registry that refused; by words or by the registry's own code."""
    said = told(
        "reading manifest 1 in registry.example.org/app: unauthorized: "
        "access to the requested resource is not authorized"
    )
    assert "podman login registry.example.org" in said
    code = '{"errors": [{"code": "UNAUTHORIZED", "message": "authentication required"}]}'
    assert "podman login --tls-verify=false 127.0.0.1:5000" in told(
        code, http_status=401, details={"host": "127.0.0.1:5000"}
    )


@pytest.mark.parametrize("text", ["[]", '{"errors": 7}', '{"errors": [7]}', '{"errors": [{}]}', "[" * 5000])
def test_a_strange_answer_is_no_registrys(text: str) -> None:
    """Whatever came with the 401, it is explained as a token, and nothing breaks."""
    cause = found(text, http_status=401)
    assert cause is not None
    assert cause.id == "token"


def test_a_prompt_without_a_terminal_names_the_program_and_its_flag() -> None:
    """The flag its manual page names; the kind of flag where nobody knows."""
    said = told("the input device is not a TTY", program="/usr/bin/apt-get")
    assert "apt-get asks a question" in said
    assert "Give apt-get -y" in said
    assert "--yes" in told("the input device is not a TTY", program="odd")
    assert "skill tools debug deploy" in said


def test_a_foreign_namespace_names_its_owner_and_lists_yours() -> None:
    """By details or by words."""
    text = "namespace ephemeral-ab12 owned by jdoe"
    assert "The namespace ephemeral-ab12 belongs to jdoe" in told(text)
    assert "bonfire namespace list --mine" in told(text)
    assert "Yours are: ephemeral-1, ephemeral-2" in told(text, details={"owned": ["ephemeral-1", "ephemeral-2"]})
    assert "You have none" in told(text, details={"owned": []})
    assert "Yours are: ephemeral-3" in told(text, details={"ours": ["ephemeral-3"]})
    assert "logging in again does not help" in told(http_status=403)


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
    ("args", "short"),
    [
        ({"tag": "74ec56e"}, ("tag", "74ec56e")),
        ({"image": "registry.example.org/app:74ec56e1"}, ("image", "74ec56e1")),
        ({"commit_sha": FULL}, None),
        ({"tag": "20260112"}, None),
        ({"tag": "defaced"}, None),
        ({"name": "74ec56e"}, None),
        ({"tag": 7}, None),
        ({"ref": "20260112"}, ("ref", "20260112")),
        ({"ref": FULL}, None),
        ({"ref": "main"}, None),
    ],
)
def test_only_a_shortened_commit_is_a_short_sha(args: dict[str, Any], short: tuple[str, str] | None) -> None:
    """Neither a date, nor a word, nor a whole one; digits alone are where the tool takes nothing but a whole one."""
    seen = shortened(ToolCall(tool="deploy", args=args), Tool(name="deploy", call=nothing, parameters=WHOLE))
    assert (seen and (seen.argument, seen.sha)) == short


def test_a_branch_is_named_with_the_command_that_helps() -> None:
    """Without commits: commit; not pushed: push."""
    assert "git commit" in told("fatal: your current branch 'fix-7' does not have any commits yet")
    unpushed = told("fatal: The current branch fix-7 has no upstream branch.\nTo push the current branch ...")
    assert "git push --set-upstream origin fix-7" in unpushed
    assert "The branch fix-7 exists only on this machine." in told("fatal: couldn't find remote ref fix-7")


def test_a_branch_with_an_odd_name_is_in_no_command() -> None:
    """Text from the world is data: what a shell would take apart is not put before a person to be run."""
    said = found("fatal: couldn't find remote ref x", details={"branch": "x; rm -rf ~"})
    assert said is not None
    assert said.steps[0].command == "git push --set-upstream origin BRANCH"


def test_what_memory_knows_is_added_once() -> None:
    """Root cause and fix as one sentence, commands as suggestions; a role's bare name is not shown."""
    issue = KnownIssue(
        source="s", meaning="m", root_cause="The flag is missing", fix="add --force", commands=("run x",)
    )
    role = KnownIssue(source="s", meaning="It is down", fix="connect")
    said = told(declared="conflict", known=(issue, issue, role)).splitlines()
    assert said == ["The flag is missing: add --force", "Try: run x", "It is down."]
    alone = found(declared="conflict", known=(issue,))
    assert alone is not None
    assert (alone.id, alone.source) == ("known_issue", "memory")


def test_what_a_pattern_says_of_all_its_failures_stands_back() -> None:
    """Where the cause of this very one was found, its commands would only repeat it with words to fill in."""
    general = KnownIssue(source="patterns.yaml", meaning="A tag is short", fix="", commands=("git rev-parse SHORT",))
    learnt = KnownIssue(source="tool_fixes.yaml", meaning="", root_cause="A tag is short", fix="use all 40 digits")
    said = told(declared="image_not_found", args={"tag": "74ec56e"}, known=(general, learnt))
    assert "SHORT" not in said
    assert "use all 40 digits" in said


def test_what_nobody_knows_is_not_explained() -> None:
    """No sentence is better than a guess."""
    assert found(declared="code_error") is None


def test_a_cause_survives_being_written_down() -> None:
    """What events and history hold is read as it was; what is no record of a cause is none."""
    cause = found(declared="image_not_found", args={"tag": "74ec56e"})
    assert cause is not None
    assert root_cause_of(cause.record) == cause
    assert [root_cause_of(odd) for odd in (None, {}, "x", {"because": ""}, [1])] == [None] * 5
    odd = root_cause_of({"because": "so", "steps": ["look", {"text": "do", "call": 7}], "found": 3})
    assert odd is not None
    assert [str(step) for step in odd.steps] == ["look", "do"]
