"""The stand-in for the Kubernetes API is one for its own clients: kubectl, and lightkube.

In CI kubectl must be there (Debian: kubernetes-client); elsewhere its tests are skipped without it.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import lightkube
import pytest
from lightkube.models.autoscaling_v1 import ScaleSpec
from lightkube.resources import apps_v1 as apps
from lightkube.resources import core_v1 as core

from tests.servers.certificates import Certificates, certificates
from tests.servers.daemons import program
from tests.servers.kubernetes import Kubernetes, kubeconfig, kubernetes

Kubectl = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Certificates for all tests of this module: kubectl shows a token only where TLS is."""
    return certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def cluster(papers: Certificates) -> Iterator[Kubernetes]:
    """A furnished cluster that answers by TLS."""
    with kubernetes(papers.context()) as made:
        yield made


@pytest.fixture
def config(cluster: Kubernetes, papers: Certificates, tmp_path: Path) -> Path:
    """A kubeconfig with a token that counts."""
    authority = {"certificate-authority": str(papers.authority)}
    return kubeconfig(tmp_path / "config", cluster, {"token": cluster.grant()}, **authority)


@pytest.fixture
def kubectl(config: Path, tmp_path: Path) -> Kubectl:
    """Runs kubectl at the cluster."""
    found = program("kubectl")

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [found, *words],
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "KUBECONFIG": str(config)},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    return run


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("get", "pods"), "CrashLoopBackOff"),
        (("get", "pods", "-A", "-l", "app=web"), "Running"),
        (("get", "deployments"), "2/2"),
        (("get", "secrets"), "kubernetes.io/tls"),
        (("get", "events"), "web."),
        (("get", "ns"), "empty"),
        (("get", "nodes", "-o", "yaml"), "KubeletReady"),
        (("describe", "deployment", "web"), "Scaled up replica set web to 2"),
        (("describe", "pods", "-l", "app=worker"), "Back-off restarting failed container worker"),
        (("describe", "secret", "database"), "18 bytes"),
        (("logs", "deployment/web", "--tail=1"), "no error found, 0 failed"),
        (("auth", "whoami"), "ann"),
        (("version",), "v1.32.4"),
    ],
)
def test_kubectl_reads_what_is_there(words: tuple[str, ...], said: str, kubectl: Kubectl) -> None:
    """And prints it without complaint."""
    done = kubectl(*words)
    assert done.returncode == 0, done.stderr
    assert said in done.stdout
    assert "E1" not in done.stderr


def test_kubectl_scales_restarts_and_follows(kubectl: Kubectl, cluster: Kubernetes) -> None:
    """A rollout is followed to its end by a watch."""
    assert kubectl("scale", "deployment/web", "--replicas=3").stdout == "deployment.apps/web scaled\n"
    followed = kubectl("rollout", "status", "deployment/web", "--timeout=30s")
    assert followed.stdout.endswith('deployment "web" successfully rolled out\n')
    assert kubectl("rollout", "restart", "deployment/web").stdout == "deployment.apps/web restarted\n"
    assert kubectl("rollout", "status", "deployment/web", "--timeout=30s").returncode == 0
    found = cluster.objects.find("deployments", "shop", "web")
    assert found is not None
    assert (found["spec"]["replicas"], found["status"]["availableReplicas"]) == (3, 3)


def test_kubectl_reads_the_refusals(kubectl: Kubectl, cluster: Kubernetes) -> None:
    """As those of a cluster: not there, forbidden, not logged in, past the deadline."""
    assert 'Error from server (NotFound): pods "nope" not found' in kubectl("get", "pod", "nope").stderr
    cluster.forbidden.add(("patch", "deployments/scale"))
    refused = kubectl("scale", "deployment/web", "--replicas=3").stderr
    assert 'Error from server (Forbidden): deployments.apps "web" is forbidden: User "ann" cannot patch' in refused
    cluster.objects.stuck.add("web")
    assert kubectl("rollout", "restart", "deployment/web").returncode == 0
    late = kubectl("rollout", "status", "deployment/web", "--timeout=30s").stderr
    assert late == 'error: deployment "web" exceeded its progress deadline\n'
    cluster.expire()
    assert "You must be logged in to the server" in kubectl("get", "pods").stderr


def test_kubectl_creates_applies_and_deletes(kubectl: Kubectl, cluster: Kubernetes, tmp_path: Path) -> None:
    """Objects of the core and custom ones; a namespace ends with what is in it."""
    made = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "prices"}, "data": {"tea": "2"}}
    (tmp_path / "prices.json").write_text(json.dumps(made))
    spec = {"requester": "ann", "duration": "1h"}
    custom = {"apiVersion": "cloud.redhat.com/v1alpha1", "kind": "NamespaceReservation", "metadata": {"name": "r-1"}}
    (tmp_path / "custom.json").write_text(json.dumps({**custom, "spec": spec}))
    (tmp_path / "fair.json").write_text(
        json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "fair"}})
    )
    create = ("create", "--validate=false", "-f", str(tmp_path / "fair.json"))
    assert kubectl(*create).stdout == "namespace/fair created\n"
    assert "AlreadyExists" in kubectl(*create).stderr
    applied = ("apply", "--server-side", "--validate=false", "-f")
    config = (*applied, str(tmp_path / "prices.json"), "-n", "fair")
    assert kubectl(*config).stdout == "configmap/prices serverside-applied\n"
    assert kubectl("create", "--validate=false", "-f", str(tmp_path / "custom.json")).returncode == 0
    assert "ann" in kubectl("get", "reservation").stdout
    patched = ("patch", "reservation", "r-1", "--type=merge", "-p", '{"spec": {"duration": "2h"}}')
    assert kubectl(*patched).returncode == 0
    assert kubectl("delete", "reservation", "r-1").stdout.endswith('"r-1" deleted\n')
    assert kubectl("delete", "namespace", "fair", "--timeout=20s").returncode == 0
    assert cluster.objects.within("configmaps", "fair") == []
    assert 'namespaces "fair" not found' in kubectl("get", "namespace", "fair").stderr


def test_lightkube_reads_and_scales(config: Path) -> None:
    """A client library takes the answers apart by the API's own types."""
    with lightkube.Client(config=lightkube.KubeConfig.from_file(str(config)), namespace="shop") as opened:
        client: Any = opened  # every part of an answer may be missing by its types; here it is looked at
        assert len(list(client.list(core.Pod))) == 3
        assert client.get(core.Secret, "database").data["user"]
        assert [one.reason for one in client.list(core.Event, fields={"type": "Warning"})] == ["BackOff"]
        scale = apps.Deployment.Scale(spec=ScaleSpec(replicas=4))
        assert client.patch(apps.Deployment.Scale, "web", scale).spec.replicas == 4
        client.wait(apps.Deployment, "web", for_conditions=["Available"])
        assert client.get(apps.Deployment, "web").spec.replicas == 4
        pods = list(client.list(core.Pod, labels={"app": "web"}))
        assert list(client.log(pods[0].metadata.name, tail_lines=1)) == ["no error found, 0 failed\n"]
        with pytest.raises(lightkube.ApiError) as refused:
            client.get(core.Pod, "nope")
        assert (refused.value.status.code, refused.value.status.reason) == (404, "NotFound")
