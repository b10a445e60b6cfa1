"""Prometheus: which alerts fire, by which rules, and which targets it can read.

The domain `prometheus` gives the `url` (`tool_registry.functions.monitoring`).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypedDict

from tool_registry.functions.moments import moment
from tool_registry.functions.monitoring import number, texts
from tool_registry.functions.prometheus import ask_prometheus
from tool_registry.functions.services import SERVICE
from tool_registry.sources.expected import expected
from tool_registry.sources.python import tool
from tool_registry.tool import Effect, ToolContext

Limit = Annotated[int, {"minimum": 1, "maximum": 10_000}]


class Alert(TypedDict):
    """An alert of Prometheus: pending until it has lasted long enough, then firing; `since` in epoch seconds."""

    name: str
    state: str
    since: float | None
    value: float | None
    labels: dict[str, str]
    annotations: dict[str, str]


class Alerts(TypedDict):
    """Alerts, the oldest first, and their names, each once; `count` before the limit."""

    alerts: list[Alert]
    names: list[str]
    count: int
    truncated: bool


class Rule(TypedDict):
    """A rule: an alert, or a recorded expression; `lasts` are the seconds before it fires, `error` why it fails."""

    name: str
    type: str
    group: str
    file: str
    query: str
    lasts: float
    state: str
    health: str
    error: str
    labels: dict[str, str]
    annotations: dict[str, str]
    alerts: int


class Rules(TypedDict):
    """Rules, and the names of those that cannot be evaluated; `count` before the limit."""

    rules: list[Rule]
    failing: list[str]
    count: int
    truncated: bool


class Target(TypedDict):
    """What Prometheus scrapes: `health` is up, down or unknown, `last_scrape` null before the first one."""

    job: str
    instance: str
    url: str
    health: str
    error: str
    last_scrape: float | None
    labels: dict[str, str]


class Targets(TypedDict):
    """Targets, and those of them that are down; `count` before the limit."""

    targets: list[Target]
    down: list[str]
    count: int
    truncated: bool


@tool(
    effect=Effect.READ,
    idempotent=True,
    domain="prometheus",
    timeout=30,
    examples=({}, {"name": "TargetDown", "state": "firing"}, {"labels": {"severity": "critical"}}),
    exact=True,
    needs=SERVICE,
)
async def prometheus_alerts(
    context: ToolContext,
    name: str = "",
    state: Literal["", "firing", "pending"] = "",
    labels: dict[str, str] | None = None,
    limit: Limit = 500,
) -> Alerts:
    """Lists the alerts that fire or are about to, as Prometheus itself sees them; none is an empty list.

    Args:
        name: The alert's name; empty for all.
        state: firing or pending; empty for both.
        labels: Labels that an alert must have.
        limit: How many are given at most.

    Returns:
        alerts, names, count and truncated.
    """
    answer = await ask_prometheus("alerts", context, {})
    with expected("Prometheus"):
        listed = [_alert(one) for one in answer["data"]["alerts"]]
    wanted = {**({"alertname": name} if name else {}), **(labels or {})}
    found = [
        one
        for one in sorted(listed, key=lambda one: (one["since"] or 0.0, sorted(one["labels"].items())))
        if state in ("", one["state"]) and wanted.items() <= one["labels"].items()
    ]
    given = found[:limit]
    names = list(dict.fromkeys(one["name"] for one in found))
    return {"alerts": given, "names": names, "count": len(found), "truncated": len(found) > limit}


@tool(
    effect=Effect.READ,
    idempotent=True,
    domain="prometheus",
    timeout=30,
    examples=({}, {"type": "alert", "names": ["TargetDown"]}),
    exact=True,
    needs=SERVICE,
)
async def prometheus_rules(
    context: ToolContext,
    type: Literal["", "alert", "record"] = "",  # noqa: A002 - Prometheus' own word for it
    names: list[str] | None = None,
    limit: Limit = 500,
) -> Rules:
    """Lists the rules, with their expressions, how long they must hold, and whether they can be evaluated.

    Args:
        type: alert or record; empty for both.
        names: Only rules of these names.
        limit: How many are given at most.

    Returns:
        rules, failing, count and truncated.
    """
    answer = await ask_prometheus("rules", context, {"type": type or None})
    with expected("Prometheus"):
        listed = [_rule(one, group) for group in answer["data"]["groups"] for one in group["rules"]]
    found = [one for one in listed if not names or one["name"] in names]
    failing = [one["name"] for one in found if one["health"] == "err"]
    return {"rules": found[:limit], "failing": failing, "count": len(found), "truncated": len(found) > limit}


@tool(
    effect=Effect.READ,
    idempotent=True,
    domain="prometheus",
    timeout=30,
    examples=({}, {"job": "shop"}, {"health": "down"}),
    exact=True,
    needs=SERVICE,
)
async def prometheus_targets(
    context: ToolContext,
    job: str = "",
    instance: str = "",
    health: Literal["", "up", "down", "unknown"] = "",
    limit: Limit = 500,
) -> Targets:
    """Lists what Prometheus scrapes, whether it can, and what is in its way where it cannot.

    Args:
        job: Only targets of this job.
        instance: Only this instance.
        health: up, down or unknown; empty for all.
        limit: How many are given at most.

    Returns:
        targets, down, count and truncated.
    """
    answer = await ask_prometheus("targets", context, {"state": "active"})
    with expected("Prometheus"):
        listed = [_target(one) for one in answer["data"]["activeTargets"]]
    found = [
        one
        for one in listed
        if job in ("", one["job"]) and instance in ("", one["instance"]) and health in ("", one["health"])
    ]
    down = [f"{one['job']} {one['instance']}" for one in found if one["health"] == "down"]
    return {"targets": found[:limit], "down": down, "count": len(found), "truncated": len(found) > limit}


def _alert(said: dict[str, Any]) -> Alert:
    labels = texts(said["labels"])
    return {
        "name": labels.get("alertname", ""),
        "state": str(said["state"]),
        "since": moment(said.get("activeAt")),
        "value": number(said.get("value") or "NaN"),
        "labels": labels,
        "annotations": texts(said.get("annotations")),
    }


def _rule(said: dict[str, Any], group: dict[str, Any]) -> Rule:
    return {
        "name": str(said["name"]),
        "type": {"alerting": "alert", "recording": "record"}.get(said["type"], str(said["type"])),
        "group": str(group["name"]),
        "file": str(group.get("file") or ""),
        "query": str(said["query"]),
        "lasts": float(said.get("duration") or 0),
        "state": str(said.get("state") or ""),
        "health": str(said.get("health") or ""),
        "error": str(said.get("lastError") or ""),
        "labels": texts(said.get("labels")),
        "annotations": texts(said.get("annotations")),
        "alerts": len(said.get("alerts") or ()),
    }


def _target(said: dict[str, Any]) -> Target:
    labels = texts(said["labels"])
    scraped = moment(said.get("lastScrape"))
    return {
        "job": labels.get("job", ""),
        "instance": labels.get("instance", ""),
        "url": str(said.get("scrapeUrl") or ""),
        "health": str(said["health"]),
        "error": str(said.get("lastError") or ""),
        "last_scrape": scraped if scraped and scraped > 0 else None,
        "labels": labels,
    }
