"""The failure log: the last failures and how many there were, as history counted them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from engine.documents import Document
from engine.errors import DocumentError
from engine.memory.store import Store, settled
from engine.model.secret import Secrets
from engine.model.tally import FailureRecord, FailureTotals

FILE = "learned/tool_failures.yaml"
EMPTY = """\
# The last failures and how many there were. Written by every run, from history: what you change below is overwritten,
# comments above `failures` and `stats` stay. Days and weeks are UTC. Fields: memory/README.md.

failures: []

stats:
  total_failures: 0
  auto_fixed: 0
"""
MEND = "mend it, or remove the file: it is written anew from history"
KEPT = 100
DAYS = 100
WEEKS = 60
SNIPPET = 200
"""Characters of an error that are shown; `skill status RUN` tells the whole of it."""

Figures = tuple[Sequence[FailureRecord], FailureTotals]
"""The newest failures, newest first, and the totals."""


class FailureLog:
    """Writes `learned/tool_failures.yaml`."""

    def __init__(self, store: Store, *, secrets: Secrets) -> None:
        self._store = store
        self._secrets = secrets

    def write(self, figures: Figures | Callable[[], Figures]) -> None:
        """Makes the file say what the figures say; as a function they are asked for while the file is locked.

        Raises DocumentError when the file is broken or cannot be written.
        """
        # Figures only grow and are asked for under the lock: what is equal now is never written back older.
        document = self._store.document(FILE)
        if self._wanted(figures) == (_sections(document.value) if document is not None else NOTHING):
            return
        with self._store.editing(FILE, empty=EMPTY) as editing:
            _refuse_misshapen(editing.document)
            present, wanted = _sections(editing.value), self._wanted(figures)
            for name, value in wanted.items():
                if present.get(name) != value:
                    editing.set((name,), value)

    def _wanted(self, figures: Figures | Callable[[], Figures]) -> dict[str, Any]:
        failures, totals = settled(figures)
        wanted = {"failures": [_entry(each) for each in reversed(failures[:KEPT])], "stats": _stats(totals)}
        masked: dict[str, Any] = self._secrets.mask(wanted)
        return masked


def _sections(value: Any) -> dict[str, Any]:
    return {name: value.get(name) for name in ("failures", "stats")} if isinstance(value, dict) else {}


def _refuse_misshapen(document: Document) -> None:
    """DocumentError for a file whose sections a person has made into something else: it is not written over."""
    value = document.value
    if not isinstance(value, dict):
        raise DocumentError("`failures` and `stats` are due here", place=document.place(()), hint=MEND)
    for name, kind, called in (("failures", list, "a list"), ("stats", dict, "a mapping")):
        if name in value and not isinstance(value[name], kind):
            raise DocumentError(f"{name} must be {called}", place=document.place((name,)), hint=MEND)


def _entry(failure: FailureRecord) -> dict[str, Any]:
    return {
        "tool": failure.tool[:SNIPPET],
        "error_type": failure.kind[:SNIPPET],
        "error_snippet": " ".join(failure.error.split())[:SNIPPET],
        "fix_applied": failure.fix[:SNIPPET] or None,
        "success": failure.success,
        "timestamp": datetime.fromtimestamp(failure.at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "skill": failure.skill[:SNIPPET],
        "step": failure.step[:SNIPPET],
        "run": failure.run_id[:SNIPPET],
    }


def _stats(totals: FailureTotals) -> dict[str, Any]:
    return {
        "total_failures": totals.total,
        "auto_fixed": totals.auto_fixed,
        "daily": _last(totals.daily, DAYS),
        "weekly": _last(totals.weekly, WEEKS),
    }


def _last(counts: Mapping[str, tuple[int, int]], most: int) -> dict[str, Any]:
    names = sorted(counts)[-most:]
    return {name: {"total": counts[name][0], "auto_fixed": counts[name][1]} for name in names}


NOTHING = {"failures": [], "stats": _stats(FailureTotals())}
"""What a file that is not there says."""
