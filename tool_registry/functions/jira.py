"""Jira, where one is configured: the issue a change belongs to, and issues by a query."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, TypedDict
from urllib.parse import quote

from tool_registry.functions.jira_access import Key, Text, answer, ask_jira
from tool_registry.functions.services import SERVICE
from tool_registry.sources.expected import expected
from tool_registry.sources.python import tool
from tool_registry.tool import Effect, ToolContext, ToolError

WANTED = "summary,status,issuetype,assignee"
PAGE = 100
"""Issues that are asked for at once."""


class Issue(TypedDict):
    """An issue, in the parts a skill reads."""

    key: str
    summary: str
    status: str
    type: str
    assignee: str
    url: str


class Issues(TypedDict):
    """Issues in the order of the query; `count` is how many are given, `truncated` whether there are more."""

    issues: list[Issue]
    count: int
    truncated: bool


class Account(TypedDict):
    """Whose the token is: `user` the name to log in by, where Jira tells it, else the one shown to people."""

    ok: bool
    user: str


@tool(effect=Effect.READ, idempotent=True, domain="jira", timeout=15, examples=({},), exact=True, needs=SERVICE)
async def jira_login_state(context: ToolContext) -> Account:
    """Says whose the configured Jira token is; one that is not accepted is a failure.

    Returns:
        ok (true) and user.
    """
    said = await answer("GET", "/myself", context)
    with expected("Jira"):
        return {"ok": True, "user": str(said.get("name") or said.get("emailAddress") or said["displayName"])}


@tool(
    effect=Effect.READ,
    idempotent=True,
    domain="jira",
    timeout=30,
    examples=({"key": "SHOP-12"},),
    exact=True,
    needs=SERVICE,
)
async def jira_view_issue(key: Key, context: ToolContext) -> Issue:
    """Shows an issue.

    Args:
        key: The issue's key, as in SHOP-12.

    Returns:
        key, summary, status, type, assignee (empty for nobody) and url.
    """
    return issue(await answer("GET", f"/issue/{quote(key)}", context, params={"fields": WANTED}), context)


@tool(
    effect=Effect.READ,
    idempotent=True,
    domain="jira",
    timeout=60,
    examples=({"jql": "project = SHOP AND status != Done ORDER BY created DESC"},),
    exact=True,
    needs=SERVICE,
)
async def jira_list_issues(
    jql: Text, context: ToolContext, limit: Annotated[int, {"minimum": 1, "maximum": 1_000}] = 100
) -> Issues:
    """Lists the issues that a query finds; none is an empty list, a query that is none is a failure.

    Args:
        jql: The query, in Jira's query language.
        limit: How many are given at most.

    Returns:
        issues, count and truncated.
    """
    rows, more = await found(jql, context, fields=WANTED, limit=limit)
    issues = [issue(one, context) for one in rows]
    return {"issues": issues, "count": len(issues), "truncated": more}


async def found(jql: str, context: ToolContext, *, fields: str, limit: int) -> tuple[list[dict[str, Any]], bool]:
    """The first issues of a query, read page by page, and whether there are more.

    Atlassian's cloud has no more the search that a server of one's own has (its changelog, CHANGE-2046), and says so.
    """
    try:
        return await _counted(jql, context, fields=fields, limit=limit)
    except ToolError as error:
        if error.http_status != HTTPStatus.GONE:
            raise
    return await _chained(jql, context, fields=fields, limit=limit)


async def _counted(jql: str, context: ToolContext, *, fields: str, limit: int) -> tuple[list[dict[str, Any]], bool]:
    """By pages that are counted, and a total."""
    rows: list[dict[str, Any]] = []
    while len(rows) < limit:
        asked = {"jql": jql, "fields": fields, "startAt": len(rows), "maxResults": min(limit - len(rows), PAGE)}
        said = await answer("GET", "/search", context, params=asked)
        with expected("Jira"):
            page = [dict(one) for one in said["issues"]]
            total = int(said["total"])
        rows += page
        if not page or len(rows) >= total:
            return rows[:limit], False
    return rows[:limit], True


async def _chained(jql: str, context: ToolContext, *, fields: str, limit: int) -> tuple[list[dict[str, Any]], bool]:
    """By pages each of which names the next; how many there are in all nobody says."""
    rows: list[dict[str, Any]] = []
    following = ""
    while len(rows) < limit:
        asked = {"jql": jql, "fields": fields, "maxResults": min(limit - len(rows), PAGE)}
        said = await answer("GET", "/search/jql", context, params=asked | {"nextPageToken": following or None})
        with expected("Jira"):
            page = [dict(one) for one in said["issues"]]
            following = str(said.get("nextPageToken") or "")
        rows += page
        if not page or not following:
            return rows[:limit], False
    return rows[:limit], True


async def seen(key: str, context: ToolContext) -> Issue | None:
    """An issue; None when there is none of that key."""
    reply = await ask_jira("GET", f"/issue/{quote(key)}", context, params={"fields": WANTED}, may_miss=True)
    return issue(reply.json(), context) if reply else None


@expected("Jira")
def issue(said: dict[str, Any], context: ToolContext) -> Issue:
    """An issue in the parts a skill reads."""
    fields = said["fields"]
    return {
        "key": str(said["key"]),
        "summary": str(fields.get("summary") or ""),
        "status": _name(fields.get("status"), "name"),
        "type": _name(fields.get("issuetype"), "name"),
        "assignee": _name(fields.get("assignee"), "displayName"),
        "url": f"{str(context.settings['url']).rstrip('/')}/browse/{said['key']}",
    }


def _name(field: Any, key: str) -> str:
    return str(field.get(key) or "") if isinstance(field, dict) else ""
