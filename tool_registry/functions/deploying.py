"""Applications in ephemeral namespaces: deploying an image, and waiting until it serves.

On the embedded platform or in a cluster (`cluster_deploying`), with the same answers.
"""

from __future__ import annotations

import time
from typing import Annotated, Any, TypedDict
from urllib.parse import quote, urlsplit

import anyio

from tool_registry.functions.platform import call_platform, platform_url
from tool_registry.functions.where import EITHER, on_platform
from tool_registry.sources.expected import expected
from tool_registry.sources.python import tool
from tool_registry.tool import Effect, ToolContext, ToolError

DIGEST = "^sha256:[0-9a-f]{64}$"
LOOK_EVERY = 0.1
"""Seconds between two looks at a deployment that is starting."""


class Deployment(TypedDict):
    """What is deployed under an application's name, and how it does."""

    app: str
    image: str
    digest: str
    status: str
    reason: str
    url: str


@tool(
    effect=Effect.WRITE,
    idempotent=True,
    timeout=60,
    examples=({"namespace": "ephemeral-abc", "app": "main", "image": "demo/shop", "digest": "sha256:" + 64 * "0"},),
    domain="ephemeral",
    exact=True,
    needs=EITHER,
)
async def bonfire_deploy(
    namespace: str,
    app: Annotated[str, {"pattern": "^[a-z][a-z0-9-]{0,39}$"}],
    image: str,
    digest: Annotated[str, {"pattern": DIGEST}],
    context: ToolContext,
    tag: str = "",
) -> Deployment:
    """Deploys an image under an application's name, replacing what ran there; when this ends, it is only starting.

    In a cluster the domain's `deploy` says how: a folder of manifests that are applied, or a command that is run.

    Args:
        namespace: Where to.
        app: The application's name.
        image: The image's name, with or without the registry's address.
        digest: The image's digest; a tag could point at something else by the time it is fetched.
        tag: The image's tag, for a command of the domain that takes no digest.

    Returns:
        app, image, digest, status, reason and url.
    """
    if not on_platform(context.settings):
        from tool_registry.functions import cluster_deploying  # noqa: PLC0415 - the local profile needs none of it

        what = cluster_deploying.Wanted(namespace=namespace, app=app, image=image, digest=digest, tag=tag)
        return Deployment(**await cluster_deploying.deploy(what, context))
    registry = urlsplit(platform_url(context.settings)).netloc
    addressed = image if _has_address(image) else f"{registry}/{image}"
    wanted = {"app": app, "image": addressed, "digest": digest}
    return _deployment(await call_platform("POST", f"{_path(namespace)}/deployments", context, body=wanted))


@tool(
    effect=Effect.READ,
    idempotent=True,
    timeout=120,
    examples=({"namespace": "ephemeral-abc", "app": "main"},),
    domain="ephemeral",
    exact=True,
    needs=EITHER,
)
async def bonfire_namespace_wait(namespace: str, app: str, context: ToolContext) -> Deployment:
    """Waits until an application is healthy, for as long as the call may take.

    On the embedded platform its health endpoint answers; in a cluster all replicas of its deployments are available.

    Args:
        namespace: The namespace.
        app: The application.

    Returns:
        app, image, digest, status (`ready`), reason and url.
    """
    if not on_platform(context.settings):
        from tool_registry.functions import cluster_deploying  # noqa: PLC0415 - as above

        return Deployment(**await cluster_deploying.wait(namespace, app, context))
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


def _path(namespace: str) -> str:
    return f"/api/namespaces/{quote(namespace, safe='')}"


def _has_address(image: str) -> bool:
    """Whether an image's name begins with a registry: that part has a dot, a port, or is `localhost`."""
    first, slash, _ = image.partition("/")
    return bool(slash) and ("." in first or ":" in first or first == "localhost")


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
