"""The tools of a cluster, against a stand-in for its API that kubectl and lightkube accept too."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.servers.certificates import Certificates, certificates
from tests.servers.kubernetes import PASSWORD, Kubernetes, kubeconfig, kubernetes
from tests.unit.functions.shop_repository import Contexts
from tool_registry.functions.cluster_state import k8s_environment_summary, kubectl_get_events, kubectl_get_secrets
from tool_registry.functions.deployments import (
    kubectl_get_deployments,
    kubectl_rollout_restart,
    kubectl_rollout_status,
    kubectl_scale,
)
from tool_registry.functions.local_login import kube_login, kube_whoami
from tool_registry.functions.pods import kubectl_get_pods, kubectl_get_secret, kubectl_logs
from tool_registry.tool import ToolContext, ToolError


@pytest.fixture
def cluster() -> Iterator[Kubernetes]:
    """A furnished cluster."""
    with kubernetes() as made:
        yield made


@pytest.fixture
def here(cluster: Kubernetes, contexts: Contexts, tmp_path: Path) -> ToolContext:
    """A context whose domain is the cluster, with a token in a kubeconfig."""
    return contexts({"kubeconfig": str(kubeconfig(tmp_path / "config", cluster, {"token": cluster.grant()}))})


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Certificates for all tests of this module."""
    return certificates(tmp_path_factory.mktemp("certificates"))


async def refused(call: Any) -> ToolError:
    """The failure of a call."""
    with pytest.raises(ToolError) as caught:
        await call
    return caught.value


async def rolled(context: ToolContext, how: str = "done") -> dict[str, Any]:
    """The rollout of the deployment web, once it is done (or has failed)."""
    with anyio.fail_after(10):
        while True:
            told = dict(await kubectl_rollout_status("shop", "web", context))
            if told[how]:
                return told
            await anyio.sleep(0.02)


async def test_pods_are_told_as_the_local_platform_tells_them(here: ToolContext) -> None:
    """Same shape, and the one that crashes is failing."""
    told = await kubectl_get_pods("shop", here)
    worker = next(one for one in told["pods"] if one["app"] == "worker")
    assert told["failing"] == [worker["name"]]
    assert (worker["phase"], worker["ready"], worker["restarts"], worker["exit_status"]) == (
        "CrashLoopBackOff", False, 7, 3,
    )  # fmt: skip
    assert [(one["phase"], one["ready"]) for one in told["pods"] if one["app"] == "web"] == [("Running", True)] * 2
    assert await kubectl_get_pods("empty", here) == {"pods": [], "failing": []}


async def test_the_end_of_a_log(here: ToolContext) -> None:
    """As many lines as were asked for; a pod that is not there is told so by the cluster."""
    name = (await kubectl_get_pods("shop", here))["failing"][0]
    told = await kubectl_logs("shop", name, here, tail=1)
    assert told == {
        "pod": name, "lines": ["cannot reach the queue: connection refused"],
        "text": "cannot reach the queue: connection refused",
    }  # fmt: skip
    error = await refused(kubectl_logs("shop", "nope", here))
    assert (error.kind, error.http_status, error.details["reason"]) == ("resource_not_found", 404, "NotFound")
    assert 'pods "nope" not found' in error.message


async def test_secrets_are_listed_without_their_values(
    here: ToolContext, cluster: Kubernetes, secrets: list[Any]
) -> None:
    """Names, types and ages; one's values go only to a step that keeps them secret, and are masked."""
    told = await kubectl_get_secrets("shop", here)
    assert [(one["name"], one["type"], one["values"]) for one in told["secrets"]] == [
        ("database", "Opaque", 2),
        ("tls", "kubernetes.io/tls", 2),
    ]
    assert "s3cret-of-the-shop" not in json.dumps(told)
    asked = len(cluster.asked)
    error = await refused(kubectl_get_secret("shop", "database", here))
    assert (error.kind, error.sent, len(cluster.asked)) == ("usage_error", False, asked)
    kept = await kubectl_get_secret("shop", "database", replace(here, secret_result=True), keys=["password"])
    assert kept == {"password": "s3cret-of-the-shop"}
    assert kept in secrets


