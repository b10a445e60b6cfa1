"""Logs that Elasticsearch keeps and Kibana shows: searching them, their errors in groups, and where they are kept.

What entries say is data. Nothing here reads them for words that mean failures; they are counted and shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, TypedDict

from tool_registry.functions.kibana_access import Index, ask_logs, index_path
from tool_registry.functions.kibana_fields import Fields, fields_of, filters, read_part
from tool_registry.functions.moments import moment
from tool_registry.functions.services import SERVICE
from tool_registry.sources.expected import expected
from tool_registry.sources.python import tool
from tool_registry.tool import Effect, ToolContext

LONGEST_MESSAGE = 4_000
"""Characters of an entry's message that are given."""
MOST = 1_000
"""Entries that are read at most, in one answer."""
VARYING = re.compile(
    r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b0x[0-9a-f]+\b|\b(?=[a-f]*[0-9])[0-9a-f]{8,}\b|[0-9]+",
    re.IGNORECASE,
)
"""What differs between two messages about the same thing: identifiers, addresses, numbers."""
LONGEST_PATTERN = 200
Since = Annotated[str, {"minLength": 1}]
Level = Literal["", "warning", "error"]


class Entry(TypedDict):
    """A log entry; `time` in epoch seconds, parts that it does not have empty."""

    time: float | None
    level: str
    message: str
    namespace: str
    pod: str
    app: str
    index: str
    id: str


class Entries(TypedDict):
    """Log entries, the newest first; `total` of those that fit (at least, where `more_than_total`).

    `indices` false: there is nothing of that name to look into. `complete` false: part of it could not be searched,
    for the reasons in `warnings`.
    """

    entries: list[Entry]
    count: int
    total: int
    more_than_total: bool
    truncated: bool
    indices: bool
    complete: bool
    warnings: list[str]


class Group(TypedDict):
    """Entries that say the same but for numbers (`#`); times in epoch seconds, `message` the newest of them."""

    pattern: str
    count: int
    first: float | None
    last: float | None
    message: str
    levels: list[str]
    namespaces: list[str]
    pods: list[str]
    apps: list[str]


class Errors(TypedDict):
    """Errors in groups, the largest first; `read` entries of `total` were grouped."""

    groups: list[Group]
    count: int
    read: int
    total: int
    more_than_total: bool
    truncated: bool
    indices: bool
    complete: bool
    warnings: list[str]


@tool(
    effect=Effect.READ,
    idempotent=True,
    domain="kibana",
    timeout=60,
    examples=(
        {"query": "timeout AND checkout", "since": "2h", "namespace": "shop"},
        {"level": "error", "index": "logs-shop-*", "limit": 20},
    ),
    exact=True,
    needs=SERVICE,
)
async def kibana_search_logs(  # noqa: PLR0913, PLR0917 - a filter per part, every one by keyword
    context: ToolContext,
    query: str = "",
    index: Index = "",
    since: Since = "1h",
    until: str = "",
    namespace: str = "",
    app: str = "",
    level: Level = "",
    limit: Annotated[int, {"minimum": 1, "maximum": MOST}] = 100,
) -> Entries:
    """Searches logs, the newest entries first; none is an empty list, a query that is none is a failure.

    Args:
        query: Words, or Lucene's query language, as in `message:"time-out" AND NOT pod:test*`; empty for all.
        index: The index, or a pattern of indices; empty for the domain's.
        since: From when on: how long before now, as in 30m or 2d, or a moment as RFC 3339 writes it.
        until: Up to when; empty for now.
        namespace: Only entries of this Kubernetes namespace.
        app: Only entries of this application.
        level: Only warnings and errors, or only errors, by the level that entries name.
        limit: How many are given at most.

    Returns:
        entries, count, total, more_than_total, truncated, indices, complete and warnings.
    """
    fields = fields_of(context)
    wanted = filters(fields, since=since, until=until, level=level, namespace=namespace, app=app, query=query)
    return await searched(wanted, fields, context, index=index, limit=limit)


