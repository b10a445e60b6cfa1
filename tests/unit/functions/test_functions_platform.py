"""Finding the platform, saying who asks, and reading what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.functions.shop_repository import Contexts
from tests.unit.functions.stand_in_server import Answer, StandIn
from tool_registry.functions.local_login import kube_login, kube_whoami
from tool_registry.functions.local_start import local_platform_ready, local_platform_start
from tool_registry.functions.platform import OWN_PORTS, call_platform, platform_port, platform_url
from tool_registry.local_platform.endpoint import held
from tool_registry.tool import ToolError

EXPIRED = Answer(status=401, body={"error": "the token expired at 09:00:00", "code": "invalid_token"})
GRANTED = Answer(body={"access_token": "TOKEN-1", "token_type": "Bearer", "expires_in": 60})


def enrolled(folder: Path, user: str = "ada") -> dict[str, Any]:
    """Settings of a platform that knows a user's secret."""
    (folder / "platform/login").mkdir(parents=True)
    (folder / "platform/login" / f"{user}.secret").write_text("S3CRET-OF-ADA\n")
    return {"platform": str(folder / "platform"), "user": "ada", "kubeconfig": str(folder / "kube/config")}


def kept_login(path: Path) -> tuple[int, Any, list[str]]:
    """A kubeconfig's permissions, its users, and what lies in its folder."""
    users = json.loads(path.read_text())["users"]
    return path.stat().st_mode & 0o777, users, [beside.name for beside in path.parent.iterdir()]


def test_two_workspaces_are_looked_for_at_two_ports() -> None:
    """A port of its own for every folder, the same one each time."""
    here, there = ({"platform": f"/somewhere/{name}/platform"} for name in ("here", "there"))
    assert platform_port(here) == platform_port(dict(here)) != platform_port(there)
    assert {platform_port(here), platform_port(there)} <= set(OWN_PORTS)


def test_what_the_platform_wrote_down_is_where_it_is(tmp_path: Path) -> None:
    """Configured comes first, then endpoint.json, then the port it would be started at; a torn file counts as none."""
    settings = {"platform": str(tmp_path), "port": 2718}
    assert platform_url(settings) == "http://127.0.0.1:2718"
    (tmp_path / "endpoint.json").write_text('{"url": "http://127.0.0.1:31')
    assert platform_url(settings) == "http://127.0.0.1:2718"
    (tmp_path / "endpoint.json").write_text('{"url": "http://127.0.0.1:3141", "pid": 1}')
    assert platform_url(settings) == "http://127.0.0.1:3141"
    assert platform_url({**settings, "url": "http://127.0.0.1:1618/"}) == "http://127.0.0.1:1618"


async def test_nothing_listening_is_a_refused_connection_that_was_never_sent(
    contexts: Contexts, tmp_path: Path
) -> None:
    """Which is what makes calling again safe for any tool."""
    with pytest.raises(ToolError) as caught:
        await local_platform_ready(contexts({"platform": str(tmp_path)}))
    assert (caught.value.errno, caught.value.sent, caught.value.kind) == ("ECONNREFUSED", False, None)


async def test_without_a_token_the_request_is_sent_and_refused_by_the_platform(
    contexts: Contexts, tmp_path: Path
) -> None:
    """The 401 is the platform's own; nobody guesses it from a missing file."""
    with StandIn({"GET /x": EXPIRED}) as platform, pytest.raises(ToolError, match="the token expired") as caught:
        await call_platform("GET", "/x", contexts({"url": platform.url, "kubeconfig": str(tmp_path / "none")}))
    assert (caught.value.http_status, caught.value.kind) == (401, None)
    assert caught.value.details["code"] == "invalid_token"
    assert "authorization" not in platform.asked[0].headers


async def test_a_login_is_kept_for_its_owner_alone(contexts: Contexts, tmp_path: Path, secrets: list[Any]) -> None:
    """The file is whole and readable by its owner only; token and secret are masked, and neither is returned."""
    settings = enrolled(tmp_path)
    with StandIn({"POST /oauth/token": GRANTED, "GET /x": Answer(body=[1])}) as platform:
        context = contexts({**settings, "url": platform.url})
        answer = await kube_login(context)
        assert await call_platform("GET", "/x", context) == [1]
    assert kept_login(Path(settings["kubeconfig"])) == (
        0o600,
        [{"name": "ada", "user": {"token": "TOKEN-1"}}],
        ["config"],
    )
    assert answer["user"] == "ada"
    assert "TOKEN-1" not in str(answer)
    assert {"TOKEN-1", "S3CRET-OF-ADA"} <= set(secrets)
    assert "client_secret=S3CRET-OF-ADA" in platform.asked[0].body
    assert platform.asked[1].headers["authorization"] == "Bearer TOKEN-1"