async def test_deployments_are_scaled_and_restarted(here: ToolContext, cluster: Kubernetes) -> None:
    """What was asked for twice is done once, and the replicas are there after a moment."""
    assert (await kubectl_get_deployments("shop", here))["unready"] == ["worker"]
    first = await kubectl_scale("shop", "web", 4, here)
    assert (first["before"], first["replicas"], first["changed"]) == (2, 4, True)
    assert not (await kubectl_scale("shop", "web", 4, here))["changed"]
    told = await rolled(here)
    assert (told["wanted"], told["available"], told["revision"]) == (4, 4, "1")
    restart = await kubectl_rollout_restart("shop", "web", here)
    again = await kubectl_rollout_restart("shop", "web", here)
    assert (restart["changed"], again["changed"], again["restarted_at"]) == (True, False, restart["restarted_at"])
    assert (await rolled(here))["revision"] == "2"
    assert [each.split("?")[0].rpartition("/")[2] for each in cluster.writes()] == ["scale", "web"]


async def test_a_change_that_is_not_seen_yet_is_not_done(here: ToolContext) -> None:
    """The figures of before are not taken for those of now."""
    await kubectl_rollout_restart("shop", "web", here)
    told = await kubectl_rollout_status("shop", "web", here)
    assert (told["done"], told["message"]) == (False, "the change has not been seen yet")


async def test_a_rollout_that_gets_nowhere_has_failed(here: ToolContext, cluster: Kubernetes) -> None:
    """Past its progress deadline; one that is not there is an answer."""
    cluster.objects.stuck.add("web")
    await kubectl_rollout_restart("shop", "web", here)
    told = await rolled(here, "failed")
    assert told["message"] == "it exceeded its progress deadline"
    assert not (await kubectl_rollout_status("shop", "nope", here))["found"]


async def test_a_scale_that_expects_another_number_changes_nothing(here: ToolContext, cluster: Kubernetes) -> None:
    """Somebody else has scaled meanwhile."""
    error = await refused(kubectl_scale("shop", "web", 5, here, expected=7))
    assert (error.kind, error.details["replicas"], cluster.writes()) == ("conflict", 2, [])


async def test_events_the_last_first(here: ToolContext) -> None:
    """Of one sort, about one object."""
    assert (await kubectl_get_events("shop", here))["count"] == 2
    (event,) = (await kubectl_get_events("shop", here, type="Warning"))["events"]
    assert (event["reason"], event["count"]) == ("BackOff", 3)
    assert (await kubectl_get_events("shop", here, about="Deployment/web"))["events"][0]["type"] == "Normal"


async def test_a_cluster_is_summed_up(here: ToolContext, cluster: Kubernetes) -> None:
    """Who has trouble; nodes that we may not see are not known, and no failure."""
    told = await k8s_environment_summary(here)
    assert (told["version"], told["nodes"], told["ill"]) == ("v1.32.4", {"count": 1, "unready": []}, ["shop"])
    cluster.forbidden.add(("list", "nodes"))
    told = await k8s_environment_summary(here, namespaces=["empty"])
    assert (told["nodes"], told["healthy"], [one["name"] for one in told["namespaces"]]) == (None, True, ["empty"])


async def test_a_list_of_many_pages_is_bounded(here: ToolContext, cluster: Kubernetes) -> None:
    """All pages are read, up to the limit."""
    for number in range(1_203):
        cluster.objects.secret("empty", f"s-{number:04}", {})
    told = await kubectl_get_secrets("empty", here, limit=1_300)
    assert (told["count"], told["truncated"], len(set(told["names"]))) == (1_203, False, 1_203)
    told = await kubectl_get_secrets("empty", here, limit=7)
    assert (told["count"], told["truncated"]) == (7, True)


