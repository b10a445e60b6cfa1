"""What memory foretells of a call: the sequence whose conditions hold, and that was right often enough."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from engine.model.conditions import conditions, named
from engine.model.prevention import Sequence, Situation
from engine.model.tally import lower_bound

LEAST_SEEN = 3
"""Observations below which nothing is foretold (HEALING: `low` confidence begins there)."""
LIKELY = 0.5
"""A sequence speaks only where its bound says that the failure is likelier than not."""


def foretell(sequences: Iterable[Sequence], situation: Situation) -> Sequence | None:
    """The likeliest of the sequences that speak of the call; None when none does. The earlier wins among equals."""
    speaking = [each for each in sequences if speaks(each) and is_about(each, situation.domain, situation.tool)]
    holding = [each for each in speaking if conditions(each.context).hold(situation)]
    return max(holding, key=probability, default=None)


def is_about(sequence: Sequence, domain: str, tool: str) -> bool:
    """Whether the sequence is about a call: of its domain, or where it names none, one of the tools it lists.

    One that names neither is a template: learning looks whether it holds in a domain, and writes one for that.
    """
    if sequence.domain is not None:
        return sequence.domain == domain
    return any(named(pattern, tool) for pattern in sequence.cascades)


def speaks(sequence: Sequence) -> bool:
    """Whether history supports it: seen often enough, likelier than not, and not retired."""
    return not sequence.retired and sequence.observations >= LEAST_SEEN and probability(sequence) >= LIKELY


def probability(sequence: Sequence) -> float:
    """The one-sided 95 % lower bound of how often the failure came, among calls without the fix."""
    return lower_bound(sequence.confirmed, sequence.observations)


def in_shadow(run_id: str, step: str, share: float) -> bool:
    """Whether this call is one of the share that runs without the fix, so that there is something to compare with.

    Drawn from the run's id and the step alone: the same call is always judged the same.
    """
    drawn = int.from_bytes(sha256(f"{run_id}\0{step}".encode()).digest()[:8], "big")
    return drawn < share * 2**64
