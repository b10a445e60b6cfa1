"""Konflux's releases (`Release`, appstudio.redhat.com/v1alpha1): how they stand, and beginning one."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any, Literal, TypedDict

from tool_registry.functions.cluster import CLUSTER, ask_cluster, inside, promised
from tool_registry.functions.konflux_access import (
    APPSTUDIO,
    Limit,
    Name,
    Named,
    annotation,
    condition,
    newest_of,
    one_of,
    tenant,
)
from tool_registry.functions.moments import moment
from tool_registry.sources.python import tool
from tool_registry.tool import Effect, ToolContext, ToolError

BY = "skill-engine/released-by"
"""Which run and step began the release, so that an answer that was lost does not release twice."""
PHASES: Mapping[str, tuple[str, ...]] = {
    "tenantCollectors": ("collectorsProcessing", "tenantCollectorsProcessing"),
    "managedCollectors": ("collectorsProcessing", "managedCollectorsProcessing"),
    "tenant": ("tenantProcessing",),
    "managed": ("managedProcessing",),
    "final": ("finalProcessing",),
}
LONGEST = 63
"""Characters of a release's name: it becomes a label of its pipeline runs."""
TAKEN = 409

Standing = Literal["pending", "progressing", "succeeded", "failed"]


class Release(TypedDict):
    """A release; `done` once it has ended. `pipelines` names its pipeline runs (NAMESPACE/NAME) by phase.

    `message` is that of what went wrong, or of the release as a whole; times in epoch seconds.
    """

    name: str
    namespace: str
    snapshot: str
    plan: str
    target: str
    author: str
    automated: bool
    status: Standing
    done: bool
    message: str
    failed: list[str]
    pipelines: dict[str, str]
    created_at: float | None
    started_at: float | None
    finished_at: float | None


class Releases(TypedDict):
    """Releases, the newest first; `count` before the limit."""

    namespace: str
    releases: list[Release]
    names: list[str]
    count: int
    truncated: bool


class FoundRelease(TypedDict):
    """A release, or `found` false."""

    found: bool
    release: Release | None


class MadeRelease(TypedDict):
    """A release that was begun; `changed` false where this step of this run had begun it before."""

    changed: bool
    release: Release


@tool(
    effect=Effect.READ,
    idempotent=True,
    domain="konflux",
    timeout=60,
    examples=({}, {"snapshot": "shop-20260101-abcde", "plan": "shop-production"}),
    exact=True,
    needs=CLUSTER,
)
async def konflux_list_releases(
    context: ToolContext, snapshot: Named = "", plan: Named = "", namespace: Named = "", limit: Limit = 50
) -> Releases:
    """Lists the releases of a tenant, the newest first; none is an empty list.

    Args:
        snapshot: Only those of this snapshot.
        plan: Only those by this plan.
        namespace: The tenant's namespace; empty for the domain's.
        limit: How many are given at most.

    Returns:
        namespace, releases, names, count (before the limit) and truncated.
    """
    place = tenant(namespace, context)
    found, more = await newest_of("releases", place, context)
    with promised():
        told = [_release(one) for one in found]
    wanted = [one for one in told if snapshot in ("", one["snapshot"]) and plan in ("", one["plan"])]
    kept = wanted[:limit]
    return {
        "namespace": place,
        "releases": kept,
        "names": [one["name"] for one in kept],
        "count": len(wanted),
        "truncated": more or len(wanted) > limit,
    }


@tool(
    effect=Effect.READ,
    idempotent=True,
    domain="konflux",
    timeout=30,
    examples=({"release": "shop-20260101-abcde-1a2b3c4d"},),
    exact=True,
    needs=CLUSTER,
)
async def konflux_get_release(release: Name, context: ToolContext, namespace: Named = "") -> FoundRelease:
    """Says how a release stands; one that is not there is `found: false`.

    Args:
        release: Its name.
        namespace: The tenant's namespace; empty for the domain's.

    Returns:
        found and release.
    """
    said = await one_of("releases", release, tenant(namespace, context), context)
    with promised():
        return {"found": said is not None, "release": None if said is None else _release(said)}


