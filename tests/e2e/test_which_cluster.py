"""Which cluster a skill works on is said by its input `environment`; `debug_prod` looks into one of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.flow.workshop import Workshop
from tests.servers import elasticsearch
from tests.servers.kubernetes import PASSWORD, Kubernetes, kubeconfig, kubernetes

SETTINGS = """
[domains.{name}.settings]
kubeconfig = "{name}.kubeconfig"
token_file = "{name}.token"
login.token_url = "{url}/oauth/token"
login.client_id = "skills"
login.client_secret = {{file = "password"}}

[domains.{name}.fixes.login]
call = {{tool = "kube_login"}}
verify = {{tool = "kube_whoami"}}
cooldown = 0
"""
LOGS = '\n[domains.kibana.settings]\nurl = "{url}"\ncredential = {{file = "key"}}\n'
SHOP = ("-i", "namespace=shop")
PROD = ("-i", "environment=prod")


@dataclass(frozen=True, slots=True)
class Two:
    """A workspace with two clusters; somebody has logged in at both."""

    place: Workshop
    stage: Kubernetes
    prod: Kubernetes

    def run(self, *words: str, status: int = 0) -> dict[str, Any]:
        """A run of a skill, as data."""
        found: dict[str, Any] = self.place.json("run", *words, status=status)
        return found

    @property
    def asked(self) -> tuple[int, int]:
        """How many requests each has got."""
        return len(self.stage.asked), len(self.prod.asked)


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    """One cluster is called ephemeral, the other prod."""
    place = Workshop(tmp_path / "work", tmp_path / "home")
    place.folder.mkdir(parents=True)
    (place.folder / "password").write_text(PASSWORD)
    with kubernetes() as stage, kubernetes() as prod:
        settings = ""
        for name, cluster in (("ephemeral", stage), ("prod", prod)):
            settings += SETTINGS.format(name=name, url=cluster.url)
            (place.folder / f"{name}.token").write_text(cluster.grant())
            kubeconfig(place.folder / f"{name}.kubeconfig", cluster, {})
        (place.folder / "skill.toml").write_text(settings)
        yield Two(place, stage, prod)


def wanted(cluster: Kubernetes) -> int:
    """How many replicas of `web` a cluster itself says are wanted."""
    found = cluster.objects.find("deployments", "shop", "web")
    assert found is not None
    return int(found["spec"]["replicas"])


def test_a_skill_works_on_the_cluster_that_is_named(two: Two) -> None:
    """The other one hears nothing of it; a question says which one is meant."""
    up = ("scale_deployment", *SHOP, "-i", "deployment=web", "-i", "replicas=3")
    run = two.run(*up, *PROD)
    assert (run["status"], wanted(two.stage), wanted(two.prod), len(two.stage.asked)) == ("ok", 2, 3, 0)
    asked = two.run("rollout_restart", *SHOP, *PROD, "-i", "deployments=web", "--no-input", status=4)
    assert "Restart web in shop on prod?" in json.dumps(asked)
    assert two.stage.asked == []


def test_the_configuration_says_which_cluster_is_meant_where_nobody_does(two: Two) -> None:
    """`config.environment`; without it, it is the one called ephemeral."""
    two.run("check_secrets", "-i", "namespaces=shop")
    assert (two.asked[0] > 0, two.asked[1]) == (True, 0)
    settings = two.place.folder / "skill.toml"
    settings.write_text(settings.read_text() + '\n[config]\nenvironment = "prod"\n')
    before = two.asked
    two.run("environment_overview", "-i", "namespaces=shop")
    assert (two.asked[0] - before[0], two.asked[1] > before[1]) == (0, True)


def test_a_token_that_expires_is_renewed_where_it_expired(two: Two) -> None:
    """One login at prod, none at the other; an undo works on prod too."""
    two.prod.expires_after = "GET /apis/apps/v1/namespaces/shop/deployments"
    two.prod.objects.stuck.add("web")
    run = two.run("scale_deployment", *SHOP, *PROD, "-i", "deployment=web", "-i", "replicas=5", status=1)
    assert (run["healed"], two.prod.logins, two.stage.logins) == (1, 1, 0)
    assert (wanted(two.prod), two.stage.asked) == (2, [])


def test_a_cluster_that_nobody_describes_is_not_looked_for(two: Two) -> None:
    """Nothing is asked of anybody, and it is told which there are; so it is before a plan's reads."""
    words = ("environment_overview", "-i", "environment=prdo")
    run = two.run(*words, status=5)
    assert "no profile describes the domain prdo (did you mean prod? there are" in run["message"]
    plan = two.run(*words, "--dry-run=reads", status=5)
    assert (plan["status"], "[clusters.prdo]" in json.dumps(plan)) == ("blocked", True)
    assert two.asked == (0, 0)


