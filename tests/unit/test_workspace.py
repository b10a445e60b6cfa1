"""Where live files go, and who may see them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.documents.schemas import remember_valid
from engine.errors import DocumentError, WorkspaceError
from engine.history import History
from engine.memory import Memory
from engine.model.secret import Secrets
from engine.profile import load_tools
from engine.workspace import find_workspace, make_private
from tests.unit.history.storyteller import Storyteller
from tool_registry.registry import ToolRegistry


def _rights(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_missing_folders_are_made_for_their_owner_alone(tmp_path: Path) -> None:
    """The ones above as well; one that was there keeps its rights."""
    tmp_path.chmod(0o755)
    make_private(tmp_path / "home" / "memory" / "learned")
    make_private(tmp_path / "home" / "memory" / "learned")
    made = [tmp_path / "home", tmp_path / "home/memory", tmp_path / "home/memory/learned"]
    assert [_rights(folder) for folder in made] == [0o700] * 3
    assert _rights(tmp_path) == 0o755


def test_other_people_of_the_machine_see_nothing_of_a_run(tmp_path: Path) -> None:
    """Cache, memory and history are made in whatever order; none leaves the home open to others."""
    remember_valid(tmp_path / "first" / "cache" / "valid" / "x.valid")
    Memory(tmp_path / "second" / "memory", seeds=tmp_path, secrets=Secrets()).inbox.add("test", "a note")
    with History.open(tmp_path / "third" / "history.db", secrets=Secrets()) as history:
        Storyteller(history).begin("20261121-081500-1f3a9c")
    assert {_rights(tmp_path / home) for home in ("first", "second", "third")} == {0o700}
    assert _rights(tmp_path / "second" / "memory" / "inbox.md") == 0o600


def test_a_pipe_in_the_inboxs_place_is_not_waited_for(tmp_path: Path) -> None:
    """It would take a reader to go on, and there is none."""
    os.mkfifo(tmp_path / "inbox.md")
    with pytest.raises(DocumentError):
        Memory(tmp_path, seeds=tmp_path, secrets=Secrets()).inbox.add("test", "a note")


def test_settings_without_end_are_refused(tmp_path: Path) -> None:
    """A file that is no settings is not read to its end, and one nested too deep is a mistake like any other."""
    for text in ("#" * 1_000_001, "a = " + "[" * 100_000):
        (tmp_path / "skill.toml").write_text(text)
        with pytest.raises(WorkspaceError):
            find_workspace(tmp_path)


def test_only_files_are_taken_for_tools(tmp_path: Path) -> None:
    """A pipe or a folder called like a definition takes nothing from the others."""
    (tmp_path / "skill.toml").touch()
    (tmp_path / "tools" / "folder.yaml").mkdir(parents=True)
    os.mkfifo(tmp_path / "tools" / "pipe.yaml")
    registry = ToolRegistry()
    load_tools(registry, find_workspace(tmp_path, environment={}))
    assert {"folder", "pipe"}.isdisjoint(registry)
