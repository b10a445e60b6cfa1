"""docs/telemetry.md lists what is told, no more and no less."""

from __future__ import annotations

import re
from pathlib import Path

from engine.telemetry import names
from engine.telemetry.names import Metric

PAGE = (Path(__file__).parents[2] / "docs" / "telemetry.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """The cells of the table under a heading."""
    section = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_page_lists_every_span() -> None:
    """By the word its name begins with."""
    listed = {cells[0].strip("`").split(" ")[0] for cells in rows("Spans")}
    assert listed == {names.RUN, names.STEP, names.AHEAD, names.CALL}


def test_the_page_lists_every_attribute() -> None:
    """All constants of `engine.telemetry.names` that are names of attributes."""
    prefixes = (names.RUN, names.HEAL_EVENT, names.QUESTION_EVENT)
    known = {
        value
        for name, value in vars(names).items()
        if name.isupper() and isinstance(value, str) and "." in value and value not in prefixes
    }
    assert {cells[0].strip("`") for cells in rows("Attributes")} == known


def test_the_page_lists_every_metric_with_its_unit_and_meaning() -> None:
    """Word by word."""
    listed = {Metric(*(cell.strip("`") for cell in cells[:3])) for cells in rows("Metrics")}
    assert listed == {*names.DURATIONS, *names.COUNTERS}


def test_the_page_s_boundaries_are_those_of_the_histograms() -> None:
    """In the order of the list."""
    said = PAGE.split("the conventions advise: ")[1].split(" seconds")[0]
    assert tuple(float(number) for number in re.findall(r"[\d.]+", said)) == names.BUCKETS
