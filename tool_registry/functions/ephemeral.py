"""Ephemeral namespaces: reserving, listing, extending, releasing, deploying into and waiting for them."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Annotated, Any, TypedDict
from urllib.parse import quote, urlsplit

import anyio

from tool_registry.functions.platform import PLATFORM, call_platform, platform_url
from tool_registry.sources.expected import expected
from tool_registry.sources.python import tool
from tool_registry.tool import Effect, ToolContext, ToolError

DURATION = r"^[1-9][0-9]{0,5}[smhd]$"
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
DIGEST = "^sha256:[0-9a-f]{64}$"
LOOK_EVERY = 0.1
"""Seconds between two looks at a deployment that is starting."""

LEASED: Mapping[str, Any] = {"domain": "ephemeral", "exact": True, "needs": PLATFORM}
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


class Deployment(TypedDict):
    """What is deployed under an application's name, and how it does."""

    app: str
    image: str
    digest: str
    status: str
    reason: str
    url: str


@tool(effect=Effect.WRITE, idempotent=False, timeout=30, examples=({"duration": "1h"},), **LEASED)
async def bonfire_namespace_reserve(context: ToolContext, duration: Duration = "1h", pool: str = "") -> Namespace:
    """Reserves an ephemeral namespace; every call that succeeds takes another one from the pool.

    It is not idempotent and has no `verify`: when the answer is lost, the list of our namespaces cannot tell whether
    one is this call's or another run's, so a second call might take a second one. The local platform would accept an
    idempotency key. None is sent, because not every server behind this tool knows one, and reserving twice takes a
    place from somebody else.

    Args:
        duration: How long it is reserved, as in 45m, 1h or 2d.
        pool: Which pool it is taken from; empty for the usual one.

    Returns:
        name, owner, created_at and expires_at (epoch seconds).
    """
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


@tool(
    effect=Effect.WRITE,
    idempotent=True,
    timeout=60,
    examples=({"namespace": "ephemeral-abc", "app": "main", "image": "demo/shop", "digest": "sha256:" + 64 * "0"},),
    **LEASED,
)
async def bonfire_deploy(
    namespace: str,
    app: Annotated[str, {"pattern": "^[a-z][a-z0-9-]{0,39}$"}],
    image: str,
    digest: Annotated[str, {"pattern": DIGEST}],
    context: ToolContext,
) -> Deployment:
    """Deploys an image under an application's name, replacing what ran there; when this ends, it is only starting.

    Args:
        namespace: Where to.
        app: The application's name.
        image: The image's name, with or without the registry's address.
        digest: The image's digest; a tag could point at something else by the time it is fetched.

    Returns:
        app, image, digest, status, reason and url.
    """
    registry = urlsplit(platform_url(context.settings)).netloc
    addressed = image if _has_address(image) else f"{registry}/{image}"
    wanted = {"app": app, "image": addressed, "digest": digest}
    return _deployment(await call_platform("POST", f"{_path(namespace)}/deployments", context, body=wanted))


@tool(
    effect=Effect.READ,
    idempotent=True,
    timeout=120,
    examples=({"namespace": "ephemeral-abc", "app": "main"},),
    **LEASED,
)
async def bonfire_namespace_wait(namespace: str, app: str, context: ToolContext) -> Deployment:
    """Waits until an application's health endpoint answers, for as long as the call may take.

    Args:
        namespace: The namespace.
        app: The application.

    Returns:
        app, image, digest, status (`ready`), reason and url.
    """
    # A little less than the call has: the failure is to say what was seen last, not only that time ran out.
    until = time.monotonic() + 0.95 * context.timeout
    seen = ""
    while True:
        found = _deployment(await call_platform("GET", f"{_path(namespace)}/deployments/{quote(app)}", context))
        if found["status"] == "ready":
            return found
        if found["status"] in {"crashed", "unhealthy"}:
            raise await _not_healthy(namespace, found, context)
        if found["status"] != seen:
            seen = found["status"]
            context.report(f"{app} is {seen}")
        if time.monotonic() > until:
            break
        await anyio.sleep(LOOK_EVERY)
    raise ToolError(
        f"{app} in {namespace} was still {seen} after {context.timeout:g} seconds",
        kind="timeout",
        details={"deployment": found},
    )


async def _not_healthy(namespace: str, deployment: Deployment, context: ToolContext) -> ToolError:
    """Why it is not healthy, with the last lines of its log."""
    app, status = deployment["app"], deployment["status"]
    pods = await call_platform("GET", f"{_path(namespace)}/pods", context)
    with expected("the platform"):
        pod = next((str(one["name"]) for one in pods if one.get("app") == app), "")
    lines: list[str] = []
    if pod:
        told = await call_platform("GET", f"{_path(namespace)}/pods/{quote(pod)}/logs?tail=20", context)
        with expected("the platform"):
            lines = [str(line) for line in told["lines"]]
    return ToolError(
        f"{app} in {namespace} {'crashed' if status == 'crashed' else 'never became healthy'}: {deployment['reason']}",
        kind="code_error" if status == "crashed" else "timeout",
        output="\n".join(lines),
        details={"deployment": deployment, "pod": pod},
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


def _has_address(image: str) -> bool:
    """Whether an image's name begins with a registry: that part has a dot, a port, or is `localhost`."""
    first, slash, _ = image.partition("/")
    return bool(slash) and ("." in first or ":" in first or first == "localhost")


@expected("the platform")
def _namespace(said: dict[str, Any]) -> Namespace:
    return {
        "name": str(said["name"]),
        "owner": str(said["owner"]),
        "created_at": float(said["created_at"]),
        "expires_at": float(said["expires_at"]),
    }


@expected("the platform")
def _deployment(said: dict[str, Any]) -> Deployment:
    return {
        "app": str(said["app"]),
        "image": str(said["image"]),
        "digest": str(said["digest"]),
        "status": str(said["status"]),
        "reason": str(said.get("reason") or ""),
        "url": str(said.get("url") or ""),
    }
