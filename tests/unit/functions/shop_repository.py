"""A repository made by the real git, in a few strokes."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tool_registry.tool import ToolContext

Contexts = Callable[..., ToolContext]
"""Makes a context with the given domain settings, and environment variables by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """A repository on disk, and the few things tests do to one."""

    path: Path

    def git(self, *arguments: str, stdin: str = "", day: int = 1) -> str:
        """Runs git in it, on a day of January 2026."""
        date = f"2026-01-{day:02}T09:00:00+00:00"
        argv = ["git", "-c", "commit.gpgsign=false", "-c", "init.defaultBranch=main", "-C", str(self.path), *arguments]
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
            **{f"GIT_{who}_NAME": "Ada Moor" for who in ("AUTHOR", "COMMITTER")},
            **{f"GIT_{who}_EMAIL": "ada@example.org" for who in ("AUTHOR", "COMMITTER")},
            **{f"GIT_{who}_DATE": date for who in ("AUTHOR", "COMMITTER")},
        }
        done = subprocess.run(argv, capture_output=True, text=True, check=True, input=stdin, env=environment)
        return done.stdout.strip()

    def commit(self, message: str, files: Mapping[str, str] | None = None, *, day: int = 1) -> str:
        """Commits the files on what is checked out, and gives the SHA."""
        for name, text in (files or {}).items():
            path = self.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self.git("add", "--all")
        self.git("commit", "--allow-empty", "--quiet", "-m", message, day=day)
        return self.git("rev-parse", "HEAD")

    def merge_request(self, number: int, message: str, files: Mapping[str, str], *, day: int) -> str:
        """A merge request of one commit on top of main, as a forge serves it, and its SHA."""
        self.git("checkout", "--quiet", "--detach", "main")
        sha = self.commit(message, files, day=day)
        self.git("update-ref", f"refs/merge-requests/{number}/head", sha)
        self.git("checkout", "--quiet", "main")
        return sha
