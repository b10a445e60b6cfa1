"""The dashboard: how well healing works, as history counted it, in a file people read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from engine.memory.store import Store, settled
from engine.model.secret import Secrets

FILE = "stats/auto_heal_dashboard.yaml"
EMPTY = """\
# How well healing works, from history. Written by `skill heal stats`, `skill learn` and the monitor: what you change
# below is overwritten, comments above stay. Days and weeks are UTC. Every rate says of how many it is, and between what
# the true one lies with 95 %. Fields: memory/README.md.

generated: null
"""
SECTIONS = ("generated", "since", "totals", "tools", "kinds", "fixes", "domains", "days", "weeks")

Figures = Mapping[str, Any]
"""What the file is to say, by section."""


class Dashboard:
    """Writes `stats/auto_heal_dashboard.yaml`."""

    def __init__(self, store: Store, *, secrets: Secrets) -> None:
        self._store = store
        self._secrets = secrets

    def write(self, figures: Figures | Callable[[], Figures]) -> None:
        """Makes the file say what the figures say; as a function they are asked for while the file is locked.

        Raises DocumentError when the file is broken or cannot be written.
        """
        with self._store.editing(FILE, empty=EMPTY) as editing:
            wanted = self._secrets.mask(dict(settled(figures)))
            present = editing.value if isinstance(editing.value, dict) else {}
            for name in SECTIONS:
                if name not in present:
                    editing.set((name,), wanted[name])
                elif present[name] != wanted[name]:
                    editing.replace((name,), wanted[name])
