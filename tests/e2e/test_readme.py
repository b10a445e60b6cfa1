"""What the README shows is what happens: its picture, its skill and its program, run for real."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
AUTHOR = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")


def block(language: str) -> str:
    """The README's one fenced block in a language."""
    [found] = re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)
    return str(found)


def picture() -> list[str]:
    """The lines of the picture, without its indent and what it leaves out."""
    section = README.split("## A healed run")[1].split("\n## ")[0]
    lines = [line[4:] for line in section.splitlines() if line.startswith("    ")]
    return [line for line in lines if line.strip() not in {"", "..."}]


def timeless(line: str) -> str:
    """A line without what differs from run to run: times, ids, ports, digests."""
    line = re.sub(r"sha256:[0-9a-f]+|\d{8}-\d{6}-[0-9a-f]{6}|ephemeral-\w{6}\b", "ID", line)
    return re.sub(r" +", " ", re.sub(r"\d+(\.\d+)?", "N", line))


def git(folder: Path, *words: str) -> None:
    """A git command that must work."""
    subprocess.run(["git", *AUTHOR, *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(shell: Any) -> Any:
    """The shell's folder as a git repository with two commits and the README's skill in it."""
    git(shell.folder, "init", "-q")
    for subject in ("Begin", "Show prices with tax"):
        git(shell.folder, "commit", "-q", "--allow-empty", "-m", subject)
    (shell.folder / "skills").mkdir()
    (shell.folder / "skills" / "release_notes.yaml").write_text(block("yaml"))
    return shell


@pytest.mark.slow
def test_the_picture_is_what_the_first_demo_prints_and_the_second_heals_nothing(shell: Any) -> None:
    """Line by line and in this order, times and ids aside; then the second run says that nothing needed healing."""
    done = shell.run("demo")
    assert done.returncode == 0, done.stderr
    told = iter([timeless(line) for line in (done.stderr + done.stdout).splitlines()])
    shown = picture()
    assert 15 <= len(shown) <= 22
    assert [line for line in shown if timeless(line) not in told] == []
    assert "embedded in this program" in done.stderr
    assert "Repaired before the first step: local_platform_start() and kube_login()." in done.stderr
    assert "1 of its steps failed and was healed: reserve.\nThe demo had revoked the token in mid-run" in done.stderr
    again = shell.run("demo")
    assert again.returncode == 0
    assert "nothing to heal" in again.stdout
    assert "Nothing needed repair" in again.stderr


def test_the_five_minute_skill_checks_and_runs(repository: Any) -> None:
    """Exactly as it stands there."""
    assert repository.run("check", "release_notes").returncode == 0
    done = repository.run("run", "release_notes")
    assert done.returncode == 0, done.stderr
    assert "- Show prices with tax\n- Begin" in done.stdout
    fewer = repository.run("run", "release_notes", "-i", "count=1", "-q")
    assert fewer.stdout == "- Show prices with tax\n"
    assert repository.run("run", "release_notes", "-i", "count=0").returncode == 2


def test_the_five_minute_skill_blocks_where_there_is_no_commit(repository: Any) -> None:
    """The `stop` it shows is reached, and says what to do."""
    done = repository.run("run", "release_notes", "-i", "since=2099-01-01")
    assert done.returncode == 5, done.stdout + done.stderr
    assert "There is no commit since 2099-01-01; go further back" in done.stdout


def test_the_program_runs_and_heals(repository: Any) -> None:
    """Ten lines of Python: status, what was repaired and healed, and the digest of what was deployed."""
    program = block("python")
    assert len([line for line in program.splitlines() if line.strip()]) <= 10
    (repository.folder / "program.py").write_text(program)
    done = subprocess.run(
        [sys.executable, "program.py"],
        cwd=repository.folder,
        env=repository.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"ok 2 repaired beforehand, 0 healed sha256:[0-9a-f]{64}\n", done.stdout)


def test_every_command_the_readme_names_exists(shell: Any) -> None:
    """And every make target."""
    from engine.frontends.cli.commands import COMMANDS  # noqa: PLC0415 - the one test that needs the table

    named = set(re.findall(r"`skill (\w+)", README))
    assert named - set(COMMANDS) == set()
    makefile = (Path(__file__).resolve().parents[2] / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"make (demo|test|quick|lint|bench)", README))
    assert [target for target in targets if f"\n{target}:" not in makefile] == []
    assert shell.run("--version").stdout.startswith("skill, version ")
