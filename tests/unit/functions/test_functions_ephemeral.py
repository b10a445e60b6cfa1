"""Namespaces and pods, against a server that answers what a test says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.functions.shop_repository import Contexts
from tests.unit.functions.stand_in_server import Answer, StandIn
from tool_registry.functions.deploying import bonfire_deploy, bonfire_namespace_wait
from tool_registry.functions.ephemeral import (
    bonfire_namespace_release,
    bonfire_namespace_reserve,
    seconds,
)
from tool_registry.functions.pods import kubectl_get_pods, kubectl_get_secret
from tool_registry.sources.python import tool_of
from tool_registry.tool import Effect, ToolError

LEASE = {"name": "ephemeral-a", "owner": "ada", "created_at": 1, "expires_at": 3601}
DIGEST = "sha256:" + 64 * "a"
STARTING = {"app": "main", "image": "demo/shop", "digest": DIGEST, "status": "starting", "reason": "", "url": ""}
INSIDE = "/api/namespaces/ephemeral-a"


async def test_a_reserve_whose_answer_is_lost_was_sent_once_and_says_so(contexts: Contexts) -> None:
    """Cut after the request, nobody can know whether a namespace was reserved, so nobody asks twice."""
    with StandIn({"POST /api/namespaces": Answer(cut=True)}) as platform:
        with pytest.raises(ToolError) as caught:
            await bonfire_namespace_reserve(contexts({"url": platform.url}), duration="1h")
        assert len(platform.asked) == 1
    assert (caught.value.sent, caught.value.http_status) == (True, None)
    assert "bonfire_namespace_list" in caught.value.details["lost"]


def test_reserving_promises_nothing_it_cannot_keep() -> None:
    """Neither idempotent nor verifiable: no list of leases tells which of them a lost answer was about."""
    declared = tool_of(bonfire_namespace_reserve)
    assert (declared.effect, declared.idempotent, declared.verify) == (Effect.WRITE, False, None)


async def test_no_idempotency_key_is_sent(contexts: Contexts) -> None:
    """Sending one would promise that a second call is harmless; not every server behind this tool keeps that."""
    with StandIn({"POST /api/namespaces": Answer(status=201, body=LEASE)}) as platform:
        assert await bonfire_namespace_reserve(contexts({"url": platform.url}), duration="90m") == LEASE
    assert "idempotency-key" not in platform.asked[0].headers
    assert json.loads(platform.asked[0].body) == {"duration": 5400}


async def test_a_full_pool_is_resource_exhausted(contexts: Contexts) -> None:
    """409 alone would be a conflict; the platform's code says what it is about."""
    full = Answer(status=409, body={"error": "all 5 are taken, by ben until 10:00", "code": "pool_exhausted"})
    with StandIn({"POST /api/namespaces": full}) as platform, pytest.raises(ToolError, match="ben until") as caught:
        await bonfire_namespace_reserve(contexts({"url": platform.url}))
    assert (caught.value.kind, caught.value.http_status) == ("resource_exhausted", 409)


@pytest.mark.parametrize(("text", "wanted"), [("45s", 45), ("45m", 2700), ("1h", 3600), ("2d", 172_800)])
def test_durations_are_written_as_people_write_them(text: str, wanted: int) -> None:
    """A number and a unit."""
    assert seconds(text) == wanted


