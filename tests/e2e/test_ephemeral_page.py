"""docs/ephemeral.md: its settings are taken, and its commands are ones that could run."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.flow.workshop import Workshop

PAGE = (Path(__file__).parents[2] / "docs" / "ephemeral.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^    skill (.+)$", PAGE, re.MULTILINE)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_page_could_run(command: str, tmp_path: Path) -> None:
    """With the settings of the page, planned and not done: their cluster is made up."""
    place = Workshop(tmp_path / "work", tmp_path / "home")
    place.folder.mkdir()
    (settings,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    (place.folder / "skill.toml").write_text(settings)
    done = place.run(*shlex.split(command), "--dry-run", environment={"GITLAB_TOKEN": "none"})
    assert done.returncode == 0, done.stdout + done.stderr
