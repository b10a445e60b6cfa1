"""What is built by Konflux: applications, their components, and how it stands with all of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, TypedDict

from tool_registry.functions.cluster import CLUSTER, ask_cluster, promised
from tool_registry.functions.konflux_access import (
    APPLICATION,
    TEKTON,
    Limit,
    Name,
    Named,
    digest,
    newest_of,
    one_of,
    tenant,
)
from tool_registry.functions.moments import moment
from tool_registry.functions.tekton_runs import BAD, PipelineRun, told_run
from tool_registry.sources.python import tool
from tool_registry.tool import Effect, ToolContext


class Application(TypedDict):
    """An application: what is built, tested and released together."""

    name: str
    title: str
    description: str
    created_at: float | None
    deleting: bool


class Applications(TypedDict):
    """Applications by name."""

    namespace: str
    applications: list[Application]
    names: list[str]
    count: int
    truncated: bool


class Component(TypedDict):
    """A component: one image of an application, with the newest commit it was built from and promoted with.

    `image` is the newest one that is promoted, else the one it was told to use; `digest` empty where that has none.
    """

    name: str
    application: str
    git_url: str
    revision: str
    folder: str
    image: str
    digest: str
    built_commit: str
    nudges: list[str]
    message: str
    created_at: float | None


class Components(TypedDict):
    """Components by name."""

    namespace: str
    components: list[Component]
    names: list[str]
    count: int
    truncated: bool


class FoundComponent(TypedDict):
    """A component, or `found` false."""

    found: bool
    component: Component | None


class State(TypedDict):
    """A tenant's namespace in figures; `running` and `failed` are pipeline runs, `failed` those of the last ones."""

    namespace: str
    version: str
    applications: list[str]
    components: int
    running: list[PipelineRun]
    failed: list[PipelineRun]
    counts: dict[str, int]
    looked_at: int
    truncated: bool


@tool(
    effect=Effect.READ,
    idempotent=True,
    domain="konflux",
    timeout=90,
    examples=({}, {"application": "shop"}),
    exact=True,
    needs=CLUSTER,
)
async def konflux_status(
    context: ToolContext, application: Named = "", namespace: Named = "", recent: Limit = 50
) -> State:
    """Says how Konflux stands: what there is in a tenant's namespace, which pipelines run, and which failed lately.

    Args:
        application: Only this application; empty for all of the namespace.
        namespace: The tenant's namespace; empty for the domain's.
        recent: How many of the newest pipeline runs are looked at.

    Returns:
        namespace, version (of the cluster), applications, components, running, failed, counts (by status), looked_at
        and truncated.
    """
    place = tenant(namespace, context)
    version = (await ask_cluster("GET", "/version", context)).json()
    known = (await konflux_list_applications(context, place))["names"]
    parts = await konflux_list_components(context, application, place)
    found, more = await newest_of("pipelineruns", place, context, {APPLICATION: application}, TEKTON)
    with promised():
        runs, said = [told_run(one) for one in found[:recent]], str(version["gitVersion"])
    return {
        "namespace": place,
        "version": said,
        "applications": [name for name in known if application in ("", name)],
        "components": parts["count"],
        "running": [one for one in runs if one["active"]],
        "failed": [one for one in runs if one["status"] in BAD],
        "counts": dict(Counter(one["status"] for one in runs)),
        "looked_at": len(runs),
        "truncated": more or len(found) > recent,
    }


@tool(effect=Effect.READ, idempotent=True, domain="konflux", timeout=30, examples=({},), exact=True, needs=CLUSTER)
async def konflux_list_applications(context: ToolContext, namespace: Named = "", limit: Limit = 200) -> Applications:
    """Lists the applications of a tenant by name; none is an empty list.

    Args:
        namespace: The tenant's namespace; empty for the domain's.
        limit: How many are given at most.

    Returns:
        namespace, applications, names, count (before the limit) and truncated.
    """
    place = tenant(namespace, context)
    found, more = await newest_of("applications", place, context)
    with promised():
        told = sorted((_application(one) for one in found), key=lambda one: one["name"])
    kept = told[:limit]
    names = [one["name"] for one in kept]
    return {
        "namespace": place,
        "applications": kept,
        "names": names,
        "count": len(told),
        "truncated": more or len(told) > limit,
    }


@tool(
    effect=Effect.READ,
    idempotent=True,
    domain="konflux",
    timeout=30,
    examples=({}, {"application": "shop"}),
    exact=True,
    needs=CLUSTER,
)
async def konflux_list_components(
    context: ToolContext, application: Named = "", namespace: Named = "", limit: Limit = 200
) -> Components:
    """Lists the components of an application, or of all of a tenant's; none is an empty list.

    Args:
        application: The application's name; empty for all of the namespace.
        namespace: The tenant's namespace; empty for the domain's.
        limit: How many are given at most.

    Returns:
        namespace, components, names, count (before the limit) and truncated.
    """
    place = tenant(namespace, context)
    found, more = await newest_of("components", place, context)
    with promised():
        told = sorted((told_component(one) for one in found), key=lambda one: one["name"])
    wanted = [one for one in told if application in ("", one["application"])]
    kept = wanted[:limit]
    names = [one["name"] for one in kept]
    return {
        "namespace": place,
        "components": kept,
        "names": names,
        "count": len(wanted),
        "truncated": more or len(wanted) > limit,
    }


@tool(
    effect=Effect.READ,
    idempotent=True,
    domain="konflux",
    timeout=30,
    examples=({"component": "shop-api"},),
    exact=True,
    needs=CLUSTER,
)
async def konflux_get_component(component: Name, context: ToolContext, namespace: Named = "") -> FoundComponent:
    """Shows a component: its repository, its newest image and commit; one that is not there is `found: false`.

    Args:
        component: The component's name.
        namespace: The tenant's namespace; empty for the domain's.

    Returns:
        found and component.
    """
    said = await one_of("components", component, tenant(namespace, context), context)
    with promised():
        return {"found": said is not None, "component": None if said is None else told_component(said)}


def told_component(said: Mapping[str, Any]) -> Component:
    """A component, taken apart."""
    spec, status = said["spec"], said.get("status") or {}
    git = (spec.get("source") or {}).get("git") or {}
    image = str(status.get("lastPromotedImage") or status.get("containerImage") or spec.get("containerImage") or "")
    wrong = [each for each in status.get("conditions") or () if each["status"] == "False"]
    return {
        "name": str(said["metadata"]["name"]),
        "application": str(spec.get("application") or ""),
        "git_url": str(git.get("url") or ""),
        "revision": str(git.get("revision") or ""),
        "folder": str(git.get("context") or ""),
        "image": image,
        "digest": digest(image),
        "built_commit": str(status.get("lastBuiltCommit") or ""),
        "nudges": [str(each) for each in spec.get("build-nudges-ref") or ()],
        "message": str(wrong[-1].get("message") or "") if wrong else "",
        "created_at": moment(said["metadata"].get("creationTimestamp")),
    }


def _application(said: Mapping[str, Any]) -> Application:
    spec = said.get("spec") or {}
    return {
        "name": str(said["metadata"]["name"]),
        "title": str(spec.get("displayName") or ""),
        "description": str(spec.get("description") or ""),
        "created_at": moment(said["metadata"].get("creationTimestamp")),
        "deleting": "deletionTimestamp" in said["metadata"],
    }
