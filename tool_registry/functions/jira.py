"""Jira, where one is configured: the issue a change belongs to.

The domain `jira` gives `url`, and names the environment variable that holds the token (`token_variable`).
"""

from __future__ import annotations

from typing import Annotated, Any, TypedDict
from urllib.parse import quote

from tool_registry.functions.services import SERVICE, ask_service
from tool_registry.sources.expected import expected
from tool_registry.sources.python import tool
from tool_registry.tool import Effect, ToolContext


class Issue(TypedDict):
    """An issue, in the parts a skill reads."""

    key: str
    summary: str
    status: str
    type: str
    assignee: str
    url: str


@tool(
    effect=Effect.READ,
    idempotent=True,
    domain="jira",
    timeout=30,
    examples=({"key": "SHOP-12"},),
    exact=True,
    needs=SERVICE,
)
async def jira_view_issue(key: Annotated[str, {"pattern": "^[A-Z][A-Z0-9]+-[0-9]+$"}], context: ToolContext) -> Issue:
    """Shows an issue.

    Args:
        key: The issue's key, as in SHOP-12.

    Returns:
        key, summary, status, type, assignee (empty for nobody) and url.
    """
    wanted = "summary,status,issuetype,assignee"
    path = f"/rest/api/2/issue/{quote(key)}?fields={wanted}"
    issue: dict[str, Any] = (await ask_service(path, context, "JIRA_API_TOKEN", header="Authorization")).json()
    return _issue(issue, str(context.settings["url"]).rstrip("/"))


@expected("Jira")
def _issue(issue: dict[str, Any], url: str) -> Issue:
    fields = issue["fields"]
    return {
        "key": str(issue["key"]),
        "summary": str(fields.get("summary") or ""),
        "status": _name(fields.get("status"), "name"),
        "type": _name(fields.get("issuetype"), "name"),
        "assignee": _name(fields.get("assignee"), "displayName"),
        "url": f"{url}/browse/{issue['key']}",
    }


def _name(field: Any, key: str) -> str:
    return str(field.get(key) or "") if isinstance(field, dict) else ""
