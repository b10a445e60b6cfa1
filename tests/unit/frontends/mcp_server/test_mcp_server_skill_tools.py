"""Skills as tools: names that are unique and fit every host, and the worst a run may do."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.frontends.mcp_server.catalogue import Catalogue
from engine.frontends.mcp_server.offers import strict
from engine.frontends.mcp_server.serving import Serving
from engine.frontends.mcp_server.skill_tools import names_of
from engine.frontends.mcp_server.tiers import Tier
from engine.wiring import Engine


def test_a_skill_keeps_its_name_unless_it_is_taken() -> None:
    """A general tool of the same name makes it `NAME_skill`; if that is a skill, too, it is numbered."""
    assert names_of(["greet"], ["skill_run"]) == {"greet": "greet"}
    assert names_of(["skill_run"], ["skill_run"]) == {"skill_run": "skill_run_skill"}
    named = names_of(["skill_run", "skill_run_skill"], ["skill_run"])
    assert sorted(named.values()) == ["skill_run_skill", "skill_run_skill_skill"]


def test_long_names_are_cut_and_stay_apart() -> None:
    """No tool's name has more than 64 characters, and no two are the same."""
    skills = [f"{'x' * 80}{number}" for number in range(12)]
    named = names_of(skills, [])
    assert len(set(named.values())) == len(skills)
    assert max(map(len, named.values())) == 64


def test_a_tier_includes_those_before_it() -> None:
    """First `read`, then `run`, then `approve-fixes`."""
    allowed = [[allow.allows(needed) for needed in Tier] for allow in Tier]
    assert allowed == [[True, False, False], [True, True, False], [True, True, True]]


def test_strict_closes_every_object_with_named_members() -> None:
    """Also those in lists; what says itself that others are allowed stays."""
    schema = {"properties": {"a": {"items": {"properties": {}}}, "b": {"type": "object"}}}
    assert strict(schema) == {
        "additionalProperties": False,
        "properties": {"a": {"items": {"additionalProperties": False, "properties": {}}}, "b": {"type": "object"}},
    }


@pytest.mark.parametrize(
    ("text", "effect"),
    [
        ("steps:\n  - {name: do, tool: echo, args: {value: 1}}\n", "read"),
        ("steps:\n  - {name: do, tool: touch}\n", "write"),
        ("steps:\n  - name: both\n    steps:\n      - {name: do, tool: wipe}\n", "destructive"),
        ("steps:\n  - {name: do, compute: 'result = 1'}\nalways:\n  - {name: end, tool: wipe}\n", "destructive"),
        ("steps:\n  - {name: do, skill: inner}\n", "destructive"),
    ],
)
def test_the_effect_of_a_skill_is_the_worst_of_its_steps(tmp_path: Path, text: str, effect: str) -> None:
    """Of groups, of `always`, and of the skills that it runs."""
    for folder in ("skills", "tools"):
        (tmp_path / folder).mkdir()
    (tmp_path / "tools" / "wipe.yaml").write_text(
        "name: wipe\ndescription: Wipes.\neffect: destructive\ncommand:\n  argv: ['true']\n"
    )
    (tmp_path / "tools" / "touch.yaml").write_text(
        "name: touch\ndescription: Touches.\neffect: write\ncommand:\n  argv: ['true']\n"
    )
    (tmp_path / "skills" / "inner.yaml").write_text("name: inner\nsteps:\n  - {name: do, tool: wipe}\n")
    (tmp_path / "skills" / "outer.yaml").write_text(f"name: outer\n{text}")
    engine = Engine.open(tmp_path, home=tmp_path / "home")
    listed = Catalogue(serving=Serving(engine=engine)).listed()
    assert listed.broken == {}
    assert listed.effect_of["outer"] == effect
    hints = listed.offers["outer"].listing().annotations
    assert hints is not None
    assert (hints.read_only_hint, hints.destructive_hint) == (effect == "read", effect == "destructive")


def test_the_catalogue_looks_again_only_when_a_file_has_changed(tmp_path: Path) -> None:
    """The same value as long as nothing changes; a new file is seen at the next question."""
    (tmp_path / "skills").mkdir()
    catalogue = Catalogue(serving=Serving(engine=Engine.open(tmp_path, home=tmp_path / "home")))
    first = catalogue.listed()
    assert catalogue.listed() is first
    (tmp_path / "skills" / "new.yaml").write_text("name: new\nsteps:\n  - {name: do, tool: echo, args: {value: 1}}\n")
    assert "new" in catalogue.listed().offers
