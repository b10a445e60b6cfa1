"""Putting the commits of a branch on top of others, wholly or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict

import anyio

from tool_registry.functions.git_trees import counted, overwritten, under_way
from tool_registry.functions.git_work import MOST_FILES, Status, git_status, head_of
from tool_registry.functions.repository import (
    GIT,
    OFFLINE,
    commit_of,
    git_completed,
    repository_folder,
    run_git,
    try_git,
)
from tool_registry.sources.process import Completed
from tool_registry.sources.python import tool
from tool_registry.tool import Effect, ToolContext, ToolError

UNEDITED = {"GIT_EDITOR": ":", "GIT_SEQUENCE_EDITOR": ":"}
STRAIGHT = ("-c", "rebase.autoSquash=false", "-c", "rebase.updateRefs=false", "-c", "rerere.enabled=false")
ABORT_WITHIN = 20.0


class Rebase(TypedDict):
    """Whether the branch is on top of `onto` now; with `conflicts`, it was left as it was before.

    `stopped_at` is the commit that did not go on top, `commits` how many the branch has beyond `onto`.
    """

    path: str
    branch: str
    onto: str
    rebased: bool
    changed: bool
    before: str
    after: str
    commits: int
    conflicts: list[str]
    stopped_at: str


@tool(
    effect=Effect.WRITE,
    idempotent=True,
    timeout=300,
    needs=GIT,
    examples=({"onto": "origin/main", "repo": "."},),
    exact=True,
)
async def git_rebase(onto: str, context: ToolContext, repo: str = "") -> Rebase:
    """Puts the commits of the checked out branch on top of others; that they conflict is an answer.

    Then `conflicts` names the files and `stopped_at` the commit, and the branch stands as it did before. Changed files
    that are not committed are a failure (`conflict`), before anything is done.

    Args:
        onto: The commit they go on top of, as in origin/main.
        repo: Folder of the repository; empty for the workspace's own.

    Returns:
        path, branch, onto (its full SHA), rebased, changed (whether the branch moved), before, after, commits (how many
        the branch has beyond onto), conflicts and stopped_at.
    """
    folder = await repository_folder(repo, context)
    state = await git_status(context, repo=str(folder))
    _refuse_unready(state)
    before, base = state["sha"], await commit_of(folder, onto, context)
    ahead, behind = await counted(folder, before, base, context)
    stood: Rebase = {
        "path": str(folder),
        "branch": state["branch"],
        "onto": base,
        "rebased": True,
        "changed": False,
        "before": before,
        "after": before,
        "commits": ahead,
        "conflicts": [],
        "stopped_at": "",
    }
    if not behind:
        return stood
    conflicts, stopped_at = await _rebased(folder, base, context)
    if conflicts:
        return {**stood, "rebased": False, "conflicts": conflicts, "stopped_at": stopped_at}
    after = await head_of(folder, context)
    ahead, _ = await counted(folder, after, base, context)
    return {**stood, "changed": True, "after": after, "commits": ahead}


def _refuse_unready(state: Status) -> None:
    if state["operation"]:
        message = f"a {state['operation']} was begun in {state['path']} and not ended"
        raise ToolError(message, kind="conflict", sent=False, details={"operation": state["operation"]})
    files = [*state["staged"], *state["changed"], *state["conflicts"]]
    if files:
        message = f"{state['path']} has changes that are not committed: {', '.join(files[:5])}"
        raise ToolError(message, kind="conflict", sent=False, details={"files": files[:100]})


async def _rebased(folder: Path, base: str, context: ToolContext) -> tuple[list[str], str]:
    """The files that conflict, and the commit; whatever happens, no rebase is left half done."""
    words = (*STRAIGHT, "rebase", "--quiet", "--no-stat", "--no-autostash", base)
    try:
        done = await git_completed(folder, words, {**OFFLINE, **UNEDITED}, context)
        if done.exit_status == 0:
            return [], ""
        listed = await run_git(folder, "diff", "--name-only", "--diff-filter=U", "-z", context=context)
        stopped = await try_git(folder, "rev-parse", "--verify", "--quiet", "REBASE_HEAD", context=context)
    finally:
        with anyio.CancelScope(shield=True), anyio.move_on_after(ABORT_WITHIN, shield=True):
            if await under_way(folder, context):
                await try_git(folder, "rebase", "--abort", context=context)
    if not listed:
        raise _no_conflict(done)
    return [name for name in listed.split("\0") if name][:MOST_FILES], stopped.stdout.strip()


def _no_conflict(done: Completed) -> ToolError:
    if "Please tell me who you are" in done.stderr:
        message = "git does not know whose the commits are: set user.name and user.email"
        return done.failure(message, kind="configuration_error")
    return overwritten(done) or done.failure()
