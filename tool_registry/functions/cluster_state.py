"""How a cluster is: its events, the names of its secrets, and a summary of an environment."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypedDict

from tool_registry.functions.cluster import CLUSTER, ask_cluster, cluster_items, cluster_rows, inside, promised
from tool_registry.functions.cluster_pods import ILL, pod
from tool_registry.functions.deployments import told_deployment
from tool_registry.functions.moments import moment
from tool_registry.sources.python import tool
from tool_registry.tool import Effect, ToolContext, ToolError

MOST = 5_000
MOST_NAMESPACES = 50

Limit = Annotated[int, {"minimum": 1, "maximum": 5_000}]


class NamedSecret(TypedDict):
    """A secret without its values: its type, how many values it has, and how old it is in seconds."""

    name: str
    type: str
    values: int
    created_at: float | None
    age: float | None


class NamedSecrets(TypedDict):
    """Secrets by name."""

    secrets: list[NamedSecret]
    names: list[str]
    count: int
    truncated: bool


class Event(TypedDict):
    """What happened, about what (`Pod/web-1`), how often, and when first and last (epoch seconds)."""

    type: str
    reason: str
    message: str
    about: str
    namespace: str
    count: int
    first: float | None
    last: float | None


class Events(TypedDict):
    """Events, the last first; `warnings` says how many of them are warnings."""

    events: list[Event]
    warnings: int
    count: int
    truncated: bool


class Nodes(TypedDict):
    """A cluster's machines."""

    count: int
    unready: list[str]


class NamespaceState(TypedDict):
    """A namespace: its deployments, those that lack replicas, its pods, the failing ones, and warnings told of it."""

    name: str
    deployments: int
    unready: list[str]
    pods: int
    failing: list[str]
    restarts: int
    warnings: int


class Environment(TypedDict):
    """A cluster in figures; `nodes` null where we may not see them, `ill` names the namespaces that have trouble."""

    version: str
    nodes: Nodes | None
    namespaces: list[NamespaceState]
    ill: list[str]
    healthy: bool


@tool(
    effect=Effect.READ,
    idempotent=True,
    domain="ephemeral",
    timeout=30,
    examples=({"namespace": "shop"},),
    exact=True,
    needs=CLUSTER,
)
async def kubectl_get_secrets(namespace: str, context: ToolContext, limit: Limit = 500) -> NamedSecrets:
    """Lists the secrets of a namespace by name, type and age; their values do not even leave the cluster.

    Args:
        namespace: The namespace.
        limit: How many are given at most.

    Returns:
        secrets, names, count and truncated.
    """
    rows, truncated = await cluster_rows(inside(namespace, "secrets"), context, limit)
    with promised():
        found = [_named_secret(row) for row in rows]
    names = [one["name"] for one in found]
    return {"secrets": found, "names": names, "count": len(found), "truncated": truncated}


@tool(
    effect=Effect.READ,
    idempotent=True,
    domain="ephemeral",
    timeout=30,
    examples=({"namespace": "shop"}, {"namespace": "shop", "type": "Warning", "about": "Pod/web-1"}),
    exact=True,
    needs=CLUSTER,
)
async def kubectl_get_events(
    namespace: str,
    context: ToolContext,
    type: Literal["", "Normal", "Warning"] = "",  # noqa: A002 - its name in the API
    about: Annotated[str, {"pattern": "^([A-Za-z]+/[^/,=]+)?$"}] = "",
    limit: Limit = 200,
) -> Events:
    """Lists the events of a namespace, the last first; none is an empty list.

    Args:
        namespace: The namespace.
        type: Normal or Warning; empty for both.
        about: The object they are about, as in Pod/web-1.
        limit: How many are given at most.

    Returns:
        events, warnings, count (before the limit) and truncated.
    """
    if about and not re.fullmatch("[A-Za-z]+/[^/,=]+", about):
        raise ToolError(f"{about!r} is not an object, as in Pod/web-1", kind="usage_error", sent=False)
    kind, _, name = about.partition("/")
    wanted = {"type": type, "involvedObject.kind": kind, "involvedObject.name": name}
    selector = ",".join(f"{field}={value}" for field, value in wanted.items() if value)
    items, more = await cluster_items(inside(namespace, "events"), context, MOST, {"fieldSelector": selector or None})
    with promised():
        found = sorted((_event(one) for one in items), key=lambda one: one["last"] or 0.0, reverse=True)
    return {
        "events": found[:limit],
        "warnings": sum(one["type"] == "Warning" for one in found),
        "count": len(found),
        "truncated": more or len(found) > limit,
    }


