"""Whether to act: every rule of healing, one at a time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.heal.policy import HealPolicy
from engine.model.failure import Diagnosis, FailureKind
from engine.model.heal import (
    ApplyFix,
    BreakerState,
    Domain,
    FixPlan,
    HealMode,
    LeaveAlone,
    RetryPlain,
    Risk,
)
from engine.model.outcome import ToolCall
from engine.model.skill import HealOption
from tests.unit.heal.situations import (
    CONNECT_CALL,
    EPHEMERAL,
    LOGIN,
    LOGIN_CALL,
    PODS,
    RESERVE,
    Asked,
    done,
    known,
    read,
)
from tool_registry.tool import Effect

TIMEOUT = known(FailureKind.TIMEOUT, untouched=False)
AUTH = FailureKind.AUTH_EXPIRED


def fix_of(asked: Asked) -> ApplyFix:
    """The fix the policy chose; the test fails if it chose none."""
    answer = asked.answer()
    assert isinstance(answer, ApplyFix), answer
    return answer


def left(asked: Asked) -> LeaveAlone:
    """Why the policy leaves it alone; the test fails if it does not."""
    answer = asked.answer()
    assert isinstance(answer, LeaveAlone), answer
    return answer


def test_an_expired_login_is_renewed_with_the_domains_own_arguments() -> None:
    """Low risk: acts, although nothing is known yet about its effectiveness."""
    answer = fix_of(Asked())
    assert (answer.role, answer.plan.call, answer.domain) == ("login", LOGIN_CALL, "ephemeral")
    assert (answer.risk, answer.ask) == (Risk.LOW, False)


@pytest.mark.parametrize("kind", ["connection_refused", "network_unreachable", "dns_failure"])
def test_a_network_failure_connects(kind: str) -> None:
    """Each of the three kinds that a missing route or VPN gives."""
    assert fix_of(Asked(diagnosis=known(FailureKind(kind)))).plan.call == CONNECT_CALL


@pytest.mark.parametrize(
    "kind", ["permission_denied", "usage_error", "conflict", "tls", "unexpected_result", "unknown"]
)
def test_what_no_fix_can_help_is_left_alone(kind: str) -> None:
    """A missing permission is not answered with a login."""
    answer = left(Asked(diagnosis=known(FailureKind(kind))))
    assert answer.suggestion is None
    assert answer.because.endswith(".")


def test_without_a_domain_nothing_is_guessed() -> None:
    """No cluster is ever guessed."""
    assert "No profile describes the domain ephemeral" in left(Asked(domain=None)).because
    assert "does not say how to login" in left(Asked(domain=Domain(name="bare"))).because


@pytest.mark.parametrize(("named", "because"), [("nobody", "no such tool"), ("pods", "not marked as a fix")])
def test_a_fix_is_a_registered_tool_marked_as_one(named: str, because: str) -> None:
    """Configuration can name a tool; it cannot make it a fix."""
    domain = Domain(name="odd", fixes={"login": FixPlan(call=ToolCall(tool=named))})
    assert because in left(Asked(domain=domain)).because


def test_a_fix_does_not_repair_itself() -> None:
    """A login that needs a login is not logged in first."""
    assert "does not repair itself" in left(Asked(tool=LOGIN)).because


def test_a_pattern_names_its_own_role() -> None:
    """Where words decide, the pattern says what helps, and none if it says none."""
    domain = replace(EPHEMERAL, fixes={**EPHEMERAL.fixes, "registry_login": FixPlan(call=LOGIN_CALL)})
    asked = Asked(diagnosis=read(AUTH, 0.95, fix="registry_login"), domain=domain)
    assert fix_of(asked).role == "registry_login"
    assert left(Asked(diagnosis=read(AUTH, 0.95, fix=None))).suggestion is None


def test_a_pattern_may_name_a_registered_fix_and_its_arguments() -> None:
    """Text in memory can name a fix; the domain's plan for it comes first."""
    named = read(AUTH, 0.95, fix="restart", fix_args={"service": "cache"})
    assert fix_of(Asked(diagnosis=named)).plan.call == ToolCall(tool="restart", args={"service": "cache"})
    planned = Domain(name="planned", fixes={"restart": FixPlan(call=ToolCall(tool="restart", args={"service": "db"}))})
    assert fix_of(Asked(diagnosis=named, domain=planned)).plan.call.args == {"service": "db"}
    assert "does not say" in left(Asked(diagnosis=read(AUTH, 0.95, fix="rm -rf /"))).because


