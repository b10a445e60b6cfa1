"""Which images run in a namespace of a cluster, by digest: what was released is compared with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, TypedDict

from tool_registry.functions.cluster import CLUSTER, cluster_items, inside, promised
from tool_registry.functions.konflux_access import digest as digest_of
from tool_registry.sources.python import tool
from tool_registry.tool import Effect, ToolContext

MOST = 2_000
Digest = Annotated[str, {"pattern": "^(sha256:[0-9a-f]{64})?$"}]


class RunningImage(TypedDict):
    """A container that runs: its pod, its image as it was asked for, the digest that was taken, and if it is ready."""

    pod: str
    container: str
    image: str
    digest: str
    ready: bool


class RunningImages(TypedDict):
    """Containers by pod; `digests` are those of the ready ones, each once, `waiting` names pods that are not ready.

    Where a digest was asked about, `having` names the pods that run it and are ready, and `lacking` all others.
    """

    containers: list[RunningImage]
    digests: list[str]
    waiting: list[str]
    having: list[str]
    lacking: list[str]
    count: int
    truncated: bool


@tool(
    effect=Effect.READ,
    idempotent=True,
    domain="ephemeral",
    timeout=30,
    examples=({"namespace": "shop"}, {"namespace": "shop", "selector": "app=web", "digest": "sha256:" + 64 * "0"}),
    exact=True,
    needs=CLUSTER,
)
async def kubectl_get_images(
    namespace: str, context: ToolContext, selector: str = "", digest: Digest = ""
) -> RunningImages:
    """Lists the images that the pods of a namespace run, by digest; pods that have ended or end do not count.

    Args:
        namespace: The namespace.
        selector: Only the pods with these labels, as in app=web.
        digest: Tell which pods run the image of this digest.

    Returns:
        containers, digests, waiting, having, lacking, count and truncated.
    """
    items, more = await cluster_items(inside(namespace, "pods"), context, MOST, {"labelSelector": selector or None})
    with promised():
        found = [container for pod in items if _lives(pod) for container in _containers(pod)]
    waiting = {one["pod"] for one in found if not one["ready"]}
    having = {one["pod"] for one in found if digest and one["digest"] == digest} - waiting
    return {
        "containers": found,
        "digests": sorted({one["digest"] for one in found if one["ready"] and one["digest"]}),
        "waiting": sorted(waiting),
        "having": sorted(having),
        "lacking": sorted({one["pod"] for one in found} - having) if digest else [],
        "count": len(found),
        "truncated": more,
    }


def _lives(pod: Mapping[str, Any]) -> bool:
    ended = (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")
    return not ended and "deletionTimestamp" not in pod["metadata"]


def _containers(pod: Mapping[str, Any]) -> Iterator[RunningImage]:
    """Those that are told of in its status, and those of its spec that have none yet."""
    told = {str(one["name"]): one for one in (pod.get("status") or {}).get("containerStatuses") or ()}
    for wanted in pod["spec"]["containers"]:
        one = told.get(str(wanted["name"]), {})
        image = str(wanted["image"])
        yield {
            "pod": str(pod["metadata"]["name"]),
            "container": str(wanted["name"]),
            "image": image,
            "digest": digest_of(str(one.get("imageID") or "")) or digest_of(image),
            "ready": bool(one.get("ready")),
        }
