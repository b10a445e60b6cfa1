"""How time and memory grow: steps in a run, elements at once, runs at once in one process and in twenty."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.workloads import SCRIPTS, Command, Workload

SIZES: Mapping[str, Sequence[int]] = {
    "steps": (100, 1_000, 10_000),
    "elements": (100, 1_000, 10_000),
    "runs": (10, 50, 200),
}
WORDS = {
    "steps": "steps in one run",
    "elements": "elements of a `foreach`, 100 at once",
    "runs": "runs of 20 steps at once in one process",
}
PROCESSES = 20
DURABLE = 1_000
"""Steps of the run that is compared with DBOS; enough that its start hardly counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaled:
    """What so much work took: CPU and wall seconds, megabytes of memory at most."""

    number: int
    cpu: float
    wall: float
    megabytes: float


def scaled(kind: str, number: int, folder: Path) -> Scaled:
    """One process doing so much of one kind of work."""
    done = subprocess.run(_argv(kind, number, folder), capture_output=True, text=True, check=True)
    return Scaled(number=number, **json.loads(done.stdout))


def processes(runs: int, folder: Path) -> float:
    """Wall seconds of so many runs, divided among twenty processes on one history."""
    scaled("runs", 1, folder)
    argv = _argv("runs", runs // PROCESSES, folder)
    began = time.monotonic()
    started = [subprocess.Popen(argv, stdout=subprocess.DEVNULL) for _ in range(PROCESSES)]
    statuses = [process.wait() for process in started]
    if any(statuses):
        raise RuntimeError(f"of {PROCESSES} processes some ended badly: {statuses}")
    return time.monotonic() - began


def scale_report(folder: Path, *, bounded: bool) -> list[str]:
    """The table, as lines of Markdown; `bounded` leaves the largest sizes out."""
    lines = ["", "| how it grows | number | CPU seconds | milliseconds each | memory, MB |", "|---|---|---|---|---|"]
    for kind, sizes in SIZES.items():
        for number in sizes[:-1] if bounded else sizes:
            found = scaled(kind, number, folder / f"{kind}_{number}")
            each = 1_000 * found.cpu / number
            lines.append(f"| {WORDS[kind]} | {number:,} | {found.cpu:.2f} | {each:.2f} | {found.megabytes:.0f} |")
    runs = SIZES["runs"][0 if bounded else -1] * (PROCESSES if bounded else 1)
    wall = processes(runs, folder / "processes")
    lines += ["", f"{runs} runs of 20 steps in {PROCESSES} processes on one history: {wall:.1f} s, none failed."]
    return lines


def durable_report(commands: Mapping[str, Command]) -> list[str]:
    """Steps per second of a durable run of a thousand steps, the process's start included."""
    lines = ["", f"| durable run of {DURABLE:,} no-op steps | steps per second |", "|---|---|"]
    for name, command in commands.items():
        subprocess.run(command.argv, cwd=command.folder, env=command.whole_environment, capture_output=True, check=True)
        began = time.monotonic()
        subprocess.run(command.argv, cwd=command.folder, env=command.whole_environment, capture_output=True, check=True)
        lines.append(f"| {name} | {DURABLE / (time.monotonic() - began):,.0f} |")
    return lines


DURABLE_WORKLOAD = Workload(name="durable", steps=DURABLE, program=False)


def _argv(kind: str, number: int, folder: Path) -> tuple[str, ...]:
    return (sys.executable, str(SCRIPTS / "scale.py"), str(folder), kind, str(number))
