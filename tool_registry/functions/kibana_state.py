"""Where logs are kept, who asks for them, and how the cluster that keeps them is."""

from __future__ import annotations

from typing import Annotated, Any, TypedDict

from tool_registry.functions.kibana_access import Index, ask_kibana, ask_logs, index_path
from tool_registry.functions.services import SERVICE
from tool_registry.sources.expected import expected
from tool_registry.sources.python import tool
from tool_registry.tool import Effect, ToolContext, ToolError

COLUMNS = "index,health,status,docs.count,store.size"
NOT_ALLOWED = 403


class Kept(TypedDict):
    """An index; `health` is green, yellow or red, `documents` and `bytes` null where it is closed."""

    name: str
    health: str
    status: str
    documents: int | None
    bytes: int | None


class Indices(TypedDict):
    """Indices by name; `count` before the limit."""

    indices: list[Kept]
    count: int
    truncated: bool


class Standing(TypedDict):
    """The cluster and whoever asks; `health` empty for who may not see it, `kibana` empty where it is not asked."""

    cluster: str
    version: str
    health: str
    user: str
    roles: list[str]
    kibana: str


@tool(
    effect=Effect.READ,
    idempotent=True,
    domain="kibana",
    timeout=30,
    examples=({}, {"index": "logs-*"}),
    exact=True,
    needs=SERVICE,
)
async def kibana_index_list(
    context: ToolContext, index: Index = "*", limit: Annotated[int, {"minimum": 1, "maximum": 5_000}] = 500
) -> Indices:
    """Lists the indices that whoever asks may see, by name; none is an empty list.

    Args:
        index: A name or a pattern; empty for the domain's.
        limit: How many are given at most.

    Returns:
        indices, count and truncated.
    """
    path = f"/_cat/indices{index_path(index, context)}"
    try:
        reply = await ask_logs("GET", path, context, format="json", bytes="b", h=COLUMNS, s="index")
    except ToolError as error:
        if error.kind == "resource_not_found":
            return {"indices": [], "count": 0, "truncated": False}
        raise
    rows = reply.json()
    with expected("Elasticsearch"):
        found = [_kept(one) for one in rows]
    return {"indices": found[:limit], "count": len(found), "truncated": len(found) > limit}


@tool(effect=Effect.READ, idempotent=True, domain="kibana", timeout=30, examples=({},), exact=True, needs=SERVICE)
async def kibana_status(context: ToolContext) -> Standing:
    """Says whose the configured credential is and how the cluster stands; one that is not accepted is a failure."""
    who = (await ask_logs("GET", "/_security/_authenticate", context)).json()
    root = (await ask_logs("GET", "/", context)).json()
    itself = await ask_kibana("/api/status", context)
    with expected("Elasticsearch"):
        return {
            "cluster": str(root["cluster_name"]),
            "version": str(root["version"]["number"]),
            "health": await _health(context),
            "user": str(who["username"]),
            "roles": [str(one) for one in who.get("roles") or ()],
            "kibana": str(itself.json()["status"]["overall"]["level"]) if itself else "",
        }


async def _health(context: ToolContext) -> str:
    """Green, yellow or red; empty for somebody who may read logs and nothing else."""
    try:
        reply = await ask_logs("GET", "/_cluster/health", context)
    except ToolError as error:
        if error.http_status == NOT_ALLOWED:
            return ""
        raise
    with expected("Elasticsearch"):
        return str(reply.json()["status"])


def _kept(row: dict[str, Any]) -> Kept:
    return {
        "name": str(row["index"]),
        "health": str(row.get("health") or ""),
        "status": str(row["status"]),
        "documents": _number(row.get("docs.count")),
        "bytes": _number(row.get("store.size")),
    }


def _number(told: Any) -> int | None:
    return None if told is None else int(told)
