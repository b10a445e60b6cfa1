"""Ephemeral namespaces of a cluster: leases by the operator and plain ones, deployments, and tests as a job."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.servers.ephemeral_operator import Operator
from tests.servers.kubelet import Kubelet
from tests.servers.kubernetes import Kubernetes, kubeconfig, kubernetes
from tests.unit.functions.shop_repository import Contexts
from tool_registry.functions.deploying import bonfire_deploy, bonfire_namespace_wait
from tool_registry.functions.ephemeral import (
    bonfire_namespace_extend,
    bonfire_namespace_list,
    bonfire_namespace_release,
    bonfire_namespace_reserve,
)
from tool_registry.functions.manifests import images_of, pinned
from tool_registry.functions.tests_run import kubectl_exec_pytest
from tool_registry.tool import ToolContext, ToolError

DIGEST = "sha256:" + 64 * "a"
RESERVATIONS = "/apis/cloud.redhat.com/v1alpha1/namespacereservations"


@pytest.fixture
def cluster() -> Iterator[Kubernetes]:
    """A furnished cluster."""
    with kubernetes() as made:
        yield made


@pytest.fixture
def operator(cluster: Kubernetes) -> Operator:
    """The operator of that cluster."""
    return Operator(cluster.objects, free=2)


@pytest.fixture
def here(cluster: Kubernetes, contexts: Contexts, tmp_path: Path) -> ToolContext:
    """A context whose domain is the cluster, in a step of a run."""
    settings = {
        "kubeconfig": str(kubeconfig(tmp_path / "config", cluster, {"token": cluster.grant()})),
        "deploy": {"manifests": "deploy"},
    }
    return replace(contexts(settings), step="reserve")


@pytest.fixture(params=["operator", "plain"])
def leasing(request: pytest.FixtureRequest, cluster: Kubernetes, here: ToolContext) -> ToolContext:
    """The context in a cluster with the operator, and in one without."""
    if request.param == "operator":
        Operator(cluster.objects, free=2)
    else:
        cluster.objects.absent.add("cloud.redhat.com")
    return here


def at(context: ToolContext, step: str, **settings: Any) -> ToolContext:
    """The same, in another step."""
    return replace(context, step=step, settings={**context.settings, **settings})


async def gone(is_gone: Callable[[], bool]) -> None:
    """Waits until something is gone."""
    with anyio.fail_after(5):
        while not is_gone():  # noqa: ASYNC110 - a server in another thread is looked at
            await anyio.sleep(0.02)


async def refused(call: Any) -> ToolError:
    """The failure of a call."""
    with pytest.raises(ToolError) as caught:
        await call
    return caught.value


async def test_a_namespace_is_leased_extended_and_given_back(leasing: ToolContext, cluster: Kubernetes) -> None:
    """In the name of who is logged in; given back twice is no failure."""
    lease = await bonfire_namespace_reserve(leasing, duration="90m")
    assert (lease["owner"], round(lease["expires_at"] - lease["created_at"], -1)) == ("ann", 5400)
    assert cluster.objects.find("namespaces", "", lease["name"]) is not None
    longer = await bonfire_namespace_extend(lease["name"], "30m", at(leasing, "extend"))
    assert longer["expires_at"] - lease["expires_at"] == 1800
    assert (await bonfire_namespace_list(leasing))["namespaces"] == [longer]
    assert (await bonfire_namespace_release(lease["name"], leasing))["released"]
    assert (await bonfire_namespace_list(leasing))["names"] == []
    await gone(lambda: cluster.objects.find("namespaces", "", lease["name"]) is None)
    assert not (await bonfire_namespace_release(lease["name"], leasing))["released"]


async def test_the_same_step_finds_what_it_began(leasing: ToolContext) -> None:
    """A lease, and a longer one, whose answers were lost are not had twice; another step has its own."""
    first = await bonfire_namespace_reserve(leasing)
    assert await bonfire_namespace_reserve(leasing) == first
    extended = await bonfire_namespace_extend(first["name"], "30m", at(leasing, "extend"))
    again = await bonfire_namespace_extend(first["name"], "30m", at(leasing, "extend"))
    assert again["expires_at"] == extended["expires_at"] == first["expires_at"] + 1800
    assert (await bonfire_namespace_reserve(at(leasing, "another")))["name"] != first["name"]


async def test_what_is_somebody_elses_is_left_alone(leasing: ToolContext, cluster: Kubernetes) -> None:
    """And so is what was never leased: both are told apart from what is not there."""
    lease = await bonfire_namespace_reserve(at(leasing, "ben", user="ben"))
    mine = await bonfire_namespace_reserve(leasing)
    before = cluster.writes()
    error = await refused(bonfire_namespace_release(lease["name"], leasing))
    assert (error.kind, error.details["owner"], error.details["ours"]) == ("permission_denied", "ben", [mine["name"]])
    assert (await refused(bonfire_namespace_extend(lease["name"], "1h", leasing))).kind == "permission_denied"
    assert "was not leased" in (await refused(bonfire_namespace_release("shop", leasing))).message
    assert not (await bonfire_namespace_release("nowhere", leasing))["released"]
    assert (await refused(bonfire_namespace_extend("nowhere", "1h", leasing))).kind == "resource_not_found"
    assert [each for each in cluster.writes()[len(before) :] if "selfsubject" not in each] == []
    assert set((await bonfire_namespace_list(leasing, mine=False))["names"]) == {lease["name"], mine["name"]}


async def test_an_empty_pool_is_told_and_the_reservation_given_back(
    here: ToolContext, operator: Operator, cluster: Kubernetes
) -> None:
    """After the call's time, and nothing waits on for a namespace that nobody wants any more."""
    operator.free = 0
    error = await refused(bonfire_namespace_reserve(replace(here, timeout=0.6)))
    assert (error.kind, error.details["state"]) == ("resource_exhausted", "waiting")
    assert [one["spec"]["duration"] for one in cluster.objects.all("namespacereservations")] in ([], ["0s"])


