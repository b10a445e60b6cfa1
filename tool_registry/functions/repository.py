"""A git repository on this machine: how git is run in it, which one is meant, and what its commits are called.

Everything is read by the real `git`, never through a shell. A repository a person names is no program to run, whoever
wrote its `.git/config`: what that file can make git start is switched off here, and where a server must be asked, and
the repository's own settings would choose a program for it, git is not started at all (`ask_remote`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from tool_registry.functions.platform import check_answers
from tool_registry.sources.plain_file import named_path
from tool_registry.sources.process import Completed, run_program
from tool_registry.tool import Needs, ToolContext, ToolError

GIT = Needs(programs=("git",))
SAFE = (
    "git",
    "-c", "core.hooksPath=/dev/null",
    "-c", "core.fsmonitor=false",
    "-c", "log.showSignature=false",  # would start gpg.program
    "-c", "core.alternateRefsCommand=true",  # started by a fetch; `true` names no refs
    "-c", "i18n.logOutputEncoding=UTF-8",
)  # fmt: skip
QUIET = {"GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "GIT_PAGER": "cat", "LC_ALL": "C"}
UNASKED = {"GIT_ASKPASS": "", "SSH_ASKPASS_REQUIRE": "never", "GCM_INTERACTIVE": "never"}
"""So that nobody is asked for a password, in a window either; what is missing is a failure at once."""
OFFLINE = {"GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": "none"}
"""In a partial clone, git would ask the server for an object it lacks, by the program the repository names for that."""
TRANSPORTS = {"GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh"}
"""The ways to a server; every other one (`ext`, or one of the repository's own choice) is a program to run."""
UNSTEERED = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_NAMESPACE", "GIT_COMMON_DIR")
"""Variables of a surrounding git command (a hook) that would point every call at another repository."""

STARTS_PROGRAMS = re.compile(
    r"core\.(sshcommand|gitproxy|askpass)|credential\.(.*\.)?helper|remote\..*\.(uploadpack|receivepack|vcs)|hook\..*\.command"
    r"|gc\.recentobjectshook",
    re.IGNORECASE | re.DOTALL,
)
"""The settings by which a repository would choose a program that git starts when it asks a server (git-config(1))."""

HEX = re.compile(r"[0-9a-fA-F]{4,64}")


async def run_git(folder: Path, *arguments: str, context: ToolContext) -> str:
    """What `git ARGUMENTS` prints in `folder`; ToolError with its exit status and words when it fails."""
    done = await try_git(folder, *arguments, context=context)
    if done.exit_status != 0:
        raise done.failure(f"git {arguments[0]} failed: {_last_line(done)}")
    return done.stdout


async def try_git(folder: Path, *arguments: str, context: ToolContext) -> Completed:
    """`git ARGUMENTS` in `folder`, for callers to whom an exit status is an answer; no server is asked."""
    return await git_completed(folder, arguments, OFFLINE, context)


async def ask_remote(folder: Path, *arguments: str, context: ToolContext) -> str:
    """What `git ARGUMENTS` prints where it must ask the server of a clone.

    Raises:
        ToolError: as `run_git`, and `configuration_error` when settings of the repository's own, not of the person,
            would choose a program to ask with.
    """
    await refuse_programs(folder, context)
    done = await git_completed(folder, arguments, {**TRANSPORTS, **UNASKED}, context)
    if done.exit_status != 0:
        raise done.failure(f"git {arguments[0]} failed: {_last_line(done)}")
    return done.stdout


async def git_completed(
    folder: Path, arguments: tuple[str, ...], reach: Mapping[str, str], context: ToolContext
) -> Completed:
    """`git ARGUMENTS` in `folder`; `reach` are variables that say how far it may reach."""
    environment = {name: value for name, value in context.environment.items() if name not in UNSTEERED}
    argv = [*SAFE, "-C", str(folder), *arguments]
    return await run_program(
        argv, environment={**environment, **QUIET, **reach}, timeout=context.timeout, shared=context.connections
    )


async def refuse_programs(
    folder: Path,
    context: ToolContext,
    *,
    pattern: re.Pattern[str] = STARTS_PROGRAMS,
    what: str = "the server of {} is not asked",
) -> None:
    """Refuses a repository whose own settings name programs; the person's global ones are the person's own choice."""
    listed = await run_git(folder, "config", "--list", "--name-only", "--show-scope", "-z", context=context)
    words = iter(listed.split("\0"))
    own = {name for scope, name in zip(words, words, strict=False) if scope in {"local", "worktree"}}
    if chosen := sorted(name for name in own if pattern.fullmatch(name)):
        raise ToolError(
            f"{what.format(folder)}: the repository's own settings choose a program for it,"
            f" {', '.join(chosen)}; if you wrote that, move it to your own settings (git config --global)",
            kind="configuration_error",
            sent=False,
            details={"settings": chosen},
        )


def _last_line(done: Completed) -> str:
    said = done.evidence.rstrip().rpartition("\n")[2]
    return said or f"it exited with {done.exit_status} and said nothing"


async def repository_folder(repo: str, context: ToolContext) -> Path:
    """The folder of the repository `repo` means: a path; when empty the configured one, else the workspace's own.

    A relative path counts from the workspace folder. The configured repository may not exist yet because the platform
    that makes it does not run: then its absence is reported as what it is, a connection refused.
    """
    if repo:
        return _existing(repo, context.folder)
    configured = context.settings.get("forge")
    if not configured:
        return _around(context.folder)
    if not (Path(configured) / "HEAD").is_file():
        await check_answers(context)
        raise ToolError(
            f"the platform runs, but its forge has no repository at {configured}",
            kind="resource_not_found",
            sent=False,
        )
    return Path(configured)


def _around(folder: Path) -> Path:
    """The folder itself, if it is in a repository."""
    if (folder / "HEAD").is_file() or any((each / ".git").exists() for each in (folder, *folder.parents)):
        return folder.resolve()
    message = f"no repository is configured, and {folder} is in none; name one with repo"
    raise ToolError(message, kind="usage_error", sent=False)


def _existing(repo: str, start: Path) -> Path:
    folder = named_path(repo, start)
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
