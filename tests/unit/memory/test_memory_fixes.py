"""The fix book: what is recalled, and what may be learned."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import DocumentError, InputError
from engine.memory import Memory
from engine.model.heal import KnownIssue
from engine.model.secret import Secrets
from tests.unit.memory.conftest import FIXES


def live(folder: Path, text: str) -> Path:
    """Puts a live `tool_fixes.yaml` in place."""
    path = folder / "learned" / "tool_fixes.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_a_fix_is_recalled_by_tool_and_words(memory: Memory) -> None:
    """Case and line breaks do not matter, the tool does."""
    issue = KnownIssue(
        source="tool_fixes.yaml", meaning="manifest unknown", root_cause="Short SHA", fix="Use the full SHA"
    )
    assert memory.fixes.known("bonfire_deploy", "Error: MANIFEST\n  unknown: x") == (issue,)
    assert memory.fixes.known("bonfire_release", "manifest unknown") == ()
    assert memory.fixes.known("bonfire_deploy", "all went well") == ()


def test_a_star_stands_for_the_rest_of_a_name(memory: Memory) -> None:
    """One entry for a family of tools."""
    assert [issue.fix for issue in memory.fixes.known("git_push", "no upstream")] == ["Push it"]


def test_tool_or_text_alone_can_be_asked_about(memory: Memory) -> None:
    """As `check_known_issues` does."""
    assert len(memory.fixes.known("bonfire_deploy", "")) == 1
    assert len(memory.fixes.known("", "manifest unknown")) == 1
    assert len(memory.fixes.known("", "")) == 2


def test_what_is_learned_is_added_and_what_is_shipped_counts_beside_it(memory: Memory, folder: Path) -> None:
    """`times_prevented` is 0 until something really is prevented; the date is today's."""
    assert memory.fixes.learn("quay_get_tag", "tag not\n found", "not built yet", "wait for the pipeline") is True
    text = (folder / "learned" / "tool_fixes.yaml").read_text()
    assert "manifest unknown" not in text
    assert 'date_learned: "2026-11-20"\n    times_prevented: 0\n' in text
    assert memory.fixes.known("quay_get_tag", "tag not found")[0].fix == "wait for the pipeline"
    assert memory.fixes.known("bonfire_deploy", "manifest unknown")[0].fix == "Use the full SHA"
    assert memory.findings() == ()


def test_what_is_learned_is_added_to_a_persons_file_and_the_rest_stays(memory: Memory, folder: Path) -> None:
    """Comments and order are theirs."""
    path = live(folder, FIXES)
    memory.fixes.learn("quay_get_tag", "tag not found", "not built yet", "wait for the pipeline")
    assert path.read_text().startswith(FIXES.split("\ncommon")[0])
    assert "common_mistakes:   # seen by everyone" in path.read_text()


def test_a_shipped_fix_is_brought_up_to_date_or_switched_off_by_its_tool_and_words(
    memory: Memory, folder: Path, seeds: Path
) -> None:
    """And what an entry does not say comes from what is shipped, in every version anew."""
    words = "{tool_name: bonfire_deploy, error_pattern: Manifest unknown, root_cause: mine}"
    live(folder, f"tool_fixes:\n  - {words}\n  - {{tool_name: git_*, error_pattern: no upstream, off: true}}\n")
    (mine,) = memory.fixes.entries()
    assert (mine.root_cause, mine.fix) == ("mine", "Use the full SHA")
    shipped = seeds / "learned" / "tool_fixes.yaml"
    shipped.write_text(shipped.read_text().replace("Use the full SHA", "Take the digest"))
    assert memory.fixes.entries()[0].fix == "Take the digest"
    assert memory.findings() == ()


def test_an_entry_that_was_switched_off_and_is_learned_again_counts_again(memory: Memory, folder: Path) -> None:
    """Whoever learns it anew wants it."""
    path = live(folder, "tool_fixes:\n  - {tool_name: t, error_pattern: some words, fix_applied: f, off: true}\n")
    assert memory.fixes.entries("t") == ()
    assert memory.fixes.learn("t", "some words", "why", "how") is True
    assert [each.fix for each in memory.fixes.entries("t")] == ["how"]
    assert path.read_text().count("some words") == 1


