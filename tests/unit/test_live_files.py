"""Where live files go, and that they stay out of repositories."""

from __future__ import annotations

import subprocess
from pathlib import Path

from engine import find_workspace
from engine.workspace import make_private


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
