"""One look: what a tool gives, or how it fails, says whether what was looked at is good, and what would repair it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import pytest

from engine.heal.preflight.look import TOKEN, checks_of, look
from engine.heal.preflight.spans import spoken
from engine.model.failure import Evidence, Failure, FailureKind
from engine.model.heal import Domain, TokenExpiry
from engine.model.outcome import Attempt, ToolCall
from engine.model.prevention import Check, Lasts
from tool_registry.tool import UnknownToolError

NOW = 1_000.0
CALL = ToolCall(tool="look")
ROAD = Check(name="road", call=CALL, role="connect", kind=FailureKind.CONNECTION_REFUSED)
LOGIN = Check(name="login", call=CALL, role="login", kind=FailureKind.AUTH_EXPIRED)
DISK = Check(name="disk_space", call=CALL, kind=FailureKind.RESOURCE_EXHAUSTED)
PROGRAM = Check(name="git", call=CALL, kind=FailureKind.DEPENDENCY_MISSING)
DOOR = Domain(name="door")

Called = Callable[[ToolCall], Awaitable[Attempt]]


def giving(value: Any = None, failure: Failure | None = None) -> Called:
    """A call that gives this."""

    async def call(wanted: ToolCall) -> Attempt:
        return Attempt(number=1, call=wanted, started_at=NOW, finished_at=NOW, value=value, failure=failure)

    return call


def failing(**evidence: Any) -> Called:
    """A call that fails with this evidence."""
    return giving(failure=Failure(message="it failed", tool="look", evidence=Evidence(**evidence)))


@pytest.mark.parametrize(
    ("value", "ok", "told"),
    [
        (None, True, ""),
        ({"anything": 1}, True, ""),
        ({"ok": True, "message": "9 GB free"}, True, "9 GB free"),
        ({"ok": False, "message": "only 3 MB free"}, False, "disk space of door: only 3 MB free"),
        ({"ok": False}, False, "disk space of door: it is not good"),
        (False, False, "disk space of door: it is not good"),
        ({"expires_in": 20.0}, False, "holds only 20 s more, and 60 s are needed"),
        ({"expires_at": NOW - 300}, False, "the disk space of door expired 5 min ago"),
        ({"expires_at": NOW + 61}, True, ""),
        ({"expires_at": None}, False, "the disk space of door is missing"),
        ({"ok": True, "expires_at": None}, True, ""),
        ({"expires_in": True}, False, "is missing"),
    ],
)
async def test_what_a_tool_gives_says_whether_it_is_good(value: Any, ok: bool, told: str) -> None:
    """Its own `ok` first, then until when it holds; a tool that just works says that all is well."""
    found = await look(DOOR, DISK, giving(value), now=NOW, needed=60.0)
    assert found.ok is ok
    assert told in found.message
    assert found.kind is (FailureKind.UNKNOWN if ok else FailureKind.RESOURCE_EXHAUSTED)


@pytest.mark.parametrize(
    ("check", "evidence", "kind", "role"),
    [
        (ROAD, {"errno": "ECONNREFUSED"}, FailureKind.CONNECTION_REFUSED, "connect"),
        (ROAD, {"errno": "EHOSTUNREACH"}, FailureKind.NETWORK_UNREACHABLE, "connect"),
        (ROAD, {"errno": "ENOTFOUND"}, FailureKind.DNS_FAILURE, "connect"),
        (ROAD, {"errno": "ETIMEDOUT", "sent": False}, FailureKind.TIMEOUT, "connect"),
        (ROAD, {"http_status": 401}, FailureKind.AUTH_EXPIRED, "login"),
        (ROAD, {"http_status": 403}, FailureKind.PERMISSION_DENIED, None),
        (ROAD, {"declared": "tls"}, FailureKind.TLS, None),
        (LOGIN, {"http_status": 401}, FailureKind.AUTH_EXPIRED, "login"),
        (LOGIN, {"errno": "ECONNREFUSED"}, FailureKind.CONNECTION_REFUSED, "connect"),
        (LOGIN, {"exit_status": 1, "program": "podman"}, FailureKind.AUTH_EXPIRED, "login"),
        (PROGRAM, {"declared": "dependency_missing"}, FailureKind.DEPENDENCY_MISSING, None),
        (DISK, {"exit_status": 1}, FailureKind.RESOURCE_EXHAUSTED, None),
    ],
)
async def test_a_failed_look_names_what_would_follow_and_what_repairs_that(
    check: Check, evidence: dict[str, Any], kind: FailureKind, role: str | None
) -> None:
    """The check's own role only for the sort of failure it was declared for: a closed road is no reason to log in."""
    found = await look(DOOR, check, failing(**evidence), now=NOW, needed=0.0)
    assert (found.ok, found.kind, found.role) == (False, kind, role)


