"""Alertmanager: which alerts it has, how it groups them, and how it is.

The domain `alertmanager` gives the `url` (`tool_registry.functions.monitoring`). Matchers are texts as people write
them for Alertmanager: `alertname="TargetDown"`, `severity=~"critical|warning"`, `team!="shop"`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypedDict

from tool_registry.functions.moments import moment
from tool_registry.functions.monitoring import ask_monitoring, texts
from tool_registry.functions.services import SERVICE
from tool_registry.sources.expected import expected
from tool_registry.sources.http import Reply
from tool_registry.sources.python import tool
from tool_registry.tool import Effect, ToolContext

Limit = Annotated[int, {"minimum": 1, "maximum": 10_000}]


class KnownAlert(TypedDict):
    """An alert Alertmanager has: active, suppressed (silenced or inhibited) or unprocessed; times in epoch seconds."""

    fingerprint: str
    name: str
    state: str
    labels: dict[str, str]
    annotations: dict[str, str]
    since: float | None
    ends: float | None
    silenced_by: list[str]
    inhibited_by: list[str]
    receivers: list[str]


class KnownAlerts(TypedDict):
    """Alerts, the oldest first, and their names, each once; `count` before the limit."""

    alerts: list[KnownAlert]
    names: list[str]
    count: int
    truncated: bool


class Group(TypedDict):
    """Alerts that are told together, and to whom."""

    labels: dict[str, str]
    receiver: str
    alerts: list[KnownAlert]


class Groups(TypedDict):
    """Groups of alerts; `count` before the limit."""

    groups: list[Group]
    count: int
    truncated: bool


class Status(TypedDict):
    """Who answers: its version, since when it runs (epoch seconds), how its cluster is, and who is told of alerts."""

    version: str
    since: float | None
    cluster: str
    peers: int
    receivers: list[str]


@tool(
    effect=Effect.READ,
    idempotent=True,
    domain="alertmanager",
    timeout=30,
    examples=({}, {"matchers": ['alertname="TargetDown"'], "state": "active"}, {"labels": {"severity": "critical"}}),
    exact=True,
    needs=SERVICE,
)
async def alertmanager_alerts(
    context: ToolContext,
    matchers: list[str] | None = None,
    labels: dict[str, str] | None = None,
    state: Literal["", "active", "suppressed", "unprocessed"] = "",
    limit: Limit = 500,
) -> KnownAlerts:
    """Lists the alerts Alertmanager has, and by which silences they are silenced; none is an empty list.

    Args:
        matchers: What an alert must fit, as in `severity=~"critical|warning"`.
        labels: Labels that an alert must have.
        state: active, suppressed or unprocessed; empty for all.
        limit: How many are given at most.

    Returns:
        alerts, names, count and truncated.
    """
    reply = await ask_alertmanager("GET", "/alerts", context, params={"filter": matchers})
    with expected("Alertmanager"):
        listed = [_alert(one) for one in reply.json()]
    wanted = (labels or {}).items()
    ordered = sorted(listed, key=lambda one: (one["since"] or 0.0, one["fingerprint"]))
    found = [one for one in ordered if state in ("", one["state"]) and wanted <= one["labels"].items()]
    names = list(dict.fromkeys(one["name"] for one in found))
    return {"alerts": found[:limit], "names": names, "count": len(found), "truncated": len(found) > limit}


@tool(
    effect=Effect.READ,
    idempotent=True,
    domain="alertmanager",
    timeout=30,
    examples=({}, {"matchers": ['severity="critical"']}),
    exact=True,
    needs=SERVICE,
)
async def alertmanager_alert_groups(
    context: ToolContext, matchers: list[str] | None = None, limit: Limit = 200
) -> Groups:
    """Lists the alerts as they are told: grouped, and to which receiver.

    Args:
        matchers: What an alert must fit, as in `severity=~"critical|warning"`.
        limit: How many groups are given at most.

    Returns:
        groups, count and truncated.
    """
    reply = await ask_alertmanager("GET", "/alerts/groups", context, params={"filter": matchers})
    with expected("Alertmanager"):
        found: list[Group] = [
            {
                "labels": texts(one["labels"]),
                "receiver": str(one["receiver"]["name"]),
                "alerts": [_alert(each) for each in one["alerts"]],
            }
            for one in reply.json()
        ]
    return {"groups": found[:limit], "count": len(found), "truncated": len(found) > limit}


@tool(
    effect=Effect.READ,
    idempotent=True,
    domain="alertmanager",
    timeout=15,
    examples=({},),
    exact=True,
    needs=SERVICE,
)
async def alertmanager_status(context: ToolContext) -> Status:
    """Says which Alertmanager answers, since when it runs, and whom it tells of alerts.

    Returns:
        version, since, cluster (ready, settling or disabled), peers and receivers.
    """
    reply = await ask_alertmanager("GET", "/status", context)
    receivers = await ask_alertmanager("GET", "/receivers", context)
    with expected("Alertmanager"):
        said = reply.json()
        return {
            "version": str(said["versionInfo"]["version"]),
            "since": moment(said.get("uptime")),
            "cluster": str(said["cluster"]["status"]),
            "peers": len(said["cluster"].get("peers") or ()),
            "receivers": [str(one["name"]) for one in receivers.json()],
        }


async def ask_alertmanager(method: str, path: str, context: ToolContext, **request: Any) -> Reply:
    """What Alertmanager's API (version 2) answers."""
    return await ask_monitoring(
        method,
        f"/api/v2{path}",
        context,
        of="Alertmanager",
        variable="ALERTMANAGER_TOKEN",
        **request,
    )


def _alert(said: dict[str, Any]) -> KnownAlert:
    labels = texts(said["labels"])
    return {
        "fingerprint": str(said["fingerprint"]),
        "name": labels.get("alertname", ""),
        "state": str(said["status"]["state"]),
        "labels": labels,
        "annotations": texts(said.get("annotations")),
        "since": moment(said.get("startsAt")),
        "ends": moment(said.get("endsAt")),
        "silenced_by": [str(one) for one in said["status"].get("silencedBy") or ()],
        "inhibited_by": [str(one) for one in said["status"].get("inhibitedBy") or ()],
        "receivers": [str(one["name"]) for one in said.get("receivers") or ()],
    }
