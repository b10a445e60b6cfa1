"""Where live files go, and who may see them."""

from __future__ import annotations

import os
import subprocess
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


def test_live_files_of_a_workspace_are_private_and_ignored_by_git(tmp_path: Path) -> None:
    """The folder is this person's alone, and `git status` does not see tokens and history in it."""
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    (tmp_path / "skill.toml").write_text("")
    workspace = find_workspace(tmp_path, environment={})
    make_private(workspace.state)
    (workspace.state / "token").write_text("secret")
    seen = subprocess.run(
        ["git", "-C", tmp_path, "status", "--short"], check=True, capture_output=True, text=True
    ).stdout
    assert workspace.home.stat().st_mode & 0o777 == 0o700
    assert seen.split() == ["??", "skill.toml"]


def test_skill_home_wins_over_everything(tmp_path: Path) -> None:
    """SKILL_HOME is where live files go, whatever workspace there is."""
    (tmp_path / "skill.toml").write_text("")
    assert find_workspace(tmp_path, environment={"SKILL_HOME": "/elsewhere"}).home == Path("/elsewhere")
    assert find_workspace(tmp_path, environment={}).home == tmp_path / ".skill"


def test_a_folder_without_settings_uses_the_data_folder(tmp_path: Path) -> None:
    """Without a skill.toml live files go to the user's data folder, never into the folder one happens to stand in."""
    home = find_workspace(tmp_path, environment={"XDG_DATA_HOME": str(tmp_path / "data")}).home
    assert home == tmp_path / "data" / "skill-engine"
