"""docs/gitlab.md: its settings are taken, and its commands are ones that could run."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.flow.workshop import Workshop

PAGE = (Path(__file__).parents[2] / "docs" / "gitlab.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^    skill (.+)$", PAGE, re.MULTILINE)
LOGIN = """
name: gitlab_token_renew
description: Gets a new token.
effect: write
idempotent: true
fix: credentials
command: {argv: ["true"], output: none}
"""


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_page_could_run(command: str, tmp_path: Path) -> None:
    """With the settings of the page, planned and not done: their servers are made up."""
    place = Workshop(tmp_path / "work", tmp_path / "home")
    (place.folder / "tools").mkdir(parents=True)
    (settings,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    (place.folder / "skill.toml").write_text(settings)
    (place.folder / "tools" / "gitlab_token_renew.yaml").write_text(LOGIN)
    done = place.run(*shlex.split(command), "--dry-run")
    assert done.returncode == 0, done.stdout + done.stderr
