"""Work trees: what is changed in one, checking out, and making a branch."""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict

from tool_registry.functions.git_trees import current_branch, overwritten, refuse_work_programs, under_way
from tool_registry.functions.repository import GIT, commit_of, repository_folder, run_git, try_git
from tool_registry.sources.python import tool
from tool_registry.tool import Effect, ToolContext, ToolError

MOST_FILES = 500


class Status(TypedDict):
    """A work tree; lists of at most 500 paths, `truncated` where one has more. `operation`: what was begun, if any."""

    path: str
    branch: str
    sha: str
    upstream: str
    ahead: int
    behind: int
    clean: bool
    staged: list[str]
    changed: list[str]
    untracked: list[str]
    conflicts: list[str]
    operation: str
    truncated: bool


class Checkout(TypedDict):
    """What is checked out now and was before; branch empty for a commit."""

    path: str
    branch: str
    sha: str
    previous_branch: str
    previous_sha: str
    created: bool


class NewBranch(TypedDict):
    """A branch; `created` False: it stood there already, at that commit."""

    path: str
    branch: str
    sha: str
    created: bool


@tool(effect=Effect.READ, idempotent=True, timeout=60, needs=GIT, examples=({"repo": "."},), exact=True)
async def git_status(context: ToolContext, repo: str = "") -> Status:
    """Says what is checked out and changed in a work tree; no server is asked, and nothing is written.

    Args:
        repo: Folder of the repository; empty for the workspace's own.

    Returns:
        path, branch, sha, upstream, ahead, behind (by what was last fetched), clean, staged, changed, untracked,
        conflicts, operation (rebase, merge and so on, where one was begun and not ended) and truncated.
    """
    folder = await repository_folder(repo, context)
    await refuse_work_programs(folder, context)
    words = ("status", "--porcelain=v2", "--branch", "-z", "--untracked-files=normal", "--ignore-submodules=all")
    done = await try_git(folder, *words, context=context)
    if done.exit_status != 0:
        raise done.failure()
    if done.truncated:
        message = f"more is changed in {folder} than can be listed"
        raise ToolError(message, kind="resource_exhausted", program="git")
    return {**_status(done.stdout), "path": str(folder), "operation": await under_way(folder, context)}


def _status(text: str) -> Status:
    """What `git status --porcelain=v2 -z` says (git-status(1))."""
    said: dict[str, str] = {}
    lists: dict[str, list[str]] = {"staged": [], "changed": [], "untracked": [], "conflicts": []}
    rows = iter(text.split("\0"))
    for row in rows:
        match row.partition(" ")[0]:
            case "#":
                name, _, value = row[2:].partition(" ")
                said[name] = value
            case "?":
                lists["untracked"].append(row[2:])
            case "u":
                lists["conflicts"].append(row.split(" ", 10)[10])
            case "1" | "2" as sort:
                path = row.split(" ", 8 if sort == "1" else 9)[-1]
                lists["staged"] += [path] if row[2] != "." else []
                lists["changed"] += [path] if row[3] != "." else []
                if sort == "2":
                    next(rows, "")  # the name it had before
    ahead, _, behind = said.get("branch.ab", "+0 -0").partition(" ")
    return {
        "path": "",
        "branch": said.get("branch.head", "").replace("(detached)", ""),
        "sha": said.get("branch.oid", "").replace("(initial)", ""),
        "upstream": said.get("branch.upstream", ""),
        "ahead": int(ahead),
        "behind": abs(int(behind)),
        "clean": not any(lists.values()),
        "staged": lists["staged"][:MOST_FILES],
        "changed": lists["changed"][:MOST_FILES],
        "untracked": lists["untracked"][:MOST_FILES],
        "conflicts": lists["conflicts"][:MOST_FILES],
        "operation": "",
        "truncated": any(len(each) > MOST_FILES for each in lists.values()),
    }


