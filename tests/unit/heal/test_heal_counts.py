"""The counts written beside the patterns are true, and the patterns are worth having."""

from __future__ import annotations

import pytest

from bench.measure_patterns import Labelled, counts, failures, harmless, heard, held_out
from engine.model.failure import FailureKind
from tests.unit.heal.shipped import PATTERNS


@pytest.fixture(scope="module")
def spoken() -> dict[Labelled, frozenset[str]]:
    """Which patterns speak on which text; the slow part, done once."""
    return heard(PATTERNS, (*failures(), *harmless()))


def test_counts_in_the_file_are_those_of_the_texts(spoken: dict[Labelled, frozenset[str]]) -> None:
    """Every `seen` and `right` in patterns.yaml is what the labelled and the harmless texts give."""
    written = {pattern.id: (pattern.seen, pattern.right) for pattern in PATTERNS}
    assert written == counts(PATTERNS, spoken)


def test_every_kind_of_the_labelled_texts_has_a_pattern() -> None:
    """No family of the labelled failures is left without words."""
    assert {pattern.kind for pattern in PATTERNS} >= {text.kind for text in failures()}


def test_ids_are_unique() -> None:
    """Statistics are kept by id, so no two patterns share one."""
    assert len({pattern.id for pattern in PATTERNS}) == len(PATTERNS)


def test_a_held_out_source_is_mostly_read_rightly(spoken: dict[Labelled, frozenset[str]]) -> None:
    """On sources whose counts were not used, what is said is right nine times in ten."""
    scores = dict(held_out(PATTERNS, spoken)).values()
    spoke, right = sum(score.spoke for score in scores), sum(score.right for score in scores)
    assert right / spoke > 0.9


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
