"""Names under `heal:` that mean nothing here are warnings, with the nearest that do."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine import Engine
from engine.library import SkillLibrary
from engine.model.place import Severity
from engine.sandbox import Sandbox

DOOR = '[domains.door]\ndescription = "A door."\nfixes.login = {call = {tool = "unlock_it"}}\n'


def found(folder: Path, heal: str, settings: str = DOOR) -> list[tuple[str, int, str]]:
    """Code, column and way out of each finding of a skill that narrows healing so, and that in an undo."""
    (folder / "skill.toml").write_text(settings)
    (folder / "skills").mkdir(exist_ok=True)
    text = f"name: one\nsteps:\n  - name: a\n    tool: kube_whoami\n    heal: {heal}\n"
    (folder / "skills" / "one.yaml").write_text(text)
    listed = Engine.open(folder).library.check("one")
    assert {each.severity for each in listed} <= {Severity.WARNING}
    return [(each.code, each.place.column, each.hint) for each in listed]


@pytest.mark.parametrize(
    "heal",
    ["{domain: door}", "{domain: registry, fixes: [login, connect]}", "{fixes: [unlock_it, kube_login]}", "false"],
)
def test_what_there_is_says_nothing(tmp_path: Path, heal: str) -> None:
    """Domains of the profile and of the workspace, roles, tools that domains call, tools that are fixes."""
    assert found(tmp_path, heal) == []


def test_a_misspelt_domain_is_found(tmp_path: Path) -> None:
    """At its place, with the nearest there is."""
    assert found(tmp_path, "{domain: dor}") == [("unknown-domain", 20, "did you mean door?")]


def test_a_misspelt_fix_is_found(tmp_path: Path) -> None:
    """Each in the list; a tool that is no fix is none."""
    told = found(tmp_path, "{fixes: [logn, kube_whoami]}")
    assert [each[:2] for each in told] == [("unknown-fix", 20), ("unknown-fix", 26)]
    assert told[0][2] == "did you mean login?"


def test_a_profile_that_cannot_be_read_keeps_no_skill_from_being_checked(tmp_path: Path) -> None:
    """That is told where settings are checked."""
    assert found(tmp_path, "{domain: dor}", 'profile = "nowhere"\n') == []


def test_without_knowing_the_domains_nothing_is_said(tmp_path: Path) -> None:
    """A library alone has none."""
    (tmp_path / "one.yaml").write_text("name: one\nsteps:\n  - {name: a, steps: [{name: b, compute: result = 1}]}\n")
    assert SkillLibrary([tmp_path], sandbox=Sandbox(), tools={}).check("one") == ()