@tool(
    effect=Effect.READ,
    idempotent=True,
    domain="ephemeral",
    timeout=90,
    examples=({}, {"namespaces": ["shop"]}),
    exact=True,
    needs=CLUSTER,
)
async def k8s_environment_summary(context: ToolContext, namespaces: list[str] | None = None) -> Environment:
    """Sums up a cluster: its version, its nodes, and of each namespace the deployments, pods and warnings.

    Args:
        namespaces: Which ones, at most 50; left out, all of the cluster, which one must be allowed to list.

    Returns:
        version, nodes, namespaces, ill and healthy.
    """
    if len(namespaces or ()) > MOST_NAMESPACES:
        raise ToolError(f"at most {MOST_NAMESPACES} namespaces at once", kind="usage_error", sent=False)
    version = (await ask_cluster("GET", "/version", context)).json()
    nodes = await _nodes(context)
    states = [await _namespace(name, context) for name in namespaces or await _all_namespaces(context)]
    ill = [one["name"] for one in states if one["unready"] or one["failing"]]
    with promised():
        said = str(version["gitVersion"])
    return {
        "version": said,
        "nodes": nodes,
        "namespaces": states,
        "ill": ill,
        "healthy": not ill and not (nodes and nodes["unready"]),
    }


async def _all_namespaces(context: ToolContext) -> list[str]:
    items, more = await cluster_items("/api/v1/namespaces", context, MOST_NAMESPACES)
    if more:
        message = f"there are more than {MOST_NAMESPACES} namespaces: say which are meant"
        raise ToolError(message, kind="usage_error", sent=True)
    with promised():
        return [str(one["metadata"]["name"]) for one in items]


async def _nodes(context: ToolContext) -> Nodes | None:
    try:
        items, _ = await cluster_items("/api/v1/nodes", context, MOST)
    except ToolError as error:
        if error.http_status == 403:  # noqa: PLR2004 - RFC 9110: most people may not see them, and that is all right
            return None
        raise
    with promised():
        return {"count": len(items), "unready": [one["metadata"]["name"] for one in items if not _is_ready(one)]}


async def _namespace(name: str, context: ToolContext) -> NamespaceState:
    apps, _ = await cluster_items(inside(name, "deployments", group="/apis/apps/v1"), context, MOST)
    running, _ = await cluster_items(inside(name, "pods"), context, MOST)
    warnings, _ = await cluster_items(inside(name, "events"), context, MOST, {"fieldSelector": "type=Warning"})
    with promised():
        deployments, pods = [told_deployment(one) for one in apps], [pod(one) for one in running]
    return {
        "name": name,
        "deployments": len(deployments),
        "unready": [one["name"] for one in deployments if not one["done"]],
        "pods": len(pods),
        "failing": [one["name"] for one in pods if one["phase"] in ILL],
        "restarts": sum(one["restarts"] for one in pods),
        "warnings": len(warnings),
    }


def _is_ready(node: Mapping[str, Any]) -> bool:
    return any(one["type"] == "Ready" and one["status"] == "True" for one in node["status"]["conditions"])


def _named_secret(row: Mapping[str, Any]) -> NamedSecret:
    created = moment(row["metadata"].get("creationTimestamp"))
    return {
        "name": str(row["metadata"]["name"]),
        "type": str(row["Type"]),
        "values": int(row["Data"]),
        "created_at": created,
        "age": None if created is None else max(0.0, time.time() - created),
    }


def _event(said: Mapping[str, Any]) -> Event:
    about, series = said.get("involvedObject") or {}, said.get("series") or {}
    first = moment(said.get("firstTimestamp") or said.get("eventTime") or said["metadata"].get("creationTimestamp"))
    return {
        "type": str(said.get("type") or "Normal"),
        "reason": str(said.get("reason") or ""),
        "message": str(said.get("message") or ""),
        "about": f"{about.get('kind') or ''}/{about.get('name') or ''}",
        "namespace": str(said["metadata"].get("namespace") or ""),
        "count": int(series.get("count") or said.get("count") or 1),
        "first": first,
        "last": moment(series.get("lastObservedTime") or said.get("lastTimestamp")) or first,
    }
