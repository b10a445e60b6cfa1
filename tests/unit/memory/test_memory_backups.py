"""Back-ups: whole, listed newest first, put back with a back-up of what was there."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import DocumentError, InputError
from engine.memory.backups import KEPT, Backups
from tests.unit.memory.conftest import NOON


@pytest.fixture
def backups(folder: Path) -> Backups:
    """The back-ups of a memory with one file in it, whose clock stands at noon."""
    (folder / "learned").mkdir(parents=True)
    (folder / "learned" / "a.yaml").write_text("a: 1   # mine\n")
    return Backups(folder, clock=lambda: NOON)


def test_a_backup_is_named_by_its_time_and_reason(backups: Backups) -> None:
    """And lists what it holds, and what was not there."""
    made = backups.take(["learned/a.yaml", "learned/b.yaml"], "edit")
    assert (made.id, made.made_at, made.reason) == ("20261120-120000-edit", "2026-11-20T12:00:00Z", "edit")
    assert (made.files, made.absent) == (("learned/a.yaml",), ("learned/b.yaml",))
    assert backups.all() == (made,)


def test_two_in_one_second_are_two(backups: Backups) -> None:
    """The newest is listed first, and `last` is it."""
    first, second = (backups.take(["learned/a.yaml"], "edit") for _ in range(2))
    assert [each.id for each in backups.all()] == [second.id, first.id]
    assert backups.get("last") == second
    assert backups.get(first.id) == first


def test_the_order_of_one_second_is_that_of_time(backups: Backups) -> None:
    """Not that of the reasons' letters, nor of numbers read as words."""
    made = [backups.take(["learned/a.yaml"], reason) for reason in ("update", *["edit"] * 11)]
    assert backups.all() == tuple(reversed(made))
    assert backups.get("last") == made[-1]


def test_restoring_puts_back_every_byte_and_can_be_undone(backups: Backups, folder: Path) -> None:
    """A file that was not there is removed again."""
    path, other = folder / "learned" / "a.yaml", folder / "learned" / "b.yaml"
    made = backups.take(["learned/a.yaml", "learned/b.yaml"], "import")
    path.write_text("a: 2\n")
    other.write_text("b: 1\n")
    before = backups.restore(made)
    assert (path.read_text(), other.exists()) == ("a: 1   # mine\n", False)
    backups.restore(before)
    assert (path.read_text(), other.read_text()) == ("a: 2\n", "b: 1\n")


def test_only_what_is_named_is_put_back(backups: Backups, folder: Path) -> None:
    """And what a back-up does not hold is refused before anything is touched."""
    path = folder / "learned" / "a.yaml"
    made = backups.take(["learned/a.yaml"], "edit")
    path.write_text("a: 2\n")
    with pytest.raises(InputError, match="holds no inbox"):
        backups.restore(made, ["learned/a.yaml", "inbox.md"])
    assert path.read_text() == "a: 2\n"
    backups.restore(made, ["learned/a.yaml"])
    assert path.read_text() == "a: 1   # mine\n"


def test_the_newest_are_kept(backups: Backups) -> None:
    """More would fill the disk one edit at a time."""
    made = [backups.take(["learned/a.yaml"], "edit").id for _ in range(KEPT + 3)]
    assert {each.id for each in backups.all()} < set(made)
    assert len(backups.all()) == KEPT


@pytest.mark.parametrize("asked", ["", "2026", "nothing", "../learned", "last"])
def test_a_backup_that_is_not_one_is_refused(backups: Backups, asked: str) -> None:
    """Also a beginning that fits several, and `last` where there is none."""
    if asked == "2026":
        for _ in range(2):
            backups.take(["learned/a.yaml"], "edit")
    with pytest.raises(InputError):
        backups.get(asked)


def test_what_is_no_backup_is_passed_over(backups: Backups, folder: Path) -> None:
    """Folders of other names, half-made ones, and those without a manifest."""
    for name in ("mine", ".20261120-120000-edit", "20261120-120000-edit", "20261120-120001-edit"):
        (folder / "backups" / name).mkdir(parents=True)
    (folder / "backups" / "20261120-120001-edit" / "backup.yaml").write_text("files: [")
    assert backups.all() == ()


def test_what_cannot_be_backed_up_leaves_nothing_behind(backups: Backups, folder: Path) -> None:
    """Every refusal would leave a folder that nobody lists and nobody removes."""
    (folder / "learned" / "b.yaml").write_bytes(b"#" * 5_000_001)
    with pytest.raises(DocumentError, match="larger than"):
        backups.take(["learned/a.yaml", "learned/b.yaml"], "edit")
    assert list(backups.folder.iterdir()) == []


def test_a_folder_that_cannot_be_written_stops_the_change(folder: Path) -> None:
    """Here a file stands where the back-ups should be."""
    folder.mkdir(parents=True)
    (folder / "a.md").write_text("a\n")
    (folder / "backups").write_text("a file")
    with pytest.raises(DocumentError):
        Backups(folder, clock=lambda: NOON).take(["a.md"], "edit")


def test_a_read_only_file_is_not_put_back(backups: Backups, folder: Path) -> None:
    """A person took the right to write it."""
    path = folder / "learned" / "a.yaml"
    made = backups.take(["learned/a.yaml"], "edit")
    path.write_text("a: 2\n")
    path.chmod(0o444)
    with pytest.raises(DocumentError, match="read-only"):
        backups.restore(made)
    assert path.read_text() == "a: 2\n"
