"""The figures of healing as people and programs read them: one record, for the dashboard file and the command."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from engine.heal.predict.effect import alike as kinds_alike
from engine.history import History
from engine.memory import Memory
from engine.model.failure import FailureKind
from engine.model.figures import Counts, Dimension, Figures, Prevented, Rate

NOT_ENOUGH = "not enough data"
SECTIONS: Mapping[str, Dimension] = {
    "tools": Dimension.TOOL,
    "kinds": Dimension.KIND,
    "fixes": Dimension.FIX,
    "domains": Dimension.DOMAIN,
    "days": Dimension.DAY,
    "weeks": Dimension.WEEK,
}
KEPT: Mapping[Dimension, int] = {Dimension.DAY: 100, Dimension.WEEK: 60}
"""The newest of these are written into the file; of the others, the ones with the most failures."""
MOST = 200


def write_dashboard(memory: Memory, history: History, now: float) -> Figures:
    """Brings `memory/stats/auto_heal_dashboard.yaml` up to date with history, and returns what was counted.

    `now` is in seconds since the epoch. Raises JournalError, and DocumentError when the file cannot be written.
    """
    counted: list[Figures] = []

    def asked() -> Mapping[str, Any]:
        counted.append(figures_of(history))
        return dashboard(counted[-1], now)

    memory.dashboard.write(asked)
    return counted[-1]


def figures_of(history: History, since: float = 0.0) -> Figures:
    """All that was counted at `since` (seconds since the epoch) or later; kinds that one fix repairs count as one."""

    def alike(foretold: str, came: str) -> bool:
        return came in kinds_alike(FailureKind(foretold))

    return history.figures(since, alike=alike)


def dashboard(figures: Figures, now: float) -> dict[str, Any]:
    """What the file says."""
    return {
        "generated": _moment(now),
        "since": None if figures.first is None else _moment(figures.first),
        "totals": {"runs": figures.runs, **counts_record(figures.total)},
        **{name: _section(figures, dimension) for name, dimension in SECTIONS.items()},
    }


def counts_record(counts: Counts) -> dict[str, Any]:
    """Counts and the rates that follow, as JSON-like data; parts of which nothing was counted are left out."""
    record: dict[str, Any] = {"failures": counts.failures, "auto_fixed": counts.auto_fixed}
    if counts.failures:
        record["healed"] = rate_record(counts.healed)
    if counts.tried or counts.beforehand:
        record |= {"tried": counts.tried, "helped": counts.helped, "beforehand": counts.beforehand}
        record["works"] = rate_record(counts.worked)
    if counts.checked:
        record |= {"checked": counts.checked, "repaired": counts.repaired, "blocked": counts.blocked}
    if counts.foretold:
        record |= {
            "predicted": counts.foretold,
            "false_alarms": counts.false_alarms,
            "right": rate_record(counts.right),
            "prevented": prevented_record(counts.prevented),
        }
    return record


def rate_record(rate: Rate) -> dict[str, Any]:
    """A rate with n and its interval; below eight observations it says so instead."""
    if not rate.known:
        return {"of": rate.of, "rate": NOT_ENOUGH}
    low, high = rate.bounds
    return {"of": rate.of, "rate": round(rate.rate, 3), "low": round(low, 3), "high": round(high, 3)}


def prevented_record(prevented: Prevented) -> dict[str, Any]:
    """What running the fix first changed: by how much fewer calls failed, and how many that makes."""
    (failed, calls), (shadow_failed, shadow) = prevented.fixed, prevented.shadow
    record: dict[str, Any] = {
        "with_fix": calls,
        "failed": failed,
        "without_fix": shadow,
        "failed_without": shadow_failed,
    }
    if not prevented.known:
        return {**record, "rate": NOT_ENOUGH}
    share, low, high = (round(each, 3) for each in prevented.share)
    count, least, most = prevented.calls
    return {**record, "rate": share, "low": low, "high": high, "calls": count, "calls_low": least, "calls_high": most}


def _section(figures: Figures, dimension: Dimension) -> dict[str, Any]:
    counted = figures.by(dimension)
    newest = KEPT.get(dimension)
    names = list(counted)[-newest:] if newest else sorted(counted, key=lambda name: -counted[name].failures)[:MOST]
    return {name: counts_record(counted[name]) for name in names}


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
