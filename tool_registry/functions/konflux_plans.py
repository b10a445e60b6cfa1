"""The plans by which Konflux may release an application (`ReleasePlan`, appstudio.redhat.com/v1alpha1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

from tool_registry.functions.cluster import CLUSTER, promised
from tool_registry.functions.konflux_access import Limit, Named, condition, label, newest_of, tenant
from tool_registry.sources.python import tool
from tool_registry.tool import Effect, ToolContext

AUTO = "release.appstudio.openshift.io/auto-release"


class Plan(TypedDict):
    """A plan; `matched` when its target admits it, `automatic` when snapshots are released by themselves."""

    name: str
    application: str
    target: str
    matched: bool
    automatic: bool


class Plans(TypedDict):
    """Plans by name."""

    namespace: str
    plans: list[Plan]
    names: list[str]
    count: int
    truncated: bool


@tool(
    effect=Effect.READ,
    idempotent=True,
    domain="konflux",
    timeout=30,
    examples=({}, {"application": "shop"}),
    exact=True,
    needs=CLUSTER,
)
async def konflux_list_release_plans(
    context: ToolContext, application: Named = "", namespace: Named = "", limit: Limit = 200
) -> Plans:
    """Lists the plans by which an application may be released; none is an empty list.

    Args:
        application: Only those of this application.
        namespace: The tenant's namespace; empty for the domain's.
        limit: How many are given at most.

    Returns:
        namespace, plans, names, count (before the limit) and truncated.
    """
    place = tenant(namespace, context)
    found, more = await newest_of("releaseplans", place, context)
    with promised():
        told = sorted((_plan(one) for one in found), key=lambda one: one["name"])
    wanted = [one for one in told if application in ("", one["application"])]
    kept = wanted[:limit]
    return {
        "namespace": place,
        "plans": kept,
        "names": [one["name"] for one in kept],
        "count": len(wanted),
        "truncated": more or len(wanted) > limit,
    }


def _plan(said: Mapping[str, Any]) -> Plan:
    return {
        "name": str(said["metadata"]["name"]),
        "application": str(said["spec"]["application"]),
        "target": str(said["spec"].get("target") or ""),
        "matched": condition(said, "Matched").get("status") == "True",
        "automatic": label(said, AUTO) == "true",
    }
