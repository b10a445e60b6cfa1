"""docs/authoring.md from top to bottom: each command is typed, each file is written, and each answer is as printed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.editor_client import CURSOR, editor_in
from tests.shell import SKILL

PAGE = (Path(__file__).parents[2] / "docs" / "authoring.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
PASSING = re.compile(r"\d+\.\d+ s\b|\d{8}-\d{6}-[0-9a-f]{6}")
"""Durations and the names of runs are of the day."""


def typed(shell: Any, command: str) -> str:
    """What a terminal shows after a command."""
    environment = {**shell.environment, "PATH": f"{SKILL.parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=shell.folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=100,
    )
    return done.stdout


def commands(block: str) -> list[tuple[str, str]]:
    """Each command of a console block, and what is printed after it."""
    said = re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
    return [(command, answer) for command, _, answer in (each.partition("\n") for each in said)]


def timeless(text: str) -> str:
    """A text without what is of the day, and without blank lines around it."""
    return PASSING.sub("...", text).strip("\n")


def test_the_ten_minutes_go_as_printed(shell: Any) -> None:
    """What is typed answers what stands there; files are what the page shows."""
    skill = shell.folder / "skills" / "news.yaml"
    files = iter([None, None, shell.folder / "rehearsals" / "news_found.yaml"])
    for kind, block in BLOCK.findall(PAGE):
        match kind:
            case "console":
                for command, answer in commands(block):
                    assert timeless(typed(shell, command)) == timeless(answer), command
            case "yml":
                skill.write_text(block)
            case "yaml" if (path := next(files)) is None:
                assert skill.read_text() == block
            case "yaml":
                path.write_text(block)
    assert next(files, "none left") == "none left"


@pytest.mark.parametrize("kind", ["json", "toml", "lua"])
def test_the_settings_of_editors_lead_to_the_schema(shell: Any, kind: str) -> None:
    """A skill without the line is completed too, with the schemas that the editor's settings name."""
    [block] = [text for name, text in BLOCK.findall(PAGE) if name == kind]
    schemas = schemas_of(kind, block)
    assert shell.run("new", "mine").returncode == 0
    with editor_in(shell.folder, schemas) as editor:
        offered = editor.completions(shell.folder / "skills" / "plain.yaml", f"name: plain\nsteps:\n  - tool: {CURSOR}")
    assert "echo" in offered


def schemas_of(kind: str, block: str) -> dict[str, str]:
    """Which schema an editor's settings name for which files."""
    match kind:
        case "json":
            return dict(json.loads(block)["yaml.schemas"])
        case "toml":
            return dict(tomllib.loads(block)["language-server"]["yaml-language-server"]["config"]["yaml"]["schemas"])
        case _:
            return dict(re.findall(r'\["([^"]+)"\] = "([^"]+)"', block))
