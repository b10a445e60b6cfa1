"""What is under way, at the bottom of a terminal: a few lines drawn over and over in place, and gone at the end."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import field

from engine.frontends.cli.layout import clipped, columns, printable
from engine.frontends.cli.story import Story
from engine.frontends.cli.tree import Node
from engine.model.lazy_dataclass import dataclass

FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
MOST = 8
"""Lines that are drawn at most."""
WIDE = 70
"""Columns from which on there is room for columns."""
CLEAR_BELOW = "\x1b[J"
CLEAR_REST = "\x1b[K"


@dataclass(frozen=True, slots=True)
class UnderWay:
    """A line about a step under way: its sign and name, then what it does and how long it has."""

    sign: str
    name: str
    rest: str

    def fitted(self, width: int) -> UnderWay:
        """As much of it as `width` columns hold."""
        name = clipped(self.name, width - columns(self.sign))
        return UnderWay(self.sign, name, clipped(self.rest, width - columns(self.sign + name)))

    def __str__(self) -> str:
        return f"{self.sign}{self.name}{self.rest}"


def can_be_live() -> bool:
    """Whether lines can be drawn over and over: on a terminal that understands it."""
    return sys.stderr.isatty() and (os.environ.get("TERM") or "dumb") != "dumb"


def room() -> tuple[int, int]:
    """The columns and lines that are safe to draw in.

    The last column stays free, for some terminals wrap as soon as it is written to; two lines stay for what stands
    above.
    """
    try:
        size = os.get_terminal_size(sys.stderr.fileno())
    except OSError:
        size = os.terminal_size((80, 24))
    told = os.environ.get("COLUMNS", "")
    wide = min([size.columns or 80, *([int(told)] if told.isdecimal() and int(told) else [])])
    return max(1, wide - 1), max(1, min(MOST, (size.lines or 24) - 2))


def under_way(story: Story, *, now: float, frame: int, width: int, most: int) -> list[UnderWay]:
    """The lines about what is under way, at most `most`; lists first, then the steps that have been at it longest."""
    nodes = [node for node in story.tree.open.values() if node.foreach or node.inner == 0]
    shown, left = nodes, 0
    if len(nodes) > most:
        lists = [node for node in nodes if node.foreach][: most - 1]
        steps = [node for node in nodes if not node.foreach][: max(0, most - 1 - len(lists))]
        kept = {id(node) for node in (*lists, *steps)}
        shown, left = [node for node in nodes if id(node) in kept], len(nodes) - len(kept)
    sign, wide = FRAMES[frame % len(FRAMES)], width >= WIDE
    lines = [_line(story, node, now=now, sign=sign, wide=wide) for node in sorted(shown, key=lambda each: each.order)]
    lines += [UnderWay("    ", f"and {left} more", "")] if left else []
    return [line.fitted(width) for line in lines]


def _line(story: Story, node: Node, *, now: float, sign: str, wide: bool) -> UnderWay:
    depth, label = story.place(node)
    pad = "  " * depth
    name = label.ljust(max(0, story.names - len(pad)))
    so_far = node.so_far if node.foreach else ""
    # Where there is room, the time stands in the column in which it stands when the step has ended.
    columns_before = f"{so_far:<9} " if wide else f"{so_far}  " if so_far else ""
    told = "  ".join(node.counted) if node.foreach else "  ".join(filter(None, [node.item, node.doing]))
    rest = f"  {columns_before}{elapsed(now - node.since):>{8 if wide else 0}}  {told}"
    return UnderWay(f"{pad}  {sign} ", _bare(name), _bare(rest.rstrip()))


def elapsed(seconds: float) -> str:
    """How long something has been going on, as precisely as a glance needs it: `7 s`, `2 m 05 s`, `1 h 02 m`."""
    whole = int(max(0.0, seconds))
    if whole < 60:  # noqa: PLR2004 - a minute
        return f"{whole} s"
    if whole < 3600:  # noqa: PLR2004 - an hour
        return f"{whole // 60} m {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} m"


def _bare(text: str) -> str:
    """Text that stays on its line: a line break or a tab would move what is drawn next."""
    return printable(text).replace("\n", " ").replace("\t", " ") if not text.isprintable() else text


@dataclass(slots=True)
class Area:
    """The place at the bottom: knows what stands there, and gives the signs that draw over it."""

    drawn: list[int] = field(default_factory=list)

    def over(self, finished: Sequence[str], below: Sequence[tuple[str, int]], width: int) -> str:
        """What puts `finished` lines where the place began, and `below` (each with its columns) into it from now on.

        Where nothing is added, each line is cleared just before it is written, so that nothing flickers. A terminal
        that has become narrower than what stood there has wrapped it, and needs more rows back.
        """
        rows = sum(max(1, -(-length // (width + 1))) for length in self.drawn)
        back = "" if not rows else "\r" if rows == 1 else f"\r\x1b[{rows - 1}A"
        self.drawn = [length for _, length in below]
        if finished or not below:
            told = "".join(f"{line}\n" for line in finished)
            return f"{back}{CLEAR_BELOW if rows else ''}{told}" + "\n".join(text for text, _ in below)
        return back + "\n".join(f"{CLEAR_REST}{text}" for text, _ in below) + (CLEAR_BELOW if rows > len(below) else "")
