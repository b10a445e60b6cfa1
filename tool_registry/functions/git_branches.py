"""What a repository's branches are, where two of them parted, and how much they differ; everything only reads."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypedDict

from tool_registry.functions.git_trees import counted, current_branch
from tool_registry.functions.repository import GIT, commit_of, default_branch, repository_folder, run_git, try_git
from tool_registry.sources.python import tool
from tool_registry.tool import Effect, ToolContext, ToolError

MOST_FILES = 500
FORM = (
    "%(refname)%00%(objectname)%00%(committerdate:iso8601-strict)%00%(authorname)%00%(upstream:short)%00%(symref)"
    "%00%(contents:subject)"
)


class Branch(TypedDict):
    """A branch; `merged`: the default branch has all of it; `current`: it is checked out."""

    name: str
    remote: str
    sha: str
    date: str
    author: str
    subject: str
    upstream: str
    merged: bool
    current: bool


class Branches(TypedDict):
    """Branches, the newest first."""

    path: str
    branches: list[Branch]
    count: int
    truncated: bool


class Fork(TypedDict):
    """Where two commits parted; `found` False: they have nothing in common, and `sha` is empty."""

    found: bool
    sha: str
    first: str
    second: str
    only_first: int
    only_second: int


class FileStat(TypedDict):
    """Lines added to and removed from a file; of a binary one none are counted."""

    path: str
    added: int
    removed: int
    binary: bool


class DiffStat(TypedDict):
    """How much two commits differ."""

    base: str
    head: str
    files: list[FileStat]
    count: int
    added: int
    removed: int
    truncated: bool


@tool(
    effect=Effect.READ,
    idempotent=True,
    timeout=60,
    needs=GIT,
    examples=({"repo": "."}, {"repo": ".", "remotes": True, "limit": 20}),
    exact=True,
)
async def git_branch_list(
    context: ToolContext,
    repo: str = "",
    remotes: bool = False,
    limit: Annotated[int, {"minimum": 1, "maximum": 1000}] = 200,
) -> Branches:
    """Lists the branches of a repository, the newest commit first; no server is asked.

    Args:
        repo: Folder of the repository; empty for the workspace's own.
        remotes: Whether the servers' branches, as they were last fetched, are listed instead.
        limit: How many at most.

    Returns:
        path, branches (name, remote, sha, date, author, subject, upstream, merged, current), count and truncated.
    """
    folder = await repository_folder(repo, context)
    where = "refs/remotes" if remotes else "refs/heads"
    listing = ("for-each-ref", "--sort=-committerdate", f"--count={limit + 1}", f"--format={FORM}", where)
    rows = [row.split("\0", 6) for row in (await run_git(folder, *listing, context=context)).splitlines()]
    rows = [row for row in rows if not row[5]]  # a server's HEAD is another name for one of them
    base, current = await default_branch(folder, context), await current_branch(folder, context)
    inside = await try_git(folder, "for-each-ref", "--format=%(refname)", f"--merged={base}", where, context=context)
    merged = set(inside.stdout.splitlines()) if inside.exit_status == 0 else set()
    found = [_branch(row, merged, "" if remotes else current) for row in rows]
    return {
        "path": str(folder),
        "branches": found[:limit],
        "count": len(found[:limit]),
        "truncated": len(found) > limit,
    }


def _branch(row: list[str], merged: set[str], current: str) -> Branch:
    ref, sha, date, author, upstream, _, subject = row
    short = ref.split("/", 2)[2]
    remote, _, name = short.partition("/") if ref.startswith("refs/remotes/") else ("", "", short)
    return {
        "name": name,
        "remote": remote,
        "sha": sha,
        "date": date,
        "author": author,
        "subject": subject,
        "upstream": upstream,
        "merged": ref in merged,
        "current": bool(current) and name == current,
    }


@tool(
    effect=Effect.READ,
    idempotent=True,
    timeout=30,
    needs=GIT,
    examples=({"first": "main", "second": "fix-7", "repo": "."},),
    exact=True,
)
async def git_merge_base(first: str, second: str, context: ToolContext, repo: str = "") -> Fork:
    """Says where two commits parted, and how many each has since; that they have nothing in common is an answer.

    Args:
        first: A commit, branch or tag.
        second: Another.
        repo: Folder of the repository; empty for the workspace's own.

    Returns:
        found, sha, first and second (their full SHAs), only_first and only_second (how many commits).
    """
    folder = await repository_folder(repo, context)
    one, other = await commit_of(folder, first, context), await commit_of(folder, second, context)
    sha = await _fork(folder, one, other, context)
    here, there = await counted(folder, one, other, context)
    return {
        "found": bool(sha),
        "sha": sha,
        "first": one,
        "second": other,
        "only_first": here,
        "only_second": there,
    }


async def _fork(folder: Path, one: str, other: str, context: ToolContext) -> str:
    done = await try_git(folder, "merge-base", one, other, context=context)
    if done.exit_status not in {0, 1}:
        raise done.failure()
    return done.stdout.strip()


@tool(
    effect=Effect.READ,
    idempotent=True,
    timeout=60,
    needs=GIT,
    examples=({"base": "main", "head": "fix-7", "repo": "."},),
    exact=True,
)
async def git_diff_stat(
    base: str, context: ToolContext, head: str = "HEAD", repo: str = "", since_fork: bool = True
) -> DiffStat:
    """Counts the lines that two commits differ by, file by file.

    Args:
        base: What is compared with.
        head: What is looked at.
        repo: Folder of the repository; empty for the workspace's own.
        since_fork: Whether only what `head` has done since they parted counts, and not what `base` has done.

    Returns:
        base and head (the full SHAs compared), files (path, added, removed, binary; at most 500), count, added, removed
        and truncated.
    """
    folder = await repository_folder(repo, context)
    one, other = await commit_of(folder, base, context), await commit_of(folder, head, context)
    start = (await _fork(folder, one, other, context) or one) if since_fork else one
    words = ("diff", "--numstat", "-z", "--no-renames", "--no-ext-diff", "--no-textconv", start, other)
    done = await try_git(folder, *words, context=context)
    if done.exit_status != 0:
        raise done.failure()
    if done.truncated:
        raise ToolError("they differ in more files than can be counted", kind="resource_exhausted", program="git")
    files = [_counted(row) for row in done.stdout.split("\0") if row]
    return {
        "base": start,
        "head": other,
        "files": files[:MOST_FILES],
        "count": len(files),
        "added": sum(each["added"] for each in files),
        "removed": sum(each["removed"] for each in files),
        "truncated": len(files) > MOST_FILES,
    }


def _counted(row: str) -> FileStat:
    added, removed, path = row.split("\t", 2)
    binary = added == "-"
    return {
        "path": path,
        "added": 0 if binary else int(added),
        "removed": 0 if binary else int(removed),
        "binary": binary,
    }
