"""How well healing works, in numbers: what was counted, by what it can be told apart, and the rates that follow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, fields
from enum import StrEnum

from engine.model.lazy_dataclass import dataclass
from engine.model.tally import ENOUGH, difference, interval


class Dimension(StrEnum):
    """What figures can be told apart by; `fix` is a fix with its domain, `day` a UTC day, `week` an ISO week."""

    TOOL = "tool"
    KIND = "kind"
    FIX = "fix"
    DOMAIN = "domain"
    DAY = "day"
    WEEK = "week"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What happened, counted from history; all of it can be added up.

    `failures` are steps that failed an attempt, `auto_fixed` those a fix repaired. `tried` and `helped` count runs of
    fixes after a failure whose worth came out, `beforehand` runs of fixes before anything had failed. `checked` are
    checks made, of which `repaired` were not good and were repaired, and `blocked` ended what would have failed.
    Of the calls that were foretold to fail and whose outcome is known, `fixed_first` had the fix before them, `shadow`
    ran without it to be compared with, and `noted` ran without it for another reason (policy, price); `..._failed` of
    them failed as foretold.
    """

    failures: int = 0
    auto_fixed: int = 0
    tried: int = 0
    helped: int = 0
    beforehand: int = 0
    checked: int = 0
    repaired: int = 0
    blocked: int = 0
    fixed_first: int = 0
    fixed_failed: int = 0
    shadow: int = 0
    shadow_failed: int = 0
    noted: int = 0
    noted_failed: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(**{name: getattr(self, name) + getattr(other, name) for name in NAMES})

    @property
    def left(self) -> int:
        """Calls that were foretold to fail and ran without the fix."""
        return self.shadow + self.noted

    @property
    def left_failed(self) -> int:
        """Of those, the ones that failed as foretold."""
        return self.shadow_failed + self.noted_failed

    @property
    def foretold(self) -> int:
        """Predictions whose outcome is known."""
        return self.fixed_first + self.left

    @property
    def false_alarms(self) -> int:
        """Predictions that did not come true, among calls that ran without the fix: only those can tell."""
        return self.left - self.left_failed

    @property
    def healed(self) -> Rate:
        """How many of the failures a fix repaired."""
        return Rate(count=self.auto_fixed, of=self.failures)

    @property
    def worked(self) -> Rate:
        """How often a fix that was tried helped."""
        return Rate(count=self.helped, of=self.tried)

    @property
    def right(self) -> Rate:
        """How often what was foretold came, where no fix was run first."""
        return Rate(count=self.left_failed, of=self.left)

    @property
    def prevented(self) -> Prevented:
        """What running the fix first changed, against calls that chance left without it."""
        return Prevented(fixed=(self.fixed_failed, self.fixed_first), shadow=(self.shadow_failed, self.shadow))


NAMES = tuple(each.name for each in fields(Counts))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """`count` of `of`, with the two-sided 95 % interval of the rate behind it (Wilson)."""

    count: int
    of: int

    @property
    def known(self) -> bool:
        """Whether there are observations enough to speak of a rate."""
        return self.of >= ENOUGH

    @property
    def rate(self) -> float:
        """The share that was seen; 0 where there was nothing to see."""
        return self.count / self.of if self.of else 0.0

    @property
    def bounds(self) -> tuple[float, float]:
        """Between what the true rate lies, with 95 %."""
        return interval(self.count, self.of)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prevented:
    """Failures prevented, measured: (failed as foretold, calls) with the fix first, and without it by chance.

    Calls left without it for another reason may differ in other ways too, and are not compared with.
    """

    fixed: tuple[int, int]
    shadow: tuple[int, int]

    @property
    def known(self) -> bool:
        """Whether there are calls enough of both sorts."""
        return min(self.fixed[1], self.shadow[1]) >= ENOUGH

    @property
    def share(self) -> tuple[float, float, float]:
        """By how much the failure rate is lower with the fix, and the 95 % interval of that (Newcombe)."""
        return difference(self.shadow, self.fixed)

    @property
    def calls(self) -> tuple[int, int, int]:
        """The same as a number of calls, of those that had the fix first."""
        among = self.fixed[1]
        least, seen, most = (round(among * share) for share in sorted(self.share))
        return seen, least, most


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Counts of one sort, and by what they can be told apart; a dimension that does not apply is left out."""

    counts: Counts
    names: Mapping[Dimension, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Everything counted in a stretch of time; `first` is when its first run began, in seconds since the epoch."""

    runs: int = 0
    first: float | None = None
    cells: tuple[Cell, ...] = ()

    @property
    def total(self) -> Counts:
        """All counts together."""
        return sum((cell.counts for cell in self.cells), Counts())

    def by(self, dimension: Dimension) -> dict[str, Counts]:
        """The counts by one dimension, in the order of the names; what it does not apply to is left out."""
        sums: dict[str, Counts] = {}
        for cell in self.cells:
            name = cell.names.get(dimension)
            if name:
                sums[name] = sums.get(name, Counts()) + cell.counts
        return dict(sorted(sums.items()))
