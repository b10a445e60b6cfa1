"""Pods, logs and a secret of a cluster, in the form in which `pods` gives them."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from tool_registry.tool import ToolContext, ToolError

MOST_PODS = 2_000
LONGEST_LOG = 2_000_000
ILL = frozenset(
    {
        "CrashLoopBackOff",
        "CreateContainerConfigError",
        "CreateContainerError",
        "ErrImageNeverPull",
        "ErrImagePull",
        "Error",
        "Evicted",
        "Failed",
        "ImagePullBackOff",
        "InvalidImageName",
        "OOMKilled",
        "RunContainerError",
        "StartError",
    }
)
"""What kubectl shows as the status of pods that do not run and will not by themselves."""


async def pods(namespace: str, context: ToolContext) -> tuple[list[Any], list[str]]:
    """The pods of a namespace, and the names of the failing ones; none where there is no such namespace, as kubectl."""
    from tool_registry.functions.cluster import cluster_items, inside, promised  # noqa: PLC0415 - the local profile needs none of it

    items, _ = await cluster_items(inside(namespace, "pods"), context, MOST_PODS)
    with promised():
        told = [pod(one) for one in items]
    return told, [one["name"] for one in told if one["phase"] in ILL]


async def log(
    namespace: str, name: str, context: ToolContext, *, tail: int, container: str, previous: bool
) -> list[str]:
    """The last lines that a pod wrote."""
    from tool_registry.functions.cluster import ask_cluster, inside  # noqa: PLC0415 - as above

    params = {
        "tailLines": tail,
        "limitBytes": LONGEST_LOG,
        "container": container or None,
        "previous": previous or None,
    }
    reply = await ask_cluster("GET", inside(namespace, "pods", name, "log"), context, params=params, accept="*/*")
    if reply.headers.get("content-type", "").partition(";")[0].strip() != "text/plain":
        message = f"the log of {name} did not come as text: no cluster answers so"
        raise ToolError(message, kind="api_contract_mismatch", http_status=reply.status)
    return reply.text.splitlines()[-tail:]


async def secret(namespace: str, name: str, context: ToolContext) -> dict[str, str]:
    """The values of a secret, decoded; what is no text stays in base64. All of them are masked from here on."""
    from tool_registry.functions.cluster import ask_cluster, inside, promised  # noqa: PLC0415 - as above

    if not context.secret_result:
        message = "a secret's values are given only to a step that says `secret: true`; kubectl_get_secrets lists names"
        raise ToolError(message, kind="usage_error", sent=False)
    told = (await ask_cluster("GET", inside(namespace, "secrets", name), context)).json()
    with promised():
        if told["kind"] != "Secret":
            raise ValueError(f"{name} came as {told['kind']}")
        encoded = {str(key): str(value) for key, value in (told.get("data") or {}).items()}
        for value in encoded.values():
            context.secret(value)
        return {key: _decoded(value) for key, value in encoded.items()}


def pod(said: Mapping[str, Any]) -> dict[str, Any]:
    """A pod as the embedded platform would tell of it; its phase is what kubectl calls its status."""
    status, labels = said.get("status") or {}, said["metadata"].get("labels") or {}
    containers = list(status.get("containerStatuses") or ())
    ready = [one["status"] for one in status.get("conditions") or () if one["type"] == "Ready"]
    return {
        "name": str(said["metadata"]["name"]),
        "app": str(labels.get("app.kubernetes.io/name") or labels.get("app") or ""),
        "phase": "Terminating" if said["metadata"].get("deletionTimestamp") else _phase(status, containers),
        "ready": ready == ["True"],
        "restarts": sum(int(one.get("restartCount") or 0) for one in containers),
        "exit_status": next((code for one in containers if (code := _exit(one)) is not None), None),
    }


def _phase(status: Mapping[str, Any], containers: list[Mapping[str, Any]]) -> str:
    """The reason why a container waits or has ended, else why the pod has, else its phase."""
    started = list(status.get("initContainerStatuses") or ())
    for one in [*started, *containers]:
        state = one.get("state") or {}
        waits, ended = (state.get(name) or {} for name in ("waiting", "terminated"))
        if waits.get("reason") and waits["reason"] != "PodInitializing":
            return str(waits["reason"])
        if ended.get("exitCode"):
            return str(ended.get("reason") or "Error")
    return str(status.get("reason") or status.get("phase") or "Unknown")


def _exit(container: Mapping[str, Any]) -> int | None:
    for name in ("state", "lastState"):
        ended = (container.get(name) or {}).get("terminated") or {}
        if "exitCode" in ended:
            return int(ended["exitCode"])
    return None


def _decoded(value: str) -> str:
    try:
        return base64.b64decode(value, validate=True).decode()
    except ValueError:
        return value
