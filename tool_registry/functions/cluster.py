"""Asking the API of a Kubernetes cluster: lists in pages, and what its refusals (`Status`) mean.

Whether a domain means a cluster at all says `where.on_platform`.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from tool_registry.functions.cluster_access import cluster_access
from tool_registry.functions.where import on_platform
from tool_registry.sources.expected import expected
from tool_registry.sources.http import Reply, request
from tool_registry.tool import Needs, ToolContext, ToolError

CLUSTER = Needs(settings=("kubeconfig|token_file",))
"""What the tools need that only a cluster can answer: a kubeconfig, or `url` with a `token_file`."""
REASONS = {
    "NotFound": "resource_not_found",
    "AlreadyExists": "conflict",
    "Conflict": "conflict",
    "Invalid": "usage_error",
    "BadRequest": "usage_error",
    "Timeout": "timeout",
    "ServerTimeout": "timeout",
}
"""What the API's reasons mean (its conventions, "Error codes"); of the others the HTTP status tells enough."""
PAGE, MOST_PAGES = 500, 40
FOR_EVER = 1e9
"""Seconds that a cluster may ask to wait: thirty years."""
TOLD = ("name", "kind", "group")
METADATA = "application/json;as=Table;g=meta.k8s.io;v=v1"


async def ask_cluster(  # noqa: PLR0913 - a request is a flat record, every part by keyword
    method: str,
    path: str,
    context: ToolContext,
    *,
    params: Mapping[str, Any] | None = None,
    patch: Mapping[str, Any] | None = None,
    patched_by: str = "merge-patch+json",
    body: Mapping[str, Any] | None = None,
    accept: str = "application/json",
    not_found: Collection[int] = (),
) -> Reply:
    """What the domain's cluster answers; a refusal says what the cluster itself says."""
    if on_platform(context.settings):
        raise ToolError(
            "only a Kubernetes cluster can answer this, and none is named: describe it as [clusters.NAME] in skill.toml"
            " (`skill init` writes what it finds), and name it, as -i environment=NAME or --domain NAME",
            kind="configuration_error",
            sent=False,
        )
    insist_on_cluster(context)
    access = await cluster_access(context)
    headers = {"Accept": accept}
    if access.token:
        headers["Authorization"] = f"Bearer {access.token}"
    if patch is not None:
        headers["Content-Type"] = f"application/{patched_by}"
    try:
        return await request(
            method,
            f"{access.server}{path}",
            context=context,
            headers=headers,
            params=params,
            json=body if patch is None else patch,
            not_found=not_found,
            trust=access.trust,
        )
    except ToolError as error:
        raise _explained(error) from error


def insist_on_cluster(context: ToolContext) -> None:
    """Refuses to ask where no cluster is described: the current context of whoever calls may mean any.

    Raises ToolError (`configuration_error`).
    """
    if not (context.settings.get("kubeconfig") or context.settings.get("token_file")):
        message = "nobody says which cluster is meant: describe it as [clusters.NAME] in skill.toml"
        raise ToolError(message, kind="configuration_error", sent=False)


async def cluster_items(
    path: str, context: ToolContext, most: int, params: Mapping[str, Any] | None = None, *, page: int = PAGE
) -> tuple[list[Any], bool]:
    """The items of a list, `page` of them at a time, and whether there are more than `most`."""
    return await _pages(path, context, most, dict(params or {}), "application/json", "items", page)


async def cluster_rows(path: str, context: ToolContext, most: int) -> tuple[list[dict[str, Any]], bool]:
    """The rows of a list as the server prints it: each cell by its column's name, and the object's `metadata`.

    What else the objects hold stays at the server.
    """
    return await _pages(path, context, most, {"includeObject": "Metadata"}, METADATA, "rows")


async def _pages(
    path: str, context: ToolContext, most: int, params: dict[str, Any], accept: str, part: str, page: int = PAGE
) -> tuple[list[Any], bool]:
    found: list[Any] = []
    following: str | None = None
    for _ in range(MOST_PAGES):
        asked = {**params, "limit": min(page, most + 1), "continue": following}
        told = (await ask_cluster("GET", path, context, params=asked, accept=accept)).json()
        with promised():
            found += _rows(told) if part == "rows" else list(told["items"] or ())
            following = told["metadata"].get("continue") or None
        if len(found) > most or not following:
            break
    return found[:most], bool(following) or len(found) > most


def _rows(told: Mapping[str, Any]) -> list[dict[str, Any]]:
    names = [str(column["name"]) for column in told["columnDefinitions"]]
    return [
        {**dict(zip(names, row["cells"], strict=True)), "metadata": row["object"]["metadata"]}
        for row in told["rows"] or ()
    ]


def promised() -> AbstractContextManager[None]:
    """Whoever takes an answer of the API apart in this block and finds it shaped otherwise fails."""
    return expected("the cluster")


def inside(namespace: str, *parts: str, group: str = "/api/v1") -> str:
    """The path of something in a namespace, each name quoted; ToolError (`usage_error`) for what is no name."""
    for word in (namespace, *parts):
        if word in ("", ".", ".."):
            raise ToolError(f"{word!r} is no name of anything in a cluster", kind="usage_error", sent=False)
    return "/".join((group, "namespaces", *(quote(word, safe="") for word in (namespace, *parts))))


def _explained(error: ToolError) -> ToolError:
    """The failure with the cluster's own message, reason and details."""
    said = _status(error)
    if said is None:
        return _without_api(error) if error.http_status == HTTPStatus.NOT_FOUND else error
    told = said.get("details")
    details: Mapping[str, Any] = told if isinstance(told, Mapping) else {}
    wait = details.get("retryAfterSeconds")
    return ToolError(
        f"{error.message}: {said['message']}",
        kind=error.kind or REASONS.get(str(said.get("reason"))),
        http_status=error.http_status,
        output=error.output,
        sent=error.sent,
        retry_after=min(wait, FOR_EVER)
        if error.retry_after is None and type(wait) is int and wait >= 0
        else error.retry_after,
        details={
            **error.details,
            "reason": said.get("reason"),
            **{key: details[key] for key in details if key in TOLD},
        },
    )


def _without_api(error: ToolError) -> ToolError:
    """Where nothing is installed that serves such objects, a cluster says so in plain text."""
    return ToolError(
        f"{error.message}: the cluster has no such API",
        kind=error.kind or "resource_not_found",
        http_status=error.http_status,
        output=error.output,
        sent=error.sent,
        details=error.details,
    )


def _status(error: ToolError) -> dict[str, Any] | None:
    if error.http_status is None:
        return None
    try:
        said = json.loads(error.output)
    except (ValueError, RecursionError):
        return None
    is_status = isinstance(said, dict) and said.get("kind") == "Status" and isinstance(said.get("message"), str)
    return said if is_status else None
