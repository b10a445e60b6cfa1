"""Keys and tokens: in files that nobody else can have read or written."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.errors import WorkspaceError
from engine.frontends.mcp_server.private_files import made_once, opened_private


def opened_to_all(path: Path) -> None:
    """A file others may read."""
    path.write_bytes(b"x" * 40)
    path.chmod(0o644)


def a_pipe(path: Path) -> None:
    """What keeps a reader waiting until somebody writes."""
    os.mkfifo(path, 0o600)


def somebody_elses(path: Path) -> None:
    """A file its owner may read at any time."""
    path.write_bytes(b"x" * 40)
    path.chmod(0o600)
    os.chown(path, 65534, 65534)


@pytest.mark.parametrize("make", [opened_to_all, a_pipe, Path.mkdir, somebody_elses])
def test_what_others_may_know_is_refused(tmp_path: Path, make: Callable[[Path], None]) -> None:
    """Nor is anything waited for."""
    if make is somebody_elses and os.geteuid() != 0:
        pytest.skip("only root gives files away")
    path = tmp_path / "key"
    make(path)
    with pytest.raises(WorkspaceError, match=r"key (can be read|belongs|is no plain)"):
        opened_private(path)


def test_a_file_made_once_stays(tmp_path: Path) -> None:
    """Read through a link, too, as secrets are mounted."""
    made_once(tmp_path / "key", b"one")
    made_once(tmp_path / "key", b"two")
    (tmp_path / "link").symlink_to(tmp_path / "key")
    with opened_private(tmp_path / "link") as file:
        assert file.read() == b"one"
