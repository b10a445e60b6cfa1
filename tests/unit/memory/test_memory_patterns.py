"""The pattern book: what is read, what is written, and what of a person's file stays."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.errors import DocumentError
from engine.memory import Memory
from engine.model.failure import FailureKind
from engine.model.secret import Secrets
from engine.model.tally import lower_bound
from tests.unit.memory.conftest import PATTERNS


def live(folder: Path, text: str) -> Path:
    """Puts a live `patterns.yaml` in place."""
    path = folder / "learned" / "patterns.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_patterns_come_from_the_seeds_until_there_is_a_live_file(memory: Memory, folder: Path) -> None:
    """Reading creates nothing."""
    first, second = memory.patterns.all()
    assert (first.id, first.kind, first.fix, first.untouched) == (
        "token-expired",
        FailureKind.AUTH_EXPIRED,
        "login",
        True,
    )
    assert (first.meaning, first.commands) == ("The token has expired", ("kube_login(cluster='e')",))
    assert (first.seen, first.right, second.id) == (40, 39, "refused")
    assert not folder.exists()


def names(memory: Memory) -> list[str]:
    """The ids of the patterns that count, in their order."""
    return [pattern.id for pattern in memory.patterns.all()]


def test_the_live_file_stands_before_what_is_shipped_and_is_read_again_when_it_changes(
    memory: Memory, folder: Path
) -> None:
    """A person's edit counts at once, without a restart."""
    assert len(memory.patterns.all()) == 2
    path = live(folder, "my_patterns:\n  - {id: a, pattern: boom, kind: oom}\n")
    assert names(memory) == ["a", "token-expired", "refused"]
    assert memory.patterns.all() == memory.patterns.all()
    path.write_text("my_patterns:\n  - {id: b, pattern: boom, kind: oom}\n")
    assert names(memory) == ["b", "token-expired", "refused"]


def test_a_row_with_the_id_of_a_shipped_one_says_what_is_different(memory: Memory, folder: Path) -> None:
    """All the rest comes from what is shipped, and so from the next version."""
    live(folder, "my_patterns:\n  - {id: refused, fix: connect}\n")
    refused = memory.patterns.all()[0]
    assert (refused.id, refused.fix, refused.kind) == ("refused", "connect", FailureKind.CONNECTION_REFUSED)
    assert (refused.expression, refused.seen) == ("connection refused$", 20)
    assert names(memory) == ["refused", "token-expired"]
    assert memory.findings() == ()


def test_other_words_under_a_shipped_id_do_not_inherit_its_counts(memory: Memory, folder: Path) -> None:
    """How often the shipped words were right says nothing of a person's."""
    live(folder, "my_patterns:\n  - {id: refused, pattern: nobody is at home, kind: connection_refused}\n")
    assert (memory.patterns.all()[0].seen, memory.patterns.all()[0].right) == (0, 0)


def test_a_shipped_pattern_can_be_switched_off(memory: Memory, folder: Path) -> None:
    """With one line; a row that says nothing else is no mistake."""
    live(folder, "my_patterns:\n  - {id: refused, off: true}\n")
    assert names(memory) == ["token-expired"]
    assert memory.findings() == ()


def test_only_the_statistics_of_a_shipped_pattern_are_written(memory: Memory, folder: Path, seeds: Path) -> None:
    """So that a new version brings the rest of it up to date, here its meaning and its shipped counts."""
    memory.patterns.record({"token-expired": (5, 4)})
    text = (folder / "learned" / "patterns.yaml").read_text()
    assert "shipped_patterns:\n  - id: token-expired\n    observations: 45\n    confirmed: 43\n" in text
    assert "refused" not in text
    assert names(memory) == ["token-expired", "refused"]
    shipped = seeds / "learned" / "patterns.yaml"
    shipped.write_text(shipped.read_text().replace('has expired"', 'is too old"').replace("seen: 40", "seen: 60"))
    assert memory.patterns.all()[0].meaning == "The token is too old"
    memory.patterns.record({"token-expired": (5, 4)})
    assert memory.patterns.all()[0].seen == 65
    assert memory.findings() == ()


def test_the_statistics_of_a_pattern_no_longer_shipped_are_no_mistake(memory: Memory, seeds: Path) -> None:
    """A version may leave one out; what was counted stays, for the version that has it again."""
    memory.patterns.record({"refused": (1, 1)})
    shipped = seeds / "learned" / "patterns.yaml"
    shipped.write_text(shipped.read_text().replace("id: refused", "id: denied"))
    assert names(memory) == ["token-expired", "denied"]
    assert memory.findings() == ()


def test_a_string_where_a_list_is_due_is_told_with_its_line(memory: Memory, folder: Path) -> None:
    """Nothing is added beside it, and the shipped patterns go on counting."""
    path = live(folder, "# mine\nshipped_patterns: all of them\n")
    assert [(each.code, each.place.line) for each in memory.unreadable()] == [("wrong-type", 2)]
    with pytest.raises(DocumentError):
        memory.patterns.record({"refused": (1, 1)})
    assert path.read_text() == "# mine\nshipped_patterns: all of them\n"
    assert names(memory) == ["token-expired", "refused"]


def test_statistics_are_added_and_everything_else_stays(memory: Memory, folder: Path) -> None:
    """Comments, quotes, flow style and a person's own counts are as they were."""
    live(folder, PATTERNS)
    memory.patterns.record({"token-expired": (5, 4)})
    text = (folder / "learned" / "patterns.yaml").read_text()
    assert "# Kept by people." in text
    assert "  # the usual one" in text
    assert "    seen: 40\n    right: 39\n    observations: 45\n    confirmed: 43\n" in text
    assert "- {id: refused, pattern: 'connection refused$', kind: connection_refused, seen: 20, right: 20}\n" in text
    first = memory.patterns.all()[0]
    assert (first.seen, first.right) == (45, 43)
    assert memory.findings() == ()