async def test_nobody_waits_on_for_a_call_that_was_cancelled(
    here: ToolContext, operator: Operator, cluster: Kubernetes
) -> None:
    """The reservation is given back on the way out."""
    operator.free = 0
    with anyio.move_on_after(0.4):
        await bonfire_namespace_reserve(here)
    assert any(each.startswith(f"PATCH {RESERVATIONS}") for each in cluster.asked)


async def test_plain_namespaces_have_no_pools(here: ToolContext) -> None:
    """And the domain may say which of the two it is, in words that are known."""
    error = await refused(bonfire_namespace_reserve(at(here, "x", namespaces="plain"), pool="big"))
    assert (error.kind, error.sent) == ("usage_error", False)
    assert (await refused(bonfire_namespace_list(at(here, "x", namespaces="other")))).kind == "configuration_error"


def manifests(folder: Path, **more: Any) -> None:
    """A folder with a deployment of an application that is called main."""
    labels = {"app": "main"}
    container = {"name": "web", "image": "registry.example:5000/demo/shop:latest", "env": [{"name": "A", "value": "1"}]}
    template = {
        "metadata": {"labels": labels},
        "spec": {"containers": [container, {"name": "proxy", "image": "proxy:1"}]},
    }
    spec = {"selector": {"matchLabels": labels}, "template": template}
    made = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "main", "labels": labels}, "spec": spec}
    (folder / "deploy").mkdir(exist_ok=True)
    (folder / "deploy" / "main.json").write_text(json.dumps({**made, **more}))


async def test_a_folder_of_manifests_is_applied_with_its_images_pinned(here: ToolContext, cluster: Kubernetes) -> None:
    """Twice is once; and it is ready when all replicas are."""
    manifests(here.folder)
    told = await bonfire_deploy("empty", "main", "demo/shop", DIGEST, here)
    made = cluster.objects.find("deployments", "empty", "main")
    assert made is not None
    images = [each["image"] for each in made["spec"]["template"]["spec"]["containers"]]
    assert (told["status"], images) == ("starting", [f"registry.example:5000/demo/shop@{DIGEST}", "proxy:1"])
    ready = await bonfire_namespace_wait("empty", "main", here)
    assert (ready["status"], ready["digest"]) == ("ready", DIGEST)
    generation = made["metadata"]["generation"]
    await bonfire_deploy("empty", "main", "demo/shop", DIGEST, here)
    assert made["metadata"]["generation"] == generation


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"kind": "Node", "apiVersion": "v1"}, "of the whole cluster"),
        ({"kind": "Cronut", "apiVersion": "bakery/v1"}, "not known to this cluster"),
        ({"metadata": {"name": "main", "namespace": "shop"}}, "names the namespace shop"),
        ({"metadata": {}}, "without a name"),
        ({"spec": {}}, "has an image of demo/shop"),
    ],
)
async def test_manifests_that_cannot_be_meant_change_nothing(
    more: dict[str, Any], said: str, here: ToolContext, cluster: Kubernetes
) -> None:
    """They are refused before the first of them is applied."""
    manifests(here.folder, **more)
    error = await refused(bonfire_deploy("empty", "main", "demo/shop", DIGEST, here))
    assert (error.kind, error.sent, cluster.writes()) == ("configuration_error", False, [])
    assert said in error.message


def test_images_are_pinned_wherever_they_stand() -> None:
    """In init containers and jobs, of whatever tag or digest; another repository's are not."""
    spec = {
        "initContainers": [{"image": "h:1/demo/shop"}],
        "containers": [{"image": "demo/shop@sha256:1"}, {"image": "o/shop"}],
    }
    made = pinned({"spec": {"jobTemplate": {"spec": {"template": {"spec": spec}}}}}, "demo/shop", DIGEST)
    assert images_of(made) == [f"h:1/demo/shop@{DIGEST}", f"demo/shop@{DIGEST}", "o/shop"]


