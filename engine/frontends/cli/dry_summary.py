"""What a plan comes to: outputs, needs, what only the run will know, and the end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from engine.frontends.cli.dry_lines import ASIDE, Line, Told, folded, short
from engine.frontends.cli.layout import beside, one_line
from engine.run.dry import Plan
from engine.run.dry.plan import GOOD, Need

MOST_NAMED = 3
NOUNS = {
    "program": "program",
    "environment": "variable",
    "module": "module",
    "domain": "domain",
    "setting": "setting",
    "check": "check",
    "token": "token of",
    "interpreter": "interpreter",
}


def outputs(plan: Plan, told: Told) -> Iterator[Line]:
    """What the run would return."""
    if plan.outputs:
        yield from _head("returns")
        width = max(len(output.name) for output in plan.outputs)
        for output in plan.outputs:
            for text in folded(f"  {output.name:<{width}}  ", short(output.value, told), told, lines=20):
                yield Line(text=text)


def needs(plan: Plan, told: Told) -> Iterator[Line]:
    """What the steps need: what is there in a line for each kind, what is missing each in its own."""
    if not plan.needs:
        return
    yield from _head("needs")
    ordered = sorted(plan.needs, key=_order)
    width = max(len(_label(need, alone=_alone(need, told))) for need in ordered)
    for _, group in groupby(ordered, key=lambda need: (_order(need), _alone(need, told) and need.name)):
        yield from _needed(list(group), told, width)


def _order(need: Need) -> int:
    return list(NOUNS).index(need.kind)


def _alone(need: Need, told: Told) -> bool:
    """Whether a need has a line of its own."""
    speaks = need.kind == "token" or (need.kind == "check" and need.found != GOOD)
    return told.verbose or speaks or not need.there


def _label(need: Need, *, alone: bool) -> str:
    return f"{NOUNS[need.kind]} {need.name}" if alone else f"{NOUNS[need.kind]}s"


def _needed(group: Sequence[Need], told: Told, width: int) -> Iterator[Line]:
    need = group[0]
    alone = _alone(need, told)
    if not alone:
        head = f"  ✓ {_label(need, alone=False):<{width}}  "
        names = need.found if need.kind == "interpreter" else ", ".join(each.name for each in group)
        yield from (Line(text=text) for text in beside(head, names, told.width, lines=6))
        return
    sign, colour = ("✓", None) if need.there else ("✗", "red") if need.needed else ("!", "yellow")
    state = "; ".join(part for part in (need.found, need.way_out) if part) or ("there" if need.there else "missing")
    steps = f"  [{_named(need.steps)}]" if told.verbose or not need.there else ""
    for text in beside(f"  {sign} {_label(need, alone=True):<{width}}  ", f"{state}{steps}", told.width, lines=6):
        yield Line(text=text, fg=colour)


def unknown(plan: Plan, told: Told) -> Iterator[Line]:
    """What only the run itself will know, by whom it is given, and what waits for it."""
    if not plan.sources:
        return
    yield from _head("known only in the run, and what waits for it")
    width = max(len(source.name) for source in plan.sources)
    given = max(len(source.given_by) for source in plan.sources)
    for source in plan.sources:
        head = f"  {source.name:<{width}}  {source.given_by:<{given}}  "
        lines = beside(head, ", ".join(source.steps), told.width, lines=20 if told.verbose else 1)
        yield from (Line(text=text) for text in lines)


def _named(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    more = len(names) - MOST_NAMED
    return ", ".join(names) if more <= 1 else f"{', '.join(names[:MOST_NAMED])} and {more} more"


def _head(text: str) -> Iterator[Line]:
    yield Line(text="")
    yield Line(text=text, bold=True)


def end_line(plan: Plan) -> str:
    """What it all comes to."""
    acting = [step for step in plan.walk() if not step.steps and step.section != "undo"]
    skipped = sum(step.verdict in ASIDE for step in acting)
    counts = [_counted(len(acting) - skipped, "step"), *([f"{skipped} skipped"] if skipped else [])]
    counts += [_counted(len(plan.tools), "tool"), _counted(len(plan.sources), "unknown value")]
    return f"{plan.skill}: {_end(plan)}  ({', '.join(counts)})"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _end(plan: Plan) -> str:
    if plan.failure:
        return f"would fail: {one_line(plan.failure)}"
    if plan.missing:
        lacking = ", ".join(_label(need, alone=True) for need in plan.missing)
        return f"cannot run: {lacking} {'is' if len(plan.missing) == 1 else 'are'} missing"
    if plan.end is not None:
        return f"would stop at {plan.end.step} as {plan.end.status}"
    return "could run, as far as can be known"
