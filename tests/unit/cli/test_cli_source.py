"""A finding is shown as compilers do: the place, the line, and a caret under the column."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.frontends.cli.source import WINDOW, show_finding, source_lines
from engine.model.place import Finding, Place, Severity


def place(path: Path, line: int, column: int) -> Place:
    """A place in a file."""
    return Place(file=str(path), line=line, column=column)


def test_the_caret_stands_under_the_column(tmp_path: Path) -> None:
    """Line and column count from one."""
    (tmp_path / "a.yaml").write_text("name: a\nsteps:\n  - tool: get_pod\n")
    shown, caret = source_lines(place(tmp_path / "a.yaml", 3, 11))
    assert shown == "     3 |   - tool: get_pod"
    assert shown[caret.index("^")] == "g"


def test_a_tab_is_one_column(tmp_path: Path) -> None:
    """The caret stays under the character the column counts."""
    (tmp_path / "a.yaml").write_text("\t\tx: 1\n")
    shown, caret = source_lines(place(tmp_path / "a.yaml", 1, 3))
    assert shown[caret.index("^")] == "x"


def test_a_long_line_is_shown_around_the_column(tmp_path: Path) -> None:
    """A 200 kB line does not fill the screen."""
    (tmp_path / "a.yaml").write_text("[" * 100_000 + "x" + "[" * 100_000)
    shown, caret = source_lines(place(tmp_path / "a.yaml", 1, 100_001))
    assert shown[caret.index("^")] == "x"
    assert len(shown) < WINDOW + 20


def test_a_line_that_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    """No file, no such line, a folder, a file of another encoding: the finding still stands."""
    assert source_lines(place(tmp_path / "none.yaml", 1, 1)) == []
    assert source_lines(place(tmp_path, 1, 1)) == []
    (tmp_path / "a.yaml").write_bytes(b"\xff\xfe\x00\n")
    assert source_lines(place(tmp_path / "a.yaml", 9, 1)) == []
    assert len(source_lines(place(tmp_path / "a.yaml", 1, 1))) == 2


def test_errors_are_red_and_warnings_yellow(tmp_path: Path) -> None:
    """The first line is the one machines read: place, code, sentence, way out."""
    written: list[tuple[str, Any]] = []

    def write(text: str, **style: Any) -> None:
        written.append((text, style.get("fg")))

    for severity in Severity:
        where = place(tmp_path / "none.yaml", 1, 1)
        show_finding(Finding(place=where, code="c", message="m", hint="h", severity=severity), write)
    assert written == [(f"{tmp_path}/none.yaml:1:1: c m (h)", "red"), (f"{tmp_path}/none.yaml:1:1: c m (h)", "yellow")]
