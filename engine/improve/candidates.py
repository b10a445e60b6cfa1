"""Which situations are looked at for what they have in common before a failure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from math import exp, lgamma, log
from typing import Any

from engine.model.conditions import WEEKDAYS, conditions
from engine.model.lazy_dataclass import dataclass
from engine.model.prevention import Situation
from engine.model.tally import lower_bound

WAKES = ("< 1 minute", "< 5 minutes", "< 30 minutes", "> 4 hours")
TOKENS = ("< 5 minutes", "< 10 minutes", "< 30 minutes", "< 1 hour")
BLOCKS = (1, 2, 3, 4, 6, 9)
"""Hours in a row that are tried as a time of day."""
DAYS = (WEEKDAYS[:5], WEEKDAYS[5:], *((day,) for day in WEEKDAYS))
CALLS = 8
"""Tools most often called just before that are tried."""

LEAST_FAILED = 3
LIKELY = 0.5
"""The bound a candidate needs: the failure must be likelier than not, or no prediction could be made of it."""
BREAK_EVEN = 0.7
"""Rate at which a prediction just pays with the default costs: 5 s of fix against 7 s of failure."""
SIGNIFICANCE = 0.05
"""Chance, over all candidates that were tried, at which a difference counts as one (Bonferroni)."""

NEARLY = 0.8
"""Share of all calls that is nearly all of them."""

Context = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A context, the calls it holds for, and how often those failed; `rows` is a set of positions, as bits."""

    context: Context
    rows: int
    seen: int
    failed: int
    template: str = ""

    @property
    def gain(self) -> float:
        """What it is worth more than nothing: failures foretold, less what its false alarms cost."""
        return self.failed - BREAK_EVEN * self.seen

    @property
    def rank(self) -> tuple[float, bool, int, float]:
        """The better the greater: the gain first; then what somebody wrote down, the simpler, and the surer."""
        return (round(self.gain, 6), bool(self.template), -len(self.context), self.bound)

    @property
    def bound(self) -> float:
        """The lower bound of how often the failure came."""
        return lower_bound(self.failed, self.seen)


def best(
    situations: Sequence[Situation], failed: int, templates: Sequence[tuple[str, Context]] = ()
) -> Candidate | None:
    """The context that foretells the failures best; None when none does so beyond chance.

    `failed` are the positions of the situations that failed, as bits. `templates` are contexts somebody wrote down,
    with their names.
    """
    every = len(situations)
    singles = [_judged(situations, failed, context, name) for name, context in (*templates, *_singles(situations))]
    found = [each for each in singles if each.failed >= LEAST_FAILED]
    found += _pairs(found, failed)
    tried = len(singles) + len(found)
    total = failed.bit_count()
    kept = [
        each
        for each in found
        if each.bound >= LIKELY
        and min(chance(each, every=every, failed=total), _luck(each, every=every)) * tried <= SIGNIFICANCE
    ]
    return max(kept, key=lambda each: each.rank, default=None)


def chance(found: Candidate, *, every: int, failed: int) -> float:
    """How likely so many failures fall among its calls if they have nothing to do with them (hypergeometric tail).

    R. A. Fisher, "The logic of inductive inference", 1935: the exact test of a two by two table.
    """
    return min(
        1.0,
        sum(
            exp(_choose(failed, hits) + _choose(every - failed, found.seen - hits) - _choose(every, found.seen))
            for hits in range(found.failed, min(found.seen, failed) + 1)
            if found.seen - hits <= every - failed
        ),
    )


def _luck(found: Candidate, *, every: int) -> float:
    """How likely so many of its calls fail if each does so as a coin falls; 1 where the fix would not pay.

    Where nearly every call of a domain fails, there is nothing to compare with, and much to foretell. Only there: of
    many parts of the calls, one fails more often than the whole by chance.
    """
    if found.gain <= 0 or found.seen < NEARLY * every:
        return 1.0
    heads = (exp(_choose(found.seen, hits) - found.seen * log(2)) for hits in range(found.failed, found.seen + 1))
    return min(1.0, sum(heads))


def covered(situations: Sequence[Situation], context: Context) -> int:
    """The positions of the situations in which a context holds, as bits."""
    wanted = conditions(context)
    return sum(1 << place for place, situation in enumerate(situations) if wanted.hold(situation))


def _judged(situations: Sequence[Situation], failed: int, context: Context, name: str = "") -> Candidate:
    rows = covered(situations, context)
    return Candidate(
        context=context, rows=rows, seen=rows.bit_count(), failed=(rows & failed).bit_count(), template=name
    )


def _singles(situations: Sequence[Situation]) -> Iterator[tuple[str, Context]]:
    """Every context of one condition, simplest first; those that could hold nowhere here are left out."""
    yield from (("", {"first_call_of_day": first}) for first in (True, False))
    if any(each.since_wake is not None for each in situations):
        yield from (("", {"time_since_wake": span}) for span in WAKES)
    if any(each.first_call_since_wake is not None for each in situations):
        yield from (("", {"first_call_since_wake": first}) for first in (True, False))
    if any(each.token_left is not None for each in situations):
        yield from (("", {"token_time_left": span}) for span in TOKENS)
    yield from (("", {"weekdays": list(days)}) for days in DAYS)
    kinds = sorted({each.last_failure for each in situations if each.last_failure})
    yield from (("", {"last_failure": kind}) for kind in kinds)
    before = Counter(each.last_calls[-1] for each in situations if each.last_calls)
    yield from (("", {"last_calls": [tool]}) for tool, _ in before.most_common(CALLS))
    for first in sorted({each.hour - back for each in situations for back in range(BLOCKS[-1])}):
        yield from (("", {"hours": f"{first}-{first + block}"}) for block in BLOCKS if 0 <= first <= 24 - block)


def _pairs(singles: Sequence[Candidate], failed: int) -> list[Candidate]:
    """Two conditions together, where they are worth more than either by at least one failure."""
    found: list[Candidate] = []
    for place, one in enumerate(singles):
        for other in singles[place + 1 :]:
            if one.context.keys() & other.context.keys():
                continue
            rows = one.rows & other.rows
            both = Candidate(
                context={**one.context, **other.context},
                rows=rows,
                seen=rows.bit_count(),
                failed=(rows & failed).bit_count(),
            )
            if both.failed >= LEAST_FAILED and both.gain >= max(one.gain, other.gain) + 1:
                found.append(both)
    return found


def _choose(among: int, taken: int) -> float:
    """The logarithm of the number of ways to take so many of them."""
    return lgamma(among + 1) - lgamma(taken + 1) - lgamma(among - taken + 1)