@pytest.mark.parametrize("text", ["", "1", "h", "0h", "1 h", "1w", "-1h", "1h30m"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    """Before anything is asked."""
    with pytest.raises(ToolError, match="is no duration") as caught:
        seconds(text)
    assert (caught.value.kind, caught.value.sent) == ("usage_error", False)


async def test_releasing_what_is_gone_is_no_failure(contexts: Contexts) -> None:
    """The undo of a reserve may come twice."""
    gone = Answer(status=404, body={"error": "no such namespace", "code": "no_namespace"})
    with StandIn({f"DELETE {INSIDE}": [Answer(body={"released": True}), gone]}) as platform:
        context = contexts({"url": platform.url})
        assert (await bonfire_namespace_release("ephemeral-a", context))["released"] is True
        assert (await bonfire_namespace_release("ephemeral-a", context))["released"] is False


async def test_somebody_elses_namespace_is_refused_with_the_list_of_ours(contexts: Contexts) -> None:
    """A person who mistyped a name sees which ones are theirs."""
    refused = Answer(status=403, body={"error": "not yours", "code": "not_owner", "owner": "ben"})
    with (
        StandIn(
            {f"DELETE {INSIDE}": refused, "GET /api/namespaces": Answer(body=[{**LEASE, "name": "ours"}])}
        ) as platform,
        pytest.raises(ToolError, match="ephemeral-a belongs to ben, not to us; ours are ours") as caught,
    ):
        await bonfire_namespace_release("ephemeral-a", contexts({"url": platform.url}))
    assert (caught.value.kind, caught.value.http_status) == ("permission_denied", 403)


@pytest.mark.parametrize(
    ("image", "sent"),
    [("demo/shop", "HERE/demo/shop"), ("quay.io/demo/shop", "quay.io/demo/shop"), ("localhost/x", "localhost/x")],
)
async def test_an_image_without_an_address_is_the_platforms_own(contexts: Contexts, image: str, sent: str) -> None:
    """A name that begins with a registry keeps it."""
    with StandIn({f"POST {INSIDE}/deployments": Answer(status=202, body=STARTING)}) as platform:
        await bonfire_deploy("ephemeral-a", "main", image, DIGEST, contexts({"url": platform.url}))
    here = platform.url.removeprefix("http://")
    assert json.loads(platform.asked[0].body)["image"] == sent.replace("HERE", here)


async def test_waiting_ends_when_it_is_ready(contexts: Contexts) -> None:
    """It looks again until the health endpoint has answered."""
    answers = [Answer(body=STARTING), Answer(body={**STARTING, "status": "ready"})]
    with StandIn({f"GET {INSIDE}/deployments/main": answers}) as platform:
        found = await bonfire_namespace_wait("ephemeral-a", "main", contexts({"url": platform.url}))
    assert (found["status"], len(platform.asked)) == ("ready", 2)


async def test_waiting_for_too_long_says_what_was_seen_last(contexts: Contexts) -> None:
    """Before the call itself runs out of time, and then nothing would be known."""
    with (
        StandIn({f"GET {INSIDE}/deployments/main": Answer(body=STARTING)}) as platform,
        pytest.raises(ToolError, match=r"was still starting after 0\.3 seconds") as caught,
    ):
        await bonfire_namespace_wait("ephemeral-a", "main", contexts({"url": platform.url}, timeout=0.3))
    assert caught.value.kind == "timeout"


async def test_a_crash_is_told_with_the_end_of_its_log(contexts: Contexts) -> None:
    """What the service printed last is what a person needs."""
    crashed = {**STARTING, "status": "crashed", "reason": "exit status 3: no such table"}
    pod = {"name": "main-1", "app": "main", "phase": "CrashLoopBackOff", "ready": False, "exit_status": 3}
    answers = {
        f"GET {INSIDE}/deployments/main": Answer(body=crashed),
        f"GET {INSIDE}/pods": Answer(body=[pod]),
        f"GET {INSIDE}/pods/main-1/logs": Answer(body={"lines": ["Traceback", "no such table"]}),
    }
    with StandIn(answers) as platform:
        context = contexts({"url": platform.url})
        with pytest.raises(ToolError, match="main in ephemeral-a crashed: exit status 3: no such table") as caught:
            await bonfire_namespace_wait("ephemeral-a", "main", context)
        assert (await kubectl_get_pods("ephemeral-a", context))["failing"] == ["main-1"]
    assert (caught.value.kind, caught.value.output) == ("code_error", "Traceback\nno such table")
    assert caught.value.details["pod"] == "main-1"


async def test_only_the_wanted_values_of_a_secret_are_masked(contexts: Contexts, secrets: list[Any]) -> None:
    """Masking `localhost` everywhere would blank half of what is shown."""
    kept = Answer(body={"data": {"host": "localhost", "password": "hunter22"}})
    with StandIn({f"GET {INSIDE}/secrets/database": kept}) as platform:
        context = contexts({"url": platform.url})
        assert await kubectl_get_secret("ephemeral-a", "database", context, ["password"]) == {"password": "hunter22"}
        assert secrets == [{"password": "hunter22"}]
        with pytest.raises(ToolError, match="has no user; it has host, password") as caught:
            await kubectl_get_secret("ephemeral-a", "database", context, ["user"])
    assert caught.value.kind == "resource_not_found"