@pytest.mark.parametrize(
    "stop",
    [
        Asked(policy=HealPolicy(kill_switch=True)),
        Asked(policy=HealPolicy(mode=HealMode.OFF)),
        Asked(domain=replace(EPHEMERAL, mode=HealMode.OFF)),
        Asked(narrowing=HealOption(enabled=False)),
        Asked(diagnosis=known(FailureKind.CANCELLED)),
        Asked(deadline_left=0.0),
    ],
)
def test_what_is_switched_off_does_nothing(stop: Asked) -> None:
    """Kill switch, mode, domain, step, cancellation, deadline: each ends it, and so for plain repeats."""
    assert isinstance(stop.answer(), LeaveAlone)
    assert isinstance(replace(stop, tool=PODS, retried_plain=False).answer(), LeaveAlone)


@pytest.mark.parametrize(
    ("workspace", "domain", "ask"),
    [(HealMode.ASK, None, True), (HealMode.AUTO, HealMode.ASK, True), (HealMode.ASK, HealMode.AUTO, True)],
)
def test_the_stricter_mode_wins(workspace: HealMode, domain: HealMode | None, ask: bool) -> None:
    """A domain narrows the workspace's mode and never widens it."""
    asked = Asked(policy=HealPolicy(mode=workspace), domain=replace(EPHEMERAL, mode=domain))
    assert fix_of(asked).ask is ask


def test_suggest_only_suggests() -> None:
    """The fix is named, not run; a plain repeat is not made either."""
    suggest = HealPolicy(mode=HealMode.SUGGEST)
    assert left(Asked(policy=suggest)).suggestion == LOGIN_CALL
    assert isinstance(Asked(policy=suggest, tool=PODS, diagnosis=TIMEOUT).answer(), LeaveAlone)


@pytest.mark.parametrize(
    "tool",
    [PODS, replace(RESERVE, idempotent=True), replace(RESERVE, effect=Effect.DESTRUCTIVE, idempotent=True)],
)
def test_a_read_or_an_idempotent_tool_is_simply_called_again(tool: object) -> None:
    """After a failure that passes by itself, before any fix."""
    answer = replace(Asked(diagnosis=TIMEOUT), tool=tool).answer()  # type: ignore[arg-type]
    assert isinstance(answer, RetryPlain)
    assert answer.delay == 1.0


def test_a_write_that_may_have_happened_is_not_called_again() -> None:
    """The lost answer of a reservation is not a reason for a second one."""
    answer = left(Asked(diagnosis=TIMEOUT))
    assert "may already have had its effect" in answer.because


def test_a_write_that_can_be_verified_is_looked_at_first() -> None:
    """The sentence says under which condition it is repeated."""
    answer = Asked(diagnosis=TIMEOUT, tool=replace(RESERVE, verify="reserved")).answer()
    assert isinstance(answer, RetryPlain)
    assert "only if reserved shows that the first call had no effect" in answer.because


def test_what_was_looked_at_is_called_again_without_a_condition() -> None:
    """`verify` saw no effect: a reset stays what passes by itself, and nothing needs to be looked at any more."""
    reset = known(FailureKind.CONNECTION_REFUSED, untouched=False)
    answer = Asked(diagnosis=reset, tool=replace(RESERVE, verify="reserved"), settled=True).answer()
    assert isinstance(answer, RetryPlain)
    assert "only if" not in answer.because


