"""Whether somebody is logged in: a registry and a GitLab that answer in the words of the real ones."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.functions.shop_repository import Contexts
from tests.unit.functions.stand_in_server import Answer, StandIn
from tests.unit.functions.test_functions_kubeconfig import jwt
from tool_registry.functions.logins import gitlab_login_state, registry_login_state, token_expiry
from tool_registry.tool import ToolError

KEPT = base64.b64encode(b"ann:s3cret-of-ann").decode()
WANTED = Answer(status=401, headers={"WWW-Authenticate": 'Basic realm="registry"'}, body={})


def keep(folder: Path, host: str, *, auth: str = KEPT) -> Path:
    """A file in which podman keeps a login."""
    path = folder / "auth.json"
    path.write_text(json.dumps({"auths": {host: {"auth": auth}}}))
    return path


async def test_a_registry_that_asks_for_nothing_is_good(contexts: Contexts) -> None:
    """Nobody has to be logged in there."""
    with StandIn({"GET /v2/": Answer(body={})}) as registry:
        found = await registry_login_state(registry.url, contexts(), auth_file="none.json")
    assert (found["ok"], found["user"]) == (True, "")


async def test_a_kept_login_is_tried(contexts: Contexts, tmp_path: Path, secrets: list[Any]) -> None:
    """The registry says whether it counts; what is secret of it is masked."""
    with StandIn({"GET /v2/": [Answer(body={}), WANTED]}) as registry:
        host = registry.url.removeprefix("http://")
        context = contexts(REGISTRY_AUTH_FILE=str(keep(tmp_path, host)))
        good = await registry_login_state(registry.url, context)
        bad = await registry_login_state(registry.url, context)
    assert registry.asked[0].headers["authorization"] == f"Basic {KEPT}"
    assert (good["ok"], good["user"]) == (True, "ann")
    assert (bad["ok"], bad["user"], bad["kind"]) == (False, "ann", "auth_expired")
    assert f"podman login {host}" in bad["message"]
    assert {KEPT, "s3cret-of-ann"} <= set(secrets)


async def test_without_a_login_nobody_is_logged_in(contexts: Contexts, tmp_path: Path) -> None:
    """Where docker and podman keep logins there is none for this registry."""
    with StandIn({"GET /v2/": WANTED}) as registry:
        keep(tmp_path, "elsewhere.example")
        context = contexts(HOME=str(tmp_path), XDG_RUNTIME_DIR="", REGISTRY_AUTH_FILE=str(tmp_path / "auth.json"))
        found = await registry_login_state(registry.url, context)
    assert (found["ok"], found["user"]) == (False, "")
    assert "nobody is logged in" in found["message"]


@pytest.mark.parametrize(("status", "ok"), [(200, True), (401, False)])
async def test_a_token_server_decides_where_the_registry_names_one(
    contexts: Contexts, tmp_path: Path, status: int, ok: bool
) -> None:
    """As quay.io and Docker Hub do it (distribution's token authentication)."""
    answers = {"GET /token": Answer(status=status, body={"token": "t"})}
    with StandIn(answers) as registry:
        challenge = f'Bearer realm="{registry.url}/token",service="registry"'
        registry.answers["GET /v2/"] = [Answer(status=401, headers={"WWW-Authenticate": challenge}, body={})]
        path = keep(tmp_path, registry.url.removeprefix("http://"))
        found = await registry_login_state(registry.url, contexts(), auth_file=str(path))
    assert found["ok"] is ok
    assert registry.asked[-1].path == "/token?service=registry"


async def test_what_a_helper_keeps_is_not_judged(contexts: Contexts, tmp_path: Path) -> None:
    """Only the helper can tell, so that neither is said."""
    (tmp_path / "auth.json").write_text(json.dumps({"credsStore": "secretservice"}))
    found = await registry_login_state("quay.io", contexts(), auth_file="auth.json")
    assert found["ok"] is None
    assert "docker-credential-secretservice" in found["message"]


async def test_a_gitlab_token_says_whose_it_is_and_when_it_ends(contexts: Contexts) -> None:
    """Two questions; a server that does not know the second tells no end."""
    answers: dict[str, Answer | list[Answer]] = {
        "GET /api/v4/user": Answer(body={"username": "ann"}),
        "GET /api/v4/personal_access_tokens/self": [Answer(body={"expires_at": "2033-05-18"}), Answer(status=404)],
    }
    with StandIn(answers) as gitlab:
        context = contexts({"url": gitlab.url}, GITLAB_TOKEN="glpat-1")
        first, second = await gitlab_login_state(context), await gitlab_login_state(context)
    assert (first["ok"], first["user"], first["expires_at"]) == (True, "ann", 1_999_987_200.0)
    assert second["expires_at"] is None


async def test_a_gitlab_token_that_is_refused_is_a_401(contexts: Contexts) -> None:
    """By its status, so that a look names the login that is missing."""
    refused = Answer(status=401, body={"message": "401 Unauthorized"})
    with StandIn({"GET /api/v4/user": refused}) as gitlab, pytest.raises(ToolError) as caught:
        await gitlab_login_state(contexts({"url": gitlab.url}))
    assert caught.value.http_status == 401


def test_a_token_in_the_environment_or_a_file_is_read(contexts: Contexts, tmp_path: Path, secrets: list[Any]) -> None:
    """A JSON web token by its `exp`, an OAuth token by what was written beside it."""
    token = jwt(exp=2_000_000_000)
    assert token_expiry(contexts(SERVICE=token), variable="SERVICE")["expires_at"] == 2e9
    assert token in secrets
    (tmp_path / "t.json").write_text(json.dumps({"access_token": "a", "expires_at": "2033-05-18T03:33:20Z"}))
    assert token_expiry(contexts(), file="t.json")["expires_at"] == 2e9
    assert "a" in secrets
    assert not [told for told in secrets if "2033" in str(told)], "when it ends is written into memory, and shown"
    (tmp_path / "t.json").write_text(json.dumps({"access_token": token, "refresh_token": "r", "expiry": 5}))
    assert token_expiry(contexts(), file="t.json")["expires_at"] is None
    missing = token_expiry(contexts(), file="none.json")
    assert (missing["ok"], missing["message"]) == (False, "none.json holds no token")
    with pytest.raises(ToolError, match="either the variable or the file"):
        token_expiry(contexts())