@tool(
    effect=Effect.WRITE,
    idempotent=True,
    domain="konflux",
    timeout=60,
    examples=({"snapshot": "shop-20260101-abcde", "plan": "shop-production"},),
    exact=True,
    needs=CLUSTER,
)
async def konflux_create_release(
    snapshot: Name, plan: Name, context: ToolContext, namespace: Named = ""
) -> MadeRelease:
    """Begins the release of a snapshot by a plan, once in a step of a run; konflux_get_release tells how it goes.

    Its name follows from the run and the step, so that the API itself refuses a second one.

    Args:
        snapshot: The snapshot's name.
        plan: The release plan's name.
        namespace: The tenant's namespace; empty for the domain's.

    Returns:
        changed and release.
    """
    place = tenant(namespace, context)
    by = f"{context.run_id}:{context.step}" if context.run_id else secrets.token_hex(8)
    name = _name(snapshot, plan, by)
    body = {
        "apiVersion": "appstudio.redhat.com/v1alpha1",
        "kind": "Release",
        "metadata": {"name": name, "namespace": place, "annotations": {BY: by}},
        "spec": {"snapshot": snapshot, "releasePlan": plan},
    }
    try:
        made = (await ask_cluster("POST", inside(place, "releases", group=APPSTUDIO), context, body=body)).json()
    except ToolError as refused:
        if refused.http_status != TAKEN or (made := await one_of("releases", name, place, context)) is None:
            raise
        with promised():
            return {"changed": False, "release": _release(made)}
    with promised():
        return {"changed": True, "release": _release(made)}


def _name(snapshot: str, plan: str, by: str) -> str:
    mark = hashlib.sha256(f"{snapshot} {plan} {by}".encode()).hexdigest()[:8]
    return f"{snapshot[: LONGEST - 9].rstrip('-.')}-{mark}"


def _release(said: Mapping[str, Any]) -> Release:
    status = said.get("status") or {}
    standing, wrong = _standing(said), _wrong(said)
    worst = wrong[0] if wrong else condition(said, "Released")
    return {
        "name": str(said["metadata"]["name"]),
        "namespace": str(said["metadata"].get("namespace") or ""),
        "snapshot": str(said["spec"]["snapshot"]),
        "plan": str(said["spec"]["releasePlan"]),
        "target": str(status.get("target") or ""),
        "author": str((status.get("attribution") or {}).get("author") or annotation(said, BY)),
        "automated": bool(status.get("automated")),
        "status": standing,
        "done": standing in ("succeeded", "failed"),
        "message": str(worst.get("message") or ""),
        "failed": [str(each["type"]) for each in wrong],
        "pipelines": {phase: run for phase, keys in PHASES.items() if (run := _pipeline(status, keys))},
        "created_at": moment(said["metadata"].get("creationTimestamp")),
        "started_at": moment(status.get("startTime")),
        "finished_at": moment(status.get("completionTime")),
    }


def _standing(said: Mapping[str, Any]) -> Standing:
    """By its condition `Released`, which is false with the reason Progressing while it goes on."""
    released, valid = condition(said, "Released"), condition(said, "Validated")
    match released.get("status"), released.get("reason"):
        case "True", _:
            return "succeeded"
        case "False", "Failed":
            return "failed"
        case _ if valid.get("status") == "False" and valid.get("reason") == "Failed":
            return "failed"
        case "False" | "Unknown", _:
            return "progressing"
    return "pending"


def _wrong(said: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The conditions that failed; what failed in the end as a whole comes last."""
    told = (said.get("status") or {}).get("conditions") or ()
    failed = [each for each in told if each["status"] == "False" and each.get("reason") == "Failed"]
    return sorted(failed, key=lambda each: each["type"] == "Released")


def _pipeline(status: Mapping[str, Any], keys: tuple[str, ...]) -> str:
    found: Any = status
    for key in keys:
        found = found.get(key) or {}
    return str(found.get("pipelineRun") or "")
