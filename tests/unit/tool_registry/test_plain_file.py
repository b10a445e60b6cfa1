"""Files that somebody else names: where they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from tool_registry.sources.plain_file import named_path


@pytest.mark.parametrize(
    ("named", "place"),
    [
        ("kept", "work/kept"),
        ("/etc/kept", "/etc/kept"),
        ("~", "ann"),
        ("~/kept", "ann/kept"),
        ("~nobody-has-this-name/kept", "work/~nobody-has-this-name/kept"),
    ],
)
def test_a_home_is_that_of_who_has_the_environment(tmp_path: Path, named: str, place: str) -> None:
    """And one that nobody has is a name like any other: it is not there, which is an answer, and nothing is raised."""
    assert named_path(named, tmp_path / "work", {"HOME": str(tmp_path / "ann")}) == tmp_path / place
