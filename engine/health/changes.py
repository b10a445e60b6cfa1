"""What people are told: every change once, whoever made the look before; pure functions on reports."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from engine.model.health import HealthCheck, HealthNotice, HealthReport, Part, Remembered, Wellbeing, subject

Known = Mapping[str, Remembered]
"""What is remembered of each part, by its name among all."""


def settled(report: HealthReport, known: Known) -> tuple[HealthReport, tuple[HealthNotice, ...]]:
    """The report with what people were told of each part, and the notices that tell them what is new."""
    checks, notices = [], []
    for check in report.checks:
        parts = []
        for part in check.parts:
            name = subject(check.name, part.name)
            after, told = _settled(part, known.get(name), name)
            parts.append(after)
            notices += told
        checks.append(HealthCheck(name=check.name, parts=tuple(parts)))
    return replace(report, checks=tuple(checks)), tuple(_joined(notices))


def _settled(part: Part, before: Remembered | None, name: str) -> tuple[Part, list[HealthNotice]]:
    since = before.since if before is not None and before.state is part.state else part.at
    told = before.told if before is not None else None
    told = told if told is not None else Wellbeing.WELL
    notices = list(_notices(part, before, told, name))
    return replace(part, since=since, told=notices[-1].state if notices else told), notices


def _notices(part: Part, before: Remembered | None, told: Wellbeing, name: str) -> Iterator[HealthNotice]:
    """What is told of one part: the trouble, though it was repaired at once, and that it is over."""
    if part.fixed and part.before is Wellbeing.UNWELL and told is not Wellbeing.UNWELL:
        yield _trouble(part, Wellbeing.UNWELL, part.trouble, told, name)
        told = Wellbeing.UNWELL
    if part.state is told or not _certain(part, before):
        return
    if part.state is Wellbeing.WELL:
        yield _recovered(part, told, name)
    else:
        yield _trouble(part, part.state, part.message, told, name)


def _certain(part: Part, before: Remembered | None) -> bool:
    """Whether a state is told at once; that something is not known may pass, so it must be so twice in a row."""
    return part.state is not Wellbeing.UNKNOWN or (before is not None and before.state is Wellbeing.UNKNOWN)


def _trouble(part: Part, state: Wellbeing, message: str, was: Wellbeing, name: str) -> HealthNotice:
    return HealthNotice(
        text=name,
        state=state,
        at=part.at,
        subjects=(name,),
        message=message,
        was=was,
        fix="" if part.fixed else part.fix,
    )


def _recovered(part: Part, was: Wellbeing, name: str) -> HealthNotice:
    return HealthNotice(
        text=name,
        state=Wellbeing.WELL,
        at=part.at,
        subjects=(name,),
        level="note",
        message=f"{part.fix} repaired it" if part.fixed else "",
        was=was,
    )


def _joined(notices: Iterable[HealthNotice]) -> Iterator[HealthNotice]:
    """One notice for all parts of which the same is to be told, worded for people."""
    grouped: dict[tuple[Wellbeing, str, str, Wellbeing | None], list[HealthNotice]] = {}
    for notice in notices:
        grouped.setdefault((notice.state, notice.message, notice.fix, notice.was), []).append(notice)
    for group in sorted(grouped.values(), key=lambda group: group[0].state is Wellbeing.WELL):
        subjects = tuple(dict.fromkeys(name for notice in group for name in notice.subjects))
        yield replace(group[0], subjects=subjects, text=_worded(group[0], subjects))


def _worded(notice: HealthNotice, subjects: tuple[str, ...]) -> str:
    who, many = _listed(subjects), len(subjects) > 1
    match notice.state:
        case Wellbeing.WELL:
            said = f"{who} {'are' if many else 'is'} well again"
        case Wellbeing.ENDING:
            said = f"{who} will soon fail"
        case Wellbeing.UNKNOWN:
            said = f"nobody knows how {who} {'are' if many else 'is'}"
        case _:
            said = f"{who} {'are' if many else 'is'} not well"
    more = f": {notice.message}" if notice.message else ""
    return f"{said}{more}{f'; {notice.fix} did not help' if notice.fix else ''}"


def _listed(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
