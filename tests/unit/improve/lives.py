"""Weeks of calls that were looked at: a failure where a rule says so, and now and then by chance."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from engine.model.conditions import WEEKDAYS
from engine.model.prevention import PredictionRecord, Situation
from tests.unit.heal.foresights import record

DAY = 86_400.0


def weeks(
    seed: int,
    *,
    days: int = 20,
    calls: int = 5,
    rate: float = 0.05,
    rule: Callable[[Situation], bool] = lambda _: False,
    kind: str = "auth_expired",
) -> list[PredictionRecord]:
    """`calls` looks a day; those the rule holds for fail, the others at `rate`."""
    drawn = random.Random(seed)  # noqa: S311 - a month of a test, no secret
    rows: list[PredictionRecord] = []
    for day in range(days):
        hours = sorted(drawn.choices(range(7, 20), k=calls))
        for number, hour in enumerate(hours):
            known: dict[str, Any] = {
                "at": day * DAY + hour * 3_600.0 + number,
                "hour": hour,
                "weekday": WEEKDAYS[day % 7],
                "first_call_of_day": number == 0,
                "since_wake": drawn.choice([0.0, 30.0, 900.0, 7_200.0, 30_000.0]),
                "last_calls": tuple(drawn.choices(["build", "look", "push"], k=drawn.randrange(6))),
                "last_failure": drawn.choice([None, "auth_expired", "timeout"]),
                "tool": drawn.choice(["look", "enter"]),
            }
            row = record("", run=f"r{day}.{number}", **known)
            fails = rule(row.situation) or drawn.random() < rate
            rows.append(record(kind if fails else "", run=row.run_id, **known))
    return rows