def test_counts_are_totals_not_additions(memory: Memory, folder: Path) -> None:
    """Writing the same figures twice changes nothing, newer figures replace older."""
    path = folder / "learned" / "patterns.yaml"
    memory.patterns.record({"refused": (1, 1)})
    before = path.stat()
    memory.patterns.record({"refused": (1, 1)})
    after = path.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    memory.patterns.record({"refused": (3, 2)})
    assert (memory.patterns.all()[0].seen, memory.patterns.all()[0].right) == (23, 22)
    assert memory.findings() == ()


def test_confidence_is_never_rounded_up(memory: Memory, folder: Path) -> None:
    """A lower bound of 0.906 reads 90 %, though it would round to 91 %."""
    memory.patterns.record({"token-expired": (5, 5)})
    assert lower_bound(44, 45) == pytest.approx(0.9063, abs=0.0001)
    assert "confidence: 90%\n" in (folder / "learned" / "patterns.yaml").read_text()


def test_nothing_to_say_writes_nothing(memory: Memory, folder: Path) -> None:
    """A run without outcomes leaves no live file behind, nor do counts of a pattern somebody removed."""
    memory.patterns.record({})
    memory.patterns.record({"gone": (3, 3)})
    assert not folder.exists()


def test_figures_are_asked_for_while_the_file_is_held(memory: Memory, folder: Path) -> None:
    """Otherwise the last of two writers could leave the older figures."""
    held: list[bool] = []

    def counts() -> dict[str, tuple[int, int]]:
        lock = folder / "learned" / ".patterns.yaml.lock"
        held.append(lock.exists() and os.system(f"flock -n {lock} true") != 0)  # noqa: S605 - asks another process
        return {"refused": (1, 1)}

    memory.patterns.record(counts)
    assert held[-1] is True


BAD = [
    ("- {id: a, pattern: '[a-', kind: oom}", "bad-pattern", "does not compile"),
    ("- {id: a, pattern: '(a+)+b', kind: oom}", "bad-pattern", "repeats a part that itself repeats"),
    ("- {id: a, pattern: 'a*', kind: oom}", "bad-pattern", "would speak on every failure"),
    ("- {id: a, pattern: boom, kind: flood}", "unknown-kind", "flood is not a kind"),
    ("- {id: a, pattern: boom}", "unknown-kind", "has no `kind`"),
    ("- {id: a, kind: oom}", "no-pattern", "no `pattern`"),
    ("- {id: good, pattern: boom, kind: oom}", "duplicate-id", "stands twice"),
    ("- boom", "wrong-type", "a mapping"),
]


@pytest.mark.parametrize(("row", "code", "words"), BAD, ids=[row for row, _, _ in BAD])
def test_a_row_with_a_mistake_is_left_out_and_told_with_its_line(
    memory: Memory, folder: Path, row: str, code: str, words: str
) -> None:
    """The rows around it are used, and their statistics written."""
    good, last = "- {id: good, pattern: bang, kind: oom}", "- {id: last, pattern: crash, kind: oom}"
    path = live(folder, f"a_patterns:\n  {good}\n  {row}\n  {last}\n")
    assert names(memory)[:2] == ["good", "last"]
    (finding,) = memory.patterns.findings()
    assert (finding.code, finding.place.file, finding.place.line) == (code, str(path), 3)
    assert words in finding.message
    memory.patterns.record({"last": (4, 4)})
    assert memory.patterns.all()[1].seen == 4
    assert row in path.read_text()


BROKEN = ["a_patterns: [", "a: 1\na: 2\n", "\x00\x01\x02", "- just\n- a list\n", "\t- x"]


@pytest.mark.parametrize("text", BROKEN)
def test_a_broken_file_is_reported_and_never_overwritten(memory: Memory, folder: Path, text: str) -> None:
    """The seeds stand in for it, and it stays byte for byte."""
    path = live(folder, text)
    assert memory.findings()
    assert str(path) in str(memory.findings()[0].place)
    if "just" not in text:
        assert len(memory.patterns.all()) == 2
        with pytest.raises(DocumentError):
            memory.patterns.record({"refused": (9, 9)})
    assert path.read_text() == text
    assert [file.name for file in path.parent.iterdir() if not file.name.startswith(".")] == ["patterns.yaml"]


def test_a_row_without_an_id_gets_one_from_its_words(memory: Memory, folder: Path) -> None:
    """The reference's rows have none."""
    live(folder, 'auth_patterns:\n  - pattern: "Token expired"\n    kind: auth_expired\n')
    assert memory.patterns.all()[0].id == "token-expired"
    memory.patterns.record({"token-expired": (10, 10)})
    assert memory.patterns.all()[0].seen == 10


def test_an_unwritable_folder_is_an_error_the_caller_can_tell(seeds: Path, tmp_path: Path) -> None:
    """Here a file stands where the folder should be."""
    (tmp_path / "home").write_text("a file")
    memory = Memory(tmp_path / "home" / "memory", seeds=seeds, secrets=Secrets())
    with pytest.raises(DocumentError) as caught:
        memory.patterns.record({"refused": (9, 9)})
    assert caught.value.hint
    assert len(memory.patterns.all()) == 2


def test_a_read_only_file_is_respected(memory: Memory, folder: Path) -> None:
    """A person took the right to write it."""
    memory.patterns.record({"refused": (1, 1)})
    path = folder / "learned" / "patterns.yaml"
    path.chmod(0o444)
    before = path.read_text()
    with pytest.raises(DocumentError, match="read-only"):
        memory.patterns.record({"refused": (2, 2)})
    assert path.read_text() == before
