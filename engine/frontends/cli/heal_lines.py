"""The figures of healing in words: sentences with n and interval, and a table by one dimension."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from engine.frontends.cli.layout import beside
from engine.frontends.cli.screen import Screen
from engine.improve.dashboard import NOT_ENOUGH, SECTIONS, counts_record
from engine.model.figures import Counts, Dimension, Figures, Prevented, Rate

HEADS = {each: each.value.upper() for each in Dimension}


def record(figures: Figures, dimension: Dimension | None) -> dict[str, Any]:
    """The figures as JSON-like data; by one dimension when one is given."""
    told: dict[str, Any] = {"since": figures.first, "runs": figures.runs, **counts_record(figures.total)}
    if dimension is not None:
        section = next(name for name, each in SECTIONS.items() if each is dimension)
        told[section] = {name: counts_record(counts) for name, counts in figures.by(dimension).items()}
    return told


def summary(figures: Figures, width: int | None) -> list[str]:
    """The totals as lines."""
    if not figures.runs:
        return ["no run in that time"]
    begun = datetime.fromtimestamp(figures.first or 0.0, UTC)
    lines = [f"{_count(figures.runs, 'run')} since {begun:%Y-%m-%d}"]
    for head, text in _sentences(figures.total):
        lines += beside(f"  {head:<14}", text, width)
    return lines


def show_table(figures: Figures, dimension: Dimension, screen: Screen) -> None:
    """The counts by one dimension, a row each: the newest or the most first."""
    counted = figures.by(dimension)
    newest = dimension in {Dimension.DAY, Dimension.WEEK}
    names = list(reversed(counted)) if newest else sorted(counted, key=lambda name: -counted[name].failures)
    head = [HEADS[dimension], "FAILED", "FIXED", "BEFOREHAND", "BLOCKED", "FORETOLD", "FALSE", "HEALED"]
    screen.table([_row(name, counted[name]) for name in names], head, spare=["BLOCKED", "FALSE", "FORETOLD"])


def _row(name: str, counts: Counts) -> list[str]:
    before = counts.repaired + counts.fixed_first
    numbers = [counts.failures, counts.auto_fixed, before, counts.blocked, counts.foretold, counts.false_alarms]
    return [name, *(str(number) if number else "" for number in numbers), rate_text(counts.healed, brief=True)]


def _sentences(counts: Counts) -> Iterator[tuple[str, str]]:
    yield "failures", f"{_count(counts.failures, 'step')} failed an attempt"
    yield "healed", f"{counts.auto_fixed} by a fix: {rate_text(counts.healed)}"
    if counts.tried:
        helped = rate_text(counts.worked)
        yield "fixes", f"{counts.tried} ran after a failure; {counts.helped} helped: {helped}"
    if counts.checked:
        repaired = f"{counts.repaired} repaired beforehand, {counts.blocked} blocked"
        yield "pre-flight", f"{_count(counts.checked, 'check')}, {repaired}"
    if counts.foretold:
        yield (
            "foretold",
            f"{_count(counts.foretold, 'failure')}; right in {rate_text(counts.right)} without a fix first",
        )
        yield "prevented", prevented_text(counts.prevented)
        yield "false alarms", f"{counts.false_alarms} of {counts.left} that ran without the fix"


def rate_text(rate: Rate, *, brief: bool = False) -> str:
    """A rate as people read it, with its interval and n."""
    if not rate.of:
        return "" if brief else NOT_ENOUGH
    if not rate.known:
        return f"{NOT_ENOUGH} (n = {rate.of:,})"
    low, high = rate.bounds
    return f"{rate.rate:.0%} ({low:.0%} to {high:.0%}, n = {rate.of:,})"


def prevented_text(prevented: Prevented) -> str:
    """What running the fix first changed."""
    (failed, calls), (shadow_failed, shadow) = prevented.fixed, prevented.shadow
    said = f"with the fix first {failed} of {calls} failed as foretold, without it {shadow_failed} of {shadow}"
    if not prevented.known:
        return f"{NOT_ENOUGH}; {said}"
    count, least, most = prevented.calls
    return f"{count} ({least} to {most}) of {calls} calls; {said}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
