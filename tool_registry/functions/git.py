"""Git repositories: which one is meant, what a commit is, says and changes."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TypedDict

from tool_registry.functions.mirrors import on_gitlab, updated_mirror
from tool_registry.functions.repository import GIT, commit_of, default_branch, repository_folder, run_git, try_git
from tool_registry.sources.python import tool
from tool_registry.tool import Effect, ToolContext, ToolOutput

MOST_FILES = 500
"""Changed files are listed up to this many; `count` always says how many there are."""

MOST_CHARACTERS = 100_000
"""Characters of a file that are given back."""


class Repository(TypedDict):
    """Which repository is meant."""

    path: str
    argument: str
    name: str
    image: str
    default_branch: str
    demo: bool


class Commit(TypedDict):
    """A commit by its full SHA."""

    sha: str
    short: str
    ref: str
    expanded: bool


class CommitMessage(TypedDict):
    """What a commit says, who wrote it, and when it was committed."""

    sha: str
    subject: str
    body: str
    author: str
    date: str


class ChangedFiles(TypedDict):
    """What changed since `base`."""

    files: list[str]
    count: int
    base: str


FILE_AT_COMMIT = {
    "type": "object",
    "required": ["found", "path", "text"],
    "additionalProperties": False,
    "properties": {"found": {"type": "boolean"}, "path": {"type": "string"}, "text": {"type": "string"}},
}


@tool(
    effect=Effect.READ, idempotent=True, domain="forge", timeout=30, needs=GIT, examples=({}, {"repo": "."}), exact=True
)
async def git_repository(context: ToolContext, repo: str = "") -> Repository:
    """Says which repository is meant, and what its images are called.

    Args:
        repo: Folder of a repository or anywhere inside it; empty for the configured one, which at a GitLab is a project
            of which a mirror is kept.

    Returns:
        path, argument (the path quoted for a shell), name, image (what its images are called), default_branch, and demo
        (whether it is the built-in demo project).
    """
    if not repo and on_gitlab(context.settings):
        folder = await updated_mirror(context)
    else:
        folder = await repository_folder(repo, context)
    top = await _top(folder, context)
    demo = _same(top, context.settings.get("forge"))
    name = _image_part(top.name.removesuffix(".git"))
    return {
        "path": str(top),
        "argument": shlex.quote(str(top)),
        "name": name,
        "image": _image(name, demo, context),
        "default_branch": await default_branch(top, context),
        "demo": demo,
    }


def _image(name: str, demo: bool, context: ToolContext) -> str:
    """What images are called: the demo project's name, or where no platform builds any, as the domain says."""
    settings = context.settings
    if demo or (settings.get("image") and not settings.get("platform")):
        return str(settings["image"]).replace("{name}", name)
    return f"local/{name}"


def _same(folder: Path, configured: str | None) -> bool:
    return configured is not None and folder == Path(configured).resolve()


async def _top(folder: Path, context: ToolContext) -> Path:
    done = await try_git(folder, "rev-parse", "--is-bare-repository", "--absolute-git-dir", context=context)
    if done.exit_status != 0:
        if "dubious ownership" in done.stderr:
            raise done.failure(f"git refuses {folder}: it belongs to somebody else", kind="permission_denied")
        raise done.failure(f"{folder} is not a git repository", kind="usage_error")
    bare, git_folder = done.stdout.splitlines()
    if bare == "true":
        return Path(git_folder)
    return Path((await run_git(folder, "rev-parse", "--show-toplevel", context=context)).strip())


