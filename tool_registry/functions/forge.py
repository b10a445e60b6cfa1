"""Merge requests, as any git server shows them: a ref per merge request.

GitLab serves `refs/merge-requests/N/head`, as does the demo project's bare repository, and GitHub `refs/pull/N/head`;
one tool reads them all. A clone is asked through its remote `origin`, and gets the ref under the same name. Where the
domain names a project at a GitLab, GitLab says which merge requests are open and what they are called (`mirrors`).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TypedDict

from tool_registry.functions.mirrors import (
    Told,
    is_mirrored,
    one_request,
    open_requests,
    updated_mirror,
)
from tool_registry.functions.repository import GIT, ask_remote, default_branch, repository_folder, run_git, try_git
from tool_registry.sources.python import tool
from tool_registry.tool import Effect, ToolContext, ToolError

HEADS = ("refs/merge-requests", "refs/pull")
HEAD = re.compile(r"(?P<sha>[0-9a-f]{40,64})\s+(?P<ref>refs/(?:merge-requests|pull)/(?P<id>[0-9]+)/head)")
BRANCH = re.compile(r"^refs/(?:heads|remotes/[^/]+)/")
FIELDS = "%(refname)%00%(objectname)%00%(contents:subject)%00%(authorname)%00%(committerdate:iso8601-strict)"
MOST_FETCHED = 30
"""Of a server's merge requests the newest this many are fetched when a clone is asked for a list."""


class MergeRequest(TypedDict):
    """A merge request as git knows it."""

    id: int
    sha: str
    title: str
    branch: str
    author: str
    date: str
    open: bool


@tool(
    effect=Effect.READ, idempotent=True, domain="forge", timeout=60, needs=GIT, examples=({}, {"repo": "."}), exact=True
)
async def git_merge_request_list(context: ToolContext, repo: str = "") -> list[MergeRequest]:
    """Lists the open merge requests of a repository, newest commit first.

    Open means that the head is not merged into the default branch, or that GitLab calls it open.

    Args:
        repo: Folder of the repository; empty for the configured one.

    Returns:
        For each: id, sha, title (the commit's subject, or as GitLab has it), branch (empty when none is known), author,
        date (ISO 8601) and open.
    """
    if await is_mirrored(repo, context):
        found = await _open_at_gitlab(context)
    else:
        found = await _open_in(await repository_folder(repo, context), context)
    if found:
        newest = found[0]
        context.report(f"{len(found)} open merge requests; the newest is !{newest['id']} {newest['title']!r}")
    return found


async def _open_in(folder: Path, context: ToolContext) -> list[MergeRequest]:
    await _fetch_newest(folder, context)
    return [one for one in await _merge_requests(folder, context) if one["open"]]


async def _open_at_gitlab(context: ToolContext) -> list[MergeRequest]:
    told = await open_requests(context, MOST_FETCHED)
    folder = await updated_mirror(context, *[f"refs/merge-requests/{number}/head" for number in told])
    known = await _merge_requests(folder, context)
    return [_as_told(one, told[one["id"]]) for one in known if one["id"] in told]


def _as_told(one: MergeRequest, told: Told) -> MergeRequest:
    return {**one, "title": told["title"], "branch": told["source_branch"], "open": told["state"] == "opened"}


@tool(effect=Effect.READ, idempotent=True, domain="forge", timeout=60, needs=GIT, examples=({"mr_id": 1},), exact=True)
async def git_merge_request(mr_id: int, context: ToolContext, repo: str = "") -> MergeRequest:
    """Shows one merge request.

    Args:
        mr_id: Its number.
        repo: Folder of the repository; empty for the configured one.

    Returns:
        id, sha, title (the commit's subject), branch (empty when none is known), author, date (ISO 8601), and open
        (whether it is not merged into the default branch).
    """
    if await is_mirrored(repo, context):
        return await _at_gitlab(mr_id, context)
    folder = await repository_folder(repo, context)
    await _fetch_one(folder, mr_id, context)
    known = await _merge_requests(folder, context)
    wanted = next((one for one in known if one["id"] == mr_id), None)
    if wanted is None:
        raise await _unknown(folder, mr_id, known, context)
    return wanted


