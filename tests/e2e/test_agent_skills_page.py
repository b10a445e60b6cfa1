"""docs/agent-skills.md says what happens."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.agent_skills import validated
from tests.shell import Shell

PAGE = (Path(__file__).parents[2] / "docs" / "agent-skills.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The page's examples in one language, in order."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """The page's workspace."""
    made = Shell(folder=tmp_path / "work", home=tmp_path / "home")
    (made.folder / "skills").mkdir(parents=True)
    (made.folder / "skill.toml").touch()
    (made.folder / "skills" / "greet_somebody.yaml").write_text(blocks("yaml")[0])
    return made


def test_the_page_s_skill_goes_out_and_comes_back(shell: Shell) -> None:
    """The folder begins as printed and is valid; imported into an empty workspace it runs."""
    out, back = (shlex.split(command)[1:] for command in blocks("sh"))
    assert shell.run(*out).returncode == 0
    folder = shell.folder / "out" / "greet-somebody"
    assert (folder / "SKILL.md").read_text().startswith(blocks("markdown")[0])
    assert validated([folder])["greet-somebody"]["name"] == "greet-somebody"
    (shell.folder / "skills" / "greet_somebody.yaml").unlink()
    assert shell.run(*back).returncode == 0
    assert (shell.folder / "skills" / "greet_somebody.yaml").read_text() == blocks("yaml")[0]
    assert shell.json("run", "greet_somebody", "-i", "who=Ada")["outputs"] == {"greeting": "hello Ada"}


def test_the_page_s_skill_md_becomes_the_printed_skill_and_its_run_is_answered(shell: Shell) -> None:
    """Each question waits for its answer; braces of the page are braces."""
    (shell.folder / "theirs").mkdir()
    (shell.folder / "theirs" / "SKILL.md").write_text(blocks("markdown")[1])
    assert shell.json("import", "theirs")["manual"] is True
    assert (shell.folder / "skills" / "release-notes.yaml").read_text() == blocks("yaml")[1]
    first = shell.json("run", "release-notes", "--no-input", "-i", "task=1.2", status=4)
    asked = first["questions"][0]["question"]
    assert asked.startswith("What it is for: 1.2\n\nLook at `{{ version }}` in the changelog first.\n\nStep 1 of 2:")
    second = shell.json("answer", first["run"], "step_1=three changes", "--no-input", status=4)
    assert "without {{ jargon }}" in second["questions"][0]["question"]
    done = shell.json("answer", first["run"], "step_2=written {{ x }}", "--no-input")
    assert done["outputs"] == {"step_1": "three changes", "step_2": "written {{ x }}"}


def test_the_help_fits_a_terminal(shell: Shell) -> None:
    """Both commands say what they do in 80 columns."""
    for command in ("export", "import"):
        done = shell.run(command, "--help", environment={"COLUMNS": "80"})
        assert max(map(len, done.stdout.splitlines())) <= 80
