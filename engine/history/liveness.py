"""Whether the process that wrote a run still lives, asked of this machine."""

from __future__ import annotations

import os
import time
from pathlib import Path

SLACK = 2.0
"""Seconds by which a process may seem to have started after the run it wrote (clock steps, coarse ticks)."""


def alive(pid: int, started_at: float) -> bool:
    """Whether process `pid` runs and already ran at `started_at`; a later process that got its number is another."""
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it lives, under another user
    began = _began(pid)
    return began is None or began <= started_at + SLACK


def _began(pid: int) -> float | None:
    """When the process started, in seconds since the epoch; None where the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        ticks = int(fields[19])
    except (OSError, ValueError, IndexError):
        return None
    since_boot = ticks / os.sysconf("SC_CLK_TCK")
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + since_boot
