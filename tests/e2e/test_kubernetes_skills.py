"""The Kubernetes skills by the real command, against a stand-in for the API that kubectl and lightkube accept too."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.flow.workshop import Workshop
from tests.servers.kubernetes import PASSWORD, Kubernetes, kubeconfig, kubernetes

SETTINGS = """
[domains.ephemeral.settings]
kubeconfig = "kubeconfig"
token_file = "token"
login.token_url = "{url}/oauth/token"
login.client_id = "skills"
login.client_secret = {{file = "password"}}

[domains.ephemeral.fixes.login]
call = {{tool = "kube_login"}}
verify = {{tool = "kube_whoami"}}
cooldown = 0
"""
SHOP = ("-i", "namespace=shop")


@pytest.fixture
def cluster() -> Iterator[Kubernetes]:
    """A furnished cluster."""
    with kubernetes() as made:
        yield made


@pytest.fixture
def place(cluster: Kubernetes, tmp_path: Path) -> Workshop:
    """A workspace whose cluster that is; somebody has logged in."""
    made = Workshop(tmp_path / "work", tmp_path / "home")
    made.folder.mkdir(parents=True)
    (made.folder / "skill.toml").write_text(SETTINGS.format(url=cluster.url))
    (made.folder / "password").write_text(PASSWORD)
    (made.folder / "token").write_text(cluster.grant())
    kubeconfig(made.folder / "kubeconfig", cluster, {})
    return made


def statuses(run: dict[str, Any]) -> dict[str, str]:
    """How each step ended."""
    return {step["name"]: step["status"] for step in run["steps"]}


def wanted(cluster: Kubernetes, name: str = "web") -> int:
    """How many replicas the cluster itself says are wanted."""
    found = cluster.objects.find("deployments", "shop", name)
    assert found is not None
    return int(found["spec"]["replicas"])


def revision(cluster: Kubernetes, name: str = "web") -> str:
    """How often the cluster itself says it was rolled out."""
    found = cluster.objects.find("deployments", "shop", name)
    assert found is not None
    return str(found["metadata"]["annotations"]["deployment.kubernetes.io/revision"])


def test_an_environment_is_summed_up(place: Workshop, cluster: Kubernetes) -> None:
    """What is ill, with the words of the cluster and of the pod; nothing is changed."""
    run = place.json("run", "environment_overview")
    assert (run["status"], run["outputs"]["ill"], run["healed"]) == ("ok", ["shop"], 0)
    for words in ("lacking replicas: worker", "BackOff", "cannot reach the queue: connection refused"):
        assert words in run["outputs"]["summary"]
    assert cluster.writes() == []
    run = place.json("run", "environment_overview", "-i", "must_be_healthy=true", status=1)
    assert "shop" in run["message"]


def test_a_token_that_expires_in_the_middle_is_renewed_once(place: Workshop, cluster: Kubernetes) -> None:
    """Found out by a real 401; the run goes on as if nothing had been, and the token is nowhere to be read."""
    cluster.expires_after = "GET /api/v1/nodes"
    run = place.json("run", "environment_overview")
    assert (run["status"], statuses(run)["state"], cluster.logins) == ("ok", "healed", 1)
    token = (place.folder / "token").read_text().strip()
    assert token in cluster.tokens
    assert token not in json.dumps(run) + place.run("logs", run["run"]).stdout


def test_a_single_call_asks_the_cluster_that_is_named(place: Workshop) -> None:
    """Without a name a cluster's tool means `ephemeral`, and says how another one is named."""
    (place.folder / "skill.toml").write_text('[clusters.stage]\nkubeconfig = "kubeconfig"\ntoken_file = "token"\n')
    words = ("tools", "exec", "kubectl_get_deployments", "-i", "namespace=shop")
    assert "web" in place.json(*words, "--domain", "stage")["value"]["names"]
    assert "--domain" in place.json(*words, status=1)["message"]


def test_what_is_forbidden_is_not_healed(place: Workshop, cluster: Kubernetes) -> None:
    """No login makes it allowed: it is asked once, nobody logs in, nothing is written."""
    cluster.forbidden.add(("patch", "deployments/scale"))
    run = place.json("run", "scale_deployment", *SHOP, "-i", "deployment=web", "-i", "replicas=3", status=1)
    failed = next(step for step in run["steps"] if step["name"] == "scaled")
    assert (failed["failure"]["kind"], failed["attempts"]) == ("permission_denied", 1)
    assert (cluster.logins, run["healed"], wanted(cluster), len(cluster.writes())) == (0, 0, 2, 1)
    assert 'cannot patch resource "deployments/scale"' in run["message"]


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (("list", "namespaces"), ("environment_overview",)),
        (("list", "secrets"), ("check_secrets", "-i", "namespaces=shop")),
        (("patch", "deployments"), ("rollout_restart", *SHOP, "-i", "deployments=web", "-i", "approved=true")),
    ],
    ids=["environment_overview", "check_secrets", "rollout_restart"],
)
def test_no_login_is_tried_where_a_rule_forbids(
    place: Workshop, cluster: Kubernetes, rule: tuple[str, str], words: tuple[str, ...]
) -> None:
    """Each skill fails with the server's own words, after one try."""
    cluster.forbidden.add(rule)
    run = place.json("run", *words, status=1)
    assert (run["healed"], cluster.logins, revision(cluster)) == (0, 0, "1")
    verb, resource = rule
    assert f'cannot {verb} resource "{resource}"' in json.dumps(run).replace('\\"', '"')