def test_how_often_a_mistake_was_prevented_is_written_once_and_for_shipped_entries_alone(
    memory: Memory, folder: Path
) -> None:
    """Of a shipped entry the live file gets the count, and nothing that a new version could bring up to date."""
    counts = {("bonfire_deploy", "manifest unknown"): 3}
    memory.fixes.record(counts)
    path = folder / "learned" / "tool_fixes.yaml"
    assert "error_pattern: manifest unknown\n    times_prevented: 3\n" in path.read_text()
    assert "Short SHA" not in path.read_text()
    assert memory.fixes.entries("bonfire_deploy")[0].times_prevented == 3
    before = path.stat().st_ino
    memory.fixes.record(counts)
    assert path.stat().st_ino == before
    assert memory.findings() == ()


def test_an_entry_without_a_fix_is_told_with_its_line(memory: Memory, folder: Path) -> None:
    """Unless a shipped one stands beneath it."""
    live(folder, "tool_fixes:\n  - {tool_name: t, error_pattern: some words}\n")
    assert [(each.code, each.place.line) for each in memory.findings()] == [("no-fix", 2)]


def test_a_string_where_the_list_is_due_is_told_and_left_alone(memory: Memory, folder: Path) -> None:
    """What is learnt then is refused, and the shipped fixes go on counting."""
    path = live(folder, "# mine\ntool_fixes: see the wiki\n")
    assert [each.place.line for each in memory.unreadable()] == [2]
    with pytest.raises(DocumentError):
        memory.fixes.learn("tool", "some words", "why", "how")
    assert path.read_text() == "# mine\ntool_fixes: see the wiki\n"
    assert len(memory.fixes.entries()) == 2


def test_the_same_error_is_kept_once(memory: Memory, folder: Path) -> None:
    """Learned again it says nothing new; learned better it is brought up to date."""
    assert memory.fixes.learn("bonfire_deploy", "Manifest  Unknown", "Short SHA", "Use the full SHA") is False
    assert memory.fixes.learn("bonfire_deploy", "manifest unknown", "Short SHA", "git rev-parse it") is True
    assert [issue.fix for issue in memory.fixes.known("bonfire_deploy", "")] == ["git rev-parse it"]
    assert (folder / "learned" / "tool_fixes.yaml").read_text().count("bonfire_deploy") == 1


@pytest.mark.parametrize(
    ("tool", "pattern", "fix"),
    [
        ("", "words", "fix"),
        ("rm -rf", "words", "fix"),
        ("t", "401", "fix"),
        ("t", "x" * 301, "fix"),
        ("t", "words", " "),
    ],
)
def test_what_could_not_be_recalled_is_not_learned(
    memory: Memory, folder: Path, tool: str, pattern: str, fix: str
) -> None:
    """Three characters would speak on everything."""
    with pytest.raises(InputError):
        memory.fixes.learn(tool, pattern, "", fix)
    assert not (folder / "learned" / "tool_fixes.yaml").exists()


def test_secrets_are_not_learned(memory: Memory, secrets: Secrets, folder: Path) -> None:
    """They are masked before they reach the file."""
    secrets.add("hunter2-hunter2")
    memory.fixes.learn("login", "bad password hunter2-hunter2", "typed hunter2-hunter2", "do not")
    assert "hunter2" not in (folder / "learned" / "tool_fixes.yaml").read_text()


def test_a_person_who_emptied_the_list_can_still_be_taught(memory: Memory, folder: Path) -> None:
    """`tool_fixes:` without anything under it is an empty list."""
    path = folder / "learned" / "tool_fixes.yaml"
    path.parent.mkdir(parents=True)
    path.write_text("# mine\ntool_fixes:\n")
    assert memory.fixes.known("any", "text") == ()
    assert memory.fixes.learn("tool", "some words", "why", "how") is True
    assert path.read_text().startswith("# mine\n")
    assert len(memory.fixes.known("tool", "some words")) == 1


def test_entries_of_another_form_are_passed_over(memory: Memory, folder: Path) -> None:
    """And said by `findings`."""
    path = folder / "learned" / "tool_fixes.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(
        "tool_fixes:\n  - just text\n  - tool_name: 5\n  - {tool_name: t, error_pattern: abcd, fix_applied: f}\n"
    )
    assert len(memory.fixes.known("t", "abcd")) == 1
    assert {finding.place.line for finding in memory.findings()} == {2, 3}


def test_a_broken_file_cannot_be_taught(memory: Memory, folder: Path) -> None:
    """It is left as it is."""
    path = folder / "learned" / "tool_fixes.yaml"
    path.parent.mkdir(parents=True)
    path.write_text("tool_fixes: [")
    with pytest.raises(DocumentError):
        memory.fixes.learn("tool", "some words", "why", "how")
    assert path.read_text() == "tool_fixes: ["
