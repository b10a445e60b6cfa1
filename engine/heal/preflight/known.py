"""What the checks of one run have found so far, and for how long that is believed."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import field

import anyio

from engine.model.lazy_dataclass import dataclass
from engine.model.prevention import Check, CheckAction, CheckResult, Lasts

FRESH = 30.0
"""Seconds for which a check that holds until the next call is believed: a run asks each server twice a minute."""

RUNS = 256
"""Runs of one process whose looks are remembered; a run older than that looks again, before every call if as many run
at the same time."""


@dataclass(slots=True)
class Known:
    """The looks of one run, and a lock for each domain, so that nothing is looked at by two at once."""

    _results: dict[tuple[str, str], CheckResult] = field(default_factory=dict)
    _locks: dict[str, anyio.Lock] = field(default_factory=dict)

    def lock(self, domain: str) -> anyio.Lock:
        """Held by whoever looks at the domain."""
        return self._locks.setdefault(domain, anyio.Lock())

    def note(self, result: CheckResult) -> None:
        """Remembers what a look found."""
        self._results[result.domain, result.check] = result

    def result(self, domain: str, check: str) -> CheckResult | None:
        """What the newest look found; None when nobody has looked."""
        return self._results.get((domain, check))

    def stale(self, domain: str, check: Check, *, now: float, margin: float) -> bool:
        """Whether it has to be looked at again: never seen, not good, over in `margin` seconds, or too old."""
        last = self.result(domain, check.name)
        if last is None or last.action is CheckAction.BLOCKED or now < last.at:
            return True
        if last.expires_at is not None and last.expires_at - now < margin:
            return True
        return check.lasts is Lasts.CALL and now - last.at > FRESH


@dataclass(slots=True)
class KnownRuns:
    """The looks of the newest runs, by run."""

    _runs: OrderedDict[str, Known] = field(default_factory=OrderedDict)

    def of(self, run_id: str) -> Known:
        """The looks of a run; none for one that has not looked yet."""
        known = self._runs.setdefault(run_id, Known())
        self._runs.move_to_end(run_id)
        while len(self._runs) > RUNS:
            self._runs.popitem(last=False)
        return known

    def forget(self, run_id: str) -> None:
        """What the run has seen counts no more: it looks again."""
        self._runs.pop(run_id, None)
