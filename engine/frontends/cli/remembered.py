"""The steps of a past run as a tree of lines: each step above those it holds, for its end is known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import field

from engine.frontends.cli.layout import one_line
from engine.frontends.cli.steps import SECTIONS, accent_of, cause_lines, colour_of, name_width, step_lines
from engine.frontends.cli.story import Line
from engine.frontends.cli.tree import BAD, FEW, FEW_ROUNDS, above, within
from engine.history.records import StepRecord
from engine.model.lazy_dataclass import dataclass

DULL = frozenset({"ok", "skipped"})


@dataclass(slots=True, eq=False)
class Branch:
    """A step and what it holds, in the order it began.

    `hushed`: only what is worth a look is shown of what it holds; `late`: the same of itself, for it was begun in a
    round after many others. `rounds` is how many there were.
    """

    step: StepRecord
    inner: list[Branch] = field(default_factory=list)
    hushed: bool = False
    late: bool = False
    rounds: int = 1

    @property
    def elements(self) -> list[Branch]:
        """The elements of a `foreach`."""
        return [branch for branch in self.inner if branch.step.name.startswith(f"{self.step.name}[")]


def past_lines(steps: Sequence[StepRecord], *, unfinished: str, verbose: bool, width: int | None) -> Iterator[Line]:
    """The lines of a run's steps; one without an end is said to be `unfinished`."""
    names, section = name_width(map(_shape, steps), width), "steps"
    for branch in grown(steps, verbose=verbose):
        if branch.step.section != section and branch.step.section in SECTIONS:
            section = branch.step.section
            yield Line(text=f"  {SECTIONS[section]}", dim=True)
        yield from _lines(branch, "", 0, unfinished=unfinished, names=names, width=width)


def grown(steps: Sequence[StepRecord], *, verbose: bool = False) -> list[Branch]:
    """The tree of a run's steps. What was undone stands by itself at the end of it, as it happened."""
    known = {step.name: Branch(step) for step in steps}
    top: list[Branch] = []
    for step in steps:
        outer = next((known[path] for path in above(step.name) if path in known), None)
        (top if outer is None or step.section == "undo" else outer.inner).append(known[step.name])
    for branch in known.values():
        for inner in branch.inner:
            number = _round(inner.step.name, branch.step.name)
            branch.rounds, inner.late = max(branch.rounds, number), number > FEW_ROUNDS and not verbose
        branch.hushed = (len(branch.elements) > FEW or branch.step.reused) and not verbose
    return top


def _lines(
    branch: Branch, outer: str, depth: int, *, unfinished: str, names: int, width: int | None, hushed: bool = False
) -> Iterator[Line]:
    step = branch.step
    inside, deeper = outer, depth
    if not hushed or step.status is None or step.status not in DULL:
        yield from _own(branch, within(step.name, outer), depth, unfinished=unfinished, names=names, width=width)
        inside, deeper = step.name, depth + 1
    for inner in branch.inner:
        quiet = hushed or branch.hushed or inner.late
        yield from _lines(inner, inside, deeper, unfinished=unfinished, names=names, width=width, hushed=quiet)


def _own(branch: Branch, label: str, depth: int, *, unfinished: str, names: int, width: int | None) -> Iterator[Line]:
    step, pad = branch.step, "  " * depth
    drawn = step_lines(
        label,
        step.status or unfinished,
        duration=step.duration,
        told=told_of(branch),
        names=names,
        width=width,
        depth=depth,
    )
    colour, accent = colour_of(step.status), accent_of(step.status, drawn)
    for text in drawn:
        yield Line(text=text, fg=colour, accent=accent, dim=step.status == "skipped")
    for text in cause_lines(step.root_cause, step.remediation, width, indent=f"{pad}      "):
        yield Line(text=text)


def told_of(branch: Branch) -> str:
    """Why a step ended as it did: its failure and what was done about it, or what its elements came to."""
    step = branch.step
    message = one_line(str((step.failure or {}).get("message", "")))
    if step.reused:
        return "reused"
    if branch.elements and step.status != "skipped":
        return _sum(branch.elements)
    if step.status == "healed":
        first = one_line(str((step.first_failure or {}).get("message", "")))
        return f"{step.reason.removeprefix('healed ')}; it had failed with: {first}" if first else step.reason
    blame = [inner.step.name for inner in branch.inner if inner.step.status == "failed"]
    if blame and step.status in BAD:
        return f"because of {within(blame[-1], step.name)}"
    rounds = f"in {branch.rounds} rounds" if branch.rounds > 1 else ""
    return message or step.reason or rounds


def _shape(step: StepRecord) -> str:
    """A path that takes as much room as the step: what was undone is told by its whole path."""
    return step.name.replace("/", ".") if step.section == "undo" else step.name


def _round(path: str, outer: str) -> int:
    """In which round of `outer` a step in it was begun."""
    number = path.removeprefix(outer).partition("/")[0]
    return int(number[1:]) if number[:1] == "#" and number[1:].isdecimal() else 1


def _sum(elements: list[Branch]) -> str:
    counts = Counter(branch.step.status or "unfinished" for branch in elements)
    bad = sum(counts[status] for status in BAD)
    told = {
        "healed": counts["healed"],
        "failed": bad,
        "skipped": counts["skipped"],
        "without an end": counts["unfinished"],
    }
    whole = f"{len(elements)} {'item' if len(elements) == 1 else 'items'}"
    return ", ".join([whole, *(f"{count} {word}" for word, count in told.items() if count)])
