"""Text fitted to a screen: pure functions from words and a width to lines. A width of None means no limit (a pipe)."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, TextIO

NARROWEST = 40
"""Columns; a terminal that says it has fewer is written to as if it had these."""
LEAST_ROOM = 24
"""Columns text beside something else must have, or it goes to lines of its own."""
COMFORT = 44
"""Columns the last column of a table should have before spare columns are shown."""
GAP = "  "
_CONTROL = re.compile(
    r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|.)|"
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""What a terminal would obey instead of show: escape sequences, controls, and marks that turn the writing round; and
halves of surrogate pairs, which nothing can be written with."""

_UNSEEN = re.compile(r"[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def terminal_width(stream: TextIO) -> int | None:
    """How many columns the stream's terminal has; None when it is no terminal. `COLUMNS` in the environment wins."""
    if not stream.isatty():
        return None
    told = os.environ.get("COLUMNS", "")
    if told.isdecimal() and int(told):
        return max(NARROWEST, int(told))
    try:
        return max(NARROWEST, os.get_terminal_size(stream.fileno()).columns or 80)
    except OSError:
        return 80


def printable(text: str) -> str:
    """`text` without what would move the cursor, change colours or retitle a terminal."""
    return _CONTROL.sub("", text)


def json_text(value: Any, *, indent: int | None = None) -> str:
    """`value` as JSON that keeps its letters and escapes what a terminal would obey."""
    text = json.dumps(value, ensure_ascii=False, indent=indent, default=str)
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def one_line(text: str) -> str:
    """`text` with every run of blanks and line breaks as one space."""
    return " ".join(text.split())


def cut(text: str, width: int | None) -> str:
    """`text`, or as much of it as fits with an ellipsis at its end."""
    return text if width is None or len(text) <= width else text[: max(0, width - 1)].rstrip() + "…"


def fold(text: str, width: int | None, *, lines: int = 100) -> list[str]:
    """The words of `text` in lines of `width`, at most `lines` of them; what does not fit ends in an ellipsis."""
    if width is None or len(text) <= width:
        return [text]
    # late: text that fits needs no folding, and a pipe never does
    from textwrap import wrap  # noqa: PLC0415 - start-up

    apart = " ".join(part for word in text.split(" ") for part in _parts(word, width)) if lines > 1 else text
    folded = wrap(apart, width, max_lines=lines, placeholder=" …", break_on_hyphens=False) or [""]
    return [cut(text, width)] if folded == ["…"] else folded  # its first word is longer than the line


def _parts(word: str, width: int) -> list[str]:
    """The word; one that is longer than a line in parts that fill lines, broken between names, not inside of them."""
    if len(word) <= width:
        return [word]
    import re  # noqa: PLC0415 - late, as above

    parts = [""]
    for piece in re.findall(r"[\w.]+[^\w.]*|[^\w.]+", word):
        if parts[-1] and len(parts[-1]) + len(piece) > width:
            parts.append("")
        parts[-1] += piece
    return parts


def beside(head: str, text: str, width: int | None, *, lines: int = 3, indent: str = "      ") -> list[str]:
    """`head` and then `text`, folded under its own beginning; under the head when there is no room beside."""
    if width is None or not text:
        return [f"{head}{text}".rstrip()]
    if (room := width - len(head)) >= LEAST_ROOM or len(text) <= room:
        first, *more = fold(text, room, lines=lines)
        return [f"{head}{first}".rstrip(), *(" " * len(head) + line for line in more)]
    return [head.rstrip(), *(indent + line for line in fold(text, width - len(indent), lines=lines))]


def table(
    rows: Sequence[Sequence[str]],
    head: Sequence[str],
    *,
    width: int | None,
    spare: Collection[str] = (),
    lines: int = 1,
) -> list[str]:
    """Rows under their head, each column as wide as it must be; the last is folded into at most `lines` lines.

    Columns named in `spare` are left out, last first, where the last column would have no comfort.
    """
    kept = _kept(rows, head, width=width, spare=spare)
    shown = [[row[column] for column in kept] for row in (head, *rows)]
    widths = [max(len(row[column]) for row in shown) for column in range(len(kept))]
    drawn: list[str] = []
    for row in shown:
        cells = [cell.ljust(space) for cell, space in zip(row[:-1], widths[:-1], strict=True)]
        drawn += beside("".join(cell + GAP for cell in cells), row[-1], width, lines=lines, indent="    ")
    return drawn


def _kept(
    rows: Sequence[Sequence[str]], head: Sequence[str], *, width: int | None, spare: Collection[str]
) -> list[int]:
    kept = list(range(len(head)))
    if width is None:
        return kept
    widths = [max(len(row[column]) for row in (head, *rows)) for column in kept]
    for column in sorted((column for column in kept if head[column] in spare), reverse=True):
        used = sum(widths[other] + len(GAP) for other in kept[:-1])
        if width - used < min(COMFORT, widths[-1]):
            kept.remove(column)
    return kept


def short_path(path: str | Path, *, shipped: Path | None = None) -> str:
    """A path as people read it: from here on when it lies below, `~` for home, only its end when it was shipped."""
    found = Path(path)
    if shipped is not None and found.is_relative_to(shipped):
        return f"{shipped.name}/{found.relative_to(shipped)} (shipped)"
    if not found.is_absolute():
        return str(found)
    for start, sign in ((Path.cwd(), ""), (Path.home(), "~/")):
        if found.is_relative_to(start):
            return f"{sign}{found.relative_to(start)}"
    return str(found)


def took(seconds: float | None) -> str:
    """A duration as people read it: `0.04 s`, `12.3 s`, `2 m 05 s`."""
    if seconds is None:
        return ""
    if seconds < 10:  # noqa: PLR2004 - under ten seconds, hundredths are still of interest
        return f"{seconds:.2f} s"
    if seconds < 120:  # noqa: PLR2004 - two minutes are where people begin to count in minutes
        return f"{seconds:.1f} s"
    return f"{int(seconds // 60)} m {int(seconds % 60):02d} s"


def columns(text: str) -> int:
    """How many columns a terminal needs for `text`: two for a Chinese sign, none for an accent that stands alone."""
    if text.isascii():
        return len(text)
    from unicodedata import category, east_asian_width  # noqa: PLC0415 - late: little of what is shown needs it

    unseen = {"Mn", "Me", "Cf"}
    return sum(0 if category(sign) in unseen else 2 if east_asian_width(sign) in "WF" else 1 for sign in text)


def clipped(text: str, width: int) -> str:
    """As much of `text` as fits into `width` columns, with an ellipsis where something is missing."""
    if columns(text) <= width:
        return text
    kept = text[: max(0, width - 1)]
    while kept and columns(kept) > width - 1:
        kept = kept[:-1]
    return f"{kept}…" if width > 0 else ""
