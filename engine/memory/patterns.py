"""The pattern book: what failing tools say and what it means, with counts of how often that was right."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from engine.documents import Document
from engine.errors import InputError
from engine.memory import expressions
from engine.memory.rows import SHIPPED, PatternRow, Rows, rows, weighed
from engine.memory.store import Store, settled
from engine.memory.words import known_words
from engine.model.failure import Pattern
from engine.model.place import Finding
from engine.model.tally import lower_bound

FILE = "learned/patterns.yaml"
EMPTY = """\
# What failing tools say, and what it means: yours. The shipped patterns count beside these, and every new version
# brings them up to date. A row with the id of a shipped one says what is different about it, `off: true` switches it
# off. Fields: memory/README.md.

error_patterns: []
"""
LEARNED = "learned_patterns"
"""The list of the live file that gets the patterns which were proposed and accepted."""
Counts = Mapping[str, tuple[int, int]]
"""For each pattern's id: outcomes it was seen on, and on how many of them it was right."""


Statistics = tuple[int, int, str]
"""What the engine writes beside a pattern: observations, confirmed, confidence."""


class PatternBook:
    """The patterns in `learned/patterns.yaml`, and beneath them the shipped ones."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: tuple[Document | None, Document | None, Rows] | None = None

    def all(self) -> tuple[Pattern, ...]:
        """Every usable pattern, the live file's first, its counts those shipped and observed since."""
        return tuple(row.pattern for row in self._rows().rows)

    def told(self) -> tuple[Mapping[str, Any], ...]:
        """The rows of the usable patterns as they count: what the live file says over what is shipped."""
        return tuple(row.told for row in self._rows().rows)

    def record(self, counts: Counts | Callable[[], Counts]) -> None:
        """Writes what was observed into the live file, keeping comments and all else a person wrote.

        Of a shipped pattern only the statistics are written, so that a new version can bring it up to date. `counts`
        are all there ever were, not additions; as a function it is asked while the file is locked, so that the last of
        several writers writes the newest. Raises DocumentError when the file is broken or cannot be written.
        """
        # Figures only grow and are asked for under the lock: what is equal now is never written back older.
        if not _changes(self._rows(), settled(counts)):
            return
        with self._store.editing(FILE, empty=EMPTY, seeded=False) as editing:
            for row, statistics in _changes(rows(editing.document, self._store.seed(FILE)), settled(counts)):
                said = dict(zip(("observations", "confirmed", "confidence"), statistics, strict=True))
                if row.path is None:
                    editing.append((SHIPPED,), {"id": row.pattern.id, **said})
                for name, value in said.items() if row.path is not None else ():
                    editing.set((*(row.path or ()), name), value)

    def add(self, row: Mapping[str, Any]) -> bool:
        """Adds a pattern that a person has accepted to the list `learned_patterns`; False when its id is there already.

        Raises InputError for an expression that cannot be used, DocumentError when the file is broken or cannot be
        written.
        """
        fault = expressions.fault(str(row["pattern"]))
        if fault:
            raise InputError(f"the pattern {fault}", hint="give another with --pattern")
        with self._store.editing(FILE, empty=EMPTY, seeded=False) as editing:
            found = rows(editing.document, self._store.seed(FILE))
            if any(each.pattern.id == row["id"] for each in found.rows):
                return False
            editing.append((LEARNED,), dict(row))
            return True

    def weigh(self, weights: Callable[[Mapping[str, float]], Mapping[str, float]]) -> tuple[str, ...]:
        """Writes with which weight (0 to 1) what was observed here counts; returns the patterns whose weight changed.

        `weights` is given those that stand there now, of all patterns with observations of this machine. Raises
        DocumentError when the file is broken or cannot be written.
        """
        if not _weights(self._rows(), weights):
            return ()
        with self._store.editing(FILE, empty=EMPTY, seeded=False) as editing:
            changed = _weights(rows(editing.document, self._store.seed(FILE)), weights)
            for row, weight in changed:
                editing.set((*(row.path or ()), "weight"), weight)
                editing.set(
                    (*(row.path or ()), "confidence"), _statistics(replace(row, weight=weight), _counts(row))[2]
                )
            return tuple(row.pattern.id for row, _ in changed)

    def mistakes(self, document: Document) -> tuple[Finding, ...]:
        """What would be left out of a document, and why."""
        return rows(document, self._store.seed(FILE)).findings

    def misshapen(self) -> tuple[Finding, ...]:
        """What stands in the live file where a list of patterns is due."""
        return self._rows().misshapen

    def findings(self) -> tuple[Finding, ...]:
        """The rows that are left out, and why."""
        return self._rows().findings

    def _rows(self) -> Rows:
        live, seed = self._store.written_if_readable(FILE), self._store.seed(FILE)
        if self._known is None or self._known[0] is not live or self._known[1] is not seed:
            self._known = (live, seed, rows(live, seed, known_words(self._store.seeds)))
        return self._known[2]


def _changes(found: Rows, counts: Counts) -> list[tuple[PatternRow, Statistics]]:
    """The rows whose statistics are not what the counts say; a pattern that never spoke is given none."""
    spoken = [row for row in found.rows if row.pattern.id in counts or row.written[:2] != (None, None)]
    computed = [(row, _statistics(row, counts)) for row in spoken]
    return [(row, statistics) for row, statistics in computed if row.written != statistics]


def _statistics(row: PatternRow, counts: Counts) -> Statistics:
    seen, right = counts.get(row.pattern.id, (0, 0))
    observations, confirmed = row.shipped_seen + seen, row.shipped_right + right
    known = weighed(row.shipped_right, confirmed, row.weight), weighed(row.shipped_seen, observations, row.weight)
    return observations, confirmed, f"{int(100 * lower_bound(*known))}%"


def _counts(row: PatternRow) -> Counts:
    """What was observed here, as the row has it written."""
    seen, right = (value if isinstance(value, int) else 0 for value in row.written[:2])
    return {row.pattern.id: (seen - row.shipped_seen, right - row.shipped_right)}


def _weights(
    found: Rows, weights: Callable[[Mapping[str, float]], Mapping[str, float]]
) -> list[tuple[PatternRow, float]]:
    own = {row.pattern.id: row for row in found.rows if row.path is not None and row.written[0] is not None}
    wanted = weights({name: row.weight for name, row in own.items()})
    return [(row, wanted[name]) for name, row in own.items() if wanted.get(name, row.weight) != row.weight]
