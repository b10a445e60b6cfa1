"""Export and import: all of a package or none of it, mine before theirs, and undone on request."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.documents import dump, parse
from engine.errors import DocumentError, EngineError, InputError
from engine.memory import Memory
from engine.memory_tools.exchange import FORMAT, exported, taken_in
from engine.model.secret import Secrets

ENTRY = "  - tool_name: {tool}\n    error_pattern: {words}\n    fix_applied: {fix}\n"
MINE = "# mine\ntool_fixes:\n" + ENTRY.format(tool="t", words="some words", fix="mine")
THEIRS = (
    "# theirs\ntool_fixes:\n"
    + ENTRY.format(tool="t", words="Some  Words", fix="theirs")
    + ENTRY.format(tool="u", words="other words", fix="theirs")
    + "    times_prevented: 7\n"
)


def put(memory: Memory, name: str, text: str) -> Path:
    """Writes a live file."""
    path = memory.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def package(**files: str) -> str:
    """A package of files; `__` in a name stands for a slash, and the rest for itself."""
    named = {name.replace("__", "/") + ".yaml": text for name, text in files.items()}
    return dump({"format": FORMAT, "exported_at": "2026-11-21T00:00:00Z", "files": named})


def test_what_was_exported_is_taken_in_elsewhere_with_its_comments(memory: Memory, tmp_path: Path) -> None:
    """Of what only happened here nothing is told."""
    put(memory, "learned/tool_fixes.yaml", MINE)
    put(memory, "notes/web.md", "# Web\n\nIt is in the cellar.\n")
    put(memory, "learned/tool_failures.yaml", "failures: []\nstats: {total_failures: 3, auto_fixed: 1}\n")
    told = dump(exported(memory, Secrets(), now=0))
    assert "total_failures" not in told
    other = Memory(tmp_path / "other", seeds=tmp_path / "none", secrets=Secrets())
    taken = taken_in(other, parse(told, "package"))
    assert taken.files == {"learned/tool_fixes.yaml": "added", "notes/web.md": "added"}
    assert (other.folder / "learned" / "tool_fixes.yaml").read_text() == MINE
    assert (other.folder / "notes" / "web.md").read_text() == "# Web\n\nIt is in the cellar.\n"


def test_merged_what_is_there_stays_and_what_is_not_is_added(memory: Memory) -> None:
    """The same error of a tool is told apart by its words; another machine's counts are left out."""
    path = put(memory, "learned/tool_fixes.yaml", MINE)
    taken = taken_in(memory, parse(package(learned__tool_fixes=THEIRS), "package"))
    assert taken.files == {"learned/tool_fixes.yaml": "1 entries added"}
    assert path.read_text() == MINE + ENTRY.format(tool="u", words="other words", fix="theirs")


def test_replaced_theirs_takes_the_place_of_mine_and_can_be_undone(memory: Memory) -> None:
    """By the back-up that the answer names."""
    path = put(memory, "learned/tool_fixes.yaml", MINE)
    taken = taken_in(memory, parse(package(learned__tool_fixes=THEIRS), "package"), replace=True)
    assert path.read_text() == THEIRS.replace("    times_prevented: 7\n", "")
    memory.backups.restore(memory.backups.get(taken.backup))
    assert path.read_text() == MINE


def test_a_file_that_was_not_there_is_removed_by_undoing(memory: Memory) -> None:
    """As if nothing had been taken in."""
    taken = taken_in(memory, parse(package(notes__a="a: 1\n"), "package"))
    memory.backups.restore(memory.backups.get(taken.backup))
    assert not (memory.folder / "notes" / "a.yaml").exists()


@pytest.mark.parametrize(
    "bad",
    [
        "tool_fixes: [",
        "tool_fixes: none\n",
        "fixes: []\n",
        "tool_fixes:\n  - {tool_name: 'rm -rf', error_pattern: x}\n",
    ],
)
@pytest.mark.parametrize("replace", [False, True])
def test_one_bad_file_stops_all_before_anything_is_touched(memory: Memory, bad: str, replace: bool) -> None:
    """The good one beside it is not taken in, and no back-up is made."""
    with pytest.raises(DocumentError) as refused:
        taken_in(memory, parse(package(a__good="a: 1\n", learned__tool_fixes=bad), "package"), replace=replace)
    assert refused.value.place is not None
    assert refused.value.place.line >= 1
    assert not (memory.folder / "a").exists()
    assert memory.backups.all() == ()


