"""Plain namespaces as leases, where a cluster has no operator for them: a label, an owner and an end of ours.

Nobody ends such a lease but who releases it: the end is for people, and for a job of the cluster's own that deletes
what is past it (docs/kubernetes.md).
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from tool_registry.functions.cluster import ask_cluster, cluster_items, inside, promised
from tool_registry.functions.cluster_leases import BY, Lease, mark, new_name, note, taken
from tool_registry.functions.moments import moment
from tool_registry.tool import ToolContext, ToolError

PATH = "/api/v1/namespaces"
EPHEMERAL = "skill-engine/ephemeral"
OWNER, ENDS = "skill-engine/requester", "skill-engine/expires-at"
MOST = 5_000


class PlainLeases:
    """Leases that are nothing but namespaces."""

    async def reserve(self, duration: int, pool: str, owner: str, context: ToolContext) -> Lease:
        """Makes a namespace; in the same step of a run it is the same one."""
        if pool:
            message = f"there is no pool {pool}: this cluster leases plain namespaces"
            raise ToolError(message, kind="usage_error", sent=False)
        name = new_name("ephemeral-", context)
        notes = {OWNER: owner, ENDS: _written(time.time() + duration), BY: mark(context)}
        body = {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": name, "labels": {EPHEMERAL: "true"}, "annotations": notes},
        }
        made = (await ask_cluster("POST", PATH, context, body=body, not_found=(409,))).json()
        if made.get("kind") == "Status":
            made = (await ask_cluster("GET", inside(name), context)).json()
            if not mark(context) or note(made, BY) != mark(context):
                raise taken(name, note(made, OWNER))
        with promised():
            return _lease(made)

    async def every(self, context: ToolContext) -> list[Lease]:
        """Those with our label, without those that are ending."""
        items, _ = await cluster_items(PATH, context, MOST, {"labelSelector": f"{EPHEMERAL}=true"})
        with promised():
            return [_lease(one) for one in items if (one.get("status") or {}).get("phase") != "Terminating"]

    async def extend(self, lease: Lease, added: int, context: ToolContext) -> Lease:
        """Writes down a later end, once in a step of a run."""
        one = (await ask_cluster("GET", inside(lease["name"]), context)).json()
        with promised():
            before, version = _lease(one), str(one["metadata"]["resourceVersion"])
        if mark(context) and note(one, BY) == f"{mark(context)}:extended":
            return before
        notes = {ENDS: _written(before["expires_at"] + added), BY: f"{mark(context)}:extended"}
        patch = {"metadata": {"resourceVersion": version, "annotations": notes}}
        changed = (await ask_cluster("PATCH", inside(lease["name"]), context, patch=patch)).json()
        with promised():
            return _lease(changed)

    async def release(self, lease: Lease, context: ToolContext) -> None:
        """Deletes the namespace, and with it all that is in it."""
        await ask_cluster("DELETE", inside(lease["name"]), context, not_found=(404,))

    async def ending(self, namespace: str, context: ToolContext) -> bool:  # noqa: ARG002 - that of the other way
        """Never: what is given back says by its own phase that it ends."""
        return False


def _lease(said: Any) -> Lease:
    begun = moment(said["metadata"].get("creationTimestamp")) or 0.0
    return {
        "name": str(said["metadata"]["name"]),
        "owner": note(said, OWNER),
        "created_at": begun,
        "expires_at": moment(note(said, ENDS)) or begun,
    }


def _written(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