def test_an_expired_login_is_renewed_once_for_all_elements_of_a_list(place: Workshop, cluster: Kubernetes) -> None:
    """Two namespaces are looked at after it ended, one login is enough."""
    cluster.expires_after = "GET /api/v1/namespaces/shop/secrets"
    run = place.json("run", "check_secrets", "-i", "namespaces=shop,empty,default")
    assert (run["status"], run["healed"] > 0, cluster.logins) == ("ok", True, 1)


def test_a_deployment_is_scaled_up_and_down(place: Workshop, cluster: Kubernetes) -> None:
    """Up without asking, down after an agreement; a dry run and a no change nothing."""
    up = ("run", "scale_deployment", *SHOP, "-i", "deployment=web", "-i", "replicas=3")
    assert "from 2 to 3" in place.json(*up, "-i", "dry_run=true")["message"]
    assert cluster.writes() == []
    run = place.json(*up)
    assert (run["status"], run["outputs"]["replicas"], run["outputs"]["before"]) == ("ok", 3, 2)
    assert "already" in place.json(*up)["message"]
    down = ("run", "scale_deployment", *SHOP, "-i", "deployment=web", "-i", "replicas=0")
    assert place.json(*down, "--answer", "agreed=no", status=5)["status"] == "blocked"
    assert wanted(cluster) == 3
    assert place.json(*down, "--answer", "agreed=yes")["outputs"]["replicas"] == 0
    assert (wanted(cluster), len(cluster.writes())) == (0, 2)


def test_replicas_that_do_not_serve_are_taken_back(place: Workshop, cluster: Kubernetes) -> None:
    """The deployment gets back the number it had."""
    cluster.objects.stuck.add("web")
    run = place.json("run", "scale_deployment", *SHOP, "-i", "deployment=web", "-i", "replicas=5", status=1)
    assert (statuses(run)["rollout"], statuses(run)["scaled_back"], wanted(cluster)) == ("ok", "ok", 2)
    assert "exceeded its progress deadline" in run["message"]


def test_an_answer_that_is_lost_does_not_restart_twice(place: Workshop, cluster: Kubernetes) -> None:
    """The restart was begun, and the connection cut: the second try finds it."""
    cluster.losing = "PATCH /apis/apps/v1/namespaces/shop/deployments/web"
    run = place.json("run", "rollout_restart", *SHOP, "-i", "deployments=web", "-i", "approved=true")
    assert (run["status"], run["healed"], revision(cluster), len(cluster.writes())) == ("ok", 1, "2", 1)
    assert run["outputs"]["deployments"][0]["done"]


def test_a_restart_asks_first(place: Workshop, cluster: Kubernetes) -> None:
    """A dry run, a no and a mistyped name restart nothing."""
    words = ("run", "rollout_restart", *SHOP, "-i", "deployments=web")
    assert place.json(*words, "-i", "dry_run=true")["outputs"]["planned"] == ["web"]
    assert place.json(*words, "--answer", "agreed=no", status=5)["status"] == "blocked"
    assert place.json("run", "rollout_restart", *SHOP, "-i", "deployments=wbe,web", status=1)["status"] == "failed"
    assert cluster.writes() == []


def test_a_restart_that_gets_nowhere_leaves_the_others_alone(place: Workshop, cluster: Kubernetes) -> None:
    """The run fails with what the cluster says, and the second is not restarted."""
    cluster.objects.stuck.add("worker")
    words = ("-i", "deployments=worker,web", "-i", "approved=true")
    run = place.json("run", "rollout_restart", *SHOP, *words, status=1)
    assert "Back-off restarting failed container" in run["message"]
    assert (revision(cluster, "worker"), revision(cluster, "web")) == ("2", "1")


def test_secrets_are_checked_without_being_read(place: Workshop, cluster: Kubernetes) -> None:
    """What is missing is named, and no value is in anything that is kept."""
    run = place.json("run", "check_secrets", "-i", "namespaces=shop,empty", "-i", "expected=database")
    assert (run["outputs"]["missing"], run["outputs"]["old"]) == (["empty/database"], [])
    assert "s3cret-of-the-shop" not in json.dumps(run) + place.run("logs", run["run"]).stdout
    words = ("-i", "namespaces=empty", "-i", "expected=database", "-i", "must_be_good=true")
    assert "Missing: empty/database" in place.json("run", "check_secrets", *words, status=1)["message"]
    assert all("/secrets/" not in each for each in cluster.asked)