async def _at_gitlab(mr_id: int, context: ToolContext) -> MergeRequest:
    told = await one_request(mr_id, context)
    if told is None:
        known = await open_requests(context, MOST_FETCHED)
        named = ", ".join(f"!{number} {one['title']!r}" for number, one in list(known.items())[:10]) or "none at all"
        raise ToolError(
            f"there is no merge request !{mr_id} in {context.settings['project']}; open are {named}",
            kind="resource_not_found",
            sent=False,
            details={"known": sorted(known)},
        )
    folder = await updated_mirror(context, f"refs/merge-requests/{mr_id}/head")
    known_here = await _merge_requests(folder, context)
    return _as_told(next(one for one in known_here if one["id"] == mr_id), told)


async def _unknown(folder: Path, mr_id: int, known: list[MergeRequest], context: ToolContext) -> ToolError:
    here = {one["id"] for one in known}
    served = {int(head["id"]) for head in await _served(folder, context)}
    named = [f"!{one['id']} {one['title']!r}" for one in known[:10]]
    named += [f"!{number}" for number in sorted(served - here, reverse=True)[:10]]
    listed = f"known are {', '.join(named)}" if named else "it knows none at all"
    return ToolError(
        f"there is no merge request !{mr_id} in {folder}; {listed}",
        kind="resource_not_found",
        sent=False,
        details={"known": sorted(here | served)},
    )


async def _merge_requests(folder: Path, context: ToolContext) -> list[MergeRequest]:
    """Every merge request this repository has, newest commit first."""
    heads = [f"{namespace}/*/head" for namespace in HEADS]
    listing = ("for-each-ref", "--sort=-version:refname", "--sort=-committerdate")
    rows = (await run_git(folder, *listing, f"--format={FIELDS}", *heads, context=context)).splitlines()
    branch = await default_branch(folder, context)
    # No default branch yet (an empty repository): nothing is merged, and git is to say so without a failure.
    form = ("--format=%(refname)", f"--no-merged={branch}")
    unmerged = await try_git(folder, "for-each-ref", *form, *heads, context=context)
    still_open = set(unmerged.stdout.split()) if unmerged.exit_status == 0 else {row.split("\0")[0] for row in rows}
    branches = await _branches(folder, context)
    return [_merge_request(row, branches, still_open) for row in rows]


def _merge_request(row: str, branches: dict[str, str], still_open: set[str]) -> MergeRequest:
    ref, sha, title, author, date = row.split("\0")
    return {
        "id": int(ref.split("/")[2]),
        "sha": sha,
        "title": title,
        "branch": branches.get(sha, ""),
        "author": author,
        "date": date,
        "open": ref in still_open,
    }


async def _branches(folder: Path, context: ToolContext) -> dict[str, str]:
    """The branch whose tip a commit is: a merge request's ref does not name its branch."""
    form = "--format=%(objectname) %(refname)"
    rows = (await run_git(folder, "for-each-ref", form, "refs/remotes", "refs/heads", context=context)).splitlines()
    tips = sorted((row.split(" ", 1) for row in rows), key=lambda tip: tip[1].startswith("refs/heads/"))
    return {sha: BRANCH.sub("", ref) for sha, ref in tips}


async def _served(folder: Path, context: ToolContext) -> list[re.Match[str]]:
    """The merge requests the remote `origin` serves; none where there is no such remote."""
    has_origin = await try_git(folder, "config", "--get", "remote.origin.url", context=context)
    if has_origin.exit_status != 0:
        return []
    patterns = [f"{namespace}/*/head" for namespace in HEADS]
    listing = await ask_remote(folder, "ls-remote", "origin", *patterns, context=context)
    return [match for match in map(HEAD.fullmatch, listing.splitlines()) if match]


async def _fetch_newest(folder: Path, context: ToolContext) -> None:
    served = sorted(await _served(folder, context), key=lambda head: int(head["id"]), reverse=True)
    await _fetch(folder, [head["ref"] for head in served[:MOST_FETCHED]], context)


async def _fetch_one(folder: Path, mr_id: int, context: ToolContext) -> None:
    served = [head["ref"] for head in await _served(folder, context) if int(head["id"]) == mr_id]
    await _fetch(folder, served, context)


async def _fetch(folder: Path, refs: list[str], context: ToolContext) -> None:
    if refs:
        # No upkeep and no submodules afterwards: both would start what the repository's own settings name.
        alone = ("--no-recurse-submodules", "--no-auto-maintenance")
        quietly = ("--quiet", "--no-tags", "--no-write-fetch-head", *alone)
        await ask_remote(folder, "fetch", *quietly, "origin", *[f"+{ref}:{ref}" for ref in refs], context=context)
