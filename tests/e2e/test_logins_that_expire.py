"""Tokens that end by themselves: a real login server signs them, and the cluster's API checks them by its keys."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.flow.workshop import Workshop
from tests.servers.kubernetes import Kubernetes, kubernetes
from tests.servers.oauth import CLIENT, REFRESH_TOKEN, Issuer, oauth

pytestmark = pytest.mark.slow

SHORT = 3
"""Seconds the first token holds: long enough to be used once on a busy machine."""
SETTINGS = """
[clusters.ephemeral]
url = "{cluster}"
token_file = "token"

[clusters.ephemeral.login]
token_url = "{token_url}"
client_id = "{client}"
scope = "openid"
refresh_token = {{file = "refresh_token"}}

[domains.ephemeral.fixes.login]
call = {{tool = "kube_login"}}
verify = {{tool = "kube_whoami"}}
cooldown = 0
"""
SKILL = f"""
name: look_twice
description: Looks at deployments, and again when the token is over.
steps:
  - {{name: before, tool: kubectl_get_deployments, args: {{namespace: shop}}}}
  - {{name: meanwhile, tool: wait, args: {{seconds: {SHORT}}}}}
  - {{name: after, tool: kubectl_get_pods, args: {{namespace: shop}}}}
  - {{name: still, tool: kubectl_get_deployments, args: {{namespace: shop}}}}
"""


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    """A login server whose first token ends soon."""
    with oauth(SHORT, 3600) as made:
        yield made


@pytest.fixture
def cluster(issuer: Issuer) -> Iterator[Kubernetes]:
    """A cluster that takes the login server's tokens, and no others."""
    with kubernetes() as made:
        made.knows = issuer.knows
        yield made


@pytest.fixture
def place(cluster: Kubernetes, issuer: Issuer, tmp_path: Path) -> Workshop:
    """A workspace whose cluster that is; nobody has logged in yet."""
    made = Workshop(tmp_path / "work", tmp_path / "home")
    (made.folder / "skills").mkdir(parents=True)
    settings = SETTINGS.format(cluster=cluster.url, token_url=issuer.token_url, client=CLIENT)
    (made.folder / "skill.toml").write_text(settings)
    (made.folder / "skills" / "look_twice.yaml").write_text(SKILL)
    (made.folder / "refresh_token").write_text(REFRESH_TOKEN)
    (made.folder / "token").write_text("of-another-day")
    return made


def steps_of(run: Any) -> dict[str, tuple[str, int]]:
    """How each step ended, and after how many tries."""
    return {step["name"]: (step["status"], step["attempts"]) for step in run["steps"]}


def test_a_token_that_ends_in_mid_skill_is_renewed_once(place: Workshop, issuer: Issuer) -> None:
    """Logged in for the first step; when that token is over, logged in once more, with the newer refresh token."""
    run = place.json("run", "look_twice")
    assert steps_of(run) == {
        "before": ("healed", 2),
        "meanwhile": ("ok", 1),
        "after": ("healed", 2),
        "still": ("ok", 1),
    }
    failed = [step["first_failure"] for step in run["steps"] if step["status"] == "healed"]
    assert [each["kind"] for each in failed] == 2 * ["auth_expired"]
    assert all("answered 401" in each["message"] for each in failed)
    assert len(issuer.counted) == 2
    kept = [(place.folder / name).read_text().strip() for name in ("token", "refresh_token")]
    assert kept[0] == issuer.counted[1]
    shown = json.dumps(run) + place.run("logs", run["run"]).stdout
    assert [each for each in (*kept, *issuer.counted, REFRESH_TOKEN) if each in shown] == []


def test_a_login_that_is_refused_is_not_healed(place: Workshop, issuer: Issuer) -> None:
    """A refresh token that was used up: the step fails as it did at first, and says what the login server said."""
    (place.folder / "refresh_token").write_text("used-up-long-ago")
    run = place.json("run", "look_twice", status=1)
    assert (run["healed"], steps_of(run)["before"], issuer.counted) == (0, ("failed", 1), [])
    assert run["steps"][0]["failure"]["kind"] == "auth_expired"
    assert "invalid_grant" in json.dumps(run)
    assert "used-up-long-ago" not in json.dumps(run)
