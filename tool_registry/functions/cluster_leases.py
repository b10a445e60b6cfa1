"""Ephemeral namespaces of a cluster: by which of two ways they are leased, whose they are, and whose we are.

By the reservations of the ephemeral-namespace-operator, as the program `bonfire` does (`reservations`), or as plain
namespaces with our labels and annotations (`plain_leases`). The domain's `namespaces` says which; without it, a cluster
whose API has reservations has the operator.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import Any, Protocol, TypedDict

from tool_registry.functions.cluster import ask_cluster
from tool_registry.functions.cluster_login import whoami
from tool_registry.tool import ToolContext, ToolError

RESERVATIONS = "/apis/cloud.redhat.com/v1alpha1"
BY = "skill-engine/by"
"""Which run and step did it, so that what was begun before an answer was lost is found again, and not done twice."""


class Lease(TypedDict):
    """A leased namespace; times in seconds since the epoch."""

    name: str
    owner: str
    created_at: float
    expires_at: float


class Leases(Protocol):
    """A way in which namespaces are leased."""

    async def reserve(self, duration: int, pool: str, owner: str, context: ToolContext) -> Lease:
        """Takes one."""

    async def every(self, context: ToolContext) -> list[Lease]:
        """Those that are leased now."""

    async def extend(self, lease: Lease, added: int, context: ToolContext) -> Lease:
        """Makes one end later."""

    async def release(self, lease: Lease, context: ToolContext) -> None:
        """Gives one back."""

    async def ending(self, namespace: str, context: ToolContext) -> bool:
        """Whether one that is still there was given back already."""


async def reserve(duration: int, pool: str, context: ToolContext) -> Lease:
    """Leases a namespace for so many seconds."""
    way = await _way(context)
    return await way.reserve(duration, pool, await our_name(context), context)


async def leased(context: ToolContext, *, mine: bool) -> list[Lease]:
    """The leased namespaces of everybody, or ours."""
    found = await (await _way(context)).every(context)
    ours = await our_name(context) if mine else ""
    return [one for one in found if not mine or one["owner"] == ours]


async def extend(namespace: str, added: int, context: ToolContext) -> Lease:
    """Makes a lease of ours end so many seconds later."""
    way = await _way(context)
    lease = await _ours(namespace, way, context)
    if lease is None:
        message = f"{namespace} is leased by nobody, so there is no lease to extend"
        raise ToolError(message, kind="resource_not_found", sent=False)
    return await way.extend(lease, added, context)


async def release(namespace: str, context: ToolContext) -> bool:
    """Gives a namespace of ours back; False where there is no such namespace.

    Raises:
        ToolError: `permission_denied` for one that is somebody else's, and for one that was never leased.
    """
    way = await _way(context)
    lease = await _ours(namespace, way, context)
    if lease is None:
        return False
    await way.release(lease, context)
    return True


async def our_name(context: ToolContext) -> str:
    """In whose name namespaces are leased: the setting `user`, or who the cluster takes us for."""
    return str(context.settings.get("user") or "") or _labelled(await whoami(context))


def mark(context: ToolContext) -> str:
    """What tells this step of this run from any other; empty where a call belongs to none."""
    return f"{context.run_id}:{context.step}" if context.run_id and context.step else ""


def new_name(prefix: str, context: ToolContext) -> str:
    """A name that is the same in the same step of the same run, and another one in any other."""
    said = mark(context)
    return prefix + (hashlib.sha256(said.encode()).hexdigest()[:8] if said else secrets.token_hex(4))


def taken(name: str, owner: str) -> ToolError:
    """The failure where a name of ours is somebody else's already."""
    return ToolError(f"{name} is there already, made by {owner or 'nobody we know'}", kind="conflict", sent=False)


async def _ours(namespace: str, way: Leases, context: ToolContext) -> Lease | None:
    """The lease; None where neither it nor the namespace is there, or both are about to end."""
    every = await way.every(context)
    lease = next((one for one in every if one["name"] == namespace), None)
    owner = await our_name(context)
    if lease is not None and lease["owner"] == owner:
        return lease
    if lease is None and (not await _exists(namespace, context) or await way.ending(namespace, context)):
        return None
    ours = [one["name"] for one in every if one["owner"] == owner]
    listed = f"ours are {', '.join(ours)}" if ours else "we have none"
    whose = (
        f"belongs to {lease['owner'] or 'somebody else'}, not to us" if lease else "was not leased, and is not touched"
    )
    raise ToolError(
        f"{namespace} {whose}; {listed}",
        kind="permission_denied",
        sent=False,
        details={"code": "not_owner", "owner": lease["owner"] if lease else "", "ours": ours},
    )


async def _exists(namespace: str, context: ToolContext) -> bool:
    from tool_registry.functions.cluster import inside  # noqa: PLC0415 - only where a lease is missing

    reply = await ask_cluster("GET", inside(namespace), context, not_found=(404,))
    return reply.found and (reply.json().get("status") or {}).get("phase") != "Terminating"


async def _way(context: ToolContext) -> Leases:
    named = str(context.settings.get("namespaces") or "")
    if named not in {"", "operator", "plain"}:
        message = f"namespaces is operator or plain, not {named!r}"
        raise ToolError(message, kind="configuration_error", sent=False)
    if not named:
        named = "operator" if (await ask_cluster("GET", RESERVATIONS, context, not_found=(404,))).found else "plain"
    if named == "operator":
        from tool_registry.functions.reservations import Reservations  # noqa: PLC0415 - one of the two is enough

        return Reservations()
    from tool_registry.functions.plain_leases import PlainLeases  # noqa: PLC0415 - as above

    return PlainLeases()


def _labelled(name: str) -> str:
    """A name as a label can hold it, made as `bonfire` makes it, so that both know the same owner."""
    said = name.replace("@", "_at_").replace(":", "_")
    return re.sub(r"[^A-Za-z0-9_.-]", "_", said)[:63].strip("_.-")


def note(said: Any, name: str) -> str:
    """An annotation of an object, empty without it."""
    return str((said["metadata"].get("annotations") or {}).get(name) or "")
