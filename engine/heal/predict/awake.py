"""The wake clock: how long this machine has been awake, told by how long it has slept in all."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from engine.errors import WorkspaceError
from engine.model.lazy_dataclass import dataclass
from engine.workspace import make_private

FILE = "awake.json"
BOOT = Path("/proc/sys/kernel/random/boot_id")
NAP = 5.0
"""Seconds of sleep that count as one; the difference of two clocks that are read one after the other is no sleep."""


def boot() -> str:
    """What tells one start of this machine from another; empty where nothing does."""
    with suppress(OSError, UnicodeDecodeError):
        return BOOT.read_text(encoding="ascii").strip()
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Awake:
    """Remembers in the file `folder/awake.json` when the machine was first seen awake.

    `asleep` gives the seconds it has been suspended in all, `clock` the seconds since the epoch, `started` what tells
    one start of the machine from another.
    """

    folder: Path
    clock: Callable[[], float]
    asleep: Callable[[], float]
    started: Callable[[], str] = boot

    def since(self) -> float | None:
        """Seconds since a process of this workspace first saw that the machine had woken, or was started.

        The wake itself may have been earlier: nobody was there to see it. None while no wake was seen yet, and where
        that cannot be remembered.
        """
        now, slept, start = self.clock(), self.asleep(), self.started()
        known = self._remembered()
        if known is None:
            self._remember({"boot": start, "slept": slept, "woke_at": None})
            return None
        if known["boot"] == start and abs(known["slept"] - slept) < NAP:
            return None if known["woke_at"] is None else max(0.0, now - known["woke_at"])
        return 0.0 if self._remember({"boot": start, "slept": slept, "woke_at": now}) else None

    def _remembered(self) -> dict[str, Any] | None:
        try:
            kept = json.loads((self.folder / FILE).read_bytes())
            woke = kept["woke_at"]
            return {
                "boot": str(kept["boot"]),
                "slept": float(kept["slept"]),
                "woke_at": None if woke is None else float(woke),
            }
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None

    def _remember(self, kept: dict[str, Any]) -> bool:
        """Whether it could be written; in one step, for several processes may see the same wake."""
        path = self.folder / FILE
        beside = path.with_name(f"{FILE}.{os.getpid()}")
        try:
            make_private(self.folder)
            beside.write_text(json.dumps(kept), encoding="utf-8")
            beside.replace(path)
        except (OSError, WorkspaceError):
            return False
        return True
