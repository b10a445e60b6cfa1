"""The stand-in for Konflux and Tekton is one for the clients of Kubernetes: kubectl, and lightkube.

tkn, Tekton's own client, is no package of Debian; what it sends is what these send.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lightkube
import pytest
from lightkube.generic_resource import create_namespaced_resource
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.types import PatchType

from tests.servers.certificates import certificates
from tests.servers.daemons import program
from tests.servers.konflux import BUILD, GOOD, PASSED, TENANT, TEST, Konflux, konflux
from tests.servers.kubernetes import kubeconfig

RELEASE = {"apiVersion": "appstudio.redhat.com/v1alpha1", "kind": "Release"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Konflux, Path]]:
    """A furnished Konflux that answers by TLS, and a kubeconfig with a token that counts."""
    folder = tmp_path_factory.mktemp("konflux")
    papers = certificates(folder)
    with konflux(papers.context()) as made:
        authority = {"certificate-authority": str(papers.authority)}
        yield made, kubeconfig(folder / "config", made.cluster, {"token": made.cluster.grant()}, **authority)


def kubectl(config: Path, *words: str, said: str = "") -> str:
    """What kubectl prints."""
    done = subprocess.run(
        [program("kubectl"), "-n", TENANT, *words],
        env={"PATH": os.environ["PATH"], "HOME": str(config.parent), "KUBECONFIG": str(config)},
        input=said,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_kubectl_reads_releases_and_cancels(server: tuple[Konflux, Path]) -> None:
    """By the names and short names of the custom resources."""
    _, config = server
    assert "shop-e2e" in kubectl(config, "get", "integrationtestscenarios")
    assert "shop-production" in kubectl(config, "get", "rp")
    assert PASSED in kubectl(config, "get", "snapshots,components,applications")
    release = {
        **RELEASE,
        "metadata": {"name": "by-kubectl"},
        "spec": {"snapshot": PASSED, "releasePlan": "shop-production"},
    }
    made = kubectl(config, "create", "-f", "-", "--validate=false", said=json.dumps(release))
    assert made == "release.appstudio.redhat.com/by-kubectl created\n"
    kubectl(config, "wait", "release/by-kubectl", "--for=condition=Released", "--timeout=20s")
    kubectl(config, "patch", "pipelinerun", BUILD, "--type=merge", "-p", '{"spec": {"status": "Cancelled"}}')
    kubectl(config, "wait", f"pipelinerun/{BUILD}", "--for=condition=Succeeded=False", "--timeout=20s")
    assert "E  401 != 200" in kubectl(config, "logs", f"{TEST}-run-tests-pod", "-c", "step-main")


def test_lightkube_reads_releases_and_cancels(server: tuple[Konflux, Path]) -> None:
    """As resources of any sort, which it takes apart by the API's own rules."""
    made, config = server
    releases = create_namespaced_resource("appstudio.redhat.com", "v1alpha1", "Release", "releases")
    snapshots = create_namespaced_resource("appstudio.redhat.com", "v1alpha1", "Snapshot", "snapshots")
    runs = create_namespaced_resource("tekton.dev", "v1", "PipelineRun", "pipelineruns")
    made.run("other", 1, {"type": "Succeeded", "status": "Unknown", "reason": "Running", "message": ""})
    with lightkube.Client(config=lightkube.KubeConfig.from_file(str(config)), namespace=TENANT) as opened:
        client: Any = opened
        images = client.get(snapshots, PASSED)["spec"]["components"]
        assert images[0]["containerImage"].endswith(GOOD)
        wanted = releases(
            metadata=ObjectMeta(generateName="shop-"), spec={"snapshot": PASSED, "releasePlan": "shop-staging"}
        )
        name = client.create(wanted).metadata.name
        assert client.wait(releases, name, for_conditions=["Released"])["status"]["target"] == "shop-managed"
        client.patch(runs, "other", {"spec": {"status": "CancelledRunFinally"}}, patch_type=PatchType.MERGE)
        labels = {"appstudio.openshift.io/component": "shop-api"}
        assert "other" in [one.metadata.name for one in client.list(runs, labels=labels)]
        with pytest.raises(lightkube.ApiError) as refused:
            client.get(releases, "nope")
        assert refused.value.status.reason == "NotFound"
