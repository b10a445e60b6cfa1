"""One line of one step, as a run shows it while it happens and as history shows it afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from engine.frontends.cli.layout import beside, took
from engine.model.remediation import RemedyStep, RootCause
from engine.model.skill import GroupStep, Skill, Step

SIGNS = {
    "ok": ("✓", "green"),
    "healed": ("✚", "cyan"),
    "skipped": ("·", None),
    "tolerated": ("!", "yellow"),
    "failed": ("✗", "red"),
}
NARROW, WIDE, WIDEST = 14, 28, 44
"""Columns a step's name takes at least, at most, and at most where there is much room."""
ROOMY = 100
INDENT = "      "
SECTIONS = {"undo": "taking back what was done", "always": "always"}
"""What stands above the steps of a run that are not its own steps."""


def name_width(paths: Iterable[str], width: int | None = None) -> int:
    """The columns that fit the names of a run's steps, each indented by what it stands in, within reason."""
    most = WIDE if width is not None and width < ROOMY else WIDEST
    return min(most, max([NARROW, *(2 * path.count("/") + len(path.rpartition("/")[2]) for path in paths)]))


def skill_names_width(skill: Skill, width: int | None = None) -> int:
    """The columns that fit the names of a skill's steps."""
    return name_width(skill_paths(skill), width)


def skill_paths(skill: Skill) -> Iterator[str]:
    """Paths such as the skill's steps have in a run."""
    return (path for part in (skill.steps, skill.always) for path in _paths(part, ""))


def _paths(steps: Iterable[Step], prefix: str) -> Iterator[str]:
    for step in steps:
        path = f"{prefix}{step.name}{'[0]' if step.foreach else ''}"
        yield f"{'/' if step.foreach else ''}{path}"
        if isinstance(step, GroupStep):
            yield from _paths(step.steps, f"{'/' if step.foreach else ''}{path}/")


def colour_of(status: str | None) -> str | None:
    """The colour of a status; None for one without."""
    return SIGNS.get(status or "", ("", None))[1]


def accent_of(status: str | None, drawn: Sequence[str]) -> int:
    """How much of a step's line is in colour: of one that just worked only its sign, so that the others stand out."""
    return len(drawn[0]) - len(drawn[0].lstrip()) + 1 if status == "ok" and len(drawn) == 1 else 0


def step_lines(
    name: str,
    status: str | None,
    *,
    duration: float | None,
    told: str,
    names: int,
    width: int | None,
    depth: int = 0,
) -> list[str]:
    """A step's sign, name, status when it is not plain ok, time, and what is told of it, fitted to the screen.

    `depth` is how many others it stands in; the columns after the name stay where they are.
    """
    sign = SIGNS.get(status or "", ("…", None))[0]
    shown = "" if status == "ok" else status or "running"
    time = "" if status == "skipped" else took(duration)
    pad = "  " * depth
    return beside(f"{pad}  {sign} {name:<{max(0, names - len(pad))}}  {shown:<9} {time:>8}  ", told, width)


def cause_lines(cause: RootCause | None, ways: Sequence[str], width: int | None, *, indent: str = INDENT) -> list[str]:
    """Why a step failed and the way out of it, numbered; what was found out already stands below its step."""
    if cause is None:
        return way_out_lines(ways, width, indent=indent)
    lines = beside(f"{indent}why  ", cause.because, width)
    known = set(cause.sentences)
    steps = [*(RemedyStep(text=way) for way in ways if way not in known), *cause.steps]
    for number, step in enumerate(steps, start=1):
        lines += beside(f"{indent}{number}. ", str(replace(step, value="")), width)
        lines += beside(f"{indent}   = ", step.value, width) if step.value else []
    return lines


def way_out_lines(ways: Iterable[str], width: int | None, *, indent: str = INDENT) -> list[str]:
    """The way out of a failure, numbered."""
    return [line for number, way in enumerate(ways, start=1) for line in beside(f"{indent}{number}. ", way, width)]
