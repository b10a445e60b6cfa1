"""The figures of healing, counted where they were written: one question a table, grouped by what tells them apart."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from engine.history.cells import calendar
from engine.history.database import Database, Row
from engine.model.figures import Cell, Counts, Dimension, Figures

_FAILURES = """
    SELECT tool, kind, domain, fix, day, week, count(*), sum(auto_fixed)
    FROM steps WHERE failed = 1 AND finished_at >= ? GROUP BY 1, 2, 3, 4, 5, 6
"""
_FIXES = """
    SELECT coalesce(s.tool, ''), f.kind, f.domain, f.fix, f.finished_at, f.cause,
           CASE WHEN f.helped IS NOT NULL OR f.ok = 0 THEN 1 ELSE 0 END, CASE WHEN f.helped = 1 THEN 1 ELSE 0 END
    FROM fixes f LEFT JOIN steps s ON s.run = f.run AND s.name = f.step WHERE f.shared = 0 AND f.finished_at >= ?
"""
_CHECKS = """
    SELECT kind, domain, fix, day, week, count(*), sum(CASE WHEN action = 'fixed' THEN 1 ELSE 0 END),
           sum(CASE WHEN action = 'blocked' THEN 1 ELSE 0 END)
    FROM checks WHERE at >= ? GROUP BY 1, 2, 3, 4, 5
"""
_PREDICTIONS = """
    SELECT tool, kind, domain, fix, day, week, action, came, count(*)
    FROM predictions
    WHERE sequence <> '' AND at >= ? AND came IS NOT NULL AND action IN ('fix', 'shadow', 'noted')
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
"""
_RUNS = "SELECT count(*), min(started_at) FROM runs WHERE started_at >= ?"
Alike = Callable[[str, str], bool]
"""Whether a failure of the second kind is what was foretold as one of the first."""
ORDER = (Dimension.TOOL, Dimension.KIND, Dimension.DOMAIN, Dimension.FIX, Dimension.DAY, Dimension.WEEK)


def figures(database: Database, since: float, alike: Alike) -> Figures:
    """All that was counted at `since` (seconds since the epoch) or later; `alike` judges what came of a prediction."""
    told: tuple[tuple[str, Callable[[Row], Cell]], ...] = (
        (_FAILURES, _failures),
        (_FIXES, _fix),
        (_CHECKS, _checks),
        (_PREDICTIONS, partial(_predictions, alike)),
    )
    runs, first = next(iter(database.read(_RUNS, (since,))), (0, None))
    cells = tuple(cell for question, read in told for cell in map(read, database.read(question, (since,))))
    return Figures(runs=runs, first=first, cells=cells)


def _failures(row: Row) -> Cell:
    *names, count, fixed = row
    return _cell(Counts(failures=count, auto_fixed=fixed), *names)


def _fix(row: Row) -> Cell:
    tool, kind, domain, fix, at, cause, known, helped = row
    after = cause == "failure"
    counts = Counts(tried=known, helped=helped) if after else Counts(beforehand=1)
    return _cell(counts, tool, kind, domain, fix, *calendar(at))


def _checks(row: Row) -> Cell:
    kind, domain, call, day, week, count, repaired, blocked = row
    fix = call.partition("(")[0]  # a check tells the call, everything else names the tool
    return _cell(Counts(checked=count, repaired=repaired, blocked=blocked), "", kind, domain, fix, day, week)


def _predictions(alike: Alike, row: Row) -> Cell:
    *names, action, came, count = row
    failed = count if alike(names[1], came) else 0
    match action:
        case "fix":
            counts = Counts(fixed_first=count, fixed_failed=failed)
        case "shadow":
            counts = Counts(shadow=count, shadow_failed=failed)
        case _:
            counts = Counts(noted=count, noted_failed=failed)
    return _cell(counts, *names)


def _cell(counts: Counts, *names: str) -> Cell:
    told = dict(zip(ORDER, names, strict=True))
    fix, domain = told[Dimension.FIX], told[Dimension.DOMAIN]
    told[Dimension.FIX] = f"{fix} {domain}".rstrip() if fix else ""
    return Cell(counts=counts, names={name: text for name, text in told.items() if text})
