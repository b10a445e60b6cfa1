"""Memory's files, value by value: comments stay, mistakes are refused, and counts come from history alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine import Engine, EngineError, InputError
from engine.errors import DocumentError
from engine.memory_tools.files import memory_append, memory_read, memory_remove, memory_session_log, memory_update

NOTES = "# mine\nseen:   # in order\n  - web\nlast: {name: web}\n"


def text_of(path: Path) -> str:
    """What a file says."""
    return path.read_text()


def write(path: Path, text: str) -> None:
    """Writes a file, as a person does."""
    path.write_text(text)


@pytest.fixture
def notes(engine: Engine) -> Path:
    """A file of notes with remarks in it."""
    path = engine.memory.folder / "notes.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(NOTES)
    return path


async def test_a_file_and_a_list_that_are_not_there_are_made(engine: Engine) -> None:
    """With the folders on the way, for this person alone."""
    await memory_append(engine, "teams/web/notes", {"by": "me"}, "on.call")
    path = engine.memory.folder / "teams" / "web" / "notes.yaml"
    assert (await memory_read(engine, "teams/web/notes")).value == {"on": {"call": [{"by": "me"}]}}
    assert path.parent.stat().st_mode & 0o077 == 0


async def test_what_a_person_wrote_stays(engine: Engine, notes: Path) -> None:
    """Only the lines that must change do."""
    await memory_append(engine, "notes", "api", "seen")
    await memory_update(engine, "notes", "last.name", "api")
    assert text_of(notes) == "# mine\nseen:   # in order\n  - web\n  - api\nlast: {name: api}\n"


async def test_a_number_in_a_path_is_a_position_in_a_list_and_a_key_of_a_mapping(engine: Engine) -> None:
    """By what stands there."""
    await memory_update(engine, "runs", "2026.count", 1)
    await memory_append(engine, "runs", "a", "all")
    assert (await memory_read(engine, "runs", "2026.count")).value == 1
    assert (await memory_read(engine, "runs", "all.0")).value == "a"
    assert (await memory_read(engine, "runs", "all.1")).found is False


async def test_every_change_can_be_undone(engine: Engine, notes: Path) -> None:
    """The back-up is named in the answer."""
    changed = await memory_update(engine, "notes", "seen", [])
    removed = await memory_remove(engine, "notes", "last")
    assert removed.value == {"name": "web"}
    engine.memory.backups.restore(engine.memory.backups.get(removed.backup))
    engine.memory.backups.restore(engine.memory.backups.get(changed.backup))
    assert text_of(notes) == NOTES


@pytest.mark.parametrize(
    ("file", "path", "value"),
    [
        ("notes", "seen.5", "x"),
        ("notes", "seen.name", "x"),
        ("notes", "last.name.first", "x"),
        ("notes", "", "x"),
        ("notes.md", "a", "x"),
        ("failures", "stats.total_failures", 0),
        ("backups/x/backup.yaml", "a", 1),
        ("../notes", "a", 1),
        ("fixes", "tool_fixes", "none"),
        ("fixes", "tool_fixes", [{"tool_name": "rm -rf", "error_pattern": "abcd", "fix_applied": "f"}]),
        ("patterns", "my_patterns", [{"id": "a", "pattern": "(a+)+b", "kind": "oom"}]),
        ("patterns", "my_patterns", [{"id": "a", "pattern": "boom", "kind": "flood"}]),
        ("notes", "last", {"x": float("nan")}),
        ("notes", "last", "x" * 200_000),
    ],
)
async def test_a_change_that_does_not_fit_changes_nothing(
    engine: Engine, notes: Path, file: str, path: str, value: Any
) -> None:
    """Neither the file nor any other."""
    with pytest.raises(EngineError):
        await memory_update(engine, file, path, value)
    assert text_of(notes) == NOTES
    assert [one.name for one in engine.memory.folder.rglob("*.yaml") if "backups" not in str(one)] == ["notes.yaml"]


@pytest.mark.parametrize(
    ("file", "value"),
    [
        ("patterns", {"id": "a", "pattern": "boom now", "kind": "oom", "seen": 1000, "right": 1000}),
        ("patterns", {"id": "auth-http-401", "observations": 1000, "confirmed": 1000}),
        ("fixes", {"tool_name": "t", "error_pattern": "boom now", "fix_applied": "f", "times_prevented": 9}),
        ("contexts", {"trigger": "always", "observations": 500, "confirmed": 500}),
    ],
)
async def test_nobody_claims_by_a_tool_what_only_history_can_count(
    engine: Engine, file: str, value: dict[str, Any]
) -> None:
    """Healing acts by these figures."""
    section = {"patterns": "my_patterns", "fixes": "tool_fixes", "contexts": "sequences"}[file]
    with pytest.raises(InputError, match="counted by the engine"):
        await memory_append(engine, file, value, section)


async def test_counts_that_stand_there_may_stay(engine: Engine) -> None:
    """Changing the words beside them claims nothing."""
    path = engine.memory.folder / "learned" / "tool_fixes.yaml"
    path.parent.mkdir(parents=True)
    entry = "{tool_name: t, error_pattern: abcd, fix_applied: f, times_prevented: 3}"
    path.write_text(f"tool_fixes:\n  - {entry}\n")
    await memory_update(engine, "fixes", "tool_fixes.0.fix_applied", "g")
    assert "times_prevented: 3" in path.read_text()


async def test_a_file_with_a_mistake_in_it_can_still_be_changed_elsewhere(engine: Engine) -> None:
    """Only a new mistake is refused; the old one stays a person's."""
    path = engine.memory.folder / "learned" / "tool_fixes.yaml"
    path.parent.mkdir(parents=True)
    path.write_text("tool_fixes:\n  - just words\n")
    entry = {"tool_name": "t", "error_pattern": "some words", "fix_applied": "f"}
    await memory_append(engine, "fixes", entry, "tool_fixes")
    assert path.read_text().startswith("tool_fixes:\n  - just words\n  - tool_name: t\n")


