"""`get_health`: what the last look at tokens, networks and logins found, and who watches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.frontends.mcp_server.offers import Context, Offer, Reply, giving, taking
from engine.frontends.mcp_server.replies import answer
from engine.frontends.mcp_server.serving import Serving
from engine.frontends.mcp_server.tiers import Tier
from engine.health.lease import holder

ANY_LIST = {"type": "array", "items": {"type": "object"}}
HEALTHY = {"type": ["boolean", "null"], "description": "null: not known; nothing was looked at, or not everything."}


def health_offer() -> Offer:
    """The tool that tells how the environment was."""
    return Offer(
        name="get_health",
        title="Show health",
        description="Tells what the last look at tokens, networks, logins and health skills found, and foretells.",
        parameters=taking({}),
        result=giving(
            {
                "healthy": HEALTHY,
                "last_checked": {"type": ["string", "null"]},
                "checks": ANY_LIST,
                "predicted_issues": ANY_LIST,
                "watched": {"type": "boolean", "description": "Whether a process looks again and again."},
                "next": {"type": "string", "description": "What a person can do."},
            }
        ),
        needs=Tier.READ,
        act=_health,
        closed=True,
    )


async def _health(ctx: Context, serving: Serving, given: Mapping[str, Any]) -> Reply:  # noqa: ARG001 - as all
    content = serving.engine.memory.health.content()
    watched = holder(serving.engine.workspace.state) is not None
    checks = [{"name": name, **check} for name, check in (content.get("health_checks") or {}).items()]
    states = [check.get("healthy") for check in checks]
    told = {
        "healthy": False if False in states else None if None in states or not states else True,
        "last_checked": content.get("last_checked"),
        "checks": checks,
        "predicted_issues": list(content.get("predicted_issues") or ()),
        "watched": watched,
        "next": "" if watched else "`skill health check` looks once, `skill health watch` goes on",
    }
    return answer(told)