@pytest.mark.parametrize(
    ("diagnosis", "looked"),
    [
        (TIMEOUT, True),
        (known(FailureKind.AUTH_EXPIRED), False),
        (read(AUTH, 0.89, fix="login"), True),
        (read(AUTH, 0.90, fix="login"), False),
    ],
)
def test_verify_is_asked_wherever_a_second_call_is_not_proven_safe(diagnosis: Diagnosis, looked: bool) -> None:
    """One rule for looking and for repeating: words below 0.90 prove nothing."""
    tool = replace(RESERVE, verify="reserved")
    policy = HealPolicy()
    assert policy.must_look(tool, diagnosis, None, HealOption()) is looked
    assert not policy.must_look(PODS, diagnosis, None, HealOption())
    assert not policy.must_look(tool, diagnosis, None, HealOption(enabled=False))
    assert not replace(policy, kill_switch=True).must_look(tool, diagnosis, None, HealOption())


def test_nobody_waits_for_a_day() -> None:
    """A server may ask for any pause; one that is longer than a person would wait is told and not waited for."""
    limited = known(FailureKind.RATE_LIMITED)
    assert isinstance(Asked(diagnosis=limited, retry_after=60).answer(), RetryPlain)
    assert "86400 s" in left(Asked(diagnosis=limited, retry_after=86_400)).because


def test_words_are_no_proof_unless_nearly_always_right() -> None:
    """A pattern that says `untouched` is believed at 0.90, and never for a destructive tool."""
    sure, unsure = (read(AUTH, confidence, fix="login") for confidence in (0.90, 0.89))
    assert isinstance(Asked(diagnosis=sure).answer(), ApplyFix)
    assert "may already have had its effect" in left(Asked(diagnosis=unsure)).because
    wipe = replace(RESERVE, effect=Effect.DESTRUCTIVE)
    assert "may already have had its effect" in left(Asked(diagnosis=sure, tool=wipe)).because
    assert isinstance(Asked(tool=wipe).answer(), ApplyFix)


@pytest.mark.parametrize("kind", ["timeout", "server_error", "rate_limited", "connection_refused"])
def test_what_passes_by_itself_gets_one_plain_repeat(kind: str) -> None:
    """Time-outs, 5xx, rate limits and resets; a second time there is only a fix, or nothing."""
    asked = Asked(diagnosis=known(FailureKind(kind), untouched=False), tool=PODS)
    assert isinstance(asked.answer(), RetryPlain)
    assert not isinstance(replace(asked, retried_plain=True).answer(), RetryPlain)


def test_a_reset_after_a_plain_repeat_is_connected() -> None:
    """A fix for what passes by itself comes only after the plain repeat failed, so its credit is its own."""
    reset = known(FailureKind.CONNECTION_REFUSED, untouched=False)
    assert fix_of(Asked(diagnosis=reset, tool=PODS, retried_plain=True)).plan.call == CONNECT_CALL


def test_a_connect_time_out_is_a_network_that_swallows_packets() -> None:
    """Nothing was sent: after the plain repeat the network is connected."""
    swallowed = Asked(diagnosis=known(FailureKind.TIMEOUT), retried_plain=True)
    assert fix_of(swallowed).plan.call == CONNECT_CALL


def test_a_server_that_names_a_wait_is_waited_for_within_the_deadline() -> None:
    """`Retry-After` is obeyed, or the step says that it cannot."""
    limited = Asked(diagnosis=known(FailureKind.RATE_LIMITED), retry_after=20.0, deadline_left=60.0)
    answer = limited.answer()
    assert isinstance(answer, RetryPlain)
    assert answer.delay == 20.0
    assert "has only 10 s left" in left(replace(limited, deadline_left=10.0)).because


