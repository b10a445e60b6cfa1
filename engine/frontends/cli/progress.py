"""A run as it happens, on standard error: a line per finished step, its heals, and on a terminal the step under way."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass, field
from typing import Any

import click

from engine.frontends.cli.layout import beside, cut, one_line, printable, terminal_width, took
from engine.frontends.cli.screen import Screen
from engine.frontends.cli.steps import INDENT, colour_of, step_lines, way_out_lines
from engine.model.event import Event, EventKind

ERASE = "\r\x1b[2K"
LONGEST_TOLD = 400
"""Characters of a message or a value that are shown; `skill logs` has the whole."""
FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


def can_be_live() -> bool:
    """Whether a line can be drawn over and over: on a terminal that understands it."""
    return sys.stderr.isatty() and (os.environ.get("TERM") or "dumb") != "dumb"


@dataclass(slots=True, kw_only=True)
class Progress:
    """Listens to a run and shows it; `names` are the columns of a step's name, `headline` is said at the beginning.

    `tick` redraws the step under way, and does nothing where there is no terminal or while a question stands there.
    """

    screen: Screen
    headline: str = ""
    names: int = 28
    live: bool = field(default_factory=can_be_live)
    asking: bool = False
    _step: str = ""
    _doing: str = ""
    _since: float = 0.0
    _frame: int = 0
    _drawn: bool = False
    _skipped: list[str] = field(default_factory=list)
    _said: str = ""

    def __call__(self, event: Event) -> None:
        """Shows one event."""
        if self.screen.quiet:
            return
        match event.kind:
            case EventKind.RUN_STARTED:
                self._begun(event)
            case EventKind.STEP_STARTED:
                self._step, self._doing, self._since, self._said = event.step, "", time.monotonic(), ""
                self.tick()
            case EventKind.STEP_FINISHED:
                self._finished(event)
            case EventKind.NOTICE:
                self._lines(beside("  ! ", event.data["text"], self._width), fg="yellow")
            case EventKind.PROGRESS:
                self._told(event.data["text"])
            case EventKind.RUN_FINISHED:
                self._flush_skipped()
                self._erase()
            case _:
                self._healing(event)

    def tick(self) -> None:
        """Draws the step under way, what it does and how long it has taken, in one line that never wraps."""
        if not self.live or not self._step or self.screen.quiet or self.asking:
            return
        self._frame += 1
        sign = FRAMES[self._frame % len(FRAMES)]
        doing = f"  {self._doing}" if self._doing else ""
        line = f"  {sign} {self._step:<{self.names}}  {int(time.monotonic() - self._since)} s{doing}"
        # The last column stays free: some terminals wrap as soon as it is written to.
        shown = cut(printable(self.screen.secrets.mask(line)), (self._width or 80) - 1)
        click.echo(f"{ERASE}{shown}", err=True, nl=False, color=True)
        self._drawn = True

    def pause(self) -> None:
        """Clears the line under way for a question; `asking` keeps it away."""
        self._erase()

    @property
    def _width(self) -> int | None:
        return terminal_width(sys.stderr)

    def _begun(self, event: Event) -> None:
        self._lines([f"{event.data['skill']}  {event.run_id}"], bold=True)
        if self.headline:
            self._lines(beside("  ", self.headline, self._width), dim=True)
        if self.screen.verbose:
            given = {name: value for name, value in event.data["inputs"].items() if value is not None}
            self._lines(beside("  inputs  ", _short(given), self._width))

    def _healing(self, event: Event) -> None:
        """What happens inside a step, in the order failure, diagnosis, fix."""
        match event.kind:
            case EventKind.ATTEMPT_FINISHED if event.data["failure"]:
                self._failed(event)
            case EventKind.HEAL_STAGE:
                self._stage(event.data)
            case EventKind.FIX_STARTED:
                self._doing = f"runs {event.data['fix']}"
                self.tick()
            case EventKind.FIX_FINISHED:
                self._fixed(event.data)

    def _failed(self, event: Event) -> None:
        self._flush_skipped()
        message = event.data["failure"]["message"]
        again = "" if event.data["number"] == 1 else f"attempt {event.data['number']}: "
        self._lines(beside(f"  ✗ {event.step:<{self.names}}  ", again + _first_line(message), self._width), fg="yellow")
        self._said = message
        self._doing = "finds out what it means"

    def _stage(self, data: Any) -> None:
        stage = str(data["stage"])
        if stage == "detect":
            self._doing = "decides what to do"
            kind, answer = str(data["kind"]).replace("_", " "), _first_line(str(data["answer"]))
            told = answer if kind in answer else f"{kind}: {answer}"
            sure = f" ({data['basis']}, {data['confidence']:.0%} sure)" if self.screen.verbose else ""
            self._lines(beside(f"{INDENT}means    ", told + sure, self._width), dim=True)
        elif self.screen.verbose:
            self._lines(
                beside(f"{INDENT}{stage:<7}  ", _first_line(str(data.get("answer", ""))), self._width), dim=True
            )

    def _fixed(self, data: Any) -> None:
        self._doing = "tries again"
        if data["ok"]:
            how = "run by another, used here too" if data["shared"] else took(data["finished_at"] - data["started_at"])
            self._lines([f"{INDENT}fixed    {data['fix']}  {how}"], fg="cyan")
        else:
            told = f"{data['fix']} failed: {_first_line(data['failure'] or '')}"
            self._lines(beside(f"{INDENT}fix      ", told, self._width), fg="red")

    def _finished(self, event: Event) -> None:
        data, self._step, self._doing = event.data, "", ""
        if data["status"] == "skipped" and not self.screen.verbose:
            self._skipped.append(event.step)
            return
        self._flush_skipped()
        told = self._reason(data)
        drawn = step_lines(
            event.step, data["status"], duration=data["duration"], told=told, names=self.names, width=self._width
        )
        self._lines(drawn, fg=colour_of(data["status"]))
        if self.screen.verbose and data["value"] is not None:
            self._lines(beside(f"{INDENT}value    ", _short(data["value"]), self._width), dim=True)
        self._lines(way_out_lines(data["remediation"], self._width))

    def _reason(self, data: Any) -> str:
        """What is told of a step's end beside its status: why, unless that stands just above."""
        match data["status"]:
            case "healed":
                return str(data["reason"]).removeprefix("healed ")
            case "failed" | "tolerated":
                message = str((data["failure"] or {}).get("message", ""))
                return _first_line(data["reason"] if message == self._said else message)
            case "skipped":
                return str(data["reason"])
        return ""

    def _told(self, text: str) -> None:
        self._doing = _first_line(text)
        if self.live and not self.screen.verbose:
            self.tick()
        else:
            self._lines(beside(INDENT, _first_line(text), self._width), dim=True)

    def _flush_skipped(self) -> None:
        """Steps that were skipped one after the other share a line; most of the time nobody asks about them."""
        if self._skipped:
            names, self._skipped = ", ".join(self._skipped), []
            self._lines(beside("  · skipped: ", names, self._width), dim=True)

    def _lines(self, lines: list[str], **style: Any) -> None:
        self._erase()
        for line in lines:
            self.screen.note(line, **style)

    def _erase(self) -> None:
        if self._drawn:
            click.echo(ERASE, err=True, nl=False, color=True)
            self._drawn = False


def _first_line(text: str) -> str:
    lines = text.strip().splitlines()
    return cut(lines[0], LONGEST_TOLD) if lines else "it said nothing"


def _short(value: Any) -> str:
    import json  # noqa: PLC0415 - late: only -v shows values

    return cut(one_line(json.dumps(value, ensure_ascii=False, default=str)), LONGEST_TOLD)
