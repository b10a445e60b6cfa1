"""A run as it happens, on standard error: one line per finished step, its heals under it, and the step under way."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from typing import Any

import click

from engine.frontends.cli.screen import Screen
from engine.model.event import Event, EventKind

SIGNS = {
    "ok": ("✓", "green"),
    "healed": ("✚", "cyan"),
    "skipped": ("·", None),
    "tolerated": ("!", "yellow"),
    "failed": ("✗", "red"),
}
STAGE_INDENT = "      "
NAME_WIDTH = 30


def _on_a_terminal() -> bool:
    return sys.stderr.isatty()


@dataclass(slots=True, kw_only=True)
class Progress:
    """Listens to a run and shows it; `tick` redraws the step under way and does nothing where there is no terminal."""

    screen: Screen
    live: bool = field(default_factory=_on_a_terminal)
    _step: str = ""
    _since: float = 0.0
    _drawn: bool = False

    def __call__(self, event: Event) -> None:
        """Shows one event."""
        if self.screen.quiet:
            return
        match event.kind:
            case EventKind.STEP_STARTED:
                self._step, self._since = event.step, time.monotonic()
                self.tick()
            case EventKind.ATTEMPT_FINISHED if event.data["failure"]:
                self._line(f"{STAGE_INDENT}{_first_line(event.data['failure']['message'])}", fg="yellow")
            case EventKind.HEAL_STAGE if _worth_showing(event.data, verbose=self.screen.verbose):
                self._line(f"{STAGE_INDENT}{_stage(event.data)}", dim=True)
            case EventKind.FIX_FINISHED:
                self._line(f"{STAGE_INDENT}{_fix(event.data)}", fg="cyan" if event.data["ok"] else "red")
            case EventKind.STEP_FINISHED:
                self._finished(event)
            case EventKind.NOTICE:
                self._line(f"  ! {event.data['text']}", fg="yellow")
            case EventKind.PROGRESS:
                self._line(f"{STAGE_INDENT}{event.data['text']}", dim=True)

    def tick(self) -> None:
        """Draws the step under way and how long it has taken."""
        if not self.live or not self._step or self.screen.quiet:
            return
        self._erase()
        click.echo(f"  … {self._step}  {time.monotonic() - self._since:.0f} s", err=True, nl=False)
        self._drawn = True

    def _finished(self, event: Event) -> None:
        data = event.data
        sign, colour = SIGNS[data["status"]]
        self._step = ""
        told = _told(data)
        took = "" if data["status"] == "skipped" else f"{data['duration']:.2f} s"
        status = "" if data["status"] == "ok" else data["status"]
        self._line(f"  {sign} {event.step:<{NAME_WIDTH}} {status:<9} {took:>8}  {told}".rstrip(), fg=colour)
        for number, line in enumerate(data["remediation"], start=1):
            self._line(f"{STAGE_INDENT}{number}. {line}")

    def _line(self, text: str, **style: Any) -> None:
        self._erase()
        self.screen.note(text, **{name: value for name, value in style.items() if value is not None})

    def _erase(self) -> None:
        if self._drawn:
            click.echo("\r\x1b[2K", err=True, nl=False)
            self._drawn = False


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0][:160] if text.strip() else "it said nothing"


def _worth_showing(data: Any, *, verbose: bool) -> bool:
    return verbose or data["stage"] == "detect"


def _stage(data: Any) -> str:
    if data["stage"] == "detect":
        return f"→ {data['kind']}: {_first_line(data['answer'])}"
    return f"→ {data['stage']}: {_first_line(str(data.get('answer', '')))}"


def _fix(data: Any) -> str:
    how = "run by another" if data["shared"] else f"{data['finished_at'] - data['started_at']:.1f} s"
    return f"→ {data['fix']} ({how})" if data["ok"] else f"→ {data['fix']} failed: {_first_line(data['failure'] or '')}"


def _told(data: Any) -> str:
    if data["status"] in {"failed", "tolerated"}:
        return _first_line(data["failure"]["message"])
    return data["reason"] if data["status"] in {"healed", "skipped"} else ""
