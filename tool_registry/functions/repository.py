"""A git repository on this machine: how git is run in it, which one is meant, and what its commits are called.

Everything is read by the real `git`, never through a shell, with hooks, prompts and the `ext` transport off: a
repository a person names is not a program to run.
"""

from __future__ import annotations

import re
from pathlib import Path

from tool_registry.functions.platform import check_answers
from tool_registry.sources.process import Completed, run_program
from tool_registry.tool import Needs, ToolContext, ToolError

GIT = Needs(programs=("git",))
SAFE = (
    "git",
    "-c", "core.hooksPath=/dev/null",
    "-c", "core.fsmonitor=false",
    "-c", "protocol.ext.allow=never",
    "-c", "i18n.logOutputEncoding=UTF-8",
)  # fmt: skip
QUIET = {"GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "GIT_PAGER": "cat", "LC_ALL": "C"}
UNSTEERED = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_NAMESPACE")
"""Variables of a surrounding git command (a hook) that would point every call at another repository."""

HEX = re.compile(r"[0-9a-fA-F]{4,64}")


async def run_git(folder: Path, *arguments: str, context: ToolContext) -> str:
    """What `git ARGUMENTS` prints in `folder`; ToolError with its exit status and words when it fails."""
    done = await try_git(folder, *arguments, context=context)
    if done.exit_status != 0:
        raise done.failure(f"git {arguments[0]} failed: {_last_line(done)}")
    return done.stdout


async def try_git(folder: Path, *arguments: str, context: ToolContext) -> Completed:
    """`git ARGUMENTS` in `folder`, for callers to whom an exit status is an answer."""
    environment = {name: value for name, value in context.environment.items() if name not in UNSTEERED}
    argv = [*SAFE, "-C", str(folder), *arguments]
    return await run_program(argv, environment={**environment, **QUIET}, timeout=context.timeout)


def _last_line(done: Completed) -> str:
    said = done.evidence.rstrip().rpartition("\n")[2]
    return said or f"it exited with {done.exit_status} and said nothing"


async def repository_folder(repo: str, context: ToolContext) -> Path:
    """The folder of the repository `repo` means: a path, or the configured one when empty.

    A relative path counts from the workspace folder. The configured repository may not exist yet because the platform
    that makes it does not run: then its absence is reported as what it is, a connection refused.
    """
    if repo:
        return _existing(repo, context.folder)
    configured = context.settings.get("forge")
    if not configured:
        raise ToolError("no repository is configured; name one with repo", kind="usage_error", sent=False)
    if not (Path(configured) / "HEAD").is_file():
        await check_answers(context)
        raise ToolError(
            f"the platform runs, but its forge has no repository at {configured}",
            kind="resource_not_found",
            sent=False,
        )
    return Path(configured)


def _existing(repo: str, start: Path) -> Path:
    folder = start / Path(repo).expanduser()
    if folder.is_dir():
        return folder.resolve()
    hint = "; clone it and give the clone's folder" if "://" in repo or repo.startswith("git@") else ""
    raise ToolError(f"there is no folder {repo}{hint}", kind="usage_error", sent=False)


async def default_branch(folder: Path, context: ToolContext) -> str:
    """The full ref merge requests are merged into: the remote's, else main, else master, else what is checked out."""
    wanted = ("refs/remotes/origin/HEAD", "refs/heads/main", "refs/heads/master")
    listing = await run_git(folder, "for-each-ref", "--format=%(refname) %(symref)", *wanted, context=context)
    found = dict(line.partition(" ")[::2] for line in listing.splitlines())
    for ref in wanted:
        if ref in found:
            return found[ref] or ref
    done = await try_git(folder, "symbolic-ref", "--quiet", "HEAD", context=context)
    return done.stdout.strip() or "HEAD"


async def commit_of(folder: Path, ref: str, context: ToolContext) -> str:
    """The full SHA of the commit `ref` names in `folder`; an unknown name and an ambiguous one are told apart."""
    if not ref or ref.startswith("-"):
        raise ToolError(f"{ref!r} is no name of a commit", kind="usage_error", sent=False)
    done = await try_git(folder, "rev-parse", "--verify", f"{ref}^{{commit}}", context=context)
    if done.exit_status != 0:
        raise await _not_a_commit(folder, ref, done, context)
    return done.stdout.strip()


async def _not_a_commit(folder: Path, ref: str, done: Completed, context: ToolContext) -> ToolError:
    if "ambiguous" not in done.stderr:
        hint = "; one that is only on a server has to be fetched first" if HEX.fullmatch(ref) else ""
        return done.failure(f"{folder} has no commit called {ref}{hint}", kind="resource_not_found")
    candidates = await _commits_beginning_with(folder, ref, context)
    message = f"{ref} is ambiguous in {folder}: it begins {', '.join(candidates)}; give more digits"
    error = done.failure(message, kind="usage_error")
    error.details["candidates"] = candidates
    return error


async def _commits_beginning_with(folder: Path, prefix: str, context: ToolContext) -> list[str]:
    if not HEX.fullmatch(prefix):
        return []
    objects = (await run_git(folder, "rev-parse", f"--disambiguate={prefix}", context=context)).split()[:20]
    kinds = [(await run_git(folder, "cat-file", "-t", name, context=context)).strip() for name in objects]
    return [name for name, kind in zip(objects, kinds, strict=True) if kind == "commit"]
