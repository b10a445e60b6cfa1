"""Ephemeral namespaces: reserving, listing, extending and releasing them, on the embedded platform or in a cluster."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, TypedDict
from urllib.parse import quote

from tool_registry.functions.platform import call_platform
from tool_registry.functions.where import EITHER, on_platform
from tool_registry.sources.expected import expected
from tool_registry.sources.python import tool
from tool_registry.tool import Effect, ToolContext, ToolError

DURATION = r"^[1-9][0-9]{0,5}[smhd]$"
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}

LEASED: Mapping[str, Any] = {"domain": "ephemeral", "exact": True, "needs": EITHER}
"""What every tool here declares: on what it depends, and that its result has no keys but those it names."""

Duration = Annotated[str, {"pattern": DURATION}]


class Namespace(TypedDict):
    """A leased namespace; times in seconds since the epoch."""

    name: str
    owner: str
    created_at: float
    expires_at: float


class Namespaces(TypedDict):
    """Namespaces, and their names alone."""

    namespaces: list[Namespace]
    names: list[str]


class Released(TypedDict):
    """A namespace that is gone; `released` is false when the platform knows no such namespace."""

    namespace: str
    released: bool


@tool(effect=Effect.WRITE, idempotent=False, timeout=120, examples=({"duration": "1h"},), **LEASED)
async def bonfire_namespace_reserve(context: ToolContext, duration: Duration = "1h", pool: str = "") -> Namespace:
    """Reserves an ephemeral namespace; every call that succeeds takes another one from the pool.

    It is not idempotent and has no `verify`: when the answer is lost, the list of our namespaces cannot tell whether
    one is this call's or another run's, so a second call might take a second one. The local platform would accept an
    idempotency key. None is sent, because not every server behind this tool knows one, and reserving twice takes a
    place from somebody else. In a cluster the same step of a run finds what it began.

    Args:
        duration: How long it is reserved, as in 45m, 1h or 2d.
        pool: Which pool it is taken from; empty for the usual one. Plain namespaces of a cluster have none.

    Returns:
        name, owner, created_at and expires_at (epoch seconds).
    """
    if not on_platform(context.settings):
        from tool_registry.functions import cluster_leases  # noqa: PLC0415 - the local profile needs none of it

        return Namespace(**await cluster_leases.reserve(seconds(duration), pool, context))
    wanted = {"duration": seconds(duration), **({"pool": pool} if pool else {})}
    try:
        return _namespace(await call_platform("POST", "/api/namespaces", context, body=wanted))
    except ToolError as error:
        if error.http_status is None and error.sent is not False:
            error.details["lost"] = "bonfire_namespace_list shows what is ours; an unknown namespace expires by itself"
        raise


@tool(effect=Effect.READ, idempotent=True, timeout=20, examples=({"mine": True},), **LEASED)
async def bonfire_namespace_list(context: ToolContext, *, mine: bool = True) -> Namespaces:
    """Lists the reserved namespaces.

    Args:
        mine: Whether only our own are listed.

    Returns:
        namespaces (name, owner, created_at, expires_at), and names.
    """
    if not on_platform(context.settings):
        from tool_registry.functions import cluster_leases  # noqa: PLC0415 - as above

        leased = [Namespace(**one) for one in await cluster_leases.leased(context, mine=mine)]
        return {"namespaces": leased, "names": [one["name"] for one in leased]}
    listed = await call_platform("GET", f"/api/namespaces?mine={str(mine).lower()}", context)
    with expected("the platform"):
        found = [_namespace(one) for one in listed]
    return {"namespaces": found, "names": [one["name"] for one in found]}


@tool(
    effect=Effect.WRITE,
    idempotent=False,
    timeout=20,
    examples=({"namespace": "ephemeral-abc", "duration": "30m"},),
    **LEASED,
)
async def bonfire_namespace_extend(namespace: str, duration: Duration, context: ToolContext) -> Namespace:
    """Makes a lease end later than it would; twice makes it end later twice, so it is not repeated blindly.

    Args:
        namespace: The namespace.
        duration: By how much, as in 30m.

    Returns:
        name, owner, created_at and the new expires_at.
    """
    if not on_platform(context.settings):
        from tool_registry.functions import cluster_leases  # noqa: PLC0415 - as above

        return Namespace(**await cluster_leases.extend(namespace, seconds(duration), context))
    wanted = {"duration": seconds(duration)}
    return _namespace(await call_platform("POST", f"{_path(namespace)}/extend", context, body=wanted))


@tool(effect=Effect.DESTRUCTIVE, idempotent=True, timeout=60, examples=({"namespace": "ephemeral-abc"},), **LEASED)
async def bonfire_namespace_release(namespace: str, context: ToolContext) -> Released:
    """Releases a namespace and ends everything in it; releasing it again is no failure.

    Args:
        namespace: The namespace.

    Returns:
        namespace, and released (false when the platform knows no such namespace).
    """
    if not on_platform(context.settings):
        from tool_registry.functions import cluster_leases  # noqa: PLC0415 - as above

        return {"namespace": namespace, "released": await cluster_leases.release(namespace, context)}
    try:
        await call_platform("DELETE", _path(namespace), context)
    except ToolError as error:
        if error.details.get("code") != "no_namespace":
            raise await _with_ours(error, namespace, context) from error
        return {"namespace": namespace, "released": False}
    return {"namespace": namespace, "released": True}


async def _with_ours(error: ToolError, namespace: str, context: ToolContext) -> ToolError:
    """The refusal to release what is somebody else's, with the list of what is ours."""
    if error.details.get("code") != "not_owner":
        return error
    ours = (await bonfire_namespace_list(context, mine=True))["names"]
    listed = f"ours are {', '.join(ours)}" if ours else "we have none"
    return ToolError(
        f"{namespace} belongs to {error.details.get('owner', 'somebody else')}, not to us; {listed}",
        kind="permission_denied",
        http_status=error.http_status,
        output=error.output,
        details={**error.details, "ours": ours},
    )


def seconds(duration: str) -> int:
    """`1h` as 3600; usage_error for what is no duration."""
    if not re.match(DURATION, duration):
        raise ToolError(
            f"{duration!r} is no duration; write a number and one of s, m, h or d, as in 45m",
            kind="usage_error",
            sent=False,
        )
    return int(duration[:-1]) * SECONDS[duration[-1]]


def _path(namespace: str) -> str:
    return f"/api/namespaces/{quote(namespace, safe='')}"


@expected("the platform")
def _namespace(said: dict[str, Any]) -> Namespace:
    return {
        "name": str(said["name"]),
        "owner": str(said["owner"]),
        "created_at": float(said["created_at"]),
        "expires_at": float(said["expires_at"]),
    }