async def test_refusals_are_named_by_status(here: ToolContext, cluster: Kubernetes) -> None:
    """A token that ended is a 401, what is forbidden a 403, in the cluster's own words."""
    cluster.forbidden.add(("patch", "deployments/scale"))
    error = await refused(kubectl_scale("shop", "web", 5, here))
    assert (error.http_status, error.details["reason"]) == (403, "Forbidden")
    assert 'User "ann" cannot patch resource "deployments/scale"' in error.message
    cluster.expire()
    assert (await refused(kubectl_get_deployments("shop", here))).http_status == 401


async def test_names_that_lead_elsewhere_are_refused(here: ToolContext, cluster: Kubernetes) -> None:
    """A path is made of names, and nothing is asked."""
    for namespace in ("..", "."):
        assert (await refused(kubectl_get_pods(namespace, here))).kind == "usage_error"
    assert cluster.asked == []
    await kubectl_get_pods("shop/../x?y", here)
    assert "%2F" in cluster.asked[0]


async def test_a_certificate_is_a_login(contexts: Contexts, tmp_path: Path, papers: Certificates) -> None:
    """The kubeconfig's authority is the only one that is trusted; its key is secret."""
    inline = {
        "client-certificate-data": base64.b64encode(papers.client.read_bytes()).decode(),
        "client-key-data": base64.b64encode(papers.client_key.read_bytes()).decode(),
    }
    files = {"client-certificate": str(papers.client), "client-key": str(papers.client_key)}
    authority = {"certificate-authority": str(papers.authority)}
    with kubernetes(papers.context()) as cluster:
        for user in (inline, files):
            path = kubeconfig(tmp_path / "config", cluster, user, **authority)
            assert (await kube_whoami(contexts({"kubeconfig": str(path)})))["user"] == "ann"
        stranger = kubeconfig(tmp_path / "other", cluster, inline)
        error = await refused(kube_whoami(contexts({"kubeconfig": str(stranger)})))
        assert (error.kind, error.sent) == ("tls", False)


async def test_a_plugin_gives_the_token(cluster: Kubernetes, contexts: Contexts, tmp_path: Path) -> None:
    """And one that fails is told with what it said."""
    plugin = tmp_path / "plugin"
    status = json.dumps({"kind": "ExecCredential", "status": {"token": cluster.grant()}})
    plugin.write_text(f"#!/bin/sh\necho '{status}'\n")
    plugin.chmod(0o700)
    user = {"exec": {"command": "./plugin", "apiVersion": "client.authentication.k8s.io/v1"}}
    context = contexts({"kubeconfig": str(kubeconfig(tmp_path / "config", cluster, user))})
    assert (await kube_whoami(context))["user"] == "ann"
    plugin.write_text("#!/bin/sh\necho 'token expired' >&2; exit 3\n")
    error = await refused(kube_whoami(context))
    assert (error.program, error.exit_status, error.output.strip()) == ("plugin", 3, "token expired")


async def test_what_a_kubeconfig_lacks_is_named(cluster: Kubernetes, contexts: Contexts, tmp_path: Path) -> None:
    """A context that is not there, a word that nobody here knows, and a token that all could read."""
    path = str(kubeconfig(tmp_path / "config", cluster, {"token": "x"}))
    error = await refused(kubectl_get_pods("shop", contexts({"kubeconfig": path, "context": "prod"})))
    assert (error.kind, error.details["contexts"]) == ("configuration_error", ["stage"])
    kubeconfig(tmp_path / "config", cluster, {"token": "x"}, **{"proxy-url": "socks5://x"})
    assert "proxy-url" in (await refused(kubectl_get_pods("shop", contexts({"kubeconfig": path})))).message
    kubeconfig(tmp_path / "config", cluster, {"token": "x"}, server="http://cluster.example")
    assert "without TLS" in (await refused(kubectl_get_pods("shop", contexts({"kubeconfig": path})))).message
    assert cluster.asked == []


