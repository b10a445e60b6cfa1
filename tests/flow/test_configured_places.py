"""What is described in a few lines is healed without another one: a cluster and a service, logged in to in mid-run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flow.workshop import Workshop
from tests.servers.kubernetes import PASSWORD, Kubernetes, kubernetes

SETTINGS = """
[clusters.stage]
url = "{url}"

[clusters.stage.login]
token_url = "{url}/oauth/token"
client_id = "skills"
client_secret = {{command = ["cat", "password"]}}
"""
SKILL = """
name: look
description: Looks at the pods of a cluster.
steps:
  - {name: pods, tool: kubectl_get_pods, args: {namespace: shop}, heal: {domain: stage}}
  - {name: again, tool: kubectl_get_pods, args: {namespace: shop}, heal: {domain: stage}}
"""


@pytest.fixture
def cluster() -> Iterator[Kubernetes]:
    """A furnished cluster."""
    with kubernetes() as made:
        yield made


@pytest.fixture
def place(cluster: Kubernetes, tmp_path: Path) -> Workshop:
    """A workspace that describes it; nobody has logged in yet."""
    made = Workshop(folder=tmp_path / "work", home=tmp_path / "home")
    (made.folder / "skills").mkdir(parents=True)
    (made.folder / "skill.toml").write_text(SETTINGS.format(url=cluster.url))
    (made.folder / "skills" / "look.yaml").write_text(SKILL)
    (made.folder / "password").write_text(PASSWORD)
    return made


def test_a_cluster_in_five_lines_is_logged_in_to_when_it_must_be(place: Workshop, cluster: Kubernetes) -> None:
    """Beforehand, because no token is there; in the middle, because it does not count any more. Once each."""
    run = place.json("run", "look")
    assert (run["status"], len(cluster.tokens)) == ("ok", 1)
    kept = place.home / "state" / "clusters" / "stage.token"
    assert kept.stat().st_mode & 0o777 == 0o600
    cluster.tokens.clear()
    healed = place.json("run", "look")
    assert (healed["status"], len(cluster.tokens)) == ("ok", 1)
    everything = place.run("logs", healed["run"]).stdout + place.run("history", "show", healed["run"]).stdout
    assert PASSWORD not in everything
    assert kept.read_text().strip() not in everything


def test_a_secret_that_is_not_to_be_had_keeps_a_run_from_beginning(place: Workshop, cluster: Kubernetes) -> None:
    """The program that is to give it ends with an error: the login is tried, and says what it lacks."""
    (place.folder / "password").unlink()
    run = place.json("run", "look", status=5)
    assert (run["status"], cluster.tokens) == ("blocked", {})
    assert "cat, which is to give the login.client_secret, ended with 1" in json.dumps(run)
