"""Upkeep: a folder made ready, and what nobody needs taken out after a back-up."""

from __future__ import annotations

import threading
from pathlib import Path

from engine.documents import dump, files, read
from engine.memory import Memory
from engine.memory_tools.upkeep import chores, make_ready, tidy

NOW = 1_795_176_000.0
"""2026-11-20 12:00:00 UTC."""
SEEDS = Path(__file__).parents[3] / "memory"


def put(memory: Memory, name: str, text: str) -> Path:
    """Writes a live file."""
    path = memory.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_a_folder_made_ready_has_files_without_mistakes_and_changes_nothing_that_counts(memory: Memory) -> None:
    """What is there stays, so twice is the same as once."""
    before = memory.patterns.all()
    assert set(make_ready(memory).values()) == {True}
    assert memory.findings() == ()
    assert memory.patterns.all() == before
    assert set(make_ready(memory).values()) == {False}


def test_a_whole_copy_of_what_is_shipped_shrinks_to_its_counts(memory: Memory) -> None:
    """As older versions made one; a row of one's own stays, and so do comments."""
    seed = (SEEDS / "learned" / "patterns.yaml").read_text()
    mine = "# mine\nmy_patterns:\n  - {id: mine, pattern: the bell rings, kind: oom}\n"
    path = put(memory, "learned/patterns.yaml", seed + mine)
    memory.patterns.record({"auth-http-401": (2, 2)})
    before = {pattern.id: (pattern.seen, pattern.right) for pattern in memory.patterns.all()}
    found = chores(memory, now=NOW, days=90)
    assert len(found) == len(before) - 1
    backup = tidy(memory, found)
    assert [set(row) for row in read(path).value["patterns"]] == [{"id", "observations", "confirmed", "confidence"}]
    assert path.read_text().endswith(mine)
    assert {pattern.id: (pattern.seen, pattern.right) for pattern in memory.patterns.all()} == before
    assert memory.findings() == ()
    memory.backups.restore(memory.backups.get(backup))
    assert len(read(path).value["patterns"]) == len(before) - 1


def test_entries_of_the_fix_book_shrink_too(memory: Memory) -> None:
    """One that was never prevented goes; one that was, keeps its count."""
    seed = (SEEDS / "learned" / "tool_fixes.yaml").read_text()
    path = put(memory, "learned/tool_fixes.yaml", seed.replace("times_prevented: 0", "times_prevented: 4", 1))
    before = memory.fixes.entries()
    tidy(memory, chores(memory, now=NOW, days=90))
    assert [set(row) for row in read(path).value["tool_fixes"]] == [{"tool_name", "error_pattern", "times_prevented"}]
    known = {(each.key, each.fix, each.times_prevented) for each in memory.fixes.entries()}
    assert known == {(each.key, each.fix, each.times_prevented) for each in before}


def test_statistics_of_what_is_no_longer_shipped_go(memory: Memory) -> None:
    """They name nothing any more."""
    path = put(memory, "learned/patterns.yaml", "shipped_patterns:\n  - {id: gone, observations: 2, confirmed: 1}\n")
    tidy(memory, chores(memory, now=NOW, days=90))
    assert read(path).value == {"shipped_patterns": []}


def test_old_notes_and_sessions_go_and_new_ones_stay(memory: Memory) -> None:
    """By their own dates; what a person wrote between them stays."""
    old, new = "- 2026-01-01 10:00:00Z **note** breaker: old", "- 2026-11-19 10:00:00Z **note** breaker: new"
    inbox = put(memory, "inbox.md", f"# Inbox\n\nmy own line\n{old}\n{new}\n")
    sessions = [put(memory, f"sessions/{day}.md", "- x\n") for day in ("2026-01-01", "2026-11-19")]
    tidy(memory, chores(memory, now=NOW, days=90))
    assert inbox.read_text() == f"# Inbox\n\nmy own line\n{new}\n"
    assert [path.exists() for path in sessions] == [False, True]


def test_only_what_was_found_goes_where_rows_have_moved_since(memory: Memory) -> None:
    """A person takes a row out between the look and the tidying; a place alone would name another row now."""
    seed = read(SEEDS / "learned" / "tool_fixes.yaml").value["tool_fixes"][0]
    mine = [{"tool_name": name, "error_pattern": "my own words", "fix_applied": "do it"} for name in ("first", "last")]
    path = put(memory, "learned/tool_fixes.yaml", dump({"tool_fixes": [mine[0], seed, mine[1]]}))
    found = chores(memory, now=NOW, days=90)
    put(memory, "learned/tool_fixes.yaml", dump({"tool_fixes": [seed, mine[1]]}))
    tidy(memory, found)
    assert read(path).value == {"tool_fixes": [mine[1]]}


def test_a_note_that_comes_while_the_inbox_is_tidied_is_kept(memory: Memory) -> None:
    """It waits for the new file; added to the old one, it would be gone with it."""
    inbox = put(memory, "inbox.md", "# Inbox\n\n- 2026-01-01 10:00:00Z **note** breaker: old\n")
    adding = threading.Thread(target=memory.inbox.add, args=("learn", "new"))
    with files.locked(inbox):
        adding.start()
        adding.join(timeout=0.2)
        files.replace(inbox, "# Inbox\n\n")
    adding.join()
    assert inbox.read_text().splitlines()[-1].endswith("learn: new")


def test_back_ups_beyond_the_newest_go(memory: Memory) -> None:
    """And nothing else."""
    put(memory, "notes.yaml", "a: 1\n")
    made = [memory.backups.take(["notes.yaml"], "edit").id for _ in range(4)]
    tidy(memory, chores(memory, now=NOW, days=90, keep=1))
    assert [each.id for each in memory.backups.all()] == made[-1:]


def test_a_broken_file_is_left_alone(memory: Memory) -> None:
    """Nobody knows what could go."""
    path = put(memory, "learned/patterns.yaml", "patterns: [\n")
    assert chores(memory, now=NOW, days=90) == ()
    assert path.read_text() == "patterns: [\n"
