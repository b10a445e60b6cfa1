"""Words and a width become lines: nothing wider than the screen, nothing that steers it, nothing cut in a pipe."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.frontends.cli.layout import beside, cut, fold, one_line, printable, short_path, table, terminal_width, took

LONG = "Deploys the image of a merge request into a namespace, waits until it is healthy, and runs its tests there."


def test_a_pipe_has_no_width_and_nothing_is_cut() -> None:
    """Programs that read our output get every word."""
    assert terminal_width(io.StringIO()) is None
    assert beside("name  ", LONG, None) == [f"name  {LONG}"]
    assert cut(LONG, None) == LONG
    assert fold(LONG, None) == [LONG]


@pytest.mark.parametrize("width", [40, 80, 120])
def test_text_beside_a_head_is_folded_under_its_own_beginning(width: int) -> None:
    """Every line fits, and the words come back in order."""
    lines = beside("  ✓ name  ", LONG, width, lines=20)
    assert max(map(len, lines)) <= width
    assert one_line(" ".join(lines)) == f"✓ name {LONG}"
    assert all(line.startswith(" " * 10) for line in lines[1:])


def test_text_goes_below_a_head_that_leaves_no_room() -> None:
    """A long name does not squeeze the message into a pillar."""
    lines = beside("  ✗ " + "n" * 30 + "  ", LONG, 50, lines=20)
    assert lines[0] == "  ✗ " + "n" * 30
    assert all(line.startswith("      ") and len(line) <= 50 for line in lines[1:])


def test_what_does_not_fit_ends_in_an_ellipsis() -> None:
    """A person sees that there is more."""
    assert fold(LONG, 30, lines=2)[-1].endswith("…")
    assert cut("abcdef", 4) == "abc…"


@given(st.lists(st.tuples(st.text("abc ", max_size=30), st.text("abc ", max_size=90)), min_size=1, max_size=5))
def test_a_table_with_short_first_columns_never_outgrows_the_terminal(rows: list[tuple[str, str]]) -> None:
    """80 columns hold any table whose first column leaves room."""
    drawn = table(rows, ["NAME", "WHAT"], width=80, lines=3)
    assert max(map(len, drawn)) <= 80


def test_a_spare_column_is_left_out_only_where_room_is_short() -> None:
    """Tags are shown at 120 columns and in a pipe, not at 80."""
    rows = [["test_mr_ephemeral", "ephemeral, testing, merge-request", LONG]]
    head = ["SKILL", "TAGS", "WHAT"]
    assert "TAGS" not in table(rows, head, width=80, spare=["TAGS"])[0]
    assert "TAGS" in table(rows, head, width=120, spare=["TAGS"])[0]
    assert table(rows, head, width=None, spare=["TAGS"])[1].endswith(LONG)


@pytest.mark.parametrize(
    "text",
    [
        "\x1b[31mred\x1b[0m",
        "\x1b]0;title\x07red",
        "re\rd",
        "r\x08ed",
        "\x9b31mred"[:1] + "red",
        "\x1b[2Kred",
        "red\x00",
    ],
)
def test_what_steers_a_terminal_is_left_out(text: str) -> None:
    """A tool's output cannot move the cursor, retitle the window or hide what stands above."""
    assert printable(text) == "red"


def test_line_breaks_and_tabs_stay() -> None:
    """A summary of several lines is still one."""
    assert printable("a\n\tb") == "a\n\tb"


def test_paths_are_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on when below, `~` for home, and only the end of what was shipped."""
    monkeypatch.chdir(tmp_path)
    shipped = Path("/opt/venv/lib/engine/_bundle/skills")
    assert short_path(tmp_path / "skills" / "a.yaml") == "skills/a.yaml"
    assert short_path(shipped / "a.yaml", shipped=shipped) == "skills/a.yaml (shipped)"
    assert short_path(Path.home() / "x" / "a.yaml") == "~/x/a.yaml"
    assert short_path("/etc/a.yaml") == "/etc/a.yaml"
    assert short_path("a.yaml") == "a.yaml"


@pytest.mark.parametrize(
    ("seconds", "told"), [(None, ""), (0.042, "0.04 s"), (12.34, "12.3 s"), (119.9, "119.9 s"), (125, "2 m 05 s")]
)
def test_durations_are_told_as_precisely_as_they_matter(seconds: float | None, told: str) -> None:
    """Hundredths first, minutes later."""
    assert took(seconds) == told


def test_a_word_longer_than_its_only_line_is_cut_and_not_left_out() -> None:
    """The beginning of a long name says more than an ellipsis."""
    assert fold("mcp-server-time.get_current_time()", 20, lines=1) == ["mcp-server-time.get…"]
    assert fold("one two three four five", 12, lines=1) == ["one two …"]