@tool(
    effect=Effect.READ,
    idempotent=True,
    domain="kibana",
    timeout=60,
    examples=({"namespace": "shop"}, {"app": "checkout", "since": "1d", "limit": 5}),
    exact=True,
    needs=SERVICE,
)
async def kibana_errors(  # noqa: PLR0913, PLR0917 - as above
    context: ToolContext,
    query: str = "",
    index: Index = "",
    since: Since = "1h",
    until: str = "",
    namespace: str = "",
    app: str = "",
    limit: Annotated[int, {"minimum": 1, "maximum": 200}] = 20,
) -> Errors:
    """Groups the errors in logs by what they say, the most frequent first; the newest thousand are read.

    Args:
        query: Only entries that fit this, in Lucene's query language; empty for all.
        index: The index, or a pattern of indices; empty for the domain's.
        since: From when on: how long before now, as in 30m or 2d, or a moment as RFC 3339 writes it.
        until: Up to when; empty for now.
        namespace: Only entries of this Kubernetes namespace.
        app: Only entries of this application.
        limit: How many groups are given at most.

    Returns:
        groups, count, read, total, more_than_total, truncated, indices, complete and warnings.
    """
    fields = fields_of(context)
    wanted = filters(fields, since=since, until=until, level="error", namespace=namespace, app=app, query=query)
    found = await searched(wanted, fields, context, index=index, limit=MOST)
    groups = grouped(found["entries"])
    return {
        "groups": groups[:limit],
        "count": len(groups[:limit]),
        "read": found["count"],
        "total": found["total"],
        "more_than_total": found["more_than_total"],
        "truncated": found["truncated"] or len(groups) > limit,
        "indices": found["indices"],
        "complete": found["complete"],
        "warnings": found["warnings"],
    }


async def searched(
    wanted: Mapping[str, Any], fields: Fields, context: ToolContext, *, index: str, limit: int
) -> Entries:
    """The newest entries that fit; the server gives up a little before the call does, and says what it has."""
    body = {
        "query": wanted,
        "size": limit,
        "sort": [{fields["time"][0]: {"order": "desc", "unmapped_type": "date"}}],
        "_source": sorted({name for names in fields.values() for name in names}),
        "timeout": f"{max(int(context.timeout * 800), 1)}ms",
    }
    reply = await ask_logs("POST", f"{index_path(index, context)}/_search", context, body=body)
    said = reply.json()
    with expected("Elasticsearch"):
        hits, shards = said["hits"]["hits"], said["_shards"]
        total = said["hits"]["total"]
        entries = [_entry(one, fields) for one in hits]
        late = bool(said["timed_out"])
        return {
            "entries": entries,
            "count": len(entries),
            "total": int(total["value"]),
            "more_than_total": total["relation"] != "eq",
            "truncated": int(total["value"]) > len(entries),
            "indices": int(shards["total"]) > 0,
            "complete": not late and not int(shards["failed"]),
            "warnings": [*(["the search took too long and was ended early"] if late else []), *_failures(shards)],
        }


def grouped(entries: Iterable[Entry]) -> list[Group]:
    """Entries by what they say, the largest group first, and of two as large the one that came last."""
    found: dict[str, list[Entry]] = {}
    for one in entries:
        found.setdefault(pattern_of(one["message"]), []).append(one)
    groups = [_group(pattern, members) for pattern, members in found.items()]
    return sorted(groups, key=lambda group: (-group["count"], -(group["last"] or 0.0)))


def pattern_of(message: str) -> str:
    """The first line of a message, without what varies."""
    first = next((line for line in message.splitlines() if line.strip()), "")
    return VARYING.sub("#", first.strip())[:LONGEST_PATTERN]


def _group(pattern: str, members: list[Entry]) -> Group:
    times = [one["time"] for one in members if one["time"] is not None]
    return {
        "pattern": pattern,
        "count": len(members),
        "first": min(times, default=None),
        "last": max(times, default=None),
        "message": members[0]["message"],
        "levels": sorted({one["level"] for one in members}),
        "namespaces": sorted({one["namespace"] for one in members} - {""}),
        "pods": sorted({one["pod"] for one in members} - {""}),
        "apps": sorted({one["app"] for one in members} - {""}),
    }


def _entry(hit: Mapping[str, Any], fields: Fields) -> Entry:
    source = hit.get("_source") or {}
    part = {name: read_part(source, fields[name]) for name in ("level", "message", "namespace", "pod", "app")}
    return {
        "time": _time(read_part(source, fields["time"])),
        "level": part["level"].lower(),
        "message": part["message"][:LONGEST_MESSAGE],
        "namespace": part["namespace"],
        "pod": part["pod"],
        "app": part["app"],
        "index": str(hit["_index"]),
        "id": str(hit["_id"]),
    }


def _time(told: str) -> float | None:
    """A moment in epoch seconds; numbers are milliseconds, as Elasticsearch keeps dates."""
    return int(told) / 1_000 if told.isdecimal() else moment(told)


def _failures(shards: Mapping[str, Any]) -> list[str]:
    """Why shards could not be searched, each reason once."""
    reasons = [one["reason"] for one in shards.get("failures") or ()]
    return sorted({f"{one['type']}: {one.get('reason') or ''}" for one in reasons})