def _image_part(name: str) -> str:
    """`name` as one component of an image name, for which OCI allows a-z, 0-9 and single separators."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "project"


@tool(
    effect=Effect.READ,
    idempotent=True,
    timeout=30,
    needs=GIT,
    examples=({"ref": "main"}, {"ref": "74ec56e", "repo": "."}),
    exact=True,
)
async def git_rev_parse(ref: str, context: ToolContext, repo: str = "") -> Commit:
    """Expands a short SHA, a branch or a tag to the full SHA of its commit.

    Args:
        ref: What to expand.
        repo: Folder of the repository; empty for the workspace's own.

    Returns:
        sha (40 hexadecimal digits, 64 in a SHA-256 repository), short (the first 8), ref, and expanded (whether
        `ref` was anything else than the full SHA).
    """
    sha = await commit_of(await repository_folder(repo, context), ref, context)
    return {"sha": sha, "short": sha[:8], "ref": ref, "expanded": sha != ref.lower()}


@tool(effect=Effect.READ, idempotent=True, timeout=30, needs=GIT, examples=({"sha": "main"},), exact=True)
async def git_commit_message(sha: str, context: ToolContext, repo: str = "") -> CommitMessage:
    """Says what a commit's message is, who wrote it, and when it was committed.

    Args:
        sha: The commit.
        repo: Folder of the repository; empty for the workspace's own.

    Returns:
        sha, subject, body, author and date (ISO 8601).
    """
    folder = await repository_folder(repo, context)
    commit = await commit_of(folder, sha, context)
    told = await run_git(folder, "show", "--no-patch", "--format=%s%x00%b%x00%an%x00%cI", commit, context=context)
    subject, body, author, date = told.split("\0")
    return {"sha": commit, "subject": subject, "body": body.strip(), "author": author, "date": date.strip()}


@tool(effect=Effect.READ, idempotent=True, timeout=30, needs=GIT, examples=({"sha": "main"},), exact=True)
async def git_changed_files(sha: str, context: ToolContext, repo: str = "") -> ChangedFiles:
    """Lists what a commit's branch changes, counted from where it left the default branch.

    A commit that is already on the default branch is compared with its first parent; the first commit of all adds every
    file it has.

    Args:
        sha: The commit.
        repo: Folder of the repository; empty for the workspace's own.

    Returns:
        files (paths, at most 500), count (how many there are), and base (the commit compared with, empty for none).
    """
    folder = await repository_folder(repo, context)
    commit = await commit_of(folder, sha, context)
    base = await _base(folder, commit, context)
    compared = ("diff", "--name-only", "-z", base, commit) if base else ("ls-tree", "-r", "-z", "--name-only", commit)
    files = [name for name in (await run_git(folder, *compared, context=context)).split("\0") if name]
    return {"files": files[:MOST_FILES], "count": len(files), "base": base}


@tool(
    effect=Effect.READ,
    idempotent=True,
    timeout=30,
    needs=GIT,
    result=FILE_AT_COMMIT,
    examples=({"sha": "main", "path": "Procfile"},),
)
async def git_show_file(sha: str, path: str, context: ToolContext, repo: str = "") -> ToolOutput:
    """Reads one file as a commit has it; that the commit does not have it is a normal answer.

    Args:
        sha: The commit.
        path: The file, counted from the top of the repository.
        repo: Folder of the repository; empty for the workspace's own.

    Returns:
        found, path, and text (at most 100,000 characters, empty where it is not found).
    """
    folder = await repository_folder(repo, context)
    commit = await commit_of(folder, sha, context)
    listed = await run_git(folder, "ls-tree", "-z", commit, "--", f":(top,literal){path}", context=context)
    if " blob " not in listed.partition("\t")[0]:
        return ToolOutput(value={"found": False, "path": path, "text": ""}, found=False)
    text = await run_git(folder, "cat-file", "blob", f"{commit}:{path}", context=context)
    return ToolOutput(value={"found": True, "path": path, "text": text[:MOST_CHARACTERS]})


async def _base(folder: Path, commit: str, context: ToolContext) -> str:
    branch = await default_branch(folder, context)
    fork = (await try_git(folder, "merge-base", branch, commit, context=context)).stdout.strip()
    if fork and fork != commit:
        return fork
    parent = await try_git(folder, "rev-parse", "--verify", "--quiet", f"{commit}^1", context=context)
    return parent.stdout.strip()
