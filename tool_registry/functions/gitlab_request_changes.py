"""Changing GitLab's merge requests: opening, updating, commenting, closing, merging.

Each looks before it writes. So a call that is repeated after its answer was lost finds what it did, and does it once.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, TypedDict

from tool_registry.functions.gitlab_access import Number, Project, answer, below, listed
from tool_registry.functions.gitlab_requests import MergeRequest, merge_request, seen
from tool_registry.functions.services import SERVICE
from tool_registry.sources.expected import expected
from tool_registry.sources.python import tool
from tool_registry.tool import Effect, ToolContext, ToolError

NEWEST_NOTES = 300
"""The notes among which a comment is looked for that was made before."""
ACTION = re.compile(r"(^|[\r\n])([^\S\r\n]*)/(?=[A-Za-z_]+(?:\s|$))")
"""What begins a line by which GitLab would do something (its quick actions): `/merge`, `/approve`, `/close`."""
Text = Annotated[str, {"minLength": 1}]


class Opened(TypedDict):
    """The merge request, and whether this call opened it or found it open."""

    merge_request: MergeRequest
    created: bool


class Changed(TypedDict):
    """How the merge request stands now; `found` false when there is none, `changed` false when it stood so before."""

    found: bool
    changed: bool
    merge_request: MergeRequest | None


class Commented(TypedDict):
    """The comment, and whether this call made it or found that it had been made; `found`: is there a merge request."""

    found: bool
    created: bool
    note_id: int | None


@tool(
    effect=Effect.WRITE,
    idempotent=True,
    domain="gitlab",
    timeout=60,
    examples=({"project": "group/shop", "source_branch": "prices", "title": "Show prices"},),
    exact=True,
    needs=SERVICE,
)
async def gitlab_mr_create(
    source_branch: Text,
    title: Text,
    context: ToolContext,
    target_branch: Text = "main",
    description: str = "",
    labels: list[str] | None = None,
    project: Project = "",
) -> Opened:
    """Opens a merge request; one that is open already from that branch into that other one is given instead.

    Args:
        source_branch: The branch with the change; it has been pushed.
        title: Its title; one that begins with `Draft:` is not ready to be merged.
        target_branch: The branch it goes into.
        description: What it is about, in Markdown; lines like `/approve` in it are words, and do nothing.
        labels: Its labels.
        project: The project's path or number; empty for the domain's.

    Returns:
        merge_request and created.
    """
    path = below(project, context, "/merge_requests")
    branches = {"source_branch": source_branch, "target_branch": target_branch}
    if standing := await _standing(path, branches, context):
        return {"merge_request": standing, "created": False}
    body = {**branches, "title": title, "description": _words(description), "labels": ",".join(labels or ())}
    try:
        made = await answer("POST", path, context, body=body)
    except ToolError as error:
        # somebody else was quicker: GitLab allows one open merge request for two branches
        standing = await _standing(path, branches, context) if error.http_status == 409 else None  # noqa: PLR2004
        if standing is None:
            raise
        return {"merge_request": standing, "created": False}
    return {"merge_request": merge_request(made), "created": True}


@tool(
    effect=Effect.WRITE,
    idempotent=True,
    domain="gitlab",
    timeout=60,
    examples=({"project": "group/shop", "mr_id": 7, "title": "Show prices", "labels": ["ready"]},),
    exact=True,
    needs=SERVICE,
)
async def gitlab_mr_update(
    mr_id: Number,
    context: ToolContext,
    title: str | None = None,
    description: str | None = None,
    target_branch: str | None = None,
    labels: list[str] | None = None,
    project: Project = "",
) -> Changed:
    """Gives a merge request another title, description, target or labels; what is left out stays.

    Args:
        mr_id: The merge request's number in its project.
        title: Its new title.
        description: Its new description.
        target_branch: The branch it now goes into.
        labels: All its labels from now on; an empty list takes them away.
        project: The project's path or number; empty for the domain's.

    Returns:
        found, changed and merge_request.
    """
    about = None if description is None else _words(description)
    known = {"title": title, "description": about, "target_branch": target_branch, "labels": labels}
    wanted = {name: value for name, value in known.items() if value is not None}
    if not wanted:
        message = "say what is to change: title, description, target_branch or labels"
        raise ToolError(message, kind="usage_error", sent=False)
    reply = await seen(mr_id, context, project)
    if reply is None:
        return {"found": False, "changed": False, "merge_request": None}
    said = reply.json()
    with expected("GitLab"):
        standing = {**said, "description": said.get("description") or "", "labels": sorted(said.get("labels") or ())}
    if all(standing.get(name) == (sorted(value) if name == "labels" else value) for name, value in wanted.items()):
        return {"found": True, "changed": False, "merge_request": merge_request(said)}
    body = {name: ",".join(value) if isinstance(value, list) else value for name, value in wanted.items()}
    return await _put(mr_id, context, project, body=body)


@tool(
    effect=Effect.WRITE,
    idempotent=True,
    domain="gitlab",
    timeout=60,
    examples=({"project": "group/shop", "mr_id": 7, "body": "The namespace is ready."},),
    exact=True,
    needs=SERVICE,
)
async def gitlab_mr_comment(mr_id: Number, body: Text, context: ToolContext, project: Project = "") -> Commented:
    """Comments on a merge request; the same words in the same run are said once.

    The run's number is written behind the words, where GitLab does not show it.

    Args:
        mr_id: The merge request's number in its project.
        body: What is said, in Markdown; lines like `/approve` in it are words, and do nothing.
        project: The project's path or number; empty for the domain's.

    Returns:
        found (is there such a merge request), created and note_id.
    """
    if await seen(mr_id, context, project) is None:
        return {"found": False, "created": False, "note_id": None}
    path = below(project, context, f"/merge_requests/{mr_id}/notes")
    said = _words(body)
    words = f"{said}\n\n<!-- skill run {context.run_id} -->" if context.run_id else said
    notes, _ = await listed(path, context, params={"sort": "desc", "order_by": "created_at"}, limit=NEWEST_NOTES)
    with expected("GitLab"):
        standing = next((int(one["id"]) for one in notes if str(one["body"]).strip() == words.strip()), None)
    if standing is not None:
        return {"found": True, "created": False, "note_id": standing}
    made = await answer("POST", path, context, body={"body": words})
    with expected("GitLab"):
        return {"found": True, "created": True, "note_id": int(made["id"])}


@tool(
    effect=Effect.WRITE,
    idempotent=True,
    domain="gitlab",
    timeout=60,
    examples=({"project": "group/shop", "mr_id": 7},),
    exact=True,
    needs=SERVICE,
)
async def gitlab_mr_close(mr_id: Number, context: ToolContext, project: Project = "") -> Changed:
    """Closes a merge request without merging it; one that is closed or merged stays as it is.

    Args:
        mr_id: The merge request's number in its project.
        project: The project's path or number; empty for the domain's.

    Returns:
        found, changed and merge_request, whose state says how it stands now.
    """
    standing = await _before(mr_id, context, project)
    if standing is None or standing["state"] != "opened":
        return {"found": standing is not None, "changed": False, "merge_request": standing}
    return await _put(mr_id, context, project, body={"state_event": "close"})


@tool(
    effect=Effect.WRITE,
    idempotent=True,
    domain="gitlab",
    timeout=120,
    examples=({"project": "group/shop", "mr_id": 7, "sha": "74ec56e1a2b3c4d5e6f708192a3b4c5d6e7f8091"},),
    exact=True,
    needs=SERVICE,
)
async def gitlab_mr_merge(
    mr_id: Number,
    context: ToolContext,
    sha: Annotated[str, {"pattern": "^$|^[0-9a-f]{40}$"}] = "",
    squash: bool = False,
    remove_source_branch: bool = False,
    project: Project = "",
) -> Changed:
    """Merges a merge request; one that is merged already stays as it is, one that cannot be merged is a failure.

    Args:
        mr_id: The merge request's number in its project.
        sha: The commit that was looked at; where something was pushed since, nothing is merged (`conflict`).
        squash: Whether its commits become one.
        remove_source_branch: Whether its branch is deleted then.
        project: The project's path or number; empty for the domain's.

    Returns:
        found, changed and merge_request, whose merge_commit says what was made.
    """
    standing = await _before(mr_id, context, project)
    if standing is None or standing["state"] == "merged":
        return {"found": standing is not None, "changed": False, "merge_request": standing}
    body: dict[str, Any] = {"squash": squash, "should_remove_source_branch": remove_source_branch}
    if sha:
        body["sha"] = sha
    return await _put(mr_id, context, project, body=body, what="/merge")


def _words(text: str) -> str:
    """The text with nothing in it by which GitLab would act: whoever wrote it may not have been who says it.

    What a log, an alert or a commit says is often quoted, and a line `/approve` in it would approve in our name.
    """
    return ACTION.sub(r"\1\2\\/", text)


async def _standing(path: str, branches: dict[str, str], context: ToolContext) -> MergeRequest | None:
    found, _ = await listed(path, context, params={"state": "opened", **branches}, limit=1)
    return merge_request(found[0]) if found else None


async def _before(mr_id: int, context: ToolContext, project: str) -> MergeRequest | None:
    reply = await seen(mr_id, context, project)
    return merge_request(reply.json()) if reply else None


async def _put(mr_id: int, context: ToolContext, project: str, *, body: dict[str, Any], what: str = "") -> Changed:
    path = below(project, context, f"/merge_requests/{mr_id}{what}")
    return {
        "found": True,
        "changed": True,
        "merge_request": merge_request(await answer("PUT", path, context, body=body)),
    }
