"""Whatever a skill looks like, exported it is valid and imported again what it was; whatever a page says is data."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from engine import Engine
from engine.agent_skills.contents import Folder, folders
from engine.agent_skills.front_matter import split, written
from engine.agent_skills.manual import manual_skill
from engine.agent_skills.reading import AgentSkill, steps_of
from engine.agent_skills.standing import recorded, standing, untouched
from engine.agent_skills.taking import taking
from engine.agent_skills.writing import write_all
from engine.documents import dump, parse
from engine.library import SkillLibrary
from engine.sandbox import Sandbox
from tests.agent_skills import validated
from tests.properties.drawn_skills import Calls, Drawn, drawn_skills, write

RELAXED = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
TEXTS = st.text(max_size=80)
WORDS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", fullmatch=True)


@RELAXED
@given(drawn_skills(), TEXTS, st.sampled_from(["\n", "\r\n"]), st.sampled_from(["", "\ufeff"]))
def test_exported_and_imported_again_a_skill_is_what_it_was(drawn: Drawn, comment: str, end: str, mark: str) -> None:
    """Every byte of it and of the skills it runs: comments, line ends, byte order mark."""
    with tempfile.TemporaryDirectory() as scratch:
        here, there, out = (Path(scratch) / name for name in ("here", "there", "out"))
        write(drawn, here)
        for path in (here / "skills").iterdir():
            said = "".join(sign for sign in comment if sign.isprintable())
            path.write_bytes(f"{mark}# {said}\n{path.read_text()}\n".replace("\n", end).encode())
        _export(here, out)
        _export(here, out, again=True)
        _import(out / "main", there)
        before, after = (
            {path.name: path.read_bytes() for path in (where / "skills").iterdir()} for where in (here, there)
        )
        assert after == {name: before[name] for name in after}
        assert "main.yaml" in after
        assert set(after) == set(before)


@settings(RELAXED, max_examples=3, phases=[Phase.explicit, Phase.generate])
@given(
    st.dictionaries(WORDS, st.tuples(TEXTS, st.lists(WORDS, unique=True, max_size=3), TEXTS), min_size=20, max_size=40)
)
def test_the_reference_validator_takes_every_folder(skills: dict[str, tuple[str, list[str], str]]) -> None:
    """Whatever stands in name, description, tags and version."""
    with tempfile.TemporaryDirectory() as scratch:
        (Path(scratch) / "skills").mkdir()
        (Path(scratch) / "skill.toml").touch()
        seen: dict[str, str] = {}
        for name, (text, tags, version) in skills.items():
            seen.setdefault("".join(sign for sign in name.lower() if sign.isalnum()), name)
            step = {"name": "a", "description": text, "tool": "echo", "args": {"value": 1}}
            whole = {"name": name, "description": text, "version": version, "tags": tags, "steps": [step]}
            (Path(scratch) / "skills" / f"{name}.yaml").write_text(dump(whole), encoding="utf-8")
        engine = Engine.open(scratch)
        made = folders(engine.library, tuple(seen.values()), engine.registry)
        write_all(change for each in made for change in standing(each, Path(scratch) / "out").changes)
        says = validated(Path(scratch) / "out" / each.name for each in made)
        assert {each["metadata"]["skill"] for each in says.values()} == set(seen.values())  # type: ignore[index]
        for each in made:
            assert untouched(each.files["SKILL.md"])
            assert set(recorded(Path(scratch) / "out" / each.name)) == set(each.files)


@RELAXED
@given(st.dictionaries(WORDS, st.one_of(TEXTS, st.dictionaries(WORDS, TEXTS, min_size=1))), TEXTS)
@example({"a": "----- --- -"}, "---\n")
def test_front_matter_says_what_was_written(fields: dict[str, str | dict[str, str]], body: str) -> None:
    """Whatever the texts are; and no three dashes stand in it but its fences."""
    text = written(fields)
    inside = text.removeprefix("---\n").removesuffix("---\n")
    assert "---" not in "".join(line.partition(": ")[2] for line in inside.splitlines())
    if fields:
        assert split(text + body, "x") == (fields, body)


@RELAXED
@given(st.text(max_size=300), st.text(min_size=1, max_size=80), TEXTS)
@example("{{ x }} {% y %}", "{{ z }}", "{{")
@example("1. {{ a }}\n2. {% b %}\n", "d", "")
def test_a_manual_skill_is_right_whatever_the_page_says(body: str, description: str, licence: str) -> None:
    """It has no mistakes, its text says what the body says, and only texts of ours are templates."""
    found = AgentSkill(
        path=Path("SKILL.md"), text="", name="x", description=description, body=body, license=licence, metadata={}
    )
    text = manual_skill(found, "x", folder="{{ f }}")
    SkillLibrary((), sandbox=Sandbox(), tools={}).parse(text, "x.yaml")
    value = parse(text, "x.yaml").value
    before, items = steps_of(body)
    told = value["defaults"]["instructions"]
    assert told == (list(items) if items else body.strip() or description)
    assert value["defaults"].get("before", "") == (before if items else "")
    assert not any(
        "{{ f }}" in step["ask"]["question"] or licence.strip("{ ") == step["name"] for step in value["steps"]
    )


def _export(here: Path, out: Path, *, again: bool = False) -> None:
    engine = Engine.open(here, tools=Calls(folder=here).tools())
    names = [path.stem for path in (here / "skills").glob("*.yaml")]
    made: tuple[Folder, ...] = folders(engine.library, names, engine.registry)
    found = [standing(each, out) for each in made]
    assert not any(each.in_the_way for each in found)
    assert not again or not any(each.changes for each in found)
    write_all(change for each in found for change in each.changes)


def _import(folder: Path, there: Path) -> None:
    there.mkdir()
    (there / "skill.toml").touch()
    engine = Engine.open(there, tools=Calls(folder=there).tools())
    write_all(taking(folder, engine.workspace, engine.registry, engine.sandbox).changes)