def test_the_usual_context_of_who_calls_is_not_taken_for_a_cluster_that_nobody_describes(
    two: Two, tmp_path: Path
) -> None:
    """It may be anybody's; the run says once what to write, before it asks anybody."""
    (tmp_path / "ann" / ".kube").mkdir(parents=True)
    kubeconfig(tmp_path / "ann" / ".kube" / "config", two.prod, {"token": two.prod.grant()})
    home = {"HOME": str(tmp_path / "ann"), "KUBECONFIG": ""}
    done = two.place.run("run", "konflux_status", "-i", "namespace=shop", environment=home)
    assert (done.returncode, done.stdout.count("describe it under [clusters.konflux] in skill.toml")) == (5, 1)
    assert two.asked == (0, 0)


def test_production_is_looked_into(two: Two) -> None:
    """What died and what it said last, what the cluster and the logs say, what is known; nothing is written."""
    worker = next(
        one for one in two.prod.objects.within("pods", "shop") if one["metadata"]["labels"]["app"] == "worker"
    )
    name = worker["metadata"]["name"]
    two.prod.objects.logs[f"shop/{name}/previous"] = ["taking orders", "queue lost: broken pipe"]
    (two.place.folder / "key").write_text(elasticsearch.KEY)
    lesson = ("worker", "queue lost", "--root-cause", "the queue was moved", "--fix", "set QUEUE_URL")
    assert two.place.run("memory", "learn-fix", *lesson).returncode == 0
    two.prod.expires_after = "GET /api/v1/namespaces/shop/pods"
    with elasticsearch.elasticsearch() as logs:
        logs.log("order 17 is lost", level="error", kubernetes={"namespace_name": "shop"})
        settings = two.place.folder / "skill.toml"
        settings.write_text(settings.read_text() + LOGS.format(url=logs.url))
        run = two.run("debug_prod", *SHOP)
    outputs = run["outputs"]
    assert (run["status"], outputs["healthy"], outputs["unready"]) == ("ok", False, ["worker"])
    assert (run["healed"] > 0, two.prod.logins, two.stage.asked) == (True, 1, [])
    assert [each for each in two.prod.writes() if "selfsubjectreviews" not in each] == []
    for words in (
        "queue lost: broken pipe",
        "BackOff",
        "the queue was moved; what helps: set QUEUE_URL",
        "order 17 is lost",
    ):
        assert words in outputs["summary"]
    assert "alerts were not looked at" in outputs["summary"]
    assert "errors in logs were not looked at" not in outputs["summary"]


def test_what_may_not_be_read_in_production_is_not_healed(two: Two) -> None:
    """Logs that are forbidden are left out, the rest is told; nobody logs in."""
    two.prod.forbidden.add(("get", "pods/log"))
    run = two.run("debug_prod", *SHOP, "-i", "app=worker")
    assert (run["status"], run["healed"], two.prod.logins) == ("ok", 0, 0)
    assert run["outputs"]["unready"] == ["worker"]
    assert "BackOff" in run["outputs"]["summary"]
    two.prod.forbidden.add(("list", "pods"))
    failed = two.run("debug_prod", *SHOP, status=1)
    assert (failed["healed"], two.prod.logins) == (0, 0)
    assert "cannot list resource" in failed["message"]
    assert "has no deployment wrker" in two.run("debug_prod", *SHOP, "-i", "app=wrker", status=1)["message"]
