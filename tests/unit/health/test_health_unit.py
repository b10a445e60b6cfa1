"""The systemd unit: systemd reads back what was meant, and nobody else's file is touched."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from engine.errors import WorkspaceError
from engine.health.unit import MARK, Unit, remove, unit_for, write

HOSTILE = ["plain", "with a blank", "100%", "a$HOME b", 'quo"te', "it's", "über", "-dash"]


def unit(tmp_path: Path, folder: str = "work", interval: str = "") -> Unit:
    """The unit of a workspace."""
    return unit_for(
        tmp_path / folder,
        program=("/usr/bin/env", "skill"),
        environment={"SKILL_HOME": f"{tmp_path}/{folder}/home of mine"},
        units=tmp_path / "units",
        interval=interval,
    )


@pytest.mark.parametrize("folder", HOSTILE)
def test_systemd_finds_no_mistake_in_it(tmp_path: Path, folder: str) -> None:
    """Whatever the folder is called."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("this machine has no systemd-analyze")
    made = unit(tmp_path, folder)
    assert write(made)
    done = subprocess.run(
        ["systemd-analyze", "--user", "verify", str(made.path)],
        env={"XDG_RUNTIME_DIR": str(tmp_path), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_what_systemd_would_expand_is_written_so_that_it_does_not(tmp_path: Path) -> None:
    """`%` and `$` in a path are themselves."""
    text = unit(tmp_path, "100% $HOME").text
    assert f'-C "{tmp_path}/100%% $$HOME" health watch' in text
    assert f'Environment="SKILL_HOME={tmp_path}/100%% $HOME/home of mine"' in text


def test_a_folder_that_no_unit_can_name_is_refused(tmp_path: Path) -> None:
    """A line break would begin another setting."""
    with pytest.raises(WorkspaceError, match="cannot stand in a unit file"):
        unit(tmp_path, "two\nlines")


def test_two_workspaces_have_two_units(tmp_path: Path) -> None:
    """Of the same name in different places, too."""
    assert unit(tmp_path, "one/work").name != unit(tmp_path, "two/work").name


def test_writing_again_changes_nothing_and_another_interval_does(tmp_path: Path) -> None:
    """A unit of ours is kept up to date."""
    assert write(unit(tmp_path))
    assert not write(unit(tmp_path))
    assert write(unit(tmp_path, interval="10m"))
    assert "--interval 10m" in unit(tmp_path).path.read_text()


@pytest.mark.parametrize("act", [write, remove])
def test_a_file_that_is_not_ours_stays(tmp_path: Path, act: object) -> None:
    """It is neither overwritten nor removed."""
    made = unit(tmp_path)
    made.path.parent.mkdir()
    made.path.write_text("[Unit]\nDescription=Somebody else's\n")
    assert callable(act)
    with pytest.raises(WorkspaceError, match="was not written by skill"):
        act(made)
    assert "Somebody else's" in made.path.read_text()


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    """Somebody links units out of a repository of their own."""
    made = unit(tmp_path)
    made.path.parent.mkdir()
    (tmp_path / "theirs").write_text(f"{MARK}\n")
    made.path.symlink_to(tmp_path / "theirs")
    with pytest.raises(WorkspaceError):
        write(made)


def test_removing_takes_away_ours_and_says_when_there_is_none(tmp_path: Path) -> None:
    """True, then False."""
    write(unit(tmp_path))
    assert remove(unit(tmp_path))
    assert not remove(unit(tmp_path))
