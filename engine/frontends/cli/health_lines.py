"""What a look found, as lines for people and as data; pure functions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from engine.health.monitor import Happening
from engine.memory.health import spoken, utc
from engine.model.health import HealthReport, Part, Wellbeing, subject

SIGNS = {
    Wellbeing.WELL: ("✓", "green"),
    Wellbeing.ENDING: ("!", "yellow"),
    Wellbeing.UNKNOWN: ("?", "yellow"),
    Wellbeing.UNWELL: ("✗", "red"),
}


def report_lines(report: HealthReport) -> Iterator[tuple[str, str, str | None]]:
    """A head and what is told beside it for each part, and for each issue that is foretold; each with its colour."""
    parts = [(subject(check.name, part.name), part) for check in report.checks for part in check.parts]
    if not parts:
        yield "", "there is nothing to look at: no domain has a check, and there is no skill in skills/health", None
        return
    width = max(len(name) for name, _ in parts)
    for name, part in parts:
        sign, colour = ("✚", "green") if part.fixed else SIGNS[part.state]
        yield f"  {sign} {name.ljust(width)}  ", _told(part, report.at), colour
    for issue in report.issues:
        left = f" in {spoken(issue.left)}" if issue.left is not None else ""
        fix = f"; {issue.proactive_fix} would prevent it" if issue.proactive_fix else ""
        why = f" ({issue.sequence})" if issue.sequence else ""
        yield "  foretold: ", f"{issue.type} in {issue.domain}{left}, {issue.probability:.0%}{why}{fix}", None


def _told(part: Part, now: float) -> str:
    holds = f"holds {spoken(part.expires_at - now)}" if part.expires_at is not None and part.expires_at > now else ""
    who = f"for {part.user}" if part.user and holds else ""
    repaired = f"{part.fix} repaired it: {part.trouble}" if part.fixed else ""
    well = part.state is Wellbeing.WELL
    said = [repaired, " ".join(filter(None, (holds, who))) if well else "", part.message]
    return "; ".join(each for each in said if each)


def found_line(report: HealthReport) -> str:
    """How everything is, in one line."""
    states = [part.state for check in report.checks for part in check.parts]
    bad = [f"{states.count(state)} {state.value}" for state in SIGNS if state is not Wellbeing.WELL and state in states]
    return f"{len(states)} looked at: {', '.join(bad) if bad else 'all well'}"


def report_record(report: HealthReport) -> dict[str, Any]:
    """A report as data."""
    return {
        "at": report.at,
        "state": report.state.value,
        "healthy": not report.needs_somebody,
        "checks": [
            {
                "name": check.name,
                "state": check.state.value,
                "parts": [part_record(part) for part in check.parts],
            }
            for check in report.checks
        ],
        "predicted_issues": [
            {
                "type": issue.type,
                "domain": issue.domain,
                "probability": issue.probability,
                "seconds_left": issue.left,
                "proactive_fix": issue.proactive_fix,
                "sequence": issue.sequence,
            }
            for issue in report.issues
        ],
    }


def part_record(part: Part) -> dict[str, Any]:
    """A part as data."""
    return {
        "name": part.name,
        "state": part.state.value,
        "message": part.message,
        "kind": part.kind,
        "expires_at": part.expires_at,
        "user": part.user,
        "fix": part.fix,
        "fixed": part.fixed,
        "trouble": part.trouble,
        "since": part.since,
    }


def happening_record(happening: Happening) -> dict[str, Any]:
    """What a monitor does, as data; `docs/health.md` gives the fields."""
    told: dict[str, Any] = {"health": happening.about, "at": happening.at}
    match happening:
        case Happening(about="look"):
            return {**told, "why": happening.why}
        case Happening(report=HealthReport() as report):
            found = report_record(report)
            return {**told, "why": happening.why, "seconds": round(happening.seconds, 3), **found, "at": happening.at}
        case Happening(notice=notice) if notice is not None:
            more = {"level": notice.level, "state": notice.state.value, "checks": list(notice.subjects)}
            return {**told, **more, "text": notice.text, "since": utc(notice.at)}
    return {**told, "text": happening.text}