async def test_a_command_deploys_word_by_word(here: ToolContext, tmp_path: Path) -> None:
    """Filled in, without a shell; one that fails is told with what it said."""
    script = "import json, os, sys; open('told', 'w').write(json.dumps([*sys.argv[1:], os.environ['KUBECONFIG']]))"
    words = [sys.executable, "-c", script, "{namespace}", "--image={image}@{digest}", "{app}; true", "{other}"]
    await bonfire_deploy("empty", "main", "demo/shop", DIGEST, at(here, "x", deploy={"command": words}))
    told = json.loads((tmp_path / "told").read_text())
    assert told == ["empty", f"--image=demo/shop@{DIGEST}", "main; true", "{other}", here.settings["kubeconfig"]]
    await bonfire_deploy("{image}", "main", "{digest}", DIGEST, at(here, "x", deploy={"command": words}))
    assert json.loads((tmp_path / "told").read_text())[:2] == ["{image}", f"--image={{digest}}@{DIGEST}"]
    option = bonfire_deploy("--force", "main", "demo/shop", DIGEST, at(here, "x", deploy={"command": words}))
    assert "would be an option" in (await refused(option)).message
    failing = at(here, "x", deploy={"command": ["sh", "-c", "echo 'no such app' >&2; exit 3"]})
    error = await refused(bonfire_deploy("empty", "main", "demo/shop", DIGEST, failing))
    assert (error.exit_status, error.output.strip()) == (3, "no such app")
    tagged = at(here, "x", deploy={"command": ["true", "{tag}"]})
    assert (await refused(bonfire_deploy("empty", "main", "demo/shop", DIGEST, tagged))).kind == "usage_error"
    unsaid = at(here, "x", deploy=None)
    assert (await refused(bonfire_deploy("empty", "main", "demo/shop", DIGEST, unsaid))).kind == "configuration_error"


async def test_waiting_is_of_no_use_for_what_crashes(here: ToolContext) -> None:
    """The log is in the failure; what does not exist is told after the call's time."""
    error = await refused(bonfire_namespace_wait("shop", "worker", here))
    assert (error.kind, error.output) == ("code_error", "starting\ncannot reach the queue: connection refused")
    error = await refused(bonfire_namespace_wait("shop", "nope", replace(here, timeout=0.3)))
    assert error.kind == "resource_not_found"


@pytest.mark.parametrize(("phase", "kind"), [("ImagePullBackOff", "image_not_found"),
                                             ("CreateContainerConfigError", "configuration_error")])  # fmt: skip
async def test_waiting_is_of_no_use_for_what_cannot_start(
    phase: str, kind: str, here: ToolContext, cluster: Kubernetes
) -> None:
    """In the cluster's words."""
    pod = next(one for one in cluster.objects.within("pods", "shop") if one["metadata"]["labels"]["app"] == "worker")
    pod["status"]["containerStatuses"][0]["state"] = {"waiting": {"reason": phase, "message": "it says why"}}
    error = await refused(bonfire_namespace_wait("shop", "worker", here))
    assert (error.kind, error.message) == (kind, "worker in shop cannot start: it says why")


async def test_a_deployment_past_its_deadline_is_no_longer_waited_for(here: ToolContext, cluster: Kubernetes) -> None:
    """The cluster itself has given up."""
    cluster.objects.stuck.add("main")
    manifests(here.folder)
    await bonfire_deploy("empty", "main", "demo/shop", DIGEST, here)
    error = await refused(bonfire_namespace_wait("empty", "main", here))
    assert (error.kind, "exceeded its progress deadline" in error.message) == ("timeout", True)


@pytest.fixture
def tested(cluster: Kubernetes, tmp_path: Path) -> Iterator[Path]:
    """The folder in which the application's tests run, with a kubelet that runs them."""
    folder = tmp_path / "image"
    folder.mkdir()
    runner = Kubelet(lambda _: folder)
    cluster.objects.controllers["jobs"] = [runner.job]
    yield folder
    runner.stop()


async def test_pytest_runs_as_a_job_beside_the_application(
    here: ToolContext, tested: Path, cluster: Kubernetes
) -> None:
    """With its environment; what it counted comes back, and the job is taken away."""
    manifests(here.folder)
    await bonfire_deploy("empty", "main", "demo/shop", DIGEST, here)
    (tested / "test_it.py").write_text(
        "import os, sys\n\ndef test_a():\n    assert os.environ['A'] == '1'\n\n"
        "def test_b():\n    print('<?xml broken')\n    assert 1 == 2\n"
    )
    told = await kubectl_exec_pytest("empty", "main", replace(here, timeout=30))
    assert (told["total"], told["passed"], told["failing"], told["exit_status"]) == (2, 1, ["test_it::test_b"], 1)
    assert cluster.objects.all("jobs") == []
    assert not any("skill-tests" in one["metadata"]["name"] for one in cluster.objects.all("pods"))


async def test_tests_that_cannot_run_are_a_failure(here: ToolContext, tested: Path) -> None:
    """Out of time, and without a deployment to be run beside."""
    manifests(here.folder)
    await bonfire_deploy("empty", "main", "demo/shop", DIGEST, here)
    (tested / "test_it.py").write_text("import time\n\ndef test_a():\n    time.sleep(60)\n")
    error = await refused(kubectl_exec_pytest("empty", "main", replace(here, timeout=2)))
    assert error.kind == "timeout"
    assert (await refused(kubectl_exec_pytest("empty", "nope", here))).kind == "resource_not_found"
