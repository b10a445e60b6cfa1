"""How rehearsals went: for people a line per file and what differed under it, for programs a record."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import field
from difflib import unified_diff
from typing import Any

from engine.frontends.cli.layout import beside, short_path, took
from engine.frontends.cli.screen import Screen
from engine.frontends.cli.source import source_lines
from engine.model.lazy_dataclass import dataclass
from engine.model.place import Finding, Place
from engine.model.rehearsal import Difference, Rehearsal
from engine.run.rehearsal.rehearse import Verdict

INDENT = "    "
LONGEST_DIFF = 60
"""Lines of a difference that are shown; the JSON report has all."""
MOST_CALLS = 40


@dataclass(slots=True, kw_only=True)
class Report:
    """Everything that one `skill test` found out."""

    findings: tuple[Finding, ...] = ()
    verdicts: list[Verdict] = field(default_factory=list)

    @property
    def failed(self) -> list[Verdict]:
        """Those that did not pass."""
        return [verdict for verdict in self.verdicts if not verdict.passed]

    def show(self, screen: Screen) -> None:
        """Writes what differed and how many passed; or all of it as data."""
        if screen.format == "jsonl":
            screen.result([_record(verdict) for verdict in self.verdicts])
        elif not screen.is_text:
            screen.result(report_record(self))
        else:
            for verdict in self.failed:
                _show_failed(verdict, screen)
            screen.text(_summary(self), fg="red" if self.failed or self.findings else "green", bold=True)


@dataclass(slots=True, kw_only=True)
class Progress:
    """Tells of each rehearsal as it ends: a sign on its file's line, or with `-v` a line of its own."""

    screen: Screen
    file: str = ""
    signs: str = ""

    def tell(self, verdict: Verdict) -> None:
        """One rehearsal has ended."""
        file = short_path(verdict.rehearsal.place.file)
        if not self.screen.is_text or self.screen.quiet:
            return
        if file != self.file:
            self.end()
            self.file = file
            if self.screen.verbose:
                self.screen.text(file)
        if self.screen.verbose:
            sign, colour = ("✓", "green") if verdict.passed else ("✗", "red")
            for line in beside(f"  {sign} {took(verdict.seconds)}  ", verdict.rehearsal.name, self.screen.width):
                self.screen.text(line, fg=colour)
        self.signs += "." if verdict.passed else "E" if verdict.error else "F"

    def end(self) -> None:
        """The last rehearsal of a file has ended."""
        if self.signs and not self.screen.verbose:
            self.screen.text(f"{self.file} {self.signs}", fg=None if set(self.signs) == {"."} else "red")
        self.signs = ""


def show_list(rehearsals: Sequence[Rehearsal], screen: Screen) -> None:
    """The rehearsals there are."""
    if not screen.is_text:
        screen.result([_about(each) for each in rehearsals])
    elif screen.quiet:
        for each in rehearsals:
            screen.text(each.name)
    else:
        rows = [(each.skill, short_path(each.place.file), each.name) for each in rehearsals]
        screen.table(rows, ("SKILL", "FILE", "NAME"), spare=("FILE",), lines=2)


def report_record(report: Report) -> dict[str, Any]:
    """A whole report as JSON-like data; docs/rehearsals.md describes it."""
    return {
        "passed": len(report.verdicts) - len(report.failed),
        "failed": len(report.failed),
        "seconds": round(sum(verdict.seconds for verdict in report.verdicts), 3),
        "rehearsals": [_record(verdict) for verdict in report.verdicts],
        "findings": [{"message": str(each), **_at(each.place)} for each in report.findings],
    }


def diff_lines(sides: tuple[Any, Any]) -> list[str]:
    """What was expected (`-`) beside what came (`+`), line by line; nothing when a sentence says it as well."""
    expected, got = ([] if _is_matcher(side) else _lines(side) for side in sides)
    if len(expected) <= 1 and len(got) == 1:
        return []
    # The first two lines of a unified diff name files.
    lines = [f"{line[:1]} {line[1:]}" for line in [*unified_diff(expected, got, lineterm="")][2:] if line[0] != "@"]
    more = len(lines) - LONGEST_DIFF
    return lines if more <= 0 else [*lines[:LONGEST_DIFF], f"  ... {more} more lines"]


