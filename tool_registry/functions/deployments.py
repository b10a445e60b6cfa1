"""Deployments of a cluster: what there is, how many replicas, and rolling restarts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, TypedDict

from tool_registry.functions.cluster import CLUSTER, ask_cluster, cluster_items, inside, promised
from tool_registry.sources.python import tool
from tool_registry.tool import Effect, ToolContext, ToolError

APPS = "/apis/apps/v1"
RESTARTED = "kubectl.kubernetes.io/restartedAt"
BY = "skill-engine/restarted-by"
"""Which run and step restarted, so that an answer that was lost does not restart twice."""
REVISION = "deployment.kubernetes.io/revision"

Limit = Annotated[int, {"minimum": 1, "maximum": 5_000}]
Replicas = Annotated[int, {"minimum": 0, "maximum": 10_000}]


class Deployment(TypedDict):
    """A deployment: how many replicas are wanted, are of the newest template, and serve; `done` when all of them do."""

    name: str
    namespace: str
    wanted: int
    updated: int
    ready: int
    available: int
    done: bool
    images: list[str]
    restarted_at: str


class Deployments(TypedDict):
    """Deployments by name; `unready` names those that are not done. `count` is that of the ones given."""

    deployments: list[Deployment]
    names: list[str]
    unready: list[str]
    count: int
    truncated: bool


class Scaled(TypedDict):
    """How many replicas were wanted before and are now; `changed` false where that was so already."""

    name: str
    namespace: str
    before: int
    replicas: int
    changed: bool


class Restarted(TypedDict):
    """A rolling restart that was begun; `changed` false where this step of this run had begun it before."""

    name: str
    namespace: str
    restarted_at: str
    changed: bool


class Rollout(TypedDict):
    """How far a rollout is. `failed`: past its deadline; `done`: every replica is new and serves."""

    found: bool
    name: str
    namespace: str
    done: bool
    failed: bool
    wanted: int
    updated: int
    available: int
    revision: str
    message: str


@tool(
    effect=Effect.READ,
    idempotent=True,
    domain="ephemeral",
    timeout=30,
    examples=({"namespace": "shop"}, {"namespace": "shop", "selector": "app=web"}),
    exact=True,
    needs=CLUSTER,
)
async def kubectl_get_deployments(
    namespace: str, context: ToolContext, selector: str = "", limit: Limit = 500
) -> Deployments:
    """Lists the deployments of a namespace and which of them do not have all their replicas; none is an empty list.

    Args:
        namespace: The namespace.
        selector: Labels they must have, as in `app=web,tier!=test`.
        limit: How many are given at most.

    Returns:
        deployments, names, unready, count and truncated.
    """
    path = inside(namespace, "deployments", group=APPS)
    items, truncated = await cluster_items(path, context, limit, {"labelSelector": selector or None})
    with promised():
        found = [told_deployment(one) for one in items]
    return {
        "deployments": found,
        "names": [one["name"] for one in found],
        "unready": [one["name"] for one in found if not one["done"]],
        "count": len(found),
        "truncated": truncated,
    }


@tool(
    effect=Effect.WRITE,
    idempotent=True,
    domain="ephemeral",
    timeout=30,
    examples=({"namespace": "shop", "deployment": "web", "replicas": 3},),
    exact=True,
    needs=CLUSTER,
)
async def kubectl_scale(
    namespace: str, deployment: str, replicas: Replicas, context: ToolContext, expected: int | None = None
) -> Scaled:
    """Says how many replicas a deployment is to have; kubectl_rollout_status tells when it has them.

    Args:
        namespace: The namespace.
        deployment: The deployment's name.
        replicas: How many it is to have.
        expected: How many it must have now, or else nothing is changed (a conflict).

    Returns:
        name, namespace, before, replicas and changed.
    """
    path = inside(namespace, "deployments", deployment, "scale", group=APPS)
    before = _wanted((await ask_cluster("GET", path, context)).json())
    if expected is not None and before not in (expected, replicas):
        message = f"{deployment} in {namespace} is to have {before} replicas, and not {expected}; nothing was changed"
        raise ToolError(message, kind="conflict", sent=False, details={"replicas": before})
    now = before
    if before != replicas:
        now = _wanted((await ask_cluster("PATCH", path, context, patch={"spec": {"replicas": replicas}})).json())
    return {
        "name": deployment,
        "namespace": namespace,
        "before": before,
        "replicas": now,
        "changed": before != replicas,
    }


@tool(
    effect=Effect.WRITE,
    idempotent=True,
    domain="ephemeral",
    timeout=30,
    examples=({"namespace": "shop", "deployment": "web"},),
    exact=True,
    needs=CLUSTER,
)
async def kubectl_rollout_restart(namespace: str, deployment: str, context: ToolContext) -> Restarted:
    """Begins a rolling restart of a deployment, as `kubectl rollout restart` does; once in a step of a run.

    Args:
        namespace: The namespace.
        deployment: The deployment's name.

    Returns:
        name, namespace, restarted_at and changed.
    """
    path = inside(namespace, "deployments", deployment, group=APPS)
    by = f"{context.run_id}:{context.step}"
    marks = _marks((await ask_cluster("GET", path, context)).json())
    again = bool(context.run_id) and marks.get(BY) == by
    at = str(marks.get(RESTARTED)) if again else datetime.now(UTC).isoformat(timespec="seconds")
    if not again:
        wanted = {RESTARTED: at, BY: by if context.run_id else None}
        patch = {"spec": {"template": {"metadata": {"annotations": wanted}}}}
        await ask_cluster("PATCH", path, context, patch=patch)
    return {"name": deployment, "namespace": namespace, "restarted_at": at, "changed": not again}


@tool(
    effect=Effect.READ,
    idempotent=True,
    domain="ephemeral",
    timeout=30,
    examples=({"namespace": "shop", "deployment": "web"},),
    exact=True,
    needs=CLUSTER,
)
async def kubectl_rollout_status(namespace: str, deployment: str, context: ToolContext) -> Rollout:
    """Says how far the rollout of a deployment is, without waiting; one that is not there is `found: false`.

    Args:
        namespace: The namespace.
        deployment: The deployment's name.

    Returns:
        found, name, namespace, done, failed, wanted, updated, available, revision and message.
    """
    path = inside(namespace, "deployments", deployment, group=APPS)
    reply = await ask_cluster("GET", path, context, not_found=(404,))
    if not reply.found:
        return {
            "found": False, "name": deployment, "namespace": namespace, "done": False, "failed": False, "wanted": 0,
            "updated": 0, "available": 0, "revision": "", "message": "there is no such deployment",
        }  # fmt: skip
    said = reply.json()
    with promised():
        one, message, overdue = told_deployment(said), _progress(said), late(said)
        revision = str((said["metadata"].get("annotations") or {}).get(REVISION) or "")
    return {
        "found": True,
        "name": one["name"],
        "namespace": namespace,
        "done": one["done"],
        "failed": overdue and not one["done"],
        "wanted": one["wanted"],
        "updated": one["updated"],
        "available": one["available"],
        "revision": revision,
        "message": message,
    }


def told_deployment(said: Mapping[str, Any]) -> Deployment:
    """A deployment, taken apart."""
    status, spec = said.get("status") or {}, said["spec"]
    wanted = int(spec.get("replicas", 1))
    updated, ready, available = (int(status.get(f"{name}Replicas") or 0) for name in ("updated", "ready", "available"))
    return {
        "name": str(said["metadata"]["name"]),
        "namespace": str(said["metadata"].get("namespace") or ""),
        "wanted": wanted,
        "updated": updated,
        "ready": ready,
        "available": available,
        "done": _seen(said) and wanted == updated == available == int(status.get("replicas") or 0),
        "images": [str(each["image"]) for each in spec["template"]["spec"]["containers"]],
        "restarted_at": str((spec["template"].get("metadata", {}).get("annotations") or {}).get(RESTARTED) or ""),
    }


def _seen(said: Mapping[str, Any]) -> bool:
    """Whether the controller has seen what is wanted; before that its figures are those of an older wish."""
    observed = (said.get("status") or {}).get("observedGeneration") or 0
    return int(observed) >= int(said["metadata"].get("generation") or 0)


def _progress(said: Mapping[str, Any]) -> str:
    """As `kubectl rollout status` says it."""
    one, status = told_deployment(said), said.get("status") or {}
    old = int(status.get("replicas") or 0) - one["updated"]
    if not _seen(said):
        return "the change has not been seen yet"
    if late(said):
        return "it exceeded its progress deadline"
    if one["updated"] < one["wanted"]:
        return f"{one['updated']} of {one['wanted']} replicas are new"
    if old > 0:
        return f"{old} old replicas are still to end"
    if one["available"] < one["updated"]:
        return f"{one['available']} of {one['updated']} new replicas serve"
    return f"all {one['wanted']} replicas serve"


def late(said: Mapping[str, Any]) -> bool:
    """Whether a deployment is past its own deadline."""
    conditions = (said.get("status") or {}).get("conditions") or ()
    return _seen(said) and any(one.get("reason") == "ProgressDeadlineExceeded" for one in conditions)


def _wanted(scale: Any) -> int:
    with promised():
        return int(scale["spec"].get("replicas") or 0)


def _marks(said: Any) -> Mapping[str, Any]:
    with promised():
        return dict(said["spec"]["template"].get("metadata", {}).get("annotations") or {})