@tool(
    effect=Effect.WRITE,
    idempotent=True,
    timeout=120,
    needs=GIT,
    examples=({"ref": "main", "repo": "."},),
    exact=True,
)
async def git_checkout(ref: str, context: ToolContext, repo: str = "") -> Checkout:
    """Checks out a branch, a tag or a commit; changed files that would be lost are a failure (`conflict`).

    A branch that only one server has is made here, and follows that one.

    Args:
        ref: What to check out.
        repo: Folder of the repository; empty for the workspace's own.

    Returns:
        path, branch (empty for a commit), sha, previous_branch, previous_sha, and created (whether it was made).
    """
    folder = await repository_folder(repo, context)
    await refuse_work_programs(folder, context)
    previous, before = await current_branch(folder, context), await head_of(folder, context)
    created, words = await _way_to(folder, ref, context)
    done = await try_git(folder, "-c", "submodule.recurse=false", "checkout", "--quiet", *words, "--", context=context)
    if done.exit_status != 0:
        raise overwritten(done) or done.failure(f"{ref} was not checked out")
    return {
        "path": str(folder),
        "branch": await current_branch(folder, context),
        "sha": await head_of(folder, context),
        "previous_branch": previous,
        "previous_sha": before,
        "created": created,
    }


async def _way_to(folder: Path, ref: str, context: ToolContext) -> tuple[bool, tuple[str, ...]]:
    """How `ref` is checked out: as a branch, as a server's branch that is made here, or as a commit."""
    if not ref or ref.startswith("-"):
        raise ToolError(f"{ref!r} is no name of a commit", kind="usage_error", sent=False)
    own = await try_git(folder, "show-ref", "--verify", "--quiet", f"refs/heads/{ref}", context=context)
    if own.exit_status == 0:
        return False, (ref,)
    listed = await run_git(folder, "for-each-ref", "--format=%(refname)", "refs/remotes", context=context)
    theirs = [name for name in listed.splitlines() if name.split("/", 3)[-1] == ref and ref != "HEAD"]
    if len(theirs) == 1:
        return True, ("--track", "-b", ref, theirs[0].removeprefix("refs/remotes/"))
    return False, ("--detach", await commit_of(folder, ref, context))


async def head_of(folder: Path, context: ToolContext) -> str:
    """The commit that is checked out; empty in a repository without commits."""
    done = await try_git(folder, "rev-parse", "--verify", "--quiet", "HEAD", context=context)
    return done.stdout.strip()


@tool(
    effect=Effect.WRITE,
    idempotent=True,
    timeout=30,
    needs=GIT,
    examples=({"name": "fix-7", "start": "main", "repo": "."},),
    exact=True,
)
async def git_branch_create(name: str, context: ToolContext, start: str = "HEAD", repo: str = "") -> NewBranch:
    """Makes a branch without checking it out; one of that name at another commit is a failure (`conflict`).

    Args:
        name: What it is called.
        start: The commit it begins at.
        repo: Folder of the repository; empty for the workspace's own.

    Returns:
        path, branch, sha, and created (False where it stood there already).
    """
    folder = await repository_folder(repo, context)
    good = await try_git(folder, "check-ref-format", "--branch", name, context=context)
    if name.startswith(("-", "@{")) or good.exit_status != 0:
        raise ToolError(f"{name!r} is no name of a branch", kind="usage_error", sent=False)
    sha = await commit_of(folder, start, context)
    there = await try_git(folder, "rev-parse", "--verify", "--quiet", f"refs/heads/{name}^{{commit}}", context=context)
    if there.exit_status == 0 and there.stdout.strip() != sha:
        message = f"there is a branch {name} already, at {there.stdout.strip()[:12]}"
        raise ToolError(message, kind="conflict", sent=False, details={"sha": there.stdout.strip()})
    if there.exit_status != 0:
        await run_git(folder, "branch", "--no-track", "--", name, sha, context=context)
    return {"path": str(folder), "branch": name, "sha": sha, "created": there.exit_status != 0}
