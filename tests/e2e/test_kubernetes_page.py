"""docs/kubernetes.md: its settings are taken, and its commands are ones that could run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.page_commands import assert_could_run, commands_of

PAGE = "kubernetes.md"


@pytest.mark.parametrize("command", commands_of(PAGE))
def test_a_command_of_the_page_could_run(command: str, tmp_path: Path) -> None:
    """With the settings of the page, planned and not done: their cluster is made up."""
    assert_could_run(PAGE, command, tmp_path)
