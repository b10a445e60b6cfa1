"""Editing by hand: a copy that takes the file's place only when it is right."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import DocumentError, InputError
from engine.memory import Memory
from engine.memory_tools import drafts

FIXES = "learned/tool_fixes.yaml"
TEXT = "# mine\ntool_fixes:\n  - {tool_name: t, error_pattern: abcd, fix_applied: f}\n"


@pytest.fixture
def path(memory: Memory) -> Path:
    """A live file of fixes."""
    path = memory.folder / FIXES
    path.parent.mkdir(parents=True)
    path.write_text(TEXT)
    return path


def test_what_is_edited_is_a_copy(memory: Memory, path: Path) -> None:
    """The file says the same until the copy is right, and then what the copy says."""
    draft = drafts.begin(memory, FIXES)
    draft.path.write_text(TEXT.replace("abcd", "words"))
    assert path.read_text() == TEXT
    assert drafts.problems(memory, draft) == ()
    changed = drafts.install(memory, draft)
    assert (path.read_text(), draft.path.exists()) == (TEXT.replace("abcd", "words"), False)
    memory.backups.restore(memory.backups.get(changed.backup))
    assert path.read_text() == TEXT


@pytest.mark.parametrize(
    ("text", "line"),
    [("a: 1\ntool_fixes: [\n", 3), ("# x\ntool_fixes: none\n", 2), ("tool_fixes:\n  - just words\n", 2)],
)
def test_a_mistake_is_told_with_its_line(memory: Memory, path: Path, text: str, line: int) -> None:
    """In the copy, where it is to be mended."""
    draft = drafts.begin(memory, FIXES)
    draft.path.write_text(text)
    (found, *_) = drafts.problems(memory, draft)
    assert (found.place.file, found.place.line) == (str(draft.path), line)
    assert path.read_text() == TEXT


def test_an_edit_that_was_not_right_is_offered_again(memory: Memory, path: Path) -> None:
    """Unless somebody wants to begin anew."""
    drafts.begin(memory, FIXES).path.write_text("tool_fixes: [\n")
    again = drafts.begin(memory, FIXES)
    assert (again.resumed, again.path.read_text()) == (True, "tool_fixes: [\n")
    assert drafts.begin(memory, FIXES, fresh=True).path.read_text() == path.read_text()


def test_a_file_that_changed_meanwhile_is_not_written_over(memory: Memory, path: Path) -> None:
    """The edit is kept; the next time it is taken up, what the file says then is known."""
    draft = drafts.begin(memory, FIXES)
    draft.path.write_text(TEXT.replace("abcd", "words"))
    memory.fixes.learn("u", "other words", "why", "how")
    with pytest.raises(DocumentError, match="has changed since"):
        drafts.install(memory, draft)
    assert "other words" in path.read_text()
    drafts.install(memory, drafts.begin(memory, FIXES))
    assert path.read_text() == TEXT.replace("abcd", "words")


def test_a_file_that_is_not_there_begins_with_what_it_is_for(memory: Memory) -> None:
    """And its row counts once it is installed."""
    draft = drafts.begin(memory, "learned/patterns.yaml")
    assert draft.path.read_text().startswith("# What failing tools say")
    row = "  - {id: mine, pattern: the bell rings, kind: oom}\n"
    draft.path.write_text(draft.path.read_text().replace("error_patterns: []", f"error_patterns:\n{row}"))
    drafts.install(memory, draft)
    assert memory.patterns.all()[0].id == "mine"


def test_a_pattern_that_would_be_left_out_is_a_mistake(memory: Memory) -> None:
    """Though its file would be read."""
    draft = drafts.begin(memory, "learned/patterns.yaml")
    draft.path.write_text("my_patterns:\n  - {id: a, pattern: '(a+)+b', kind: oom}\n")
    assert [each.code for each in drafts.problems(memory, draft)] == ["bad-pattern"]


@pytest.mark.parametrize("name", ["learned/tool_failures.yaml", "backups/x/backup.yaml"])
def test_what_the_engine_writes_is_not_edited(memory: Memory, name: str) -> None:
    """It would be overwritten."""
    with pytest.raises(InputError):
        drafts.begin(memory, name)
