"""Every tool that a Kubernetes cluster answers, called as its examples say: it does to the cluster what it declares.

A read sends nothing that could change anything, and leaves every object as it was; an idempotent write leaves the same
the second time. Namespaces are leased from the operator, and plain ones. What the examples name stands for what is
there (`World.real`).
"""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.contracts.second_calls import claims
from tests.servers.aimed import CLUSTER, EITHER, MANIFEST
from tests.servers.ephemeral_operator import Operator
from tests.servers.kubelet import Kubelet
from tests.servers.kubernetes import PASSWORD, Kubernetes, kubeconfig, kubernetes
from tool_registry.registry import default_registry
from tool_registry.tool import Effect, Tool, ToolContext

DIGEST = "sha256:" + 64 * "a"
KNOWN = dict(default_registry())
LOGINS = ("kube_login", "kube_whoami")


def of_a_cluster(tool: Tool) -> bool:
    """Whether a cluster answers it: what it needs says so."""
    choices = {choice for named in tool.needs.settings for choice in named.split("|")}
    return tool.needs.settings == EITHER or choices == CLUSTER or tool.name in LOGINS


TOOLS = [tool for tool in KNOWN.values() if tool.domain == "ephemeral" and of_a_cluster(tool)]
UNSEEN = {"kubectl_exec_pytest"}
"""Writes that leave nothing behind: the job is taken away with its pods."""
READS = [tool for tool in TOOLS if tool.effect is Effect.READ]
WRITES = [tool for tool in TOOLS if tool.effect is not Effect.READ]
LEASES = {tool.name for tool in TOOLS if tool.name.startswith("bonfire_namespace")}


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A cluster, a namespace of ours in which an application runs, and somebody who is logged in."""

    cluster: Kubernetes
    folder: Path
    namespace: str = ""
    pod: str = ""

    def context(self, step: str) -> ToolContext:
        """What a tool is handed."""
        login = {
            "token_url": f"{self.cluster.url}/oauth/token",
            "client_id": "skills",
            "client_secret": {"file": "password"},
        }
        config = self.folder / "kubeconfig"
        settings = {"kubeconfig": str(config), "token_file": "token", "login": login, "deploy": {"manifests": "deploy"}}
        return ToolContext(
            settings=settings,
            folder=self.folder,
            state=self.folder / "state",
            environment=dict(os.environ),
            timeout=20,
            run_id="run-1",
            step=step,
            secret_result=step in KNOWN and KNOWN[step].secret,
        )

    async def call(self, name: str, arguments: Mapping[str, Any], step: str = "") -> Any:
        """The value of a call."""
        return (await KNOWN[name].call(arguments, self.context(step or name))).value

    def real(self, example: Mapping[str, Any]) -> dict[str, Any]:
        """The example with the namespace and the pod that are there."""
        names = {"ephemeral-abc": self.namespace, "main-1": self.pod}
        return {name: names.get(value, value) if isinstance(value, str) else value for name, value in example.items()}

    def state(self) -> Any:
        """All there is that a call could want otherwise; what follows from it later is the controllers'."""
        with self.cluster.objects.lock:
            self.cluster.objects.settle()
            kept = copy.deepcopy(self.cluster.objects.kept)
        objects = {
            f"{sort} {meta.get('namespace', '')}/{meta['name']}": (meta.get("labels"), meta.get("annotations"), rest)
            for sort, found in kept.items()
            for meta, rest in map(_wanted, found)
            if sort not in {"pods", "events"} and not _ends(meta, rest)
        }
        token = self.folder / "token"
        return objects, token.exists() and token.stat().st_mode


def _wanted(one: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    return one["metadata"], {name: value for name, value in one.items() if name not in {"metadata", "status"}}


def _ends(meta: Mapping[str, Any], rest: Mapping[str, Any]) -> bool:
    """Whether it is being taken away, or the operator will do so; the namespaces of a pool are the operator's."""
    pooled = "operator-ns" in (meta.get("labels") or {})
    return pooled or "deletionTimestamp" in meta or rest.get("spec", {}).get("duration") == "0s"


async def _furnished(world: World) -> World:
    lease = await world.call("bonfire_namespace_reserve", {"duration": "1h"}, "before")
    name = lease["name"]
    await world.call("bonfire_deploy", {"namespace": name, "app": "main", "image": "demo/shop", "digest": DIGEST})
    await world.call("bonfire_namespace_wait", {"namespace": name, "app": "main"})
    pod = (await world.call("kubectl_get_pods", {"namespace": name}))["pods"][0]["name"]
    world.cluster.objects.secret(name, "database", {"password": "s3cret"})
    return World(cluster=world.cluster, folder=world.folder, namespace=name, pod=pod)


@contextmanager
def furnished(folder: Path, way: str) -> Iterator[World]:
    """What the examples speak of is there; nobody has logged in by `kube_login` yet."""
    labels = {"app": "main"}
    inner: Any = MANIFEST["spec"]
    template = {**inner["template"], "metadata": {"labels": labels}}
    spec = {"selector": {"matchLabels": labels}, "template": template}
    (folder / "deploy").mkdir()
    (folder / "deploy" / "main.json").write_text(json.dumps({**MANIFEST, "spec": spec}))
    (folder / "image" / "tests").mkdir(parents=True)
    (folder / "image" / "tests" / "test_it.py").write_text("def test_it():\n    pass\n")
    (folder / "password").write_text(PASSWORD)
    with kubernetes() as cluster:
        if way == "operator":
            Operator(cluster.objects)
        else:
            cluster.objects.absent.add("cloud.redhat.com")
        runner = Kubelet(lambda _: folder / "image")
        cluster.objects.controllers["jobs"] = [runner.job]
        kubeconfig(folder / "kubeconfig", cluster, {"token": cluster.grant()})
        yield anyio.run(_furnished, World(cluster=cluster, folder=folder))
        runner.stop()


def both(tools: Sequence[Tool]) -> list[Any]:
    """Each tool in a cluster with the operator, and those of leases in one without."""
    plain = [pytest.param(tool, "plain", id=f"{tool.name}-plain") for tool in tools if tool.name in LEASES]
    return [*(pytest.param(tool, "operator", id=tool.name) for tool in tools), *plain]


@pytest.fixture(scope="module")
def seen(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world that is only looked at."""
    with furnished(tmp_path_factory.mktemp("seen"), request.param) as made:
        yield made


@pytest.fixture
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """A world of one's own."""
    with furnished(tmp_path, request.param) as made:
        yield made


@pytest.mark.parametrize(("tool", "seen"), both(READS), indirect=["seen"])
async def test_every_example_of_a_read_runs_and_changes_nothing(tool: Tool, seen: World) -> None:
    """The cluster is sent nothing but questions."""
    for example in tool.examples:
        before, written = seen.state(), len(seen.cluster.writes())
        await seen.call(tool.name, seen.real(example))
        sent = seen.cluster.writes()[written:]
        assert [each for each in sent if not each.endswith("/selfsubjectreviews")] == []
        assert seen.state() == before


@pytest.mark.parametrize(("tool", "world"), both(WRITES), indirect=["world"])
async def test_every_example_of_a_write_runs_and_does_what_the_tool_declares(tool: Tool, world: World) -> None:
    """It changes something; and nothing more the second time, where that is said to be the same as once."""
    for example in tool.examples:
        arguments, before = world.real(example), world.state()
        await world.call(tool.name, arguments)
        once = world.state()
        assert (once == before) == (tool.name in UNSEEN)
        if tool.idempotent:
            second = await world.call(tool.name, arguments)
            assert (world.state(), claims(second)) == (once, [])