def test_no_fix_is_run_twice_and_at_most_two_in_a_step() -> None:
    """The same fix never, a second different one once, a third never."""
    assert "no fix is run twice" in left(Asked(fixes_done=(done("kube_login"),))).because
    assert isinstance(Asked(fixes_done=(done("vpn_connect"),)).answer(), ApplyFix)
    two = (done("vpn_connect"), done("restart"))
    assert "2 are the most" in left(Asked(fixes_done=two)).because


def test_a_step_can_narrow_but_not_widen() -> None:
    """`heal.fixes` allows by role or by tool; `max_fixes` can only be smaller."""
    assert isinstance(Asked(narrowing=HealOption(fixes=("login",))).answer(), ApplyFix)
    assert isinstance(Asked(narrowing=HealOption(fixes=("kube_login",))).answer(), ApplyFix)
    assert "does not allow" in left(Asked(narrowing=HealOption(fixes=("connect",)))).because
    assert isinstance(Asked(narrowing=HealOption(max_fixes=0)).answer(), LeaveAlone)
    many = Asked(narrowing=HealOption(max_fixes=9), fixes_done=(done("a"), done("b")))
    assert isinstance(many.answer(), LeaveAlone)


def test_an_open_breaker_suggests() -> None:
    """It names the fix and does not run it; half open it is tried once."""
    answer = left(Asked(breaker=BreakerState.OPEN))
    assert answer.suggestion == LOGIN_CALL
    assert "one probe" in fix_of(Asked(breaker=BreakerState.HALF_OPEN)).because


@pytest.mark.parametrize(
    ("confidence", "tried", "helped", "risk", "ask"),
    [
        (0.90, 0, 0, Risk.LOW, False),
        (0.89, 0, 0, Risk.MEDIUM, True),
        (0.89, 7, 7, Risk.MEDIUM, True),
        (0.89, 8, 8, Risk.MEDIUM, False),
        (0.89, 8, 0, Risk.MEDIUM, True),
        (0.85, 20, 18, Risk.MEDIUM, False),
        (0.84, 20, 20, Risk.HIGH, True),
        (0.0, 20, 20, Risk.HIGH, True),
    ],
)
def test_risk_follows_confidence_and_effectiveness(
    confidence: float,
    tried: int,
    helped: int,
    risk: Risk,
    ask: bool,
) -> None:
    """Low acts, medium acts once the fix is known to help, high asks."""
    answer = fix_of(Asked(diagnosis=read(AUTH, confidence, fix="login"), tool=PODS, tried=tried, helped=helped))
    assert (answer.risk, answer.ask) == (risk, ask)


def test_a_fix_of_other_scope_is_never_low_risk() -> None:
    """It is not only credentials or connectivity, however sure the diagnosis is."""
    domain = Domain(name="d", fixes={"login": FixPlan(call=ToolCall(tool="restart"))})
    answer = fix_of(Asked(domain=domain))
    assert (answer.risk, answer.ask) == (Risk.MEDIUM, True)
    assert fix_of(Asked(domain=domain, tried=8, helped=8)).ask is False


def test_a_destructive_fix_is_never_automatic() -> None:
    """Whatever its scope, its record and the certainty: a person decides."""
    domain = Domain(name="d", fixes={"login": FixPlan(call=ToolCall(tool="wipe"))})
    answer = fix_of(Asked(domain=domain, tried=100, helped=100))
    assert (answer.risk, answer.ask) == (Risk.HIGH, True)
    assert "cannot be taken back" in answer.because


def test_a_hopeless_situation_still_names_the_fix() -> None:
    """Where the call may not be repeated, a person still learns what would help."""
    reset = known(FailureKind.CONNECTION_REFUSED, untouched=False)
    assert left(Asked(diagnosis=reset)).suggestion == CONNECT_CALL
    assert left(Asked(deadline_left=0.0)).suggestion == LOGIN_CALL
