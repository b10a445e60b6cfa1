"""The command without its program: what a timer, a unit or a host starts where `skill` does not lie beside Python."""

from __future__ import annotations

import json
import os
import sys
import sysconfig
from pathlib import Path
from subprocess import run

import pytest

import engine

ROOT = Path(engine.__file__).parent.parent


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A Python with no `skill` beside it."""
    (tmp_path / "bin").mkdir()
    python = tmp_path / "bin" / "python"
    python.symlink_to(sys.executable)
    return python


def said(bare: Path, *words: str) -> str:
    """What the command says, started by module from a workspace that has a folder `engine` of its own."""
    folder = bare.parent.parent / "place"
    (folder / "engine").mkdir(parents=True, exist_ok=True)
    (folder / "engine" / "__init__.py").write_text("raise SystemExit('this is not the engine')\n")
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{sysconfig.get_path('purelib')}", "SKILL_HOME": str(folder)}
    done = run(words, cwd=folder, env=environment, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout


def test_what_is_written_down_to_start_the_command_starts_it(bare: Path) -> None:
    """The unit, the line of the crontab and the host's entry name words that run, whatever the folder they run in."""
    words = [str(bare), "-P", "-m", "engine"]
    unit = json.loads(said(bare, *words, "health", "install", "--dry-run", "-o", "json"))
    assert f"ExecStart={' '.join(words)} " in unit["text"]
    timer = json.loads(said(bare, *words, "learn", "--install-timer", "cron", "--dry-run", "-o", "json"))
    assert " ".join(words) in timer["lines"]
    entry = json.loads(said(bare, *words, "mcp", "config", "-o", "json"))["mcpServers"]["skills"]
    assert [entry["command"], *entry["args"]][:4] == words
    assert said(bare, entry["command"], *entry["args"][:3], "--version").startswith("skill")
