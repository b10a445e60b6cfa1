"""Building from a repository whose settings and contents mean harm."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tool_registry.local_platform.answers import Refusal
from tool_registry.local_platform.git import archived, commit_time


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with nothing in it."""
    path = tmp_path / "shop"
    subprocess.run(["git", "init", "--quiet", path], check=True)
    return path


def _git(repository: Path, *arguments: str) -> str:
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", "-C", repository, *who, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _committed(repository: Path, **files: bytes) -> str:
    for name, content in files.items():
        (repository / name).write_bytes(content)
    _git(repository, "add", "--all")
    _git(repository, "commit", "--quiet", "--message", "x")
    return _git(repository, "rev-parse", "HEAD")


def test_filters_of_a_repository_are_not_started(repository: Path, tmp_path: Path) -> None:
    """Git would put every file through the program that settings name and attributes ask for."""
    (repository / ".gitattributes").write_text("* filter=trap\n")
    commit = _committed(repository, Procfile=b"web: serve\n")
    for setting in ("filter.trap.smudge", "filter.trap.process", "gpg.program", "core.fsmonitor"):
        _git(repository, "config", setting, f"touch {tmp_path}/sprung;")
    _git(repository, "config", "filter.trap.required", "true")
    assert commit_time(repository, commit) > 0
    assert b"web: serve" in archived(repository, commit, 1_000_000)
    assert not (tmp_path / "sprung").exists()


def test_a_tree_that_unfolds_without_end_is_cut_off(repository: Path) -> None:
    """Zeros cost nothing in a repository and everything in memory."""
    commit = _committed(repository, zeros=bytes(20_000_000))
    with pytest.raises(Refusal, match="larger than 1 MB"):
        archived(repository, commit, 1 << 20)