@pytest.mark.parametrize(
    "evidence",
    [
        {"http_status": 503},
        {"http_status": 429},
        {"declared": "usage_error"},
        {"declared": "dependency_missing"},
        {"declared": "api_contract_mismatch"},
        {"declared": "timeout"},
        {"exception": "builtins.KeyError"},
        {"exception": "builtins.TypeError"},
    ],
)
async def test_a_look_that_could_not_be_made_says_nothing(evidence: dict[str, Any]) -> None:
    """A look that is broken, or met what passes by itself, is neither good nor bad."""
    for check in (ROAD, LOGIN, DISK):
        assert (await look(DOOR, check, failing(**evidence), now=NOW, needed=0.0)).ok is None


async def test_a_look_that_hangs_ends_in_its_time() -> None:
    """Nothing is known then, and who waits goes on."""

    async def hangs(_: ToolCall) -> Attempt:
        await anyio.sleep(3600)
        raise AssertionError

    check = Check(name="road", call=CALL, within=0.1)
    found = await look(DOOR, check, hangs, now=NOW, needed=0.0)
    assert (found.ok, found.message) == (None, "road of door: no answer from look within 0.1 s")


async def test_a_check_without_a_tool_says_nothing() -> None:
    """A profile that names a tool which is not there is no reason to stop a run."""

    async def unknown(wanted: ToolCall) -> Attempt:
        raise UnknownToolError(wanted.tool)

    found = await look(DOOR, ROAD, unknown, now=NOW, needed=0.0)
    assert found.ok is None
    assert "there is no tool called look" in found.message


async def test_an_expiry_that_cannot_be_read_is_not_over() -> None:
    """What reads until when a token holds may fail for reasons of its own; a 401 is the token's."""
    domain = Domain(name="door", expiry=TokenExpiry(call=CALL))
    [token] = checks_of(domain)
    assert (await look(domain, token, failing(exit_status=1), now=NOW, needed=0.0)).ok is None
    assert (await look(domain, token, failing(http_status=401), now=NOW, needed=0.0)).ok is False


def test_connections_are_looked_at_before_logins() -> None:
    """A login needs the network; what neither repairs stands between the two, in its own order."""
    declared = {check.name: check for check in (LOGIN, DISK, PROGRAM, ROAD)}
    domain = Domain(name="door", checks=declared, expiry=TokenExpiry(call=CALL, offline=True))
    assert [check.name for check in checks_of(domain)] == ["road", "disk_space", "git", "login", TOKEN]
    token = checks_of(domain)[-1]
    assert (token.role, token.kind, token.lasts, token.offline) == ("login", FailureKind.AUTH_EXPIRED, Lasts.RUN, True)
    assert checks_of(Domain(name="bare")) == ()


def test_a_check_called_token_stands_for_the_expiry() -> None:
    """Whoever declares one wants it looked at otherwise."""
    own = Check(name=TOKEN, call=CALL)
    assert checks_of(Domain(name="door", checks={TOKEN: own}, expiry=TokenExpiry(call=CALL))) == (own,)


@pytest.mark.parametrize(
    ("seconds", "told"), [(0.4, "0 s"), (119, "119 s"), (600, "10 min"), (7200, "2 h"), (172_800, "2 days")]
)
def test_spans_are_told_as_people_say_them(seconds: float, told: str) -> None:
    """Never more precisely than anybody needs."""
    assert spoken(seconds) == told


@pytest.mark.parametrize("end", [float("inf"), float("nan"), 10**400, 1e300, -(10**400)])
@pytest.mark.parametrize("name", ["expires_at", "expires_in"])
async def test_an_end_that_no_calendar_has_is_none(name: str, end: float) -> None:
    """JSON may hold any number; a look never raises."""
    found = await look(DOOR, ROAD, giving({"ok": True, name: end}), now=NOW, needed=0)
    assert (found.ok, found.expires_at) == (True, None)
