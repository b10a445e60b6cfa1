"""A run that cannot even begin says why; one that began is left to itself."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.errors import RunStateError, SkillNotFoundError
from engine.frontends.background.request import Request
from engine.frontends.background.starting import begin
from engine.workspace import Workspace, find_workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """An empty one."""
    return find_workspace(tmp_path, home=tmp_path / "home")


async def test_what_is_refused_is_raised_here(workspace: Workspace) -> None:
    """As if it had been met in this process; nothing is left behind."""
    with pytest.raises(SkillNotFoundError, match="nowhere"):
        await begin(workspace, Request(act="run", skill="nowhere"))
    assert not (workspace.state / "background").exists()


async def test_a_process_that_dies_at_once_is_told_with_its_last_words(workspace: Workspace) -> None:
    """An interpreter that cannot find its library, say."""
    with pytest.raises(RunStateError, match=r"died before the run began: .*encodings"):
        await begin(
            workspace, Request(act="run", skill="x"), environment={**os.environ, "PYTHONHOME": str(workspace.home)}
        )


async def test_a_folder_of_the_workspace_is_not_taken_for_the_engine(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A workspace may have a folder `engine` of its own, in which a person stands."""
    (workspace.folder / "engine").mkdir()
    (workspace.folder / "engine" / "__init__.py").write_text("raise SystemExit('the wrong engine')")
    monkeypatch.chdir(workspace.folder)
    with pytest.raises(SkillNotFoundError):
        await begin(workspace, Request(act="run", skill="nowhere"))
