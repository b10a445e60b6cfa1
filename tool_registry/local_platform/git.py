"""The few questions the platform asks of git, with an environment of its own and no prompt."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tool_registry.local_platform.answers import Refusal

OWN_SETTINGS = ("-c", "safe.directory=*", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")


def git(
    repository: Path, *arguments: str, stdin: bytes = b"", timeout: float = 60
) -> subprocess.CompletedProcess[bytes]:
    """Run git in `repository`; the caller judges the exit status. No setting of the caller's environment reaches it."""
    return subprocess.run(
        ["git", "-C", str(repository), *OWN_SETTINGS, *arguments],
        input=stdin,
        capture_output=True,
        timeout=timeout,
        check=False,
        env=environment(),
    )


def environment() -> dict[str, str]:
    """Give what git needs of the world, and nothing that points it at another repository."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": os.environ.get("HOME", "/"),
        "LC_ALL": "C",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_LAZY_FETCH": "1",
    }


def commit_time(repository: Path, commit: str) -> int:
    """Give the commit's time in epoch seconds; refuse a folder without a repository and a commit it does not have."""
    if not repository.is_absolute() or not repository.is_dir():
        raise Refusal(404, "no_repository", f"{repository} is not a folder on this machine")
    shown = git(repository, "log", "-1", "--format=%ct", "--no-show-signature", f"{commit}^{{commit}}", "--")
    if shown.returncode == 0:
        return int(shown.stdout)
    words = shown.stderr.decode(errors="replace").strip()
    if "not a git repository" in words:
        raise Refusal(404, "no_repository", f"{repository} is not a git repository")
    raise Refusal(404, "unknown_commit", f"{repository} has no commit {commit}; fetch it first ({words[-300:]})")
