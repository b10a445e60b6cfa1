"""Skills are found by name or path, and never where nobody put them."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import pytest

from engine.errors import SkillInvalidError, SkillNotFoundError
from engine.library import SkillLibrary
from engine.sandbox import Sandbox
from tool_registry.tool import Tool

GOOD = "name: {name}\ndescription: {description}\ntags: [a, b]\nsteps:\n  - {{name: one, compute: result = 1}}\n"


def _write(folder: Path, name: str, description: str = "Works.") -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.yaml"
    path.write_text(GOOD.format(name=name, description=description), encoding="utf-8")
    return path


def test_an_earlier_folder_hides_a_later_one(tmp_path: Path) -> None:
    """The skill of the first folder is the one that counts, and says what it hides."""
    mine = _write(tmp_path / "mine", "deploy", "Mine.")
    theirs = _write(tmp_path / "theirs", "deploy", "Theirs.")
    _write(tmp_path / "theirs", "other")
    library = SkillLibrary([tmp_path / "mine", tmp_path / "theirs", tmp_path / "none"], sandbox=Sandbox(), tools={})
    first, second = library.entries()
    assert (first.name, first.description, first.path, first.hides) == ("deploy", "Mine.", mine, theirs)
    assert (second.name, second.tags, second.hides) == ("other", ("a", "b"), None)
    assert library.load("deploy").description == "Mine."


@pytest.mark.parametrize(
    "broken",
    [b"name: [", b"\xff\xfe\x00", b"- a\n- b\n", b"", b"[" * 200_000, b"name: x\ntags: {a: 1}\ndescription: [1]\n"],
)
def test_a_broken_file_is_an_entry_and_hides_no_other(folder: Path, library: SkillLibrary, broken: bytes) -> None:
    """The catalog survives any file; what cannot be read says why."""
    (folder / "broken.yaml").write_bytes(broken)
    _write(folder, "works")
    entries = {entry.name: entry for entry in library.entries()}
    assert entries["works"].error is None
    assert "broken" in entries
    assert library.check("broken") != ()
    with pytest.raises(SkillInvalidError):
        library.load("broken")


def test_an_unknown_name_brings_the_nearest(folder: Path, library: SkillLibrary) -> None:
    """A typing error is answered with the name that was meant."""
    _write(folder, "test_mr_ephemeral")
    with pytest.raises(SkillNotFoundError, match="did you mean test_mr_ephemeral") as caught:
        library.load("test_mr_ephemerl")
    assert caught.value.exit_status == 3


@pytest.mark.parametrize(
    "name", ["../secret", "..", "a/../secret", "/etc/passwd", "", ".", "secret\x00", "nothing/secret.yaml"]
)
def test_a_name_does_not_lead_out_of_the_folders(tmp_path: Path, library: SkillLibrary, name: str) -> None:
    """Names are looked up, never joined to a path; a path must be a YAML file that exists."""
    _write(tmp_path, "secret")
    with pytest.raises(SkillNotFoundError):
        library.load(name)


def test_links_are_not_followed(tmp_path: Path, folder: Path, library: SkillLibrary) -> None:
    """A link in a folder of skills is listed with the reason, and not run."""
    (folder / "linked.yaml").symlink_to(_write(tmp_path / "elsewhere", "linked"))
    (entry,) = library.entries()
    assert entry.error is not None
    assert "links are not followed" in entry.error
    with pytest.raises(SkillNotFoundError, match="links are not followed"):
        library.load("linked")
    (finding,) = library.check("linked")
    assert finding.code == "unreadable"


def test_a_path_may_be_given(tmp_path: Path, library: SkillLibrary) -> None:
    """A file outside of the folders runs when its path is given, with its places in it."""
    path = _write(tmp_path / "elsewhere", "apart")
    skill = library.load(str(path))
    assert (skill.name, skill.file, skill.text) == ("apart", str(path), path.read_text(encoding="utf-8"))


def test_a_file_that_cannot_be_read_says_so(tmp_path: Path, library: SkillLibrary) -> None:
    """A folder called like a skill file is no skill."""
    (tmp_path / "folder.yaml").mkdir()
    with pytest.raises(SkillNotFoundError):
        library.load(str(tmp_path / "folder.yaml"))


def test_an_invalid_skill_carries_every_error(folder: Path, library: SkillLibrary) -> None:
    """Loading fails with all the errors; warnings alone do not keep a skill from running."""
    (folder / "bad.yaml").write_text("name: bad\nstep: 1\nsteps:\n  - {name: a, tool: nope}\n", encoding="utf-8")
    with pytest.raises(SkillInvalidError) as caught:
        library.load("bad")
    assert [finding.code for finding in caught.value.findings] == ["unknown-key", "unknown-tool"]
    assert caught.value.exit_status == 6
    (folder / "warned.yaml").write_text(
        "name: warned\nsteps:\n  - {name: a, condition: false, compute: result = 1}\n", encoding="utf-8"
    )
    assert [finding.code for finding in library.check("warned")] == ["unreachable"]
    assert library.load("warned").name == "warned"


def test_a_valid_skill_is_not_checked_again(tmp_path: Path, folder: Path, tools: Mapping[str, Tool]) -> None:
    """With a cache, the second load asks nothing of the sandbox; a change of file or tools is noticed."""

    class Untouched(Sandbox):
        def __getattribute__(self, name: str) -> object:
            raise AssertionError(name)

    cache = tmp_path / "cache"
    path = folder / "cached.yaml"
    path.write_text(
        'name: cached\nsteps:\n  - {name: a, tool: get_pods, args: {namespace: "{{ run.id }}"}}\n', encoding="utf-8"
    )
    loaded = SkillLibrary([folder], sandbox=Sandbox(), tools=tools, cache=cache).load("cached")
    again = SkillLibrary([folder], sandbox=Untouched(), tools=tools, cache=cache)
    assert again.load("cached") == loaded
    with pytest.raises(SkillInvalidError, match="no tool called get_pods"):
        SkillLibrary([folder], sandbox=Sandbox(), tools={}, cache=cache).load("cached")
    path.write_text(path.read_text(encoding="utf-8").replace("run.id", "run.idd"), encoding="utf-8")
    with pytest.raises(AssertionError):
        again.load("cached")


def test_a_skill_that_runs_others_is_not_checked_again(tmp_path: Path, folder: Path, tools: Mapping[str, Tool]) -> None:
    """The texts of all skills it comes to count like its own, and so do their tools and where they are found."""

    class Untouched(Sandbox):
        def __getattribute__(self, name: str) -> object:
            raise AssertionError(name)

    mine, cache = tmp_path / "mine", tmp_path / "cache"
    mine.mkdir()
    step = '{name: a, tool: get_pods, args: {namespace: "{{ run.id }}"}}'
    for name, called in (("outer", "between"), ("between", "inner"), ("inner", "")):
        call = f"  - {{name: call, skill: {called}}}\n" if called else ""
        (folder / f"{name}.yaml").write_text(f"name: {name}\nsteps:\n  - {step}\n{call}", encoding="utf-8")

    def load(sandbox: Sandbox, *, having: Mapping[str, Tool] = tools) -> None:
        SkillLibrary([mine, folder], sandbox=sandbox, tools=having, cache=cache).load("outer")

    load(Sandbox())
    load(Untouched())
    SkillLibrary([mine, folder], sandbox=Untouched(), tools=tools, cache=cache).load("inner")
    with pytest.raises(SkillInvalidError, match="no tool called get_pods"):
        load(Sandbox(), having={})
    inner = folder / "inner.yaml"
    inner.write_text(inner.read_text(encoding="utf-8") + "# changed\n", encoding="utf-8")
    with pytest.raises(AssertionError):
        load(Untouched())
    load(Sandbox())
    load(Untouched())
    (mine / "inner.yaml").write_text(inner.read_text(encoding="utf-8").replace("run.id", "run.idd"), encoding="utf-8")
    with pytest.raises(SkillInvalidError, match="the skill inner, which between runs, has an error"):
        load(Sandbox())


def test_a_text_that_is_no_file_any_more_is_parsed_and_checked(folder: Path, library: SkillLibrary) -> None:
    """What history kept of a skill can be run again, and is refused like a file when it cannot."""
    path = _write(folder, "works", "As it was.")
    text = path.read_text(encoding="utf-8")
    _write(folder, "works", "As it is.")
    skill = library.parse(text, str(path))
    assert (skill.description, skill.file, skill.text) == ("As it was.", str(path), text)
    with pytest.raises(SkillInvalidError) as caught:
        library.parse("name: works\nsteps:\n  - {name: a, tool: nope}\n", str(path))
    assert str(caught.value.place) == f"{path}:3:21"
    with pytest.raises(SkillInvalidError):
        library.parse("name: [", str(path))


def test_a_certain_text_may_be_asked_for(folder: Path, library: SkillLibrary) -> None:
    """With a digest, a file that has another text by now is refused."""
    path = _write(folder, "works")
    digest = sha256(path.read_bytes()).hexdigest()
    assert library.load("works", digest=digest) == library.load("works")
    _write(folder, "works", "Changed.")
    with pytest.raises(SkillInvalidError, match="has been changed"):
        library.load("works", digest=digest)


@pytest.mark.parametrize("levels", [30, 31, 200, 5_000])
@pytest.mark.parametrize("key", ["steps", "parallel"])
def test_groups_may_be_deep_but_not_bottomless(folder: Path, library: SkillLibrary, levels: int, key: str) -> None:
    """Thirty levels are checked and parsed; more is a finding and never a crash."""
    inner = "{name: leaf, compute: result = 1}"
    for level in range(levels):
        inner = f"{{name: g{level}, {key}: [{inner}]}}"
    (folder / "deep.yaml").write_text(f"name: deep\nsteps: [{inner}]\n", encoding="utf-8")
    found = library.check("deep")
    if levels <= 30:
        assert found == ()
        assert library.load("deep").steps != ()
    else:
        assert [finding.code for finding in found] == ["too-deep"]


def test_a_cache_that_cannot_be_written_costs_only_time(tmp_path: Path, folder: Path) -> None:
    """A file where the cache folder should be changes nothing."""
    _write(folder, "works")
    (tmp_path / "cache").write_text("in the way", encoding="utf-8")
    library = SkillLibrary([folder], sandbox=Sandbox(), tools={}, cache=tmp_path / "cache")
    assert library.load("works").name == "works"
    assert library.load("works").name == "works"
