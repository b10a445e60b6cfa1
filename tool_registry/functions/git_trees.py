"""What tools that change a work tree share: which branch is checked out, and what must not be lost or started."""

from __future__ import annotations

import re
from pathlib import Path

from tool_registry.functions.repository import refuse_programs, run_git, try_git
from tool_registry.sources.process import Completed
from tool_registry.tool import ToolContext, ToolError

WORK_PROGRAMS = re.compile(
    r"filter\..*\.(clean|smudge|process)|merge\..*\.driver|diff\.(external|.*\.(command|textconv))|gpg\.(.*\.)?program"
    r"|core\.editor|sequence\.editor|submodule\..*\.update|hook\..*\.command",
    re.IGNORECASE | re.DOTALL,
)
"""The settings by which a repository would choose a program that git starts when it reads or writes files."""
OVERWRITES = re.compile(
    r"^error: (?:Your local changes to the following files|The following untracked working tree files) would be "
    r"overwritten by \w+:\n(?P<files>(?:\t.*\n)+)",
    re.MULTILINE,
)
UNDER_WAY = {
    "rebase-merge": "rebase",
    "rebase-apply": "rebase",
    "MERGE_HEAD": "merge",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
    "BISECT_LOG": "bisect",
}
"""What git keeps in its folder while something is begun and not ended."""


async def refuse_work_programs(folder: Path, context: ToolContext) -> None:
    """Refuses a repository whose own settings have git start programs for its files (configuration_error)."""
    await refuse_programs(folder, context, pattern=WORK_PROGRAMS, what="the files of {} are not touched")


async def current_branch(folder: Path, context: ToolContext) -> str:
    """The branch that is checked out; empty where it is a commit."""
    done = await try_git(folder, "symbolic-ref", "--quiet", "--short", "HEAD", context=context)
    return done.stdout.strip() if done.exit_status == 0 else ""


async def counted(folder: Path, here: str, there: str, context: ToolContext) -> tuple[int, int]:
    """How many commits only `here` has, and how many only `there`."""
    told = await run_git(folder, "rev-list", "--left-right", "--count", f"{here}...{there}", context=context)
    ahead, behind = told.split()
    return int(ahead), int(behind)


async def under_way(folder: Path, context: ToolContext) -> str:
    """What was begun here and not ended: rebase, merge, cherry-pick, revert, bisect; empty for nothing."""
    kept = Path((await run_git(folder, "rev-parse", "--absolute-git-dir", context=context)).strip())
    return next((what for name, what in UNDER_WAY.items() if (kept / name).exists()), "")


def overwritten(done: Completed) -> ToolError | None:
    """The failure that files would be lost, by git's own word; None where it was something else."""
    found = OVERWRITES.search(done.stderr)
    if found is None:
        return None
    files = found["files"].split("\n\t")
    files = [name.strip("\t\n") for name in files]
    error = done.failure(f"changes would be lost: {', '.join(files[:5])}; commit them first", kind="conflict")
    error.details["files"] = files[:100]
    error.sent = False
    return error
