"""`skill status` lists what was looked at before the run and before its calls."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.frontends.cli.checks_made import check_lines
from engine.history.records import CheckRecord
from tests.shell import Shell

SETTINGS = """
[domains.door]
description = "A door."
fixes.connect = {call = {tool = "build_road"}, cooldown = 0}
[domains.door.checks.road]
tool = "road"
role = "connect"
kind = "connection_refused"
"""
TOOL = (
    "name: {name}\ndescription: x\neffect: {effect}\ndomain: door\n{more}command: {{argv: {command}, output: none}}\n"
)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A workspace with a door whose road is closed, and a fix that builds it."""
    made = Shell(folder=tmp_path / "work", home=tmp_path / "home")
    for name in ("skills", "tools"):
        (made.folder / name).mkdir(parents=True)
    (made.folder / "skill.toml").write_text(SETTINGS)
    road = made.folder / "road"
    tools = {
        "road": TOOL.format(name="road", effect="read", more="", command=f'["test", "-e", "{road}"]'),
        "build_road": TOOL.format(
            name="build_road",
            effect="write",
            more="idempotent: true\nfix: connectivity\n",
            command=f'["touch", "{road}"]',
        ),
        "enter": TOOL.format(name="enter", effect="write", more="", command='["true"]'),
    }
    for name, text in tools.items():
        (made.folder / "tools" / f"{name}.yaml").write_text(text)
    (made.folder / "skills" / "one.yaml").write_text("name: one\nsteps:\n  - {name: a, tool: enter}\n")
    return made


def test_the_checks_of_a_run_are_listed(shell: Shell) -> None:
    """For people before the steps, and as data."""
    assert shell.run("run", "one").returncode == 0
    told = shell.json("status")["checks"]
    assert [(each["check"], each["domain"], each["action"], each["fix"]) for each in told] == [
        ("road", "door", "fixed", "build_road()")
    ]
    done = shell.run("status")
    assert "  looked at beforehand\n  ✚ road of door: " in done.stdout
    assert "build_road() repaired it" in done.stdout


def test_a_run_without_checks_says_nothing_of_them(shell: Shell) -> None:
    """Most have none."""
    (shell.folder / "skills" / "two.yaml").write_text("name: two\nsteps:\n  - {name: a, compute: result = 1}\n")
    shell.run("run", "two")
    assert "beforehand" not in shell.run("status").stdout
    assert shell.json("status")["checks"] == []


def test_alike_checks_share_a_line() -> None:
    """With how often they were made, and before which steps."""
    made = [
        CheckRecord(check="road", domain="door", ok=True, action="passed", at=1.0, step=step, message="road is good")
        for step in ("", "a", "b", "c", "d")
    ]
    assert [line.text for line in check_lines(made, width=None)] == [
        "  looked at beforehand",
        "  ✓ road is good (5 times)  [a, b, c and 1 more]",
    ]
