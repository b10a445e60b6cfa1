"""docs/agents.md works as it is printed."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.shell import SKILL, Shell

PAGE = (Path(__file__).parents[2] / "docs" / "agents.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    """The page's example in that language."""
    found = re.search(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)
    assert found, language
    return found[1]


@pytest.fixture
def here(tmp_path: Path) -> Shell:
    """A workspace with the page's skill; it has a skill.toml, so its live files stand in it."""
    folder = tmp_path / "work"
    (folder / "skills").mkdir(parents=True)
    (folder / "skill.toml").touch()
    (folder / "skills" / "greet_carefully.yaml").write_text(block("yaml"))
    return Shell(folder, folder / ".skill")


def test_the_agent_that_comes_back(here: Shell, tmp_path: Path) -> None:
    """The script prints what the page says it prints."""
    script = tmp_path / "agent.py"
    script.write_text(block("python"))
    environment = {**here.environment, "PATH": f"{SKILL.parent}:{here.environment['PATH']}"}
    done = subprocess.run(
        [sys.executable, script, here.folder], env=environment, capture_output=True, text=True, check=False, timeout=100
    )
    assert done.stdout == block("text"), done.stderr


def test_the_same_without_an_agent(here: Shell) -> None:
    """The two commands do what the page shows."""
    first, run_id, second, said = block("console").splitlines()
    begun = here.run(*first.split()[2:])
    assert re.fullmatch(r"\d{8}-\d{6}-[0-9a-f]{6}\n", begun.stdout)
    assert re.fullmatch(r"\d{8}-\d{6}-[0-9a-f]{6}", run_id)
    while here.json("history")[0]["status"] == "running":
        time.sleep(0.05)
    answered = here.run(*second.split()[2:])
    assert (answered.returncode, answered.stdout.rstrip()) == (0, said), answered
