"""Questions that count: failures, fixes and patterns; everything memory and the breaker go by."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from operator import eq

from engine.history.database import Database, Row
from engine.history.records import FixRecord
from engine.model.figures import Figures
from engine.model.tally import FailureRecord, FailureTotals, Prevention

_FIX_RECORD = """
    SELECT f.fix, f.domain, f.ok, f.helped, f.shared, f.signature, f.kind, f.pattern, f.started_at, f.finished_at,
           r.id, f.step
    FROM fixes f JOIN runs r ON r.number = f.run
"""
_FIXES = f"{_FIX_RECORD} WHERE f.fix = ? AND f.domain = ?"
_RUN_FIXES = f"{_FIX_RECORD} WHERE r.id = ? ORDER BY f.finished_at, f.event"
_NEWEST = "ORDER BY f.finished_at DESC, f.run DESC, f.event DESC LIMIT ?"
_FAILURES = """
    SELECT s.tool, s.kind, s.error, s.fix, s.auto_fixed, s.finished_at, r.skill, s.name, r.id
    FROM steps s JOIN runs r ON r.number = s.run WHERE s.failed = 1
    ORDER BY s.finished_at DESC, s.run DESC, s.start_event DESC LIMIT ?
"""
_TOOL_FAILURES = _FAILURES.replace("s.failed = 1", "s.failed = 1 AND s.tool = ?")
_TOTALS = "SELECT day, week, count(*), sum(auto_fixed) FROM steps WHERE failed = 1 GROUP BY day, week"
_PATTERNS = """
    SELECT pattern, count(*), sum(pattern_right) FROM steps WHERE pattern_right IS NOT NULL GROUP BY pattern
"""
_FIX_COUNTS = """
    SELECT fix, domain, count(*), sum(CASE WHEN helped = 1 THEN 1 ELSE 0 END)
    FROM fixes WHERE shared = 0 AND (helped IS NOT NULL OR ok = 0) GROUP BY fix, domain
"""


class StatisticQueries:
    """What can be counted; every figure is of all runs ever recorded here."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def fixes(self, fix: str, domain: str, *, limit: int = 20) -> tuple[FixRecord, ...]:
        """The newest uses of a fix in a domain, newest first; shared uses too."""
        return tuple(_fix(row) for row in self._database.read(f"{_FIXES} {_NEWEST}", (fix, domain, limit)))

    def run_fixes(self, run_id: str) -> tuple[FixRecord, ...]:
        """The fixes of one run in the order they ended, shared ones too."""
        return tuple(_fix(row) for row in self._database.read(_RUN_FIXES, (run_id,)))

    def last_fix(self, fix: str, domain: str) -> FixRecord | None:
        """The last time the fix itself ran in the domain; None when it never did."""
        rows = self._database.read(f"{_FIXES} AND f.shared = 0 {_NEWEST}", (fix, domain, 1))
        return _fix(rows[0]) if rows else None

    def failures(self, limit: int = 100, *, tool: str = "") -> tuple[FailureRecord, ...]:
        """The last steps that failed at least one attempt, newest first; of one tool, when it is named."""
        if tool:
            return tuple(_failure(row) for row in self._database.read(_TOOL_FAILURES, (tool, limit)))
        return tuple(_failure(row) for row in self._database.read(_FAILURES, (limit,)))

    def totals(self) -> FailureTotals:
        """How many steps failed an attempt, and how many of them a fix repaired: in all, by day, by week."""
        rows = self._database.read(_TOTALS)
        return FailureTotals(
            total=sum(count for _, _, count, _ in rows),
            auto_fixed=sum(fixed for _, _, _, fixed in rows),
            daily=_summed((day, count, fixed) for day, _, count, fixed in rows),
            weekly=_summed((week, count, fixed) for _, week, count, fixed in rows),
        )

    def pattern_counts(self) -> dict[str, tuple[int, int]]:
        """For each pattern: on how many failures it spoke and the truth came out, and how often it was right."""
        return {pattern: (seen, right) for pattern, seen, right in self._database.read(_PATTERNS)}

    def fix_counts(self) -> dict[tuple[str, str], tuple[int, int]]:
        """For each fix and domain: how often it ran and its worth came out, and how often it helped.

        A fix that itself failed did not help; a shared outcome is the same observation, counted once.
        """
        return {(fix, domain): (tried, helped) for fix, domain, tried, helped in self._database.read(_FIX_COUNTS)}

    def preventions(self) -> tuple[Prevention, ...]:
        """What was stopped before a call, and what a fix healed."""
        from engine.history.preventions import preventions  # noqa: PLC0415 - late: only learning asks for it

        return preventions(self._database)

    def figures(self, since: float = 0.0, *, alike: Callable[[str, str], bool] = eq) -> Figures:
        """All that was counted at `since` (seconds since the epoch) or later, by all that tells it apart.

        `alike` says whether a failure of the second kind is what was foretold as one of the first.
        """
        from engine.history.figures import figures  # noqa: PLC0415 - late: a run asks for none of it

        return figures(self._database, since, alike)


def _fix(row: Row) -> FixRecord:
    return FixRecord(
        fix=row[0],
        domain=row[1],
        ok=bool(row[2]),
        helped=None if row[3] is None else bool(row[3]),
        shared=bool(row[4]),
        signature=row[5],
        kind=row[6],
        pattern=row[7],
        started_at=row[8],
        finished_at=row[9],
        run_id=row[10],
        step=row[11],
    )


def _failure(row: Row) -> FailureRecord:
    return FailureRecord(
        tool=row[0],
        kind=row[1],
        error=row[2],
        fix=row[3],
        success=bool(row[4]),
        at=row[5],
        skill=row[6],
        step=row[7],
        run_id=row[8],
    )


def _summed(rows: Iterable[tuple[str, int, int]]) -> dict[str, tuple[int, int]]:
    sums: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for name, count, fixed in rows:
        before = sums[name]
        sums[name] = (before[0] + count, before[1] + fixed)
    return dict(sorted(sums.items()))
