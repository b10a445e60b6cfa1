"""Git repositories and their servers: fetching, pulling and pushing, by the real git."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, TypedDict

from tool_registry.functions.git_servers import REMOTE, ask_server, remote_url, server_failure, shown
from tool_registry.functions.git_trees import counted, current_branch, overwritten, refuse_work_programs
from tool_registry.functions.repository import GIT, commit_of, repository_folder, run_git, try_git
from tool_registry.sources.process import Completed
from tool_registry.sources.python import tool
from tool_registry.tool import Effect, ToolContext, ToolError

ALONE = ("--no-recurse-submodules", "--no-auto-maintenance", "--no-write-fetch-head")
"""Nothing is fetched or started beyond what was asked for."""
MOST_REFS = 500
REFUSED = re.compile(r"hook declined|protected|denied|deny|prohibited|not allowed")

Remote = Annotated[str, {"pattern": REMOTE}]


class Moved(TypedDict):
    """A branch or tag that a fetch moved; `old` empty for a new one, `new` for one that is gone."""

    ref: str
    old: str
    new: str


class Fetch(TypedDict):
    """What a fetch changed here."""

    path: str
    remote: str
    url: str
    refs: list[Moved]
    count: int


class Pull(TypedDict):
    """Where a branch stood and stands; `commits` is how many came."""

    path: str
    branch: str
    upstream: str
    before: str
    after: str
    commits: int


class Push(TypedDict):
    """What a push did; `pushed` False: the server had it already."""

    path: str
    remote: str
    url: str
    branch: str
    sha: str
    pushed: bool
    created: bool


@tool(
    effect=Effect.WRITE,
    idempotent=True,
    domain="git",
    timeout=300,
    needs=GIT,
    examples=({"repo": "."}, {"repo": ".", "remote": "upstream", "prune": True}),
    exact=True,
)
async def git_fetch(context: ToolContext, repo: str = "", remote: Remote = "origin", prune: bool = False) -> Fetch:
    """Fetches what a server has; branches of one's own and files stay as they are.

    Args:
        repo: Folder of the repository; empty for the workspace's own.
        remote: Which server, by the name it has here.
        prune: Whether branches that the server has no more are forgotten.

    Returns:
        path, remote, url, refs (what moved: ref, old, new; at most 500) and count.
    """
    folder = await repository_folder(repo, context)
    url = await remote_url(folder, remote, context)
    before = await _refs(folder, remote, context)
    await _fetched(folder, remote, url, context, prune=prune)
    after = await _refs(folder, remote, context)
    moved: list[Moved] = [
        {"ref": ref, "old": before.get(ref, ""), "new": after.get(ref, "")}
        for ref in sorted({*before, *after})
        if before.get(ref) != after.get(ref)
    ]
    return {"path": str(folder), "remote": remote, "url": shown(url), "refs": moved[:MOST_REFS], "count": len(moved)}


async def _fetched(folder: Path, remote: str, url: str, context: ToolContext, *, prune: bool = False) -> None:
    if prune:  # what is no git server must not make us forget branches, and a fetch would before that is seen
        looked = await ask_server(folder, "ls-remote", "--heads", "--", remote, url=url, context=context)
        if looked.exit_status != 0:
            raise await server_failure(looked, f"nothing was fetched from {shown(url)}", url, context)
    words = ("fetch", "--quiet", *ALONE, *(["--prune"] if prune else []), "--", remote)
    done = await ask_server(folder, *words, url=url, context=context)
    if done.exit_status != 0:
        raise await server_failure(done, f"nothing was fetched from {shown(url)}", url, context)


async def _refs(folder: Path, remote: str, context: ToolContext) -> dict[str, str]:
    form = "--format=%(objectname) %(refname)"
    listed = await run_git(folder, "for-each-ref", form, f"refs/remotes/{remote}", "refs/tags", context=context)
    rows = (line.split(" ", 1) for line in listed.splitlines())
    return {ref: sha for sha, ref in rows if not ref.endswith("/HEAD")}


@tool(
    effect=Effect.WRITE,
    idempotent=True,
    domain="git",
    timeout=300,
    needs=GIT,
    examples=({"repo": "."},),
    exact=True,
)
async def git_pull(context: ToolContext, repo: str = "") -> Pull:
    """Brings the checked out branch to where its upstream is, when it only has to go forward.

    A branch with commits of its own that the upstream has not is a failure (`conflict`) with `ahead` and `behind`, and
    nothing is merged; git_rebase puts them on top. Changed files that would be overwritten are one too.

    Args:
        repo: Folder of the repository; empty for the workspace's own.

    Returns:
        path, branch, upstream, before, after and commits (how many came).
    """
    folder = await repository_folder(repo, context)
    await refuse_work_programs(folder, context)
    branch = await current_branch(folder, context)
    upstream = await try_git(
        folder, "rev-parse", "--abbrev-ref", "--symbolic-full-name", "@{upstream}", context=context
    )
    remote = await try_git(folder, "config", "--get", f"branch.{branch}.remote", context=context)
    if not branch or upstream.exit_status != 0 or remote.exit_status != 0:
        message = f"{branch or 'what is checked out'} has no upstream in {folder}; git_push with set_upstream gives one"
        raise ToolError(message, kind="configuration_error", sent=False)
    url = await remote_url(folder, remote.stdout.strip(), context)
    await _fetched(folder, remote.stdout.strip(), url, context)
    name = upstream.stdout.strip()
    before, there = await commit_of(folder, "HEAD", context), await commit_of(folder, name, context)
    ahead, behind = await counted(folder, before, there, context)
    if ahead and behind:
        message = f"{branch} has {ahead} commits that {name} has not, and {name} has {behind} others"
        raise ToolError(message, kind="conflict", sent=True, details={"ahead": ahead, "behind": behind})
    if behind:
        done = await try_git(folder, "merge", "--quiet", "--ff-only", "--no-autostash", there, context=context)
        if done.exit_status != 0:
            raise overwritten(done) or done.failure(f"{branch} was not brought to {name}")
    after = await commit_of(folder, "HEAD", context)
    return {
        "path": str(folder),
        "branch": branch,
        "upstream": name,
        "before": before,
        "after": after,
        "commits": behind,
    }


@tool(
    effect=Effect.WRITE,
    idempotent=True,
    domain="git",
    timeout=300,
    needs=GIT,
    examples=({"repo": "."}, {"repo": ".", "branch": "fix-7", "set_upstream": True}),
    exact=True,
)
async def git_push(
    context: ToolContext,
    repo: str = "",
    branch: str = "",
    remote: Remote = "origin",
    set_upstream: bool = False,
) -> Push:
    """Pushes a branch, never with force; a server that has other commits on it is a failure (`conflict`).

    What the server itself forbids (a hook, a protected branch) is `permission_denied`, with its reason. The
    repository's own hooks are not run.

    Args:
        repo: Folder of the repository; empty for the workspace's own.
        branch: The branch; empty for the one that is checked out.
        remote: Which server, by the name it has here.
        set_upstream: Whether the branch is to follow the pushed one from now on.

    Returns:
        path, remote, url, branch, sha, pushed, and created (whether the server had no such branch).
    """
    folder = await repository_folder(repo, context)
    named = branch or await current_branch(folder, context)
    if not named:
        raise ToolError(f"no branch is checked out in {folder}; name one", kind="usage_error", sent=False)
    ref = f"refs/heads/{named}"
    sha = await commit_of(folder, ref, context)
    url = await remote_url(folder, remote, context, push=True)
    words = ("push", "--porcelain", "--no-recurse-submodules", *(["--set-upstream"] if set_upstream else []))
    done = await ask_server(folder, *words, "--", remote, f"{ref}:{ref}", url=url, context=context)
    flag, summary = _told(done.stdout, ref)
    if flag == "!":
        raise _rejected(done, summary, f"{named} was not pushed to {shown(url)}")
    if done.exit_status != 0:
        raise await server_failure(done, f"{named} was not pushed to {shown(url)}", url, context)
    return {
        "path": str(folder),
        "remote": remote,
        "url": shown(url),
        "branch": named,
        "sha": sha,
        "pushed": flag != "=",
        "created": flag == "*",
    }


def _told(text: str, ref: str) -> tuple[str, str]:
    """The flag and the summary that `git push --porcelain` gives for a branch (git-push(1), OUTPUT)."""
    for line in text.splitlines():
        flag, _, rest = line.partition("\t")
        named, _, summary = rest.partition("\t")
        if named == f"{ref}:{ref}":
            return flag.strip() or " ", summary
    return "", ""


def _rejected(done: Completed, summary: str, what: str) -> ToolError:
    """A branch the server did not take: it has other commits, or it forbids it."""
    reason = summary.partition("(")[2].rpartition(")")[0] or summary
    by_server = summary.startswith("[remote rejected]")
    forbidden = by_server and REFUSED.search(reason) is not None
    kind = "permission_denied" if forbidden else None if by_server and "lock" not in reason else "conflict"
    error = done.failure(f"{what}: {reason}", kind=kind)
    error.sent = True
    error.details |= {"rejected": reason, "by_server": by_server}
    return error