async def test_somebody_elses_token_is_not_used(contexts: Contexts, tmp_path: Path) -> None:
    """The kubeconfig may hold a token of another user; we are not them."""
    settings = enrolled(tmp_path)
    with StandIn({"POST /oauth/token": GRANTED, "GET /oauth/userinfo": EXPIRED}) as platform:
        await kube_login(contexts({**settings, "url": platform.url}))
        with pytest.raises(ToolError, match="expired"):
            await kube_whoami(contexts({**settings, "url": platform.url, "user": "ben"}))
    assert "authorization" not in platform.asked[1].headers


async def test_a_user_without_a_secret_is_told_who_has_one(contexts: Contexts, tmp_path: Path) -> None:
    """Logging in again cannot help, so it is not a failed login but a wrong configuration."""
    settings = {**enrolled(tmp_path), "user": "ben"}
    with pytest.raises(ToolError, match=r"no client secret for ben .*; it knows ada") as caught:
        await kube_login(contexts({**settings, "url": "http://127.0.0.1:1"}))
    assert (caught.value.kind, caught.value.sent) == ("configuration_error", False)


async def test_a_refused_login_says_what_the_platform_says(contexts: Contexts, tmp_path: Path) -> None:
    """OAuth2 has words of its own for a refusal."""
    refused = Answer(status=401, body={"error": "invalid_client", "error_description": "no such client"})
    with (
        StandIn({"POST /oauth/token": refused}) as platform,
        pytest.raises(ToolError, match=r"^no such client$") as caught,
    ):
        await kube_login(contexts({**enrolled(tmp_path), "url": platform.url}))
    assert caught.value.http_status == 401


async def test_a_platform_that_cannot_start_shows_its_last_words(contexts: Contexts, tmp_path: Path) -> None:
    """A data folder it may not use ends it at once; what it printed is the evidence."""
    (tmp_path / "platform/forge").mkdir(parents=True)
    (tmp_path / "platform/platform.lock").mkdir()
    with pytest.raises(ToolError, match=r"ended with status .* instead of starting") as caught:
        await local_platform_start(contexts({"platform": str(tmp_path / "platform")}))
    assert caught.value.exit_status == 1
    assert "platform.lock" in caught.value.output


async def test_nobody_who_took_a_dead_platforms_port_gets_the_secret(contexts: Contexts, tmp_path: Path) -> None:
    """A killed platform leaves its endpoint.json behind, and its port to anybody on this machine."""
    settings = enrolled(tmp_path)
    with StandIn({"POST /oauth/token": GRANTED, "GET /healthz": Answer(body={"platform": "it"})}) as squatter:
        (tmp_path / "platform/endpoint.json").write_text(json.dumps({"url": squatter.url, "pid": 1}))
        (tmp_path / "platform/platform.lock").touch()
        for call in (kube_login, local_platform_ready):
            with pytest.raises(ToolError) as caught:
                await call(contexts(settings))
            assert (caught.value.errno, caught.value.sent) == ("ECONNREFUSED", False)
        assert squatter.asked == []


async def test_the_platform_that_holds_its_folder_is_asked(contexts: Contexts, tmp_path: Path) -> None:
    """The lock ends with the process that has it, however it ends."""
    settings = enrolled(tmp_path)
    with StandIn({"POST /oauth/token": GRANTED}) as platform, held(tmp_path / "platform"):
        (tmp_path / "platform/endpoint.json").write_text(json.dumps({"url": platform.url, "pid": 1}))
        assert (await kube_login(contexts(settings)))["server"] == platform.url


@pytest.mark.parametrize("url", ["http://evil.example:80", "https://127.0.0.1:1", "http://127.0.0.1@evil.example", "x"])
def test_an_endpoint_elsewhere_is_not_believed(tmp_path: Path, url: str) -> None:
    """The embedded platform is on this machine; a server elsewhere is configured, in the settings, as `url`."""
    (tmp_path / "endpoint.json").write_text(json.dumps({"url": url}))
    assert platform_url({"platform": str(tmp_path), "port": 2718}) == "http://127.0.0.1:2718"
