"""What was looked at before a run of the past and before its calls: each thing in a line, however often it was."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from engine.frontends.cli.layout import beside, one_line
from engine.frontends.cli.story import Line
from engine.history.records import CheckRecord

SIGNS = {"passed": ("✓", None), "fixed": ("✚", "cyan"), "blocked": ("✗", "yellow")}
NOTED = ("!", None)
MOST_STEPS = 3


def check_lines(checks: Sequence[CheckRecord], *, width: int | None) -> Iterator[Line]:
    """The checks of a run in the order they were first made; alike ones are told once."""
    alike: dict[tuple[str, str, str, str], list[CheckRecord]] = {}
    for check in checks:
        alike.setdefault((check.check, check.domain, check.action, check.message), []).append(check)
    if alike:
        yield Line(text="  looked at beforehand", dim=True)
    for (name, domain, action, message), made in alike.items():
        sign, colour = SIGNS.get(action, NOTED)
        told = one_line(message) or f"{name} of {domain}"
        for text in beside(f"  {sign} ", f"{told}{_when(made)}", width, lines=4):
            yield Line(text=text, fg=colour, dim=action == "passed")


def _when(made: Sequence[CheckRecord]) -> str:
    """Before which steps, and how often where that was more than once."""
    steps = list(dict.fromkeys(check.step for check in made if check.step))
    more = f" and {len(steps) - MOST_STEPS} more" if len(steps) > MOST_STEPS else ""
    before = f"  [{', '.join(steps[:MOST_STEPS])}{more}]" if steps else ""
    return f"{f' ({len(made)} times)' if len(made) > 1 else ''}{before}"


def check_record(check: CheckRecord) -> dict[str, Any]:
    """A check as JSON-like data."""
    return asdict(check)
