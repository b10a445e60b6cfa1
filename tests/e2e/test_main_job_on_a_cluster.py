"""`skill run test_mr_ephemeral`, the very same file, against a cluster: reserve, deploy, wait, test, release, for real.

Git over HTTP is git's own server, the registry Debian's, the tests pytest's of the commit in the image; GitLab and the
Kubernetes API are our stand-ins.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.cluster_place import ClusterPlace, cluster_place

MAIN = ("run", "test_mr_ephemeral")


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterPlace]:
    """One place for all tests of this module."""
    with cluster_place(tmp_path_factory.mktemp("cluster")) as made:
        yield made


@pytest.fixture
def place(everything: ClusterPlace) -> Iterator[ClusterPlace]:
    """The place, as a test finds it: logged in, nothing reserved, nothing asked."""
    cluster = everything.cluster
    (everything.shop.folder / "token").write_text(cluster.grant())
    cluster.asked.clear()
    cluster.logins, cluster.expires_after, cluster.losing = 0, "", ""
    yield everything
    with cluster.objects.lock:
        for one in list(cluster.objects.within("namespacereservations", "")):
            cluster.objects.remove("namespacereservations", one)
    everything.operator.free = 5


def step(run: Any, name: str) -> Any:
    """One step of a run."""
    return next(each for each in run["steps"] if each["name"] == name)


def test_a_merge_request_is_tested_on_a_cluster(place: ClusterPlace) -> None:
    """Its image runs by digest, its own tests run in the namespace, and the namespace is given back."""
    run = place.shop.json(*MAIN, "-i", "mr_id=1")
    outputs = run["outputs"]
    assert (run["status"], run["healed"], outputs["tests"]["passed"], outputs["kept"]) == ("ok", 0, 2, False)
    assert outputs["digest"] == place.images.images[f"demo/shop:{outputs['commit_sha']}"]
    assert "Half price" in outputs["summary"]
    assert place.kubelet.ran[-1][:3] == ["python3", "-m", "pytest"]
    assert place.reservations() == []
    assert "s3cret-of-the-namespace" not in str(run)


def test_a_dry_run_says_what_would_be_deployed_and_writes_nothing(place: ClusterPlace) -> None:
    """The application, the image by digest and the commit."""
    run = place.shop.json(*MAIN, "-i", "mr_id=2", "-i", "dry_run=true")
    found = run["outputs"]
    assert f"It would deploy billing (demo/shop@{found['digest']}, commit {found['commit_sha']})" in run["message"]
    assert (run["status"], found["namespace"], place.cluster.writes()) == ("ok", None, [])


def test_a_token_that_expires_in_the_middle_costs_one_login(place: ClusterPlace) -> None:
    """The namespace was asked for and not yet given: the login is renewed, and it is the same reservation."""
    place.cluster.expires_after = "POST /apis/cloud.redhat.com"
    run = place.shop.json(*MAIN, "-i", "mr_id=1", "-i", "run_tests=false")
    made = [each for each in place.cluster.asked if each.startswith("POST /apis/cloud.redhat.com")]
    assert (run["status"], step(run, "reserve")["status"], place.cluster.logins) == ("ok", "healed", 1)
    assert (len(made), place.operator.free, place.reservations()) == (2, 4, [])


def test_failing_tests_end_the_run_and_give_the_namespace_back(place: ClusterPlace) -> None:
    """The test is named, billing was deployed because its folder changed, and nothing is repaired."""
    run = place.shop.json(*MAIN, "-i", "mr_id=2", status=1)
    assert "test_the_price" in run["message"]
    assert (run["healed"], step(run, "give_back")["status"], place.reservations()) == (0, "ok", [])
    assert (run["outputs"]["app"], run["outputs"]["tests"]["passed"]) == ("billing", 1)


def test_an_image_that_is_not_there_blocks(place: ClusterPlace) -> None:
    """The newest request has none; who builds it is not known here, and nothing is reserved."""
    run = place.shop.json(*MAIN, status=5)
    assert "its CI builds it" in run["message"]
    assert (run["outputs"]["mr_id"], place.cluster.writes()) == (3, [])


def test_an_application_that_crashes_is_told_and_not_healed(place: ClusterPlace) -> None:
    """A pod that crashes over and over: its log is in the message, and no login was tried."""
    place.cluster.objects.controllers["deployments"] = [crashing]
    try:
        run = place.shop.json(*MAIN, "-i", "mr_id=1", status=1)
    finally:
        del place.cluster.objects.controllers["deployments"]
    assert "back-off 5m0s restarting" in run["message"]
    assert "\nThe last lines of main-" in run["message"]
    assert "no such table: prices" in run["message"].split("\nThe last lines of main-")[1]
    assert (run["healed"], place.cluster.logins, place.reservations()) == (0, 0, [])


def crashing(store: Any, deployment: Any, _: str) -> None:
    """Lets the pods of a deployment crash."""
    store.stuck.add(f"{deployment['metadata']['namespace']}/{deployment['metadata']['name']}")

    def crash() -> bool:
        mine = [
            pod for pod in store.all("pods") if pod["metadata"].get("namespace") == deployment["metadata"]["namespace"]
        ]
        for pod in mine:
            store.crash(pod)
            store.logs[f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"] = ["no such table: prices"]
        return bool(mine)

    store.running.append(crash)


def test_an_image_is_deployed_and_kept_and_its_lease_made_longer(place: ClusterPlace) -> None:
    """How to reach it is told; logins that end in the middle are renewed, and a dry run does nothing."""
    words = ("run", "deploy_to_ephemeral", "-i", "mr_id=1")
    assert "It would deploy" in place.shop.json(*words, "-i", "dry_run=true")["message"]
    assert place.cluster.writes() == []
    place.cluster.expires_after = "PATCH /apis/apps/v1"
    run = place.shop.json(*words)
    kept = run["outputs"]
    assert (run["status"], step(run, "deploy")["status"], place.cluster.logins) == ("ok", "healed", 1)
    assert (kept["url"], [kept["namespace"]]) == ("http://main.apps.example", place.reservations())
    place.cluster.expires_after = "GET /apis/cloud.redhat.com/v1alpha1/namespacereservations"
    run = place.shop.json("run", "extend_ephemeral", "-i", "duration=30m")
    assert (run["status"], run["healed"]) == ("ok", 1)
    (lease,) = run["outputs"]["extended"]
    assert lease["expires_at"] - kept["expires_at"] == 1800


def test_a_namespace_of_somebody_else_is_neither_extended_nor_used(place: ClusterPlace) -> None:
    """Its owner is named, nothing is written, and no login is tried."""
    name = place.reserve_as("ben")
    run = place.shop.json("run", "extend_ephemeral", "-i", f"namespaces={name}", status=1)
    assert f"{name} (of ben) is not ours" in run["message"]
    run = place.shop.json("run", "deploy_to_ephemeral", "-i", "mr_id=1", "-i", f"namespace={name}", status=1)
    assert f"{name} is no namespace of ours" in run["message"]
    writes = [each for each in place.cluster.writes() if "selfsubjectreviews" not in each]
    assert (writes, run["healed"], place.cluster.logins) == ([], 0, 0)
