"""One line of one step, as a run shows it while it happens and as history shows it afterwards."""

from __future__ import annotations

from collections.abc import Iterable

from engine.frontends.cli.layout import beside, took

SIGNS = {
    "ok": ("✓", "green"),
    "healed": ("✚", "cyan"),
    "skipped": ("·", None),
    "tolerated": ("!", "yellow"),
    "failed": ("✗", "red"),
}
NARROW, WIDE = 14, 28
"""Columns a step's name takes at least and at most."""
INDENT = "      "


def name_width(names: Iterable[str]) -> int:
    """The columns that fit the names of a run's steps, within reason."""
    return min(WIDE, max([NARROW, *map(len, names)]))


def colour_of(status: str | None) -> str | None:
    """The colour of a status; None for one without."""
    return SIGNS.get(status or "", ("", None))[1]


def step_lines(
    name: str,
    status: str | None,
    *,
    duration: float | None,
    told: str,
    names: int,
    width: int | None,
) -> list[str]:
    """A step's sign, name, status when it is not plain ok, time, and what is told of it, fitted to the screen."""
    sign = SIGNS.get(status or "", ("…", None))[0]
    shown = "" if status == "ok" else status or "running"
    time = "" if status == "skipped" else took(duration)
    return beside(f"  {sign} {name:<{names}}  {shown:<9} {time:>8}  ", told, width)


def way_out_lines(ways: Iterable[str], width: int | None) -> list[str]:
    """The way out of a failure, numbered."""
    return [line for number, way in enumerate(ways, start=1) for line in beside(f"{INDENT}{number}. ", way, width)]
