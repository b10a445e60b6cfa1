"""What is in a project at GitLab, without a clone: files, branches, commits."""

from __future__ import annotations

import base64
from typing import Annotated, Any, TypedDict
from urllib.parse import quote

from tool_registry.functions.gitlab_access import Limit, Project, ask_gitlab, below, listed
from tool_registry.functions.moments import moment
from tool_registry.functions.services import SERVICE
from tool_registry.sources.expected import expected
from tool_registry.sources.python import tool
from tool_registry.tool import Effect, ToolContext

NO_FILE = ("404 File Not Found", "404 Commit Not Found")
NO_COMMIT = ("404 Commit Not Found",)
FILE_LIMIT = 5_000_000
Text = Annotated[str, {"minLength": 1}]


class File(TypedDict):
    """A file as it is at a commit; `text` is null for one that is not UTF-8."""

    found: bool
    text: str | None
    size: int
    sha: str
    last_commit: str


class Branch(TypedDict):
    """A branch and its newest commit."""

    name: str
    sha: str
    title: str
    committed_at: float | None
    protected: bool
    default: bool
    merged: bool


class Branches(TypedDict):
    """Branches by name; `truncated` where there are more."""

    branches: list[Branch]
    count: int
    truncated: bool


class Commit(TypedDict):
    """A commit, or `found` false and everything else empty; how many lines came and went, null where it is not told."""

    found: bool
    sha: str
    title: str
    message: str
    author: str
    email: str
    committed_at: float | None
    parents: list[str]
    added: int | None
    deleted: int | None
    url: str


@tool(
    effect=Effect.READ,
    idempotent=True,
    domain="gitlab",
    timeout=30,
    examples=({"project": "group/shop", "path": "README.md", "ref": "main"},),
    exact=True,
    needs=SERVICE,
)
async def gitlab_file_read(path: Text, context: ToolContext, ref: Text = "HEAD", project: Project = "") -> File:
    """Reads a file of a project as it is at a branch, tag or commit; that there is none is a normal answer.

    Args:
        path: Its path in the repository.
        ref: A branch, tag or commit; HEAD is the default branch.
        project: The project's path or number; empty for the domain's.

    Returns:
        found, text, size, sha (the commit it was read at) and last_commit (the one that changed it last).
    """
    where = below(project, context, f"/repository/files/{quote(path, safe='')}")
    reply = await ask_gitlab("GET", where, context, params={"ref": ref}, missing=NO_FILE, limit=2 * FILE_LIMIT)
    if reply is None:
        return {"found": False, "text": None, "size": 0, "sha": "", "last_commit": ""}
    said = reply.json()
    with expected("GitLab"):
        content = base64.b64decode(said["content"], validate=True)
        return {
            "found": True,
            "text": _text(content),
            "size": len(content),
            "sha": str(said["commit_id"]),
            "last_commit": str(said.get("last_commit_id") or ""),
        }


@tool(
    effect=Effect.READ,
    idempotent=True,
    domain="gitlab",
    timeout=60,
    examples=({"project": "group/shop"}, {"project": "group/shop", "search": "release"}),
    exact=True,
    needs=SERVICE,
)
async def gitlab_branch_list(
    context: ToolContext, project: Project = "", search: str = "", limit: Limit = 200
) -> Branches:
    """Lists the branches of a project by name; none is an empty list.

    Args:
        project: The project's path or number; empty for the domain's.
        search: Only those with this in their name.
        limit: How many are given at most.

    Returns:
        branches, count and truncated.
    """
    params = {"search": search} if search else {}
    rows, more = await listed(below(project, context, "/repository/branches"), context, params=params, limit=limit)
    branches = [_branch(one) for one in rows]
    return {"branches": branches, "count": len(branches), "truncated": more}


@tool(
    effect=Effect.READ,
    idempotent=True,
    domain="gitlab",
    timeout=30,
    examples=({"project": "group/shop", "ref": "main"},),
    exact=True,
    needs=SERVICE,
)
async def gitlab_commit(ref: Text, context: ToolContext, project: Project = "") -> Commit:
    """Shows a commit; that there is none is a normal answer.

    Args:
        ref: Its SHA, or a branch or tag that leads to it.
        project: The project's path or number; empty for the domain's.

    Returns:
        found, sha, title, message, author, email, committed_at, parents, added, deleted and url.
    """
    where = below(project, context, f"/repository/commits/{quote(ref, safe='')}")
    reply = await ask_gitlab("GET", where, context, missing=NO_COMMIT)
    if reply is None:
        return _commit({"id": "", "title": "", "message": ""})
    return _commit(reply.json())


@expected("GitLab")
def _branch(said: dict[str, Any]) -> Branch:
    commit = said["commit"]
    return {
        "name": str(said["name"]),
        "sha": str(commit["id"]),
        "title": str(commit.get("title") or ""),
        "committed_at": moment(commit.get("committed_date")),
        "protected": bool(said.get("protected")),
        "default": bool(said.get("default")),
        "merged": bool(said.get("merged")),
    }


@expected("GitLab")
def _commit(said: dict[str, Any]) -> Commit:
    stats = said.get("stats") or {}
    return {
        "found": bool(said["id"]),
        "sha": str(said["id"]),
        "title": str(said["title"]),
        "message": str(said["message"]),
        "author": str(said.get("author_name") or ""),
        "email": str(said.get("author_email") or ""),
        "committed_at": moment(said.get("committed_date")),
        "parents": [str(one) for one in said.get("parent_ids") or ()],
        "added": stats.get("additions"),
        "deleted": stats.get("deletions"),
        "url": str(said.get("web_url") or ""),
    }


def _text(content: bytes) -> str | None:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None
