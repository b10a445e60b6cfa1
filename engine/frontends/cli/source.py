"""A finding as compilers show one: place, code and sentence, the author's line, and a caret under the column."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from engine.documents.sentences import UNSHOWN
from engine.frontends.cli.layout import fold, short_path
from engine.model.place import Finding, Place, Severity

WINDOW = 100
"""Characters of a long line that are shown around the column."""
INDENT = "    "
"""Before what of a finding stands on lines of its own."""
LARGEST_FILE = 2_000_000
"""Bytes; a larger file is not read again only to show a line of it."""

Write = Callable[..., None]


def show_finding(finding: Finding, write: Write, *, width: int | None = None) -> None:
    """Writes a finding, red for an error and yellow for a warning, with the line it is about under it."""
    colour = "red" if finding.severity is Severity.ERROR else "yellow"
    place = replace(finding.place, file=short_path(finding.place.file))
    first, *more = fold(str(replace(finding, place=place)), width and width - len(INDENT))
    write(first, fg=colour)
    for line in more:
        write(f"{INDENT}{line}", fg=colour)
    for line in source_lines(finding.place) if finding.code != UNSHOWN else ():
        write(line, dim=True)


def source_lines(place: Place) -> list[str]:
    """The line of the file at `place` and a caret under its column; nothing when the line cannot be read."""
    text = _line(place)
    if text is None:
        return []
    start = max(0, place.column - 1 - WINDOW // 2) if len(text) > WINDOW else 0
    shown = text[start : start + WINDOW]
    margin = f"{place.line:>6} | "
    return [f"{margin}{shown}".rstrip(), f"{'| ':>{len(margin)}}{' ' * (place.column - 1 - start)}^"]


def _line(place: Place) -> str | None:
    path = Path(place.file)
    try:
        if not path.is_file() or path.stat().st_size > LARGEST_FILE:
            return None
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    return lines[place.line - 1].expandtabs(1) if 0 < place.line <= len(lines) else None
