"""A run as it happens, on standard error: its story line by line, and on a terminal what is under way below it."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import field
from typing import Any

import click

from engine.frontends.cli.layout import columns, terminal_width
from engine.frontends.cli.live import Area, UnderWay, can_be_live, room, under_way
from engine.frontends.cli.screen import Screen
from engine.frontends.cli.story import Line, Story
from engine.model.event import Event, EventKind
from engine.model.lazy_dataclass import dataclass

OFTEN = 0.05
"""Seconds between two drawings that events bring about; what comes sooner waits for the next `tick`."""
RESTING = frozenset({EventKind.RUN_FINISHED, EventKind.RUN_WAITING})
GOING_ON = frozenset({EventKind.RUN_STARTED, EventKind.RUN_RESUMED})


@dataclass(slots=True, kw_only=True)
class Progress:
    """Listens to a run and shows it; `names` are the columns of a step's name, `headline` is said at the beginning.

    `tick` draws what is under way, and does nothing where there is no terminal or while a question stands there.
    """

    screen: Screen
    headline: str = ""
    names: int = 28
    live: bool = field(default_factory=can_be_live)
    story: Story = field(init=False)
    _area: Area = field(default_factory=Area)
    _pending: list[Line] = field(default_factory=list)
    _drawn_at: float = float("-inf")
    _frame: int = 0
    _away: bool = False
    _rests: bool = False
    _gone: bool = False

    def __post_init__(self) -> None:
        self.story = Story(names=self.names, headline=self.headline, verbose=self.screen.verbose, live=self.live)

    def __call__(self, event: Event) -> None:
        """Shows one event."""
        if self.screen.quiet:
            return
        self._pending += self.story.tell(event, terminal_width(sys.stderr))
        self._rests = event.kind in RESTING or (self._rests and event.kind not in GOING_ON)
        if not self.live or self._rests or time.monotonic() - self._drawn_at >= OFTEN:
            self._show()

    def recall(self, event: Event) -> None:
        """Takes note of an event of long ago, without showing it."""
        self.story.recall(event)

    def tick(self) -> None:
        """Draws the steps under way anew: a moment has passed."""
        if self.live and not self._rests:
            self._frame += 1
            self._show()

    def say(self, text: str, **style: Any) -> None:
        """Shows a sentence of the command's own, above what is under way; also while a question stands there."""
        if sys.stderr.isatty() and (self._away or not self.live):
            click.echo(err=True)  # whatever was typed stands on this line
        self._pending.append(Line(text=text, **style))
        self._write([])

    def close(self) -> None:
        """Leaves only what is finished on the screen."""
        self._write([])

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Nothing is shown meanwhile: a question stands there."""
        self.close()
        self._away = True
        try:
            yield
        finally:
            self._away = False

    def _show(self) -> None:
        if self._away or self.screen.quiet:
            return
        self._drawn_at = time.monotonic()
        wide, high = room()
        lines: list[UnderWay] = []
        if self.live and not self._rests:
            lines = under_way(self.story, now=time.time(), frame=self._frame, width=wide, most=high)
        self._write(lines)

    def _write(self, below: list[UnderWay]) -> None:
        """The lines that are new, and below them what is under way, in one go; nothing once nobody sees it."""
        pending, self._pending = self._pending, []
        try:
            self._put(pending, below)
        except OSError:
            self._gone = True

    def _put(self, pending: list[Line], below: list[UnderWay]) -> None:
        if self._gone:
            return
        if not self.live:
            for line in pending:
                self.screen.note(line.text, **line.style)
            return
        styled = self.screen.styled
        told = [styled(line.text, **line.style) for line in pending]
        drawn = [
            (f"{styled(line.sign, fg='cyan')}{styled(line.name)}{styled(line.rest, dim=True)}", columns(str(line)))
            for line in below
        ]
        if text := self._area.over(told, drawn, room()[0]):
            click.echo(text, err=True, nl=False, color=True)
