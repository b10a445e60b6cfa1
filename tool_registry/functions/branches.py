"""Branches: what one has to build, and whether the server has it."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TypedDict

from tool_registry.functions.repository import GIT, default_branch, repository_folder, run_git, try_git
from tool_registry.sources.python import tool
from tool_registry.tool import Effect, ToolContext


class BranchState(TypedDict):
    """A branch and its remote, as this repository knows them; no server is asked."""

    path: str
    argument: str
    branch: str
    sha: str
    commits: int
    base: str
    remote: str
    remotes: list[str]
    pushed: bool
    ahead: int
    staged: int


@tool(
    effect=Effect.READ,
    idempotent=True,
    timeout=20,
    needs=GIT,
    examples=({}, {"repo": ".", "branch": "fix-7"}),
    exact=True,
)
async def git_branch_state(context: ToolContext, repo: str = "", branch: str = "") -> BranchState:
    """Says what a branch has that its base has not, and what of it was pushed, by what this repository knows.

    Args:
        repo: Folder of the repository; empty for the workspace's own.
        branch: The branch; empty for the one that is checked out.

    Returns:
        path, argument (the path quoted for a shell), branch (empty when none is checked out), sha (empty without a
        commit), commits (how many the base has not), base (the default branch, empty when the branch is that one),
        remote (where it is pushed to, empty without one), remotes, pushed (whether the remote has it), ahead (commits
        the remote has not), and staged (files that a commit would take).
    """
    folder = await repository_folder(repo, context)
    named = branch or await _asked(folder, context, "symbolic-ref", "--quiet", "--short", "HEAD")
    ref = f"refs/heads/{named}" if named else "HEAD"
    sha = await _commit(folder, context, ref)
    base = await default_branch(folder, context)
    own_base = "" if base in {ref, "HEAD"} else base
    remotes = (await run_git(folder, "remote", context=context)).split()
    remote = await _remote(folder, named, remotes, context)
    there = f"refs/remotes/{remote}/{named}"
    known_there = [f"^{there}"] if remote and named and await _commit(folder, context, there) else []
    return {
        "path": str(folder),
        "argument": shlex.quote(str(folder)),
        "branch": named,
        "sha": sha,
        "commits": await _count(folder, context, sha, [f"^{own_base}"] if own_base else []),
        "base": own_base.removeprefix("refs/heads/").removeprefix("refs/remotes/"),
        "remote": remote,
        "remotes": remotes,
        "pushed": bool(known_there),
        "ahead": await _count(folder, context, sha, known_there or ["--not", f"--remotes={remote}"]),
        "staged": await _staged(folder, context),
    }


async def _remote(folder: Path, branch: str, remotes: list[str], context: ToolContext) -> str:
    """Where git would push: as the branch is configured, else `origin`, else the only one there is."""
    configured = await _asked(folder, context, "config", "--get", f"branch.{branch}.remote") if branch else ""
    if configured in remotes:
        return configured
    return "origin" if "origin" in remotes else remotes[0] if len(remotes) == 1 else ""


async def _commit(folder: Path, context: ToolContext, ref: str) -> str:
    """The commit a ref stands for; empty where there is none."""
    return await _asked(folder, context, "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")


async def _count(folder: Path, context: ToolContext, sha: str, beside: list[str]) -> int:
    """How many commits `sha` has, those that `beside` leaves out not counted."""
    return int(await _asked(folder, context, "rev-list", "--count", sha, *beside) or 0) if sha else 0


async def _staged(folder: Path, context: ToolContext) -> int:
    """How many files a commit would take; the work tree is not read, for filters of the repository's would be run."""
    listed = await try_git(folder, "diff", "--cached", "--name-only", "-z", "--no-ext-diff", context=context)
    return listed.stdout.count("\0") if listed.exit_status == 0 else 0


async def _asked(folder: Path, context: ToolContext, *arguments: str) -> str:
    """What git answers, empty where it has no answer."""
    done = await try_git(folder, *arguments, context=context)
    return done.stdout.strip() if done.exit_status == 0 else ""