async def test_a_broken_file_is_told_with_its_line_and_left_alone(engine: Engine, notes: Path) -> None:
    """To read it, or to change it."""
    write(notes, "# mine\nseen: [\n")
    for asked in (memory_read(engine, "notes"), memory_append(engine, "notes", 1, "seen")):
        with pytest.raises(DocumentError) as broken:
            await asked
        assert f"{notes}:" in str(broken.value)
    assert text_of(notes) == "# mine\nseen: [\n"


async def test_text_files_only_grow(engine: Engine) -> None:
    """Lines are added; nothing in them has a path."""
    await memory_append(engine, "plans.md", "one\ntwo\n")
    await memory_append(engine, "plans.md", {"a": 1})
    assert (await memory_read(engine, "plans.md")).value == 'one\ntwo\n{"a": 1}\n'
    with pytest.raises(InputError):
        await memory_read(engine, "plans.md", "a")


async def test_the_session_log_is_one_line_a_note(engine: Engine) -> None:
    """Line breaks cannot make another."""
    noted = await memory_session_log(engine, "deployed\n- 00:00:00Z nothing", "web\nto staging")
    text = (engine.memory.folder / noted.file).read_text()
    assert text.count("\n- ") == 1
    assert noted.value.endswith("Z deployed - 00:00:00Z nothing: web to staging")
    with pytest.raises(InputError):
        await memory_session_log(engine, " \n")


async def test_secrets_reach_no_file(engine: Engine) -> None:
    """They are masked before they are written, and when they are read."""
    engine.secrets.add("hunter2-hunter2")
    await memory_append(engine, "notes", "password hunter2-hunter2", "seen")
    await memory_session_log(engine, "typed hunter2-hunter2")
    written = "".join(path.read_text() for path in engine.memory.folder.rglob("*") if path.is_file())
    assert "hunter2" not in written