async def test_what_only_a_cluster_has_is_refused_on_the_platform(contexts: Contexts, tmp_path: Path) -> None:
    """By the domain's settings, and nobody is asked."""
    error = await refused(kubectl_get_deployments("shop", contexts({"platform": str(tmp_path), "kubeconfig": "x"})))
    assert (error.kind, error.sent) == ("configuration_error", False)


async def test_a_command_logs_in(cluster: Kubernetes, contexts: Contexts, tmp_path: Path) -> None:
    """What it prints is kept, readable by this person alone; a command line is words, never a shell's text."""
    script = f"print({cluster.grant()!r})"
    settings = {"url": cluster.url, "token_file": "kept/token", "login": {"command": [sys.executable, "-c", script]}}
    told = await kube_login(contexts(settings))
    assert (told["user"], told["server"]) == ("ann", cluster.url)
    assert (tmp_path / "kept" / "token").stat().st_mode & 0o777 == 0o600
    assert len((await kubectl_get_pods("shop", contexts(settings)))["pods"]) == 3
    error = await refused(kube_login(contexts({**settings, "login": {"command": "echo token"}})))
    assert error.kind == "configuration_error"


async def test_a_token_endpoint_logs_in(
    cluster: Kubernetes, contexts: Contexts, tmp_path: Path, secrets: list[Any]
) -> None:
    """By a client's secret that lies in a file; it and the token are masked, and the token is never given back."""
    (tmp_path / "secret").write_text(PASSWORD)
    path = kubeconfig(tmp_path / "config", cluster, {})
    settings = {
        "kubeconfig": str(path),
        "token_file": "token",
        "login": {
            "token_url": f"{cluster.url}/oauth/token",
            "client_id": "skills",
            "client_secret": {"file": "secret"},
        },
    }
    told = await kube_login(contexts(settings))
    token = (tmp_path / "token").read_text().strip()
    assert (told["user"], token in cluster.tokens, token in json.dumps(told)) == ("ann", True, False)
    assert {PASSWORD, token} <= {each for each in secrets if isinstance(each, str)}
    settings["login"] = {**settings["login"], "token_url": "http://sso.example/token"}  # type: ignore[dict-item]
    assert "without TLS, and so not shown a secret" in (await refused(kube_login(contexts(settings)))).message


async def test_a_login_that_does_not_end_is_ended(cluster: Kubernetes, contexts: Contexts) -> None:
    """By its own deadline, and one that fails is told with what it said; no token is kept of either."""
    settings = {"url": cluster.url, "token_file": "token", "login": {"command": ["sleep", "60"]}}
    error = await refused(kube_login(contexts(settings, timeout=0.3)))
    assert error.kind == "timeout"
    talking = {**settings, "login": {"command": ["sh", "-c", "echo t0ken; sleep 60"]}}
    assert (await refused(kube_login(contexts(talking, timeout=0.3)))).output == ""
    script = "echo 'your session has ended' >&2; exit 7"
    error = await refused(kube_login(contexts({**settings, "login": {"command": ["sh", "-c", script]}})))
    assert (error.program, error.exit_status, error.output.strip()) == ("sh", 7, "your session has ended")
    error = await refused(kube_login(contexts({**settings, "login": {"command": ["echo", "you", "are", "in"]}})))
    assert error.kind == "api_contract_mismatch"
    assert not (contexts().folder / "token").exists()


async def test_answers_of_another_shape_are_told_as_such(cluster: Kubernetes, here: ToolContext) -> None:
    """Whatever answers there is no cluster; what it said is no evidence, since it may hold secrets."""
    cluster.objects.kept["pods"].append({"metadata": {"name": "odd", "namespace": "odd"}, "status": ["odd"]})
    error = await refused(kubectl_get_pods("odd", here))
    assert (error.kind, error.output) == ("api_contract_mismatch", "")
