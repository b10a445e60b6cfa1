"""The cluster tools against a real kube-apiserver, for those who have built one (tests/data/kubernetes/README.md).

Skipped without `KUBE_APISERVER` and `ETCD`, in CI too: the stand-in is held against what was recorded.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.recordings.kubernetes_exchanges import APPS, OBJECTS, PODS, RUNS, deployment, post, run
from tests.recordings.record_kubernetes import answer, prepare
from tests.servers.kube_apiserver import ApiServer, api_server
from tool_registry.functions.cluster_login import whoami
from tool_registry.functions.cluster_state import k8s_environment_summary, kubectl_get_events, kubectl_get_secrets
from tool_registry.functions.deployments import (
    kubectl_get_deployments,
    kubectl_rollout_restart,
    kubectl_rollout_status,
    kubectl_scale,
)
from tool_registry.functions.ephemeral import (
    bonfire_namespace_extend,
    bonfire_namespace_list,
    bonfire_namespace_release,
    bonfire_namespace_reserve,
)
from tool_registry.functions.pods import kubectl_get_pods, kubectl_logs
from tool_registry.functions.tekton import tkn_pipelinerun_list
from tool_registry.functions.tekton_work import tkn_pipelinerun_cancel
from tool_registry.tool import ToolContext, ToolError

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
FURNISHED = {"a secret", "an event", "a new one", "its status"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """A real server with a shop in it: a secret, an event, a pod that crashes, a deployment."""
    with api_server(tmp_path_factory.mktemp("server")) as made:
        prepare(made)
        for each in (*OBJECTS, *PODS):
            if each.name in FURNISHED:
                answer(made, each)
        answer(made, post("a run", RUNS, run("build-1")))
        answer(made, post("a deployment", APPS, deployment("web")))
        yield made


@pytest.fixture
def here(server: ApiServer, tmp_path: Path) -> ToolContext:
    """A context whose domain is that cluster, as its admin."""
    return context(server, "admin", tmp_path)


def context(server: ApiServer, user: str, folder: Path) -> ToolContext:
    """A context whose domain is that cluster, as this user."""
    settings = {"kubeconfig": str(server.kubeconfig(user))}
    return ToolContext(
        settings=settings, folder=folder, state=folder, environment=dict(os.environ), timeout=20, run_id="run-1"
    )


async def refused(call: Any) -> ToolError:
    """The failure of a call."""
    with pytest.raises(ToolError) as caught:
        await call
    return caught.value


async def test_what_there_is_is_read(here: ToolContext) -> None:
    """Pods, secrets without their values, events, deployments, and the whole at once."""
    pods = await kubectl_get_pods("shop", here)
    assert [(each["name"], each["phase"], each["restarts"]) for each in pods["pods"]] == [
        ("web-1", "CrashLoopBackOff", 7)
    ]
    assert pods["failing"] == ["web-1"]
    secrets = await kubectl_get_secrets("shop", here)
    assert "cGFzcw" not in json.dumps(secrets)
    assert [each["name"] for each in secrets["secrets"]] == ["database"]
    assert [each["reason"] for each in (await kubectl_get_events("shop", here))["events"]] == ["BackOff"]
    assert [each["name"] for each in (await kubectl_get_deployments("shop", here))["deployments"]] == ["web"]
    assert await k8s_environment_summary(here)


async def test_what_is_changed_is_changed(here: ToolContext) -> None:
    """A scale and a restart; the second scale to the same number changes nothing."""
    assert (await kubectl_scale("shop", "web", 3, here))["changed"] is True
    assert (await kubectl_scale("shop", "web", 3, here))["changed"] is False
    assert await kubectl_rollout_restart("shop", "web", here)
    assert (await kubectl_rollout_status("shop", "web", here))["done"] is False


async def test_what_is_refused_is_named_for_what_it_is(server: ApiServer, here: ToolContext, tmp_path: Path) -> None:
    """Nothing there, nothing allowed, nothing valid."""
    absent = await refused(kubectl_logs("shop", "nope", here))
    assert (absent.kind, absent.http_status) == ("resource_not_found", 404)
    forbidden = await refused(kubectl_get_pods("shop", context(server, "ann", tmp_path)))
    assert (forbidden.http_status, forbidden.details["reason"]) == (403, "Forbidden")
    wrong = await refused(kubectl_logs("shop", "web-1", here))
    assert (wrong.kind, wrong.http_status) == ("usage_error", 400)


async def test_a_namespace_is_leased_held_longer_and_given_back(here: ToolContext) -> None:
    """As plain namespaces, which any cluster has."""
    lessee = replace(here, settings={**here.settings, "namespaces": "plain", "user": "ann"})
    made = await bonfire_namespace_reserve(lessee, "1h")
    longer = await bonfire_namespace_extend(made["name"], "1h", lessee)
    assert longer["expires_at"] - made["expires_at"] == 3600
    assert [each["name"] for each in (await bonfire_namespace_list(lessee))["namespaces"]] == [made["name"]]
    assert await bonfire_namespace_release(made["name"], lessee)
    assert (await bonfire_namespace_list(lessee))["namespaces"] == []


async def test_a_run_of_a_pipeline_is_found_and_cancelled(here: ToolContext) -> None:
    """Custom resources, by their real definitions; twice cancelled is cancelled."""
    assert [each["name"] for each in (await tkn_pipelinerun_list(here, "shop"))["pipeline_runs"]] == ["build-1"]
    assert await tkn_pipelinerun_cancel("build-1", here, "shop")
    assert await tkn_pipelinerun_cancel("build-1", here, "shop")


async def test_an_older_server_cannot_say_who_asks(here: ToolContext) -> None:
    """`SelfSubjectReview` came with 1.28; the failure says so."""
    assert "cannot say who asks" in (await refused(whoami(here))).message
