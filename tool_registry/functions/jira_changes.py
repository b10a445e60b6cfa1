"""Changing Jira's issues: making one, commenting, and moving one on.

Each looks before it writes. So a call that is repeated after its answer was lost finds what it did, and does it once.
"""

from __future__ import annotations

from typing import Annotated, Any, TypedDict
from urllib.parse import quote

from tool_registry.functions.jira import Issue, found, issue, seen
from tool_registry.functions.jira_access import Key, Text, answer, ask_jira
from tool_registry.functions.services import SERVICE
from tool_registry.sources.expected import expected
from tool_registry.sources.python import tool
from tool_registry.tool import Effect, ToolContext, ToolError

RECENT = "reporter = currentUser() AND created >= -1d ORDER BY created DESC"
"""Where an issue is looked for that this run made before."""
NEWEST = 200
SEEN = "summary,status,issuetype,assignee,description"


class Made(TypedDict):
    """The issue, and whether this call made it or found that it had been made."""

    issue: Issue
    created: bool


class Commented(TypedDict):
    """The comment, and whether this call made it; `found`: is there such an issue."""

    found: bool
    created: bool
    comment_id: str


class Moved(TypedDict):
    """How the issue stands; `changed` false when it stood there before, `found` when there is none."""

    found: bool
    changed: bool
    before: str
    status: str


@tool(
    effect=Effect.WRITE,
    idempotent=True,
    domain="jira",
    timeout=60,
    examples=({"project": "SHOP", "summary": "Prices are missing", "type": "Bug"},),
    exact=True,
    needs=SERVICE,
)
async def jira_create_issue(
    summary: Annotated[str, {"minLength": 1, "maxLength": 255}],
    context: ToolContext,
    description: str = "",
    type: Text = "Task",  # noqa: A002 - its name there
    labels: list[str] | None = None,
    project: Annotated[str, {"pattern": "^$|^[A-Z][A-Z0-9_]+$"}] = "",
) -> Made:
    """Makes an issue; the same call in the same run makes no second one.

    Args:
        summary: What it is about, in a line.
        description: What it is about, in Jira's markup; the run's number is written below it.
        type: Task, Bug, Story, or what the project has.
        labels: Its labels.
        project: The project's key, as in SHOP; empty for the domain's.

    Returns:
        issue (key, summary, status, type, assignee, url) and created.
    """
    where = project or str(context.settings.get("project") or "")
    if not where:
        message = "name a project, or set one: the domain jira has no project"
        raise ToolError(message, kind="configuration_error", sent=False)
    words = _signed(description, context)
    rows, _ = await found(f'project = "{where}" AND {RECENT}', context, fields=SEEN, limit=NEWEST)
    for one in rows:
        with expected("Jira"):
            same = (one["fields"].get("summary"), one["fields"].get("description") or "") == (summary, words)
        if same:
            return {"issue": issue(one, context), "created": False}
    fields: dict[str, Any] = {"project": {"key": where}, "summary": summary, "issuetype": {"name": type}}
    fields |= {"description": words, "labels": labels or []}
    said = await answer("POST", "/issue", context, body={"fields": fields})
    with expected("Jira"):
        key = str(said["key"])
    made = await seen(key, context)
    if made is None:
        raise ToolError(f"{key} was made, and cannot be seen", kind="unexpected_result", sent=True)
    return {"issue": made, "created": True}


@tool(
    effect=Effect.WRITE,
    idempotent=True,
    domain="jira",
    timeout=60,
    examples=({"key": "SHOP-12", "body": "It is being looked into."},),
    exact=True,
    needs=SERVICE,
)
async def jira_add_comment(key: Key, body: Text, context: ToolContext) -> Commented:
    """Comments on an issue; the same words in the same run are said once.

    Args:
        key: The issue's key, as in SHOP-12.
        body: What is said, in Jira's markup; the run's number is written below it.

    Returns:
        found (is there such an issue), created and comment_id.
    """
    if await seen(key, context) is None:
        return {"found": False, "created": False, "comment_id": ""}
    path, words = f"/issue/{quote(key)}/comment", _signed(body, context)
    said = await answer("GET", path, context, params={"orderBy": "-created", "maxResults": NEWEST})
    with expected("Jira"):
        standing = next((str(one["id"]) for one in said["comments"] if one["body"] == words), None)
    if standing is not None:
        return {"found": True, "created": False, "comment_id": standing}
    made = await answer("POST", path, context, body={"body": words})
    with expected("Jira"):
        return {"found": True, "created": True, "comment_id": str(made["id"])}


@tool(
    effect=Effect.WRITE,
    idempotent=True,
    domain="jira",
    timeout=60,
    examples=({"key": "SHOP-12", "to": "In Progress"},),
    exact=True,
    needs=SERVICE,
)
async def jira_transition(key: Key, to: Text, context: ToolContext) -> Moved:
    """Moves an issue to a status; one that stands there stays as it is, a way that its workflow has not is a failure.

    Args:
        key: The issue's key, as in SHOP-12.
        to: The status it is to have, or the name of the transition that leads there; only by a status is seen that it
            stands there already.

    Returns:
        found (is there such an issue), changed, before and status.
    """
    standing = await seen(key, context)
    if standing is None:
        return {"found": False, "changed": False, "before": "", "status": ""}
    before = standing["status"]
    if before.casefold() == to.casefold():
        return {"found": True, "changed": False, "before": before, "status": before}
    path = f"/issue/{quote(key)}/transitions"
    said = await answer("GET", path, context)
    with expected("Jira"):
        ways = [(str(one["id"]), str(one["name"]), str(one["to"]["name"])) for one in said["transitions"]]
    found_way = next((one for one in ways if to.casefold() in (one[2].casefold(), one[1].casefold())), None)
    if found_way is None:
        raise _no_way(key, before, to, ways)
    await ask_jira("POST", path, context, body={"transition": {"id": found_way[0]}})
    return {"found": True, "changed": True, "before": before, "status": found_way[2]}


def _no_way(key: str, before: str, to: str, ways: list[tuple[str, str, str]]) -> ToolError:
    known = ", ".join(one[2] for one in ways) or "nowhere"
    return ToolError(
        f"{key} is {before}, from where no transition leads to {to}, but to: {known}",
        kind="conflict",
        sent=True,
        details={"status": before, "ways": [one[2] for one in ways]},
    )


def _signed(words: str, context: ToolContext) -> str:
    """The words, with the run that said them."""
    return f"{words}\n\n(skill run {context.run_id})".strip() if context.run_id else words
