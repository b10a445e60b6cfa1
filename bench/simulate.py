"""`make simulate`: months with prediction and the same months without it, side by side.

    python bench/simulate.py                              two months of 2,000 runs each; prints the table
    python bench/simulate.py --seeds 5 --write            and of five worlds added up, into docs/simulation.md
    python bench/simulate.py --runs 200 --months 1 --json for programs

Two months, because in the first there is nothing to foretell by until it was learnt.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.simulated_month import Foretold, Outcome, Plan, simulate, together
from engine.model.figures import Rate
from engine.model.tally import difference

PAGE = Path(__file__).resolve().parent.parent / "docs" / "simulation.md"
BEGIN, END = "<!-- begin: make simulate -->", "<!-- end: make simulate -->"
BOTH = (False, True)
Row = tuple[str, Callable[["Pair"], str], Callable[["Pair"], str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """The same month twice: without prediction, and with it."""

    without: Outcome
    given: Outcome

    @property
    def prevented(self) -> Rate:
        """Failures that did not come, of those that came in the month without prediction and that a fix repairs."""
        before, after = self.without.repaired, self.given.repaired
        return Rate(count=max(0, before - after), of=before)


def lived(plan: Plan) -> tuple[Outcome, ...]:
    """What came of each month of a plan, in a folder that is gone afterwards."""
    os.environ["TZ"] = "UTC"  # hours and days of the week are local ones
    time.tzset()
    with tempfile.TemporaryDirectory() as folder:
        return simulate(plan, Path(folder))


def worlds(plan: Plan, seeds: int) -> list[tuple[Pair, ...]]:
    """The months of each world, without and with prediction."""
    plans = [replace(plan, seed=plan.seed + number, predict=predict) for number in range(seeds) for predict in BOTH]
    with ProcessPoolExecutor(max_workers=min(2, os.cpu_count() or 1)) as pool:
        told = list(pool.map(lived, plans))
    return [_paired(without, given) for without, given in zip(told[::2], told[1::2], strict=True)]


def added(several: Sequence[Sequence[Pair]]) -> tuple[Pair, ...]:
    """The months of several worlds as if they were one."""
    return tuple(
        Pair(without=together([each.without for each in month]), given=together([each.given for each in month]))
        for month in zip(*several, strict=True)
    )


def _paired(without: Sequence[Outcome], given: Sequence[Outcome]) -> tuple[Pair, ...]:
    return tuple(Pair(without=one, given=other) for one, other in zip(without, given, strict=True))


def table(months: Sequence[Pair]) -> str:
    """The months beside each other, as Markdown."""
    heads = [f"{name}, {what}" for name in _names(months) for what in ("without", "with")]
    lines = [f"| | {' | '.join(heads)} |", f"|---|{'---|' * len(heads)}"]
    for head, without, given in ROWS:
        cells = [cell(pair) for pair in months for cell in (without, given)]
        lines.append(f"| {head} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _names(months: Sequence[Pair]) -> list[str]:
    return ["first month", "second month", *(f"month {number}" for number in range(3, 99))][: len(months)]


def _both(show: Callable[[Outcome], str]) -> tuple[Callable[[Pair], str], Callable[[Pair], str]]:
    return lambda pair: show(pair.without), lambda pair: show(pair.given)


def _given(show: Callable[[Outcome], str]) -> tuple[Callable[[Pair], str], Callable[[Pair], str]]:
    return lambda _: "", lambda pair: show(pair.given)


def _percent(rate: Rate) -> str:
    if not rate.known:
        return f"not enough data ({rate.count} of {rate.of})"
    low, high = rate.bounds
    return f"{rate.rate:.0%} ({low:.0%} to {high:.0%}; {rate.count} of {rate.of})"


def _measured(outcome: Outcome) -> str:
    """What the engine says of itself, without knowing the world."""
    prevented = outcome.counts.prevented
    (fixed_failed, fixed), (left_failed, left) = prevented.fixed, prevented.shadow
    said = f"{fixed_failed} of {fixed} failed with the fix first, {left_failed} of {left} in shadow"
    if not prevented.known:
        return f"not enough data: {said}"
    gap, low, high = difference(prevented.shadow, prevented.fixed)
    return f"{gap:.0%} fewer ({low:.0%} to {high:.0%}): {said}"


def _alarms(told: Foretold) -> str:
    return f"{told.alarms}, fixes that were not needed took {told.alarm_seconds:.0f} s"


def _decided(outcome: Outcome) -> str:
    counts = outcome.counts
    return f"{counts.fixed_first} / {counts.shadow} / {counts.noted}"


ROWS: Sequence[Row] = (
    ("runs", *_both(lambda each: f"{each.runs:,}")),
    ("runs that did not end ok", *_both(lambda each: str(each.failed_runs))),
    ("failed: token run out overnight", *_both(lambda each: str(each.failed["token"]))),
    ("failed: network lost in a sleep", *_both(lambda each: str(each.failed["network"]))),
    ("failed: revoked or dropped by chance", *_both(lambda each: str(each.failed["revoked"] + each.failed["dropped"]))),
    ("failed: other causes", *_both(lambda each: str(each.failed["other"]))),
    ("foretold: fix first / shadow / noted", *_given(_decided)),
    ("precision", *_given(lambda each: _percent(each.foretold.precision))),
    ("recall, of run out and lost", *_given(lambda each: _percent(each.foretold.recall))),
    ("prevented, against the month without", lambda _: "", lambda pair: _percent(pair.prevented)),
    ("prevented, as the engine measures it", *_given(_measured)),
    ("false alarms", *_given(lambda each: _alarms(each.foretold))),
    ("seconds in failed attempts", *_both(lambda each: f"{each.failed_seconds:,.0f}")),
    ("seconds in fixes", *_both(lambda each: f"{each.fix_seconds:,.0f} ({each.fixes} fixes)")),
    ("seconds lost in all", *_both(lambda each: f"{each.lost:,.0f}")),
    ("seconds all runs took", *_both(lambda each: f"{each.run_seconds:,.0f}")),
)


def text(several: Sequence[Sequence[Pair]]) -> str:
    """The table of the first world, and where there are more, that of all added up."""
    one = f"One world:\n\n{table(several[0])}"
    return one if len(several) == 1 else f"{one}\n\n{len(several)} worlds added up:\n\n{table(added(several))}"


def record(months: Sequence[Pair]) -> list[dict[str, object]]:
    """The same for programs; of one seed it is the same every time."""
    return [{"without": asdict(pair.without), "with": asdict(pair.given)} for pair in months]


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=2_000, help="runs in a month")
    parser.add_argument("--days", type=int, default=30, help="days in a month")
    parser.add_argument("--months", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1, help="the first world")
    parser.add_argument("--seeds", type=int, default=1, help="how many worlds are added up")
    parser.add_argument("--shadow", type=float, default=0.1, help="share of foretold calls left without the fix")
    parser.add_argument("--write", action="store_true", help="put the table into docs/simulation.md")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    plan = Plan(seed=given.seed, months=given.months, runs=given.runs, days=given.days, shadow=given.shadow)
    several = worlds(plan, given.seeds)
    print(json.dumps(record(several[0]), indent=1) if given.json else text(several))
    if given.write:
        before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
        made = f"{BEGIN}\n\n{text(several)}\n\n{END}{rest.partition(END)[2]}"
        PAGE.write_text(before + made, encoding="utf-8")


if __name__ == "__main__":
    main()
