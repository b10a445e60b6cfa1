"""The lines of a plan: a tree of steps, and what each would call."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from engine.frontends.cli.layout import beside, cut, json_text, one_line, took
from engine.model.lazy_dataclass import dataclass
from engine.run.dry import Plan, PlannedStep, Verdict
from engine.run.dry.plan import MAY_RUN

SIGNS = {
    Verdict.WOULD_RUN: ("→", None),
    Verdict.DEPENDS: ("?", "cyan"),
    Verdict.MAY_STOP: ("?", "cyan"),
    Verdict.WOULD_STOP: ("■", "yellow"),
    Verdict.WOULD_FAIL: ("✗", "red"),
    Verdict.CANNOT_RUN: ("✗", "red"),
    Verdict.SKIPPED: ("·", None),
    Verdict.NOT_REACHED: ("·", None),
}
ASIDE = {Verdict.SKIPPED: "skipped", Verdict.NOT_REACHED: "not reached"}
LONGEST_VALUE = 60
"""Characters of one argument that are shown; `-v` shows all."""
LONGEST_GIVEN = 150
"""Characters of what a read gave, or a `stop` would say."""
MARK = re.compile(r"<[^<>]{1,40}>")
ONLY_MARKED = re.compile(r"<[^<>]+>")
FIXED = "\xa0"
"""Stands for a blank at which a line must not be broken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """How much is told: the columns there are, those of a step's name, and whether everything is."""

    width: int | None
    names: int
    verbose: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line and its style."""

    text: str
    fg: str | None = None
    dim: bool = False
    bold: bool = False


def folded(head: str, text: str, told: Told, *, lines: int) -> list[str]:
    """Text beside its head, a mark never broken in two."""
    kept = MARK.sub(lambda found: found[0].replace(" ", FIXED), text)
    return [line.replace(FIXED, " ") for line in beside(head, kept, told.width, lines=lines)]


def summary(plan: Plan, headline: str, told: Told) -> Iterator[str]:
    """What the plan is for, and how long such runs took."""
    if headline:
        yield from beside("  ", headline, told.width)
    given = {name: value for name, value in plan.inputs.items() if value is not None}
    if given:
        yield from folded("  inputs   ", args_of(given, told), told, lines=6)
    if plan.expected is not None:
        runs = f"{plan.expected.runs} {'run' if plan.expected.runs == 1 else 'runs'}"
        yield f"  usually  {took(plan.expected.seconds)}, of {runs}"


def step_lines(steps: Sequence[PlannedStep], told: Told, *, depth: int = 0) -> Iterator[Line]:
    """The steps as a tree; those that do not run share a line, unless all is told."""
    aside: list[PlannedStep] = []
    for step in steps:
        if step.verdict not in ASIDE or told.verbose:
            yield from _aside(aside, told, depth)
            aside = []
            yield from _step(step, told, depth)
            continue
        if aside and aside[0].verdict is not step.verdict:
            yield from _aside(aside, told, depth)
            aside = []
        aside.append(step)
    yield from _aside(aside, told, depth)


def _aside(steps: Sequence[PlannedStep], told: Told, depth: int) -> Iterator[Line]:
    if steps:
        names = ", ".join(_name(step) for step in steps)
        head = f"{'  ' * depth}  · {ASIDE[steps[0].verdict]}: "
        yield from (Line(text=text, dim=True) for text in beside(head, names, told.width, lines=20))


def _step(step: PlannedStep, told: Told, depth: int) -> Iterator[Line]:
    sign, colour = SIGNS[step.verdict]
    pad = "  " * depth
    head = f"{pad}  {sign} {_name(step):<{max(0, told.names - len(pad))}}  "
    yield from (Line(text=text, fg=colour) for text in folded(head, _what(step, told), told, lines=12))
    if step.verdict not in ASIDE:
        for detail in _details(step, told):
            yield from (Line(text=text, dim=True) for text in folded(" " * len(head), detail, told, lines=5))
    yield from step_lines(step.steps, told, depth=depth + 1)


def _name(step: PlannedStep) -> str:
    return step.path.rpartition("/")[2]


def _what(step: PlannedStep, told: Told) -> str:
    """What would become of it, in a line."""
    reason = f": {one_line(step.because)}" if step.because else ""
    match step.verdict:
        case Verdict.SKIPPED | Verdict.NOT_REACHED:
            return f"{ASIDE[step.verdict]}{reason}"
        case Verdict.CANNOT_RUN:
            return f"{step.tool} cannot run{reason}".lstrip()
        case Verdict.WOULD_FAIL:
            return f"would fail{reason}"
        case Verdict.WOULD_STOP:
            return f"would stop the run as {step.stops}: {one_line(step.message)}"
        case Verdict.MAY_STOP:
            return f"may stop the run as {step.stops}"
    return _act(step, told)


def _act(step: PlannedStep, told: Told) -> str:
    """What it would do."""
    if step.tool and step.elements is None:
        return call(step, told)
    if step.elements is not None:
        return _each(step)
    match step.action:
        case "ask" if step.question is not None:
            choices = f" ({', '.join(map(str, step.question.choices))})" if step.question.choices else ""
            return f"asks: {one_line(step.question.text)}{choices}"
        case "skill":
            return f"skill {step.skill}({args_of(step.args, told)})"
        case "compute":
            return f"= {short(step.value, told, LONGEST_GIVEN)}" if step.known else "computes"
    return "all at once" if step.action == "parallel" else ""


def call(step: PlannedStep, told: Told) -> str:
    """A call as it would be made, its effect first when it has one."""
    effect = "" if step.effect in {"read", ""} else f"{step.effect} "
    return f"{effect}{step.tool}({args_of(step.args, told)})"


def _each(step: PlannedStep) -> str:
    if step.elements is None:
        return ""
    what = f"{step.tool} " if step.tool else ""
    at_once = f", {step.elements.parallel} at once" if step.elements.parallel > 1 else ""
    if step.elements.count is None:
        return f"{what}for each {step.elements.bind} of a list that is not known{at_once}"
    left = f", of which {step.elements.left_out} are not shown" if step.elements.left_out else ""
    return f"{what}for each {step.elements.bind} of {step.elements.count}{at_once}{left}"


def args_of(args: Mapping[str, Any], told: Told) -> str:
    """Arguments as they are written in a call."""
    return ", ".join(f"{name}={short(value, told)}" for name, value in args.items())


def _details(step: PlannedStep, told: Told) -> Iterator[str]:
    """What else is worth a line: what it hangs on, what it gave, how it is repeated, healed and taken back."""
    hung = step.depends or (step.unknown.get("value", ()) if step.action == "compute" else ())
    if hung:
        yield f"depends on {', '.join(hung)}"
    if step.verdict is Verdict.WOULD_FAIL and step.tool and step.args:
        yield call(step, told)
    yield from _said(step, told)
    yield from _around(step, told)


def _said(step: PlannedStep, told: Told) -> Iterator[str]:
    """What a read gave, a question is answered, a `stop` would say."""
    look = step.look
    if look is not None and look.failure:
        yield f"failed now: {one_line(look.failure)}"
    elif look is not None:
        when = "gives" if look.believed else "gives now (in the run a write comes before it)"
        yield f"{when} {short(step.value, told, LONGEST_GIVEN)}"
    if step.question is not None and step.known:
        yield f"answer: {short(step.value, told)}"
    elif step.question is not None and step.question.default is not None:
        yield f"by default: {short(step.question.default, told)}"
    if step.verdict is Verdict.MAY_STOP and (told.verbose or not step.message.startswith("<depends")):
        yield f"saying: {one_line(step.message) if told.verbose else cut(one_line(step.message), LONGEST_GIVEN)}"


def _around(step: PlannedStep, told: Told) -> Iterator[str]:
    """What is done again, and what is done when it fails."""
    if step.repeats:
        yield f"again {step.repeats}"
    if step.elsewhere:
        yield f"in the domain {step.domain}"
    elif hung := step.unknown.get("heal.domain"):
        yield f"in a domain that depends on {', '.join(hung)}"
    if step.heal.get("narrowed"):
        yield f"healing: {_healing(step.heal)}"
    if step.on_error == "continue" and (told.verbose or step.verdict is Verdict.WOULD_FAIL):
        yield "if it fails, the run goes on"
    if step.undo is not None and step.undo.verdict in MAY_RUN:
        yield f"undone by {_name(step.undo)}: {call(step.undo, told)}"


def _healing(heal: Mapping[str, Any]) -> str:
    if not heal["enabled"]:
        return "off"
    fixes = f"only {', '.join(heal['fixes'])}" if heal["fixes"] else "no fix is known"
    return fixes if heal["max_fixes"] is None else f"{fixes}, at most {heal['max_fixes']}"


def short(value: Any, told: Told, longest: int = LONGEST_VALUE) -> str:
    """A value as people read it; a mark as it is, text in quotes."""
    text = one_line(value if isinstance(value, str) and ONLY_MARKED.fullmatch(value) else json_text(value))
    return text if told.verbose else cut(text, longest)
