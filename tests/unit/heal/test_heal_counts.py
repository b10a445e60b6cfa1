"""The counts written beside the patterns are true, and the patterns are worth having."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest

from bench.classify import PAGE, page_with, tables
from bench.judging import counts, heard, held_out, interval, readings, score
from bench.texts import Labelled, failures, fresh, harmless, known, rows, second
from engine.heal.detect import matching
from engine.model.failure import FailureKind
from tests.unit.heal.shipped import PATTERNS, read_as

ROWS = rows()
ONLY_THE_ENGINE = {"unexpected_result", "raised", "cancelled", "unknown"}
"""Kinds that no text can tell."""


@pytest.fixture(scope="module")
def spoken() -> dict[Labelled, frozenset[str]]:
    """Which patterns speak on which text; the slow part, done once."""
    return heard(PATTERNS, (*known(), *fresh("blind")))


@pytest.fixture(scope="module")
def counted_on(spoken: dict[Labelled, frozenset[str]]) -> dict[Labelled, frozenset[str]]:
    """The texts that counts are taken from."""
    return {text: names for text, names in spoken.items() if text.share != "blind"}


@pytest.mark.slow
def test_counts_in_the_file_are_those_of_the_texts(counted_on: dict[Labelled, frozenset[str]]) -> None:
    """Every `seen` and `right` in patterns.yaml is what the labelled and the harmless texts give."""
    written = {pattern.id: (pattern.seen, pattern.right) for pattern in PATTERNS}
    assert written == counts(PATTERNS, counted_on)


@pytest.mark.slow
def test_the_page_has_the_figures_of_the_texts(spoken: dict[Labelled, frozenset[str]]) -> None:
    """The tables in docs/classifier.md are what bench/classify.py counts now."""
    page = PAGE.read_text("utf-8")
    assert page_with(page, tables(PATTERNS, spoken)) == page


def test_every_kind_that_text_can_tell_has_a_pattern() -> None:
    """No family of failures is left without words."""
    assert {pattern.kind for pattern in PATTERNS} == {kind for kind in FailureKind if kind not in ONLY_THE_ENGINE}


def test_ids_are_unique() -> None:
    """Statistics are kept by id, so no two patterns share one."""
    assert len({pattern.id for pattern in PATTERNS}) == len(PATTERNS)


@pytest.mark.parametrize("row", ROWS, ids=[row["id"] for row in ROWS])
def test_a_row_speaks_on_its_example(row: dict[str, Any]) -> None:
    """Each row says where its wording comes from, and its example is read as its kind."""
    assert row["provenance"]
    assert row["id"] in {pattern.id for pattern in matching(row["example"], row.get("program"), PATTERNS)}
    assert read_as(row["example"], row.get("program")).kind == row["kind"]


def test_every_pattern_is_anchored() -> None:
    """No pattern looks for a word anywhere: each begins at the beginning of a line."""
    assert [row["id"] for row in ROWS if not row["pattern"].startswith("^")] == []


@pytest.mark.slow
def test_a_held_out_program_is_mostly_read_rightly(counted_on: dict[Labelled, frozenset[str]]) -> None:
    """On programs whose counts were not used, what is said is right nineteen times in twenty."""
    found = score(each for _, part in held_out(PATTERNS, counted_on) for each in part)
    assert found.precision > 0.95


@pytest.mark.slow
def test_programs_no_rule_was_counted_on_are_read_rightly(spoken: dict[Labelled, frozenset[str]]) -> None:
    """On the other half of the fresh texts hardly one in a hundred would be logged in or connected for nothing."""
    found = readings(fresh("blind"), PATTERNS, spoken)
    assert interval(sum(each.helpless for each in found), len(found))[1] < 0.015


@pytest.mark.slow
def test_patterns_are_silent_on_successful_output(spoken: dict[Labelled, frozenset[str]]) -> None:
    """Success that mentions 401, errors or time-outs is not read as a failure."""
    loud = [text for text in harmless() if spoken[text]]
    assert len(harmless()) >= 120
    assert loud == []


def test_only_repairable_kinds_name_a_fix() -> None:
    """A fix stands only where it can help: a missing permission is never answered with a login."""
    repairable = {
        FailureKind.AUTH_EXPIRED,
        FailureKind.NETWORK_UNREACHABLE,
        FailureKind.DNS_FAILURE,
        FailureKind.CONNECTION_REFUSED,
        FailureKind.TIMEOUT,
    }
    assert {pattern.kind for pattern in PATTERNS if pattern.fix} <= repairable


def test_no_program_is_in_two_shares() -> None:
    """What was written with one half was not written with the other, nor with the training programs."""
    shares = [{text.source for text in texts} for texts in (failures(), fresh("dev"), fresh("blind"), second())]
    assert [left & right for left, right in combinations(shares, 2)] == [set()] * 6
