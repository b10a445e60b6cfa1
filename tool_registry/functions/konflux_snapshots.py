"""Konflux's snapshots (`Snapshot`, appstudio.redhat.com/v1alpha1): which images belong together, and what tests say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypedDict

from tool_registry.functions.cluster import CLUSTER, promised
from tool_registry.functions.konflux_access import (
    COMPONENT,
    Limit,
    Name,
    Named,
    annotation,
    condition,
    digest,
    label,
    newest_of,
    one_of,
    tenant,
)
from tool_registry.functions.moments import moment
from tool_registry.sources.python import tool
from tool_registry.tool import Effect, ToolContext

PUSH = frozenset({"push", "Push", ""})
KIND = "test.appstudio.openshift.io/type"
REQUEST = "pac.test.appstudio.openshift.io/pull-request"
BRANCH = "pac.test.appstudio.openshift.io/source-branch"
QUEUE = "gh-readonly-queue/"
EVENT = "pac.test.appstudio.openshift.io/event-type"
COMMIT = "pac.test.appstudio.openshift.io/sha"
RESULTS = "test.appstudio.openshift.io/status"
SUCCEEDED = ("AppStudioTestSucceeded", "HACBSStudioTestSucceeded", "HACBSTestSucceeded")
STATE = ("AppStudioIntegrationStatus", "HACBSIntegrationStatus")
Outcome = Literal["passed", "failed", "running", "cancelled", "none"]


class SnapshotImage(TypedDict):
    """An image of a snapshot, and the commit it was built from."""

    component: str
    image: str
    digest: str
    git_url: str
    revision: str


class Snapshot(TypedDict):
    """A snapshot; `component` is the one whose build made it, `event` why (push, pull_request, ...).

    `tests` is what all its required tests say together: passed, failed, running, cancelled, or none (nobody noted any).
    """

    name: str
    application: str
    component: str
    event: str
    pushed: bool
    sha: str
    tests: Outcome
    message: str
    released: bool
    images: list[SnapshotImage]
    created_at: float | None


class Snapshots(TypedDict):
    """Snapshots, the newest first; `count` before the limit."""

    namespace: str
    snapshots: list[Snapshot]
    names: list[str]
    count: int
    truncated: bool


class FoundSnapshot(TypedDict):
    """A snapshot, or `found` false."""

    found: bool
    snapshot: Snapshot | None


@tool(
    effect=Effect.READ,
    idempotent=True,
    domain="konflux",
    timeout=60,
    examples=({}, {"application": "shop", "pushed": True}),
    exact=True,
    needs=CLUSTER,
)
async def konflux_list_snapshots(
    context: ToolContext,
    application: Named = "",
    component: Named = "",
    namespace: Named = "",
    pushed: bool | None = None,
    sha: str = "",
    limit: Limit = 50,
) -> Snapshots:
    """Lists the snapshots of an application or component, the newest first; none is an empty list.

    Args:
        application: Only those of this application.
        component: Only those that a build of this component made.
        namespace: The tenant's namespace; empty for the domain's.
        pushed: true for those of what was merged or pushed, false for those of requests; left out, both.
        sha: Only those made for this commit, or for one that begins so.
        limit: How many are given at most.

    Returns:
        namespace, snapshots, names, count (before the limit) and truncated.
    """
    place = tenant(namespace, context)
    found, more = await newest_of("snapshots", place, context, {COMPONENT: component})
    with promised():
        told = [_snapshot(one) for one in found]
    wanted = [
        one
        for one in told
        if application in ("", one["application"]) and pushed in (None, one["pushed"]) and one["sha"].startswith(sha)
    ]
    kept = wanted[:limit]
    return {
        "namespace": place,
        "snapshots": kept,
        "names": [one["name"] for one in kept],
        "count": len(wanted),
        "truncated": more or len(wanted) > limit,
    }


@tool(
    effect=Effect.READ,
    idempotent=True,
    domain="konflux",
    timeout=30,
    examples=({"snapshot": "shop-20260101-abcde"},),
    exact=True,
    needs=CLUSTER,
)
async def konflux_get_snapshot(snapshot: Name, context: ToolContext, namespace: Named = "") -> FoundSnapshot:
    """Shows a snapshot: its images by digest and what its tests say; one that is not there is `found: false`.

    Args:
        snapshot: Its name.
        namespace: The tenant's namespace; empty for the domain's.

    Returns:
        found and snapshot.
    """
    said = await one_of("snapshots", snapshot, tenant(namespace, context), context)
    with promised():
        return {"found": said is not None, "snapshot": None if said is None else _snapshot(said)}


def _snapshot(said: Mapping[str, Any]) -> Snapshot:
    event = label(said, EVENT)
    tested = condition(said, *SUCCEEDED)
    return {
        "name": str(said["metadata"]["name"]),
        "application": str(said["spec"]["application"]),
        "component": label(said, COMPONENT),
        "event": event,
        "pushed": _pushed(said, event),
        "sha": label(said, COMMIT) or annotation(said, COMMIT),
        "tests": outcome(said),
        "message": str((tested or condition(said, *STATE)).get("message") or ""),
        "released": condition(said, "AutoReleased").get("status") == "True",
        "images": [_image(one) for one in said["spec"].get("components") or ()],
        "created_at": moment(said["metadata"].get("creationTimestamp")),
    }


def _pushed(said: Mapping[str, Any], event: str) -> bool:
    """Whether it is of what stays (integration-service, gitops.IsSnapshotCreatedByPACPushEvent), not of a request."""
    if label(said, KIND) == "group" or annotation(said, BRANCH).startswith(QUEUE):
        return False
    return event in PUSH or not label(said, REQUEST)


def _image(said: Mapping[str, Any]) -> SnapshotImage:
    git = (said.get("source") or {}).get("git") or {}
    return {
        "component": str(said["name"]),
        "image": str(said["containerImage"]),
        "digest": digest(str(said["containerImage"])),
        "git_url": str(git.get("url") or ""),
        "revision": str(git.get("revision") or ""),
    }


def outcome(said: Mapping[str, Any]) -> Outcome:
    """What the tests of a snapshot say together, by its conditions."""
    tested, state = condition(said, *SUCCEEDED), condition(said, *STATE)
    match tested.get("status"), state.get("reason"):
        case "True", _:
            return "passed"
        case _, "Canceled":
            return "cancelled"
        case "False", _:
            return "failed"
        case _, "Invalid" | "Error":
            return "failed"
        case None, None:
            return "running" if annotation(said, RESULTS) else "none"
    return "running"
