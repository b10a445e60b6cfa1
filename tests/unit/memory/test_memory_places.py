"""Names of memory files: short ones in full, and never a way out of the folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import InputError
from engine.memory.places import KNOWN, named, placed, writable


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("patterns", "learned/patterns.yaml"),
        ("learned/notes", "learned/notes.yaml"),
        ("notes.v2/a.yaml", "notes.v2/a.yaml"),
        ("inbox", "inbox.md"),
        ("sessions/2026-11-21.md", "sessions/2026-11-21.md"),
    ],
)
def test_a_file_is_named_by_its_place_or_a_short_name(given: str, name: str) -> None:
    """A name without a suffix is a YAML file."""
    assert named(given) == name


@pytest.mark.parametrize(
    "given",
    [
        "",
        "/etc/passwd",
        "../history",
        "learned/../../x",
        "learned/..",
        "~/x",
        "a//b",
        "./a",
        ".hidden",
        "learned/.patterns.yaml.lock",
        "a\\..\\b",
        "a\0b",
        "a\nb",
        "history.db",
        "notes.py",
        "notes.yml",
        "a/" * 7 + "b",
        "x" * 200,
        "-rf",
    ],
)
def test_what_could_lead_elsewhere_is_refused(given: str) -> None:
    """Upwards, from the root, hidden, or another kind of file."""
    with pytest.raises(InputError):
        named(given)


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    """Whether the file is the link, or a folder above it; a link inside the folder is a person's way to sort."""
    folder, outside = tmp_path / "memory", tmp_path / "outside"
    (folder / "real").mkdir(parents=True)
    outside.mkdir()
    (folder / "away").symlink_to(outside)
    (folder / "file.yaml").symlink_to(outside / "file.yaml")
    (folder / "near").symlink_to(folder / "real")
    for name in ("away/x.yaml", "file.yaml"):
        with pytest.raises(InputError, match="leads out"):
            placed(folder, name)
    assert placed(folder, "near/x.yaml") == folder / "near" / "x.yaml"


@pytest.mark.parametrize("name", [KNOWN["failures"], KNOWN["health"], KNOWN["dashboard"], "backups/x/backup.yaml"])
def test_what_the_engine_writes_is_written_by_nobody_else(tmp_path: Path, name: str) -> None:
    """It would be overwritten, or is a back-up."""
    with pytest.raises(InputError):
        writable(tmp_path, name)