@pytest.mark.parametrize(
    "name", ["../out.yaml", "/etc/x.yaml", "learned/../../x.yaml", ".hidden.yaml", "x.py", "backups/a.yaml"]
)
def test_a_package_cannot_write_elsewhere(memory: Memory, tmp_path: Path, name: str) -> None:
    """Neither outside the folder, nor over back-ups, nor another kind of file."""
    before = sorted(tmp_path.rglob("*"))
    told = dump({"format": FORMAT, "files": {name: "a: 1\n"}})
    with pytest.raises(InputError):
        taken_in(memory, parse(told, "package"))
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("text", ["a: 1\n", "- a\n", f"format: {FORMAT}\nfiles: none\n", "format: other\nfiles: {}\n"])
def test_what_was_not_exported_is_no_package(memory: Memory, text: str) -> None:
    """Said, with the way out."""
    with pytest.raises(EngineError):
        taken_in(memory, parse(text, "package"))


def test_a_dry_run_says_what_would_be_done_and_does_nothing(memory: Memory) -> None:
    """It checks all the same."""
    taken = taken_in(memory, parse(package(notes__a="a: 1\n"), "package"), dry=True)
    assert taken.files == {"notes/a.yaml": "added"}
    assert not memory.folder.exists() or list(memory.folder.rglob("*.yaml")) == []


def test_a_file_that_cannot_be_written_undoes_those_before_it(memory: Memory) -> None:
    """Here the second may not be written, because a person took that right."""
    first, second = put(memory, "a.yaml", "a: 1\n"), put(memory, "b.yaml", "b: 1\n")
    second.chmod(0o444)
    with pytest.raises(DocumentError, match="read-only"):
        taken_in(memory, parse(package(a="a: 2\n", b="b: 2\n"), "package"), replace=True)
    assert (first.read_text(), second.read_text()) == ("a: 1\n", "b: 1\n")


def test_secrets_are_not_exported(memory: Memory) -> None:
    """They are masked, should one have got into a file."""
    secrets = Secrets()
    secrets.add("hunter2-hunter2")
    put(memory, "notes/a.md", "the password is hunter2-hunter2\n")
    assert "hunter2" not in dump(exported(memory, secrets, now=0))


def test_a_note_in_another_encoding_is_exported_all_the_same(memory: Memory) -> None:
    """What cannot be read of it is shown as such."""
    put(memory, "notes/a.md", "").write_bytes(b"caf\xe9\n")
    assert exported(memory, Secrets(), now=0)["files"] == {"notes/a.md": "caf\ufffd\n"}


def test_what_lies_elsewhere_is_not_exported(memory: Memory, tmp_path: Path) -> None:
    """A link in the memory folder must not send a file of another folder along."""
    (tmp_path / "private.md").write_text("mine alone\n")
    put(memory, "notes/a.md", "").unlink()
    (memory.folder / "notes" / "a.md").symlink_to(tmp_path / "private.md")
    with pytest.raises(InputError, match="leads out of the memory folder"):
        exported(memory, Secrets(), now=0)


SEQUENCES = """
sequences:
  - trigger: mornings
    context: {first_call_of_day: true}
    prediction: {error: auth_expired, domain: door, probability: 0.88}
    proactive_fix: {fix: login}
    observations: 30
    confirmed: 30
    predicted: 4
    prevented: 3
    false_alarms: 1
    confidence: high
    retired: true
"""


@pytest.mark.parametrize("mine", ["", "# mine\n\nkept: true\n", "sequences: []\n"])
@pytest.mark.parametrize("replace", [False, True])
def test_what_another_machine_has_counted_foretells_nothing_here(memory: Memory, mine: str, replace: bool) -> None:
    """The sequence comes along, and acts when this machine's own history supports it; what was retired stays so."""
    if mine:
        put(memory, "learned/failure_contexts.yaml", mine)
    taken_in(memory, parse(package(learned__failure_contexts=SEQUENCES), "package"), replace=replace)
    found = memory.contexts.live()
    counts = [(each.observations, each.confirmed, each.predicted, each.prevented, each.false_alarms) for each in found]
    assert counts in ([(0, 0, 0, 0, 0)], [])
    assert all(each.retired for each in found)
    assert bool(found) is (replace or mine != "sequences: []\n")
