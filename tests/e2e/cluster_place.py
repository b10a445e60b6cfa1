"""A workspace whose profile is a cluster: GitLab, git over HTTP, a registry, and the stand-in of the Kubernetes API."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.flow.workshop import Workshop
from tests.servers.ephemeral_operator import Operator
from tests.servers.git_http import git_server
from tests.servers.gitlab import ADA, GitLab, gitlab
from tests.servers.gitlab_project import Project
from tests.servers.kubelet import Kubelet, kubelet
from tests.servers.kubernetes import PASSWORD, Kubernetes, kubeconfig, kubernetes
from tests.servers.registry import Registry, registry

PROFILE = """
profile: stage
description: A cluster with everything beside it.
clusters:
  ephemeral:
    kubeconfig: kubeconfig
    token_file: token
    login: {{token_url: "{cluster}/oauth/token", client_id: skills, client_secret: {{file: password}}}}
    deploy: {{manifests: "deploy/{{app}}"}}
services:
  registry: {{url: "{registry}"}}
domains:
  ephemeral:
    fixes:
      login: {{call: {{tool: kube_login}}, verify: {{tool: kube_whoami}}, cooldown: 0}}
  forge:
    settings:
      url: "{gitlab}"
      project: group/shop
      remote: "{git}/group/shop.git"
      credential: {{file: gitlab-token}}
      image: demo/shop
"""
TESTS = """
import os
from shop.prices import PRICE


def test_the_price():
    assert PRICE == {price}


def test_the_environment():
    assert os.environ["DATABASE_PASSWORD"] == "s3cret-of-the-namespace"
"""
MANIFESTS = """# what the application needs
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {app}
  labels: {{app: {app}}}
spec:
  replicas: 1
  selector: {{matchLabels: {{app: {app}}}}}
  template:
    metadata: {{labels: {{app: {app}}}}}
    spec:
      containers:
        - name: web
          image: {image}:latest
          env:
            - {{name: DATABASE_PASSWORD, valueFrom: {{secretKeyRef: {{name: database, key: password}}}}}}
---
apiVersion: v1
kind: Secret
metadata: {{name: database}}
data: {{password: czNjcmV0LW9mLXRoZS1uYW1lc3BhY2U=}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{name: {app}}}
spec: {{rules: [{{host: {app}.apps.example}}]}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterPlace:
    """The workspace and its servers; merge request 1 passes its tests, 2 fails them, 3 has no image."""

    shop: Workshop
    cluster: Kubernetes
    operator: Operator
    forge: GitLab
    project: Project
    images: Registry
    kubelet: Kubelet

    def reservations(self) -> list[str]:
        """The namespaces that are reserved now, as the cluster itself knows them."""
        with self.cluster.objects.lock:
            held = self.cluster.objects.within("namespacereservations", "")
            return [one["status"]["namespace"] for one in held if one["spec"]["duration"] != "0s"]

    def reserve_as(self, requester: str) -> str:
        """A namespace that somebody else has."""
        with self.cluster.objects.lock:
            name = f"ephemeral-of-{requester}"
            self.cluster.objects.namespace(name, labels={"operator-ns": "true"})
            status = {"state": "active", "namespace": name, "pool": "default", "expiration": "2036-01-01T00:00:00Z"}
            spec = {"requester": requester, "duration": "1h", "pool": "default"}
            self.cluster.objects.add("namespacereservations", f"r-{requester}", spec=spec, status=status)
            return name


@contextmanager
def cluster_place(folder: Path) -> Iterator[ClusterPlace]:
    """The place, for as long as the block lasts."""
    with ExitStack() as open_servers:
        cluster = open_servers.enter_context(kubernetes())
        forge = open_servers.enter_context(gitlab(folder / "forge"))
        git = open_servers.enter_context(git_server(folder / "forge"))
        images = open_servers.enter_context(registry(folder / "registry"))
        runner = open_servers.enter_context(kubelet(cluster.objects, folder / "pulled"))
        project = _project(forge, images)
        shop = Workshop(folder / "work", folder / "home")
        (shop.folder / "config").mkdir(parents=True)
        (shop.folder / "skill.toml").write_text('profile = "stage"\n')
        addresses = {"cluster": cluster.url, "registry": images.url, "gitlab": forge.url, "git": git.url}
        (shop.folder / "config" / "stage_profile.yaml").write_text(PROFILE.format(**addresses).replace("{{", "{"))
        (shop.folder / "password").write_text(PASSWORD)
        (shop.folder / "gitlab-token").write_text(forge.token())
        (shop.folder / "token").write_text(cluster.grant())
        kubeconfig(shop.folder / "kubeconfig", cluster, {})
        for app in ("main", "billing"):
            (shop.folder / "deploy" / app).mkdir(parents=True)
            text = MANIFESTS.format(app=app, image=f"{images.host}/demo/shop")
            (shop.folder / "deploy" / app / "all.yaml").write_text(text)
        yield ClusterPlace(
            shop=shop,
            cluster=cluster,
            operator=Operator(cluster.objects),
            forge=forge,
            project=project,
            images=images,
            kubelet=runner,
        )


def _project(forge: GitLab, images: Registry) -> Project:
    project = forge.project("group/shop")
    files = {"Procfile": "web: python3 -m shop\n", "shop/__init__.py": "", "shop/prices.py": "PRICE = 1\n"}
    project.commit("main", "A shop", {**files, "tests/test_prices.py": TESTS.format(price=1)})
    changes = (
        ("cheaper", {"shop/prices.py": "PRICE = 0\n", "tests/test_prices.py": TESTS.format(price=0)}, "Half price"),
        ("wrong", {"billing/__init__.py": "", "shop/prices.py": "PRICE = 7\n"}, "SHOP-7: the wrong price"),
        ("unbuilt", {"shop/prices.py": "PRICE = 9\n"}, "Not built"),
    )
    for branch, changed, title in changes:
        sha = project.commit(branch, title, changed, base="main")
        project.request(branch, "main", title, dict(ADA))
        if branch != "unbuilt":
            images.push(f"demo/shop:{sha}", layer=project.git("archive", "--format=tar", sha))
    return project
