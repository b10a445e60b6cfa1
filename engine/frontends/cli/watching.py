"""`skill health check` and `watch`: a monitor in this process, and what it does on the screen."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import field, replace
from datetime import UTC, datetime

import anyio
from anyio.abc import TaskStatus

from engine.frontends.cli.health_lines import found_line, happening_record
from engine.frontends.cli.layout import json_text
from engine.frontends.cli.screen import Screen
from engine.frontends.cli.session import Session
from engine.frontends.cli.starting import INTERRUPTED
from engine.health.built import HealthSettings, monitor_of, seconds_of
from engine.health.lease import held
from engine.health.monitor import Happening, Monitor
from engine.health.pace import Why
from engine.model.health import HealthReport
from engine.model.lazy_dataclass import dataclass
from engine.wiring import Engine

PROMPT = 0.8
"""Seconds after a signal to end in an orderly way: a program that will not end is not waited for any longer."""


def looked(session: Session, screen: Screen, *, repairs: bool) -> tuple[HealthReport, tuple[str, ...]]:
    """What one look finds, and what people were told."""
    told: list[str] = []

    def watching(happening: Happening) -> None:
        if happening.about == "notice":
            told.append(happening.text)
        if happening.about == "trouble":
            screen.note(f"  ! {happening.text}", fg="yellow")

    async def run() -> HealthReport:
        async with Engine(session.workspace(), secrets=session.secrets) as engine:
            settings = HealthSettings.of(engine.workspace)
            return await monitor_of(engine, settings, repairs=repairs, watching=watching).look()

    return anyio.run(run), tuple(told)


def watched(session: Session, screen: Screen, *, interval: str | None, repairs: bool) -> int:
    """Watches until a signal ends it, and gives the exit status."""
    teller = Log(screen=screen)

    async def run() -> int:
        async with Engine(session.workspace(), secrets=session.secrets) as engine:
            settings = HealthSettings.of(engine.workspace)
            settings = replace(settings, interval=seconds_of(interval)) if interval else settings
            with held(engine.workspace.state, clock=engine.clock):
                monitor = monitor_of(engine, settings, repairs=repairs, watching=teller)
                teller.say(f"watching {engine.workspace.folder} every {settings.interval:g} s, process {os.getpid()}")
                return await _until_a_signal(monitor, teller)

    try:
        status = anyio.run(run)
    except BaseExceptionGroup as group:
        if group.split(BrokenPipeError)[1] is not None:
            raise
        raise BrokenPipeError from group
    signal.setitimer(signal.ITIMER_REAL, 0)
    return status


async def _until_a_signal(monitor: Monitor, log: Log) -> int:
    status = 0
    async with anyio.create_task_group() as group:

        async def wait(*, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
            nonlocal status
            with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM, signal.SIGHUP) as signals:
                task_status.started()
                async for each in signals:
                    status = INTERRUPTED if each is signal.SIGINT else 0
                    _leave_for_certain(status)
                    log.say(f"ended by {each.name}")
                    group.cancel_scope.cancel()

        await group.start(wait)
        await monitor.watch()
    return status


def _leave_for_certain(status: int) -> None:
    """From now on the process ends in time, whatever does not let itself be cancelled.

    Nothing is lost by that: locks fall with the process, files are replaced whole, and the programs that a look started
    are ended by their own guard.
    """
    signal.signal(signal.SIGALRM, lambda *_: os._exit(status))
    signal.setitimer(signal.ITIMER_REAL, PROMPT)


@dataclass(slots=True, kw_only=True)
class Log:
    """Writes what a monitor does: what changes, for people, on standard error; all as data, on standard output."""

    screen: Screen
    _last: str = field(default="")

    def __call__(self, happening: Happening) -> None:
        """Writes one happening."""
        if self.screen.format == "jsonl":
            sys.stdout.write(json_text(self.screen.secrets.mask(happening_record(happening))) + "\n")
            sys.stdout.flush()
        match happening.about:
            case "notice":
                colour = "yellow" if happening.notice and happening.notice.level == "warning" else "green"
                self.say(happening.text, colour)
            case "trouble":
                self.say(happening.text, "yellow")
            case "found" if happening.report is not None:
                self._found(happening, happening.report)

    def say(self, text: str, colour: str | None = None) -> None:
        """Writes a line for people, with the time."""
        when = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        self.screen.note(f"{when} {text}", fg=colour)

    def _found(self, happening: Happening, report: HealthReport) -> None:
        """One line for a look, where it says something new or was made for a reason of its own."""
        line = found_line(report)
        unusual = happening.why in {Why.WOKE, Why.CLOCK}
        if line != self._last or unusual or self.screen.verbose:
            self._last = line
            self.say(f"{line} ({happening.why}, {happening.seconds:.2f} s)")
