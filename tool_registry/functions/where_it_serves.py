"""How what runs in a namespace is reached from outside: the address of its first route or ingress."""

from __future__ import annotations

from typing import Any

from tool_registry.functions.cluster import ask_cluster, inside
from tool_registry.tool import ToolContext, ToolError

ROUTES, INGRESSES = "/apis/route.openshift.io/v1", "/apis/networking.k8s.io/v1"


async def address(namespace: str, context: ToolContext) -> str:
    """The address; empty where there is none, or we may not see it."""
    for resource, group in (("routes", ROUTES), ("ingresses", INGRESSES)):
        path = inside(namespace, resource, group=group)
        try:
            reply = await ask_cluster("GET", path, context, params={"limit": 50}, not_found=(403, 404))
            items: list[Any] = (reply.json().get("items") or []) if reply.found else []
            found = next(filter(None, (_address(one) for one in items)), "")
        except (LookupError, TypeError, AttributeError):
            found = ""
        except ToolError as error:
            if error.kind != "api_contract_mismatch":
                raise
            found = ""
        if found:
            return found
    return ""


def _address(said: Any) -> str:
    spec = said["spec"]
    if "rules" in spec:
        host = next((str(each["host"]) for each in spec["rules"] or () if each.get("host")), "")
    else:
        host = str(spec.get("host") or "")
    return f"{'https' if spec.get('tls') else 'http'}://{host}" if host else ""
