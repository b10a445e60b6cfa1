"""Inputs as people type them."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from engine.errors import DocumentError
from engine.frontends.cli.given import LONGEST_FILE, read_given


def test_text_json_and_files(tmp_path: Path) -> None:
    """`=` is text to be coerced, `:=` is JSON, `=@` a file's content; a value may contain `=`."""
    (tmp_path / "notes.txt").write_text("two\nlines\n")
    given = read_given(["a=1", "b:=[1, 2]", f"c=@{tmp_path}/notes.txt", "d=x=y", "e="], None)
    assert given.values == {"a": "1", "b": [1, 2], "c": "two\nlines\n", "d": "x=y", "e": ""}
    assert given.from_text == {"a", "c", "d", "e"}


def test_pairs_win_over_the_file(tmp_path: Path) -> None:
    """A file of usual inputs, and one changed on the command line."""
    (tmp_path / "inputs.yaml").write_text("a: 1\nb: no\n")
    given = read_given(["a=2"], str(tmp_path / "inputs.yaml"))
    assert given.values == {"a": "2", "b": "no"}
    assert given.from_text == {"a"}


@pytest.mark.parametrize("pair", ["a", "=1", ":=1", " =1", "a:={", "a:=" + "[" * 100_000, "a=@/no/such/file", "a=@/"])
def test_what_cannot_be_meant_is_refused(pair: str) -> None:
    """Each with the pair it is about."""
    with pytest.raises(click.BadParameter):
        read_given([pair], None)


def test_a_file_larger_than_an_input_may_be_is_refused(tmp_path: Path) -> None:
    """Not read into memory whole."""
    (tmp_path / "big").write_bytes(b"x" * (LONGEST_FILE + 1))
    with pytest.raises(click.BadParameter, match="larger"):
        read_given([f"a=@{tmp_path}/big"], None)


def test_an_inputs_file_must_be_a_mapping(tmp_path: Path) -> None:
    """A list names nothing; what is no YAML is told with its place."""
    (tmp_path / "list.yaml").write_text("- a\n")
    with pytest.raises(click.BadParameter, match="mapping"):
        read_given([], str(tmp_path / "list.yaml"))
    (tmp_path / "bad.yaml").write_text("a: [\n")
    with pytest.raises(DocumentError):
        read_given([], str(tmp_path / "bad.yaml"))
