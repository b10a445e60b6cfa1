"""Namespaces that the ephemeral-namespace-operator gives out, by its NamespaceReservations (cloud.redhat.com/v1alpha1).

What is written and read is what `bonfire` 6.18 writes and reads (its `bonfire_lib/reservations.py`): a reservation gets
a namespace of its pool in `status.namespace`, lasts `spec.duration`, and is given back by a duration of `0s`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import anyio

from tool_registry.functions.cluster import ask_cluster, cluster_items, promised
from tool_registry.functions.cluster_leases import BY, RESERVATIONS, Lease, mark, new_name, note, taken
from tool_registry.functions.moments import moment
from tool_registry.tool import ToolContext, ToolError

PATH = f"{RESERVATIONS}/namespacereservations"
MOST = 5_000
LOOK_EVERY, SELDOM = 0.2, 2.0
"""Seconds between looks at a reservation that waits, at first and after a while."""
GIVING_BACK = 5.0
"""Seconds in which a reservation that nobody waits for any more is given back."""
DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")


class Reservations:
    """Leases by the operator."""

    async def reserve(self, duration: int, pool: str, owner: str, context: ToolContext) -> Lease:
        """Makes a reservation, and waits until the operator gives it a namespace.

        In the same step of a run it is the same reservation: what was begun before a login ended is found again.
        """
        pool, name = pool or "default", new_name("skill-reservation-", context)
        body = {
            "apiVersion": "cloud.redhat.com/v1alpha1",
            "kind": "NamespaceReservation",
            "metadata": {"name": name, "labels": {"requester": owner}, "annotations": {BY: mark(context)}},
            "spec": {"duration": _told(duration), "requester": owner, "pool": pool},
        }
        made = (await ask_cluster("POST", PATH, context, body=body, not_found=(409,))).json()
        if made.get("kind") == "Status":
            made = (await ask_cluster("GET", _path(name), context)).json()
            if not mark(context) or note(made, BY) != mark(context):
                raise taken(name, str(made["spec"].get("requester") or ""))
        try:
            return await _given(made, pool, context)
        except anyio.get_cancelled_exc_class():
            with anyio.move_on_after(GIVING_BACK, shield=True):
                await _give_back(name, context)
            raise

    async def every(self, context: ToolContext) -> list[Lease]:
        """The reservations that have a namespace, without those that end."""
        items, _ = await cluster_items(PATH, context, MOST)
        with promised():
            return [_lease(one) for one in items if _holds(one)]

    async def extend(self, lease: Lease, added: int, context: ToolContext) -> Lease:
        """Adds to the duration, once in a step of a run; the operator moves the end accordingly."""
        one = await _of(lease["name"], context)
        if mark(context) and note(one, BY) == f"{mark(context)}:extended":
            return lease
        with promised():
            wanted = _seconds(str(one["spec"]["duration"])) + added
            version = str(one["metadata"]["resourceVersion"])
        patch = {
            "metadata": {"resourceVersion": version, "annotations": {BY: f"{mark(context)}:extended"}},
            "spec": {"duration": _told(wanted)},
        }
        await ask_cluster("PATCH", _path(str(one["metadata"]["name"])), context, patch=patch)
        return {**lease, "expires_at": lease["expires_at"] + added}

    async def release(self, lease: Lease, context: ToolContext) -> None:
        """Lets it last no longer; the operator ends the namespace and what is in it."""
        await _give_back(str((await _of(lease["name"], context))["metadata"]["name"]), context)

    async def ending(self, namespace: str, context: ToolContext) -> bool:
        """Whether its reservation lasts no longer, and the operator has not come to it yet."""
        items, _ = await cluster_items(PATH, context, MOST)
        with promised():
            return any((one.get("status") or {}).get("namespace") == namespace and not _holds(one) for one in items)


async def _given(made: Any, pool: str, context: ToolContext) -> Lease:
    """The reservation once it has a namespace; given back where it gets none in time."""
    name, until, pause = str(made["metadata"]["name"]), time.monotonic() + 0.9 * context.timeout, LOOK_EVERY
    while True:
        with promised():
            if _holds(made):
                return _lease(made)
        if time.monotonic() + pause > until:
            break
        await anyio.sleep(pause)
        pause = min(SELDOM, 1.5 * pause)
        made = (await ask_cluster("GET", _path(name), context)).json()
    state = str((made.get("status") or {}).get("state") or "not seen by the operator")
    await _give_back(name, context)
    raise ToolError(
        f"no namespace of the pool {pool} became free within {context.timeout:.0f} seconds: the reservation is {state}",
        kind="resource_exhausted",
        details={"reservation": name, "pool": pool, "state": state},
    )


async def _give_back(name: str, context: ToolContext) -> None:
    await ask_cluster("PATCH", _path(name), context, patch={"spec": {"duration": "0s"}}, not_found=(404,))


async def _of(namespace: str, context: ToolContext) -> Mapping[str, Any]:
    items, _ = await cluster_items(PATH, context, MOST)
    with promised():
        found = [one for one in items if _holds(one) and one["status"]["namespace"] == namespace]
    if not found:
        raise ToolError(f"the lease of {namespace} has just ended", kind="resource_not_found", sent=False)
    return dict(found[0])


def _holds(said: Any) -> bool:
    status = said.get("status") or {}
    ended = status.get("state") in {"expired", "deleted"} or _seconds(str(said["spec"]["duration"])) == 0
    return bool(status.get("namespace")) and not ended


def _lease(said: Any) -> Lease:
    begun = moment(said["metadata"]["creationTimestamp"]) or 0.0
    ends = moment((said.get("status") or {}).get("expiration"))
    return {
        "name": str(said["status"]["namespace"]),
        "owner": str(said["spec"]["requester"]),
        "created_at": begun,
        "expires_at": begun + _seconds(str(said["spec"]["duration"])) if ends is None else ends,
    }


def _path(name: str) -> str:
    return f"{PATH}/{quote(name, safe='')}"


def _told(seconds: int) -> str:
    """Seconds as Go and `bonfire` write a duration, as in 1h30m0s."""
    hours, rest = divmod(seconds, 3600)
    return f"{hours}h{rest // 60}m{rest % 60}s"


def _seconds(told: str) -> int:
    found = DURATION.fullmatch(told)
    if found is None or not told:
        raise ValueError(f"{told!r} is no duration")
    return sum(int(part or 0) * each for part, each in zip(found.groups(), (3600, 60, 1), strict=True))
