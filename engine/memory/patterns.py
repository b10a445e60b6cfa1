"""The pattern book: what failing tools say and what it means, with counts of how often that was right."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from engine.documents import Document
from engine.memory.rows import PatternRow, Rows, rows
from engine.memory.store import Store, settled
from engine.model.failure import Pattern
from engine.model.place import Finding
from engine.model.tally import lower_bound

FILE = "learned/patterns.yaml"
EMPTY = "# What failing tools say, and what it means. Fields: memory/README.md.\n\nerror_patterns: []\n"

Counts = Mapping[str, tuple[int, int]]
"""For each pattern's id: outcomes it was seen on, and on how many of them it was right."""


Statistics = tuple[int, int, str]
"""What the engine writes beside a pattern: observations, confirmed, confidence."""


class PatternBook:
    """The patterns in `learned/patterns.yaml`: the live file, else the shipped one."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: tuple[Document, Rows] | None = None

    def all(self) -> tuple[Pattern, ...]:
        """Every usable pattern in the file's order, its counts those shipped and observed since."""
        return tuple(row.pattern for row in self._rows().rows)

    def record(self, counts: Counts | Callable[[], Counts]) -> None:
        """Writes what was observed into the live file, keeping comments and all else a person wrote.

        `counts` are all there ever were, not additions; as a function it is asked while the file is locked, so that the
        last of several writers writes the newest. Raises DocumentError when the file is broken or cannot be written.
        """
        # Figures only grow and are asked for under the lock: what is equal now is never written back older.
        if not _changes(self._rows(), settled(counts)):
            return
        with self._store.editing(FILE, empty=EMPTY) as editing:
            for row, statistics in _changes(rows(editing.document), settled(counts)):
                for name, value in zip(("observations", "confirmed", "confidence"), statistics, strict=True):
                    editing.set((*row.path, name), value)

    def findings(self) -> tuple[Finding, ...]:
        """The rows that are left out, and why."""
        return self._rows().findings

    def _rows(self) -> Rows:
        document = self._store.readable(FILE)
        if document is None:
            return Rows(rows=(), findings=())
        if self._known is None or self._known[0] is not document:
            self._known = (document, rows(document))
        return self._known[1]


def _changes(found: Rows, counts: Counts) -> list[tuple[PatternRow, Statistics]]:
    """The rows whose statistics are not what the counts say; a pattern that never spoke is given none."""
    spoken = [row for row in found.rows if row.pattern.id in counts or row.written[:2] != (None, None)]
    computed = [(row, _statistics(row, counts)) for row in spoken]
    return [(row, statistics) for row, statistics in computed if row.written != statistics]


def _statistics(row: PatternRow, counts: Counts) -> Statistics:
    seen, right = counts.get(row.pattern.id, (0, 0))
    observations, confirmed = row.shipped_seen + seen, row.shipped_right + right
    return observations, confirmed, f"{int(100 * lower_bound(confirmed, observations))}%"
