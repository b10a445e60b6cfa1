"""GitLab's merge requests, as they are: which there are, and how one stands."""

from __future__ import annotations

from typing import Any, Literal, TypedDict

from tool_registry.functions.gitlab_access import Limit, Number, Project, ask_gitlab, below, listed
from tool_registry.functions.moments import moment
from tool_registry.functions.services import SERVICE
from tool_registry.sources.expected import expected
from tool_registry.sources.http import Reply
from tool_registry.sources.python import tool
from tool_registry.tool import Effect, ToolContext

NO_REQUEST = ("404 Not found", "404 Not Found", "404 Merge Request Not Found")
"""What GitLab calls it when a project has no such merge request, by version."""


class MergeRequest(TypedDict):
    """A merge request: state is opened, closed, locked or merged; times in epoch seconds, null for not yet."""

    mr_id: int
    title: str
    state: str
    draft: bool
    author: str
    source_branch: str
    target_branch: str
    sha: str
    labels: list[str]
    created_at: float | None
    updated_at: float | None
    merged_at: float | None
    merge_commit: str
    url: str


class MergeRequests(TypedDict):
    """Merge requests, the newest first; `truncated` where there are more."""

    merge_requests: list[MergeRequest]
    count: int
    truncated: bool


class Approvals(TypedDict):
    """Who approved, and how many are still wanted."""

    approved: bool
    required: int
    left: int
    by: list[str]


class Viewed(TypedDict):
    """A merge request with its text, or `found` false and nothing else; `can_merge` is GitLab's word for it."""

    found: bool
    merge_request: MergeRequest | None
    description: str
    can_merge: str
    pipeline: str
    approvals: Approvals | None


@tool(
    effect=Effect.READ,
    idempotent=True,
    domain="gitlab",
    timeout=60,
    examples=({"project": "group/shop"}, {"project": "group/shop", "state": "merged", "target_branch": "main"}),
    exact=True,
    needs=SERVICE,
)
async def gitlab_mr_list(  # noqa: PLR0913, PLR0917 - a filter per column, every one by keyword
    context: ToolContext,
    project: Project = "",
    state: Literal["opened", "closed", "locked", "merged", "all"] = "opened",
    source_branch: str = "",
    target_branch: str = "",
    author: str = "",
    labels: list[str] | None = None,
    limit: Limit = 100,
) -> MergeRequests:
    """Lists the merge requests of a project, the newest first; none is an empty list.

    Args:
        project: The project's path or number, as in `group/shop`; empty for the domain's.
        state: Only those in this state, or all.
        source_branch: Only those from this branch.
        target_branch: Only those into this branch.
        author: Only those of this user name.
        labels: Only those that have all of these labels.
        limit: How many are given at most.

    Returns:
        merge_requests, count and truncated.
    """
    wanted = {"source_branch": source_branch, "target_branch": target_branch, "author_username": author}
    params = {"state": state, **{name: value for name, value in wanted.items() if value}}
    if labels:
        params["labels"] = ",".join(labels)
    found, more = await listed(below(project, context, "/merge_requests"), context, params=params, limit=limit)
    requests = [merge_request(one) for one in found]
    return {"merge_requests": requests, "count": len(requests), "truncated": more}


@tool(
    effect=Effect.READ,
    idempotent=True,
    domain="gitlab",
    timeout=30,
    examples=({"project": "group/shop", "mr_id": 7},),
    exact=True,
    needs=SERVICE,
)
async def gitlab_mr_view(mr_id: Number, context: ToolContext, project: Project = "") -> Viewed:
    """Shows a merge request, its approvals and its pipeline; that there is none of that number is a normal answer.

    Args:
        mr_id: The merge request's number in its project.
        project: The project's path or number; empty for the domain's.

    Returns:
        found, merge_request, description, can_merge (mergeable, draft_status, conflict, ...), pipeline (its status,
        empty for none) and approvals.
    """
    reply = await seen(mr_id, context, project)
    if reply is None:
        none: Viewed = {
            "found": False,
            "merge_request": None,
            "description": "",
            "can_merge": "",
            "pipeline": "",
            "approvals": None,
        }
        return none
    said = reply.json()
    approvals = await ask_gitlab("GET", f"{_path(mr_id, context, project)}/approvals", context, missing=NO_REQUEST)
    with expected("GitLab"):
        return {
            "found": True,
            "merge_request": merge_request(said),
            "description": str(said.get("description") or ""),
            "can_merge": str(said.get("detailed_merge_status") or said.get("merge_status") or ""),
            "pipeline": str((said.get("head_pipeline") or {}).get("status") or ""),
            "approvals": _approvals(approvals.json()) if approvals else None,
        }


async def seen(mr_id: int, context: ToolContext, project: str) -> Reply | None:
    """What GitLab says of a merge request; None when the project has none of that number."""
    return await ask_gitlab("GET", _path(mr_id, context, project), context, missing=NO_REQUEST)


def _path(mr_id: int, context: ToolContext, project: str) -> str:
    return below(project, context, f"/merge_requests/{mr_id}")


@expected("GitLab")
def merge_request(said: dict[str, Any]) -> MergeRequest:
    """A merge request in the parts a skill reads."""
    return {
        "mr_id": int(said["iid"]),
        "title": str(said["title"]),
        "state": str(said["state"]),
        "draft": bool(said.get("draft")),
        "author": str((said.get("author") or {}).get("username") or ""),
        "source_branch": str(said["source_branch"]),
        "target_branch": str(said["target_branch"]),
        "sha": str(said.get("sha") or ""),
        "labels": [str(one) for one in said.get("labels") or ()],
        "created_at": moment(said.get("created_at")),
        "updated_at": moment(said.get("updated_at")),
        "merged_at": moment(said.get("merged_at")),
        "merge_commit": str(said.get("merge_commit_sha") or said.get("squash_commit_sha") or ""),
        "url": str(said.get("web_url") or ""),
    }


@expected("GitLab")
def _approvals(said: dict[str, Any]) -> Approvals:
    return {
        "approved": bool(said.get("approved")),
        "required": int(said.get("approvals_required") or 0),
        "left": int(said.get("approvals_left") or 0),
        "by": [str(one["user"]["username"]) for one in said.get("approved_by") or ()],
    }
