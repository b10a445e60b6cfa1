"""What runs inside a namespace, on the embedded platform or in a cluster: its pods, their logs, and a secret.

Both give the same (docs/kubernetes.md); what only a cluster can answer is in `deployments` and `cluster_state`.
"""

from __future__ import annotations

from typing import Annotated, Any, TypedDict
from urllib.parse import quote

from tool_registry.functions import cluster_pods
from tool_registry.functions.platform import call_platform
from tool_registry.functions.where import EITHER, on_platform
from tool_registry.sources.expected import expected
from tool_registry.sources.python import tool
from tool_registry.tool import Effect, ToolContext, ToolError

BROKEN = {"CrashLoopBackOff", "Failed"}


class Pod(TypedDict):
    """A pod: one process tree of an application."""

    name: str
    app: str
    phase: str
    ready: bool
    restarts: int
    exit_status: int | None


class Pods(TypedDict):
    """The pods of a namespace, and the names of those that do not run and will not by themselves."""

    pods: list[Pod]
    failing: list[str]


class Logs(TypedDict):
    """The end of a pod's log, as lines and as one text."""

    pod: str
    lines: list[str]
    text: str


@tool(
    effect=Effect.READ,
    idempotent=True,
    domain="ephemeral",
    timeout=20,
    examples=({"namespace": "ephemeral-abc"},),
    exact=True,
    needs=EITHER,
)
async def kubectl_get_pods(namespace: str, context: ToolContext) -> Pods:
    """Lists the pods of a namespace and which of them are failing.

    Args:
        namespace: The namespace.

    Returns:
        pods (name, app, phase, ready, restarts, exit_status), and failing (the names of those that crashed).
    """
    if not on_platform(context.settings):
        pods, failing = await cluster_pods.pods(namespace, context)
        return {"pods": pods, "failing": failing}
    listed = await call_platform("GET", f"/api/namespaces/{quote(namespace, safe='')}/pods", context)
    with expected("the platform"):
        pods = [_pod(one) for one in listed]
    return {"pods": pods, "failing": [pod["name"] for pod in pods if pod["phase"] in BROKEN]}


def _pod(said: dict[str, Any]) -> Pod:
    return {
        "name": str(said["name"]),
        "app": str(said.get("app") or ""),
        "phase": str(said["phase"]),
        "ready": bool(said.get("ready")),
        "restarts": int(said.get("restarts") or 0),
        "exit_status": said.get("exit_status"),
    }


@tool(
    effect=Effect.READ,
    idempotent=True,
    domain="ephemeral",
    timeout=20,
    examples=({"namespace": "ephemeral-abc", "pod": "main-1"},),
    exact=True,
    needs=EITHER,
)
async def kubectl_logs(
    namespace: str,
    pod: str,
    context: ToolContext,
    tail: Annotated[int, {"minimum": 1, "maximum": 1000}] = 50,
    container: str = "",
    previous: bool = False,
) -> Logs:
    """Reads the end of a pod's log.

    Args:
        namespace: The namespace.
        pod: The pod's name.
        tail: How many lines.
        container: Which of a pod's containers, where it has several. The embedded platform knows one.
        previous: The log of the container that ended before the one that runs. The embedded platform keeps one log.

    Returns:
        pod, lines and text.
    """
    if not on_platform(context.settings):
        lines = await cluster_pods.log(namespace, pod, context, tail=tail, container=container, previous=previous)
        return {"pod": pod, "lines": lines, "text": "\n".join(lines)}
    path = f"/api/namespaces/{quote(namespace, safe='')}/pods/{quote(pod, safe='')}/logs?tail={tail}"
    told = await call_platform("GET", path, context)
    with expected("the platform"):
        lines = [str(line) for line in told["lines"]]
    return {"pod": pod, "lines": lines, "text": "\n".join(lines)}


@tool(
    effect=Effect.READ,
    idempotent=True,
    domain="ephemeral",
    timeout=20,
    examples=({"namespace": "ephemeral-abc", "name": "database", "keys": ["password"]},),
    needs=EITHER,
    secret=True,
)
async def kubectl_get_secret(
    namespace: str, name: str, context: ToolContext, keys: list[str] | None = None
) -> dict[str, Any]:
    """Reads a secret of a namespace; every value it gives is masked from then on wherever it turns up.

    From a cluster it gives them only to a step that is marked `secret: true`.

    Args:
        namespace: The namespace.
        name: The secret's name.
        keys: Which of its values are wanted; left out, all. Ask for no more than is needed: a value like `localhost`
            that is masked everywhere makes everything hard to read.

    Returns:
        The values by name.
    """
    kept = await _secret(namespace, name, context)
    missing = [key for key in keys or [] if key not in kept]
    if missing:
        raise ToolError(
            f"the secret {name} in {namespace} has no {' and no '.join(missing)}; it has {', '.join(sorted(kept))}",
            kind="resource_not_found",
            details={"missing": missing},
        )
    wanted = {key: kept[key] for key in keys or kept}
    context.secret(wanted)
    return wanted


async def _secret(namespace: str, name: str, context: ToolContext) -> dict[str, Any]:
    if not on_platform(context.settings):
        return await cluster_pods.secret(namespace, name, context)
    path = f"/api/namespaces/{quote(namespace, safe='')}/secrets/{quote(name, safe='')}"
    told = await call_platform("GET", path, context)
    with expected("the platform"):
        return dict(told["data"])