def sentence(difference: Difference) -> str:
    """What differs, without the sides where the lines of a diff show them better."""
    head, expected, _ = difference.message.partition(": expected ")
    if expected and difference.sides and diff_lines(difference.sides):
        wanted = difference.sides[0]
        return f"{head}: expected {wanted}, got" if _is_matcher(wanted) else f"{head} is not as expected"
    return difference.message


def _is_matcher(side: Any) -> bool:
    """Whether a side is no value but says what a value must be like."""
    return isinstance(side, dict) and len(side) == 1 and not {"contains", "matches"}.isdisjoint(side)


def _lines(side: Any) -> list[str]:
    if isinstance(side, str):
        return side.splitlines() or [""]
    return json.dumps(side, indent=2, ensure_ascii=False, default=str).splitlines()


def _show_failed(verdict: Verdict, screen: Screen) -> None:
    rehearsal = verdict.rehearsal
    screen.text()
    where = f"{short_path(rehearsal.place.file)}:{rehearsal.place.line}"
    for line in beside("✗ ", f"{rehearsal.name}  ({where}, skill {rehearsal.skill})", screen.width):
        screen.text(line, fg="red", bold=True)
    if verdict.error is not None:
        for line in beside(INDENT, f"it could not be played: {verdict.error}", screen.width, lines=20):
            screen.text(line)
    for difference in verdict.differences:
        _show_difference(difference, screen)
    for line in _called(verdict, screen):
        screen.text(line, dim=True)


def _show_difference(difference: Difference, screen: Screen) -> None:
    for line in beside(INDENT, sentence(difference), screen.width, lines=20):
        screen.text(line)
    for line in diff_lines(difference.sides) if difference.sides else ():
        colour = {"-": "green", "+": "red"}.get(line[:1])
        screen.text(f"{INDENT}  {line}", fg=colour)
    place = difference.place
    screen.text(f"{INDENT}  {short_path(place.file)}:{place.line}:{place.column} {difference.way}", dim=True)
    for line in source_lines(place):
        screen.text(f"{INDENT}{line}", dim=True)


def _called(verdict: Verdict, screen: Screen) -> Iterator[str]:
    """What was called, in order: where a difference comes from is mostly to be seen there."""
    calls = verdict.played.calls if verdict.played else ()
    if calls:
        named = [f"{call.tool}{'' if call.end == 'value' else f' ({call.end})'}" for call in calls[:MOST_CALLS]]
        more = [f"and {len(calls) - MOST_CALLS} more"] if len(calls) > MOST_CALLS else []
        yield from beside(f"{INDENT}called: ", " → ".join([*named, *more]), screen.width, lines=10)


def _summary(report: Report) -> str:
    failed, errors = len(report.failed), len(report.findings)
    told = [f"{len(report.verdicts) - failed} passed"]
    told += [f"{failed} failed"] if failed else []
    told += [f"{errors} {'mistake' if errors == 1 else 'mistakes'} in rehearsal files"] if errors else []
    return f"{', '.join(told)} in {took(sum(verdict.seconds for verdict in report.verdicts))}"


def _record(verdict: Verdict) -> dict[str, Any]:
    played = verdict.played
    return {
        **_about(verdict.rehearsal),
        "status": "passed" if verdict.passed else "error" if verdict.error else "failed",
        "seconds": round(verdict.seconds, 3),
        "error": str(verdict.error) if verdict.error else "",
        "differences": [_difference(each) for each in verdict.differences],
        "run": {"status": played.status, "message": played.message, "duration": played.duration} if played else None,
        "steps": {step.path: step.status for step in played.steps} if played else {},
        "calls": [
            {"tool": call.tool, "step": call.step, "args": dict(call.args), "end": call.end.value}
            for call in (played.calls if played else ())
        ],
    }


def _about(rehearsal: Rehearsal) -> dict[str, Any]:
    return {"name": rehearsal.name, "skill": rehearsal.skill, **_at(rehearsal.place)}


def _at(place: Place) -> dict[str, Any]:
    return {"file": short_path(place.file), "line": place.line, "column": place.column}


def _difference(difference: Difference) -> dict[str, Any]:
    sides = {"expected": difference.sides[0], "got": difference.sides[1]} if difference.sides else {}
    return {"way": difference.way, "message": difference.message, **sides, **_at(difference.place)}
