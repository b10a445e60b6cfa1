"""`skill check` reads `skill.toml` too, and says where in it a mistake stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.shell import Shell

SETTINGS = """\
profile = "local"

[domains.door]
description = "A door."
fixes.login = {call = {tool = "log_inn"}, cooldown = 0}

[domains.door.fixes.rescue]
call = {tool = "echo"}

[domains.door.checks.road]
tool = "file_write"

[domains.door.checks.lamp]
tool = "file_read"
args = {pat = "x"}
role = "connect"
"""


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A workspace with one right skill."""
    made = Shell(folder=tmp_path / "work", home=tmp_path / "home")
    (made.folder / "skills").mkdir(parents=True)
    (made.folder / "skill.toml").touch()
    (made.folder / "skills" / "one.yaml").write_text("name: one\nsteps:\n  - {name: a, tool: echo, args: {value: 1}}\n")
    return made


def found(shell: Shell, text: str, *names: str) -> list[tuple[int, int, str]]:
    """Line, column and code of everything found in these settings."""
    (shell.folder / "skill.toml").write_text(text)
    told = shell.run("check", "-o", "json", *names)
    listed = shell.json("check", *names, status=told.returncode)
    return [(each["line"], each["column"], each["code"]) for each in listed if each["file"].endswith("skill.toml")]


def test_mistakes_of_the_schema_stand_at_their_line(shell: Shell) -> None:
    """An unknown key, a wrong type deep in an inline table, a value that is none of the choices."""
    text = 'profile = "local"\n[heal]\nmoode = "ask"\n\n[domains.door]\nfixes.login = {call = {tool = 5}}\n'
    assert found(shell, text) == [(3, 1, "unknown-key"), (6, 31, "wrong-type")]
    assert shell.run("check").returncode == 6


def test_mistakes_in_domains_stand_at_what_is_wrong(shell: Shell) -> None:
    """Tools that are none or do the wrong thing, arguments a tool does not take, roles without a fix."""
    assert found(shell, SETTINGS) == [
        (5, 31, "unknown-tool"),
        (7, 21, "not-allowed"),
        (8, 16, "not-allowed"),
        (11, 8, "not-allowed"),
        (15, 8, "wrong-argument"),
        (16, 8, "not-allowed"),
    ]


def test_a_person_sees_the_line_with_a_caret(shell: Shell) -> None:
    """As in a skill."""
    (shell.folder / "skill.toml").write_text('[heal]\nmode = "aks"\n')
    done = shell.run("check")
    assert "skill.toml:2:8: not-allowed" in done.stdout
    assert '     2 | mode = "aks"\n       |        ^\n' in done.stdout


def test_the_file_can_be_named_alone_and_is_left_out_when_skills_are_named(shell: Shell) -> None:
    """Who names a skill asks about that skill."""
    assert found(shell, SETTINGS, "skill.toml") != []
    assert shell.run("check", "one").returncode == 0


def test_right_settings_say_nothing(shell: Shell) -> None:
    """Nor do none."""
    assert found(shell, 'profile = "local"\n') == []
    assert shell.run("check").returncode == 0


def test_what_is_no_toml_is_told_with_its_place(shell: Shell) -> None:
    """By every command, for none can work with it."""
    (shell.folder / "skill.toml").write_text('profile = "local"\n[heal\n')
    done = shell.run("check")
    assert (done.returncode, "skill.toml:2:6: " in done.stderr) == (2, True)


def test_mistakes_of_a_short_form_stand_at_its_own_key(shell: Shell) -> None:
    """What is made of it is looked at as what stands there; what the long form says is found there."""
    text = """\
[services.jira]
url = "https://jira.example"
login = {tool = "log_inn"}

[clusters.prod]
kubeconfig = "k"
login = {tool = "echo"}

[domains.prod.checks.road]
tool = "file_write"
"""
    assert found(shell, text) == [(3, 9, "unknown-tool"), (7, 9, "not-allowed"), (10, 8, "not-allowed")]
