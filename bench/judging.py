"""How well texts are read: counts per pattern, precision and recall per kind, and the worst mistakes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import sqrt

from bench.texts import Labelled
from engine.heal.detect import diagnose, matching
from engine.model.failure import Diagnosis, Evidence, Failure, FailureKind, Pattern

QUANTILE = 1.959964
"""The 97.5 % quantile of the normal distribution, for a two-sided 95 % interval."""

LOGIN = frozenset({FailureKind.AUTH_EXPIRED})
CONNECT = frozenset({FailureKind.NETWORK_UNREACHABLE, FailureKind.DNS_FAILURE, FailureKind.CONNECTION_REFUSED})
ACTING = LOGIN | CONNECT
"""Kinds that make something log in or connect."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A text, and the kind it was read as."""

    text: Labelled
    kind: FailureKind

    @property
    def spoke(self) -> bool:
        """Whether it was given a kind at all."""
        return self.kind is not FailureKind.UNKNOWN

    @property
    def right(self) -> bool:
        """Whether it was given its own kind."""
        return self.kind is self.text.kind

    @property
    def misread(self) -> bool:
        """Whether it was taken for a kind that makes something act, and is another."""
        return self.kind in ACTING and not self.right

    @property
    def helpless(self) -> bool:
        """Whether a login or a connect would follow that cannot help: the worst mistake."""
        return self.misread and not (self.kind in CONNECT and self.text.kind in CONNECT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How often it was asked, spoke, and spoke truly."""

    asked: int
    spoke: int
    right: int

    @property
    def precision(self) -> float:
        """The share of what was said that is true; 1.0 if nothing was said."""
        return self.right / self.spoke if self.spoke else 1.0

    def __str__(self) -> str:
        return (
            f"{self.asked:4} texts  spoke {_share(self.spoke, self.asked)}  precision {self.precision:4.0%}"
            f"  right {_share(self.right, self.asked)}"
        )


def _share(part: int, whole: int) -> str:
    return f"{part / whole:4.0%}" if whole else "   -"


def score(readings: Iterable[Reading]) -> Score:
    """The figures of these readings."""
    found = tuple(readings)
    return Score(asked=len(found), spoke=sum(each.spoke for each in found), right=sum(each.right for each in found))


def interval(found: int, asked: int) -> tuple[float, float]:
    """The two-sided 95 % interval (Wilson) of a rate; (0, 1) if nothing was asked."""
    if not asked:
        return (0.0, 1.0)
    rate, square = found / asked, QUANTILE * QUANTILE / asked
    middle = (rate + square / 2) / (1 + square)
    spread = sqrt(rate * (1 - rate) * square + square * square / 4) / (1 + square)
    return (max(0.0, middle - spread), min(1.0, middle + spread))


def read(text: Labelled, patterns: Sequence[Pattern], *, structured: bool = True) -> Diagnosis:
    """What the engine makes of a text, with the exit status if `structured`."""
    status = text.exit_status if structured else None
    evidence = Evidence(text=text.text, program=text.program or None, exit_status=status)
    return diagnose(Failure(message="", evidence=evidence), patterns)


def readings(
    texts: Iterable[Labelled], patterns: Sequence[Pattern], spoken: Mapping[Labelled, frozenset[str]]
) -> tuple[Reading, ...]:
    """What the engine makes of each text with its exit status; `spoken` tells which patterns speak on it."""
    usable = ((text, [each for each in patterns if each.id in spoken[text]]) for text in texts)
    return tuple(Reading(text=text, kind=read(text, chosen).kind) for text, chosen in usable)


def heard(patterns: Sequence[Pattern], texts: Sequence[Labelled]) -> dict[Labelled, frozenset[str]]:
    """For each text, the ids of the patterns that speak on it."""
    return {text: frozenset(pattern.id for pattern in matching(text.text, text.program, patterns)) for text in texts}


def counts(patterns: Sequence[Pattern], spoken: Mapping[Labelled, frozenset[str]]) -> dict[str, tuple[int, int]]:
    """For each pattern, on how many texts it spoke and on how many of them truly."""
    seen: Counter[str] = Counter()
    right: Counter[str] = Counter()
    kinds = {pattern.id: pattern.kind for pattern in patterns}
    for text, names in spoken.items():
        seen.update(names)
        right.update(name for name in names if kinds[name] is text.kind)
    return {pattern.id: (seen[pattern.id], right[pattern.id]) for pattern in patterns}


def counted(patterns: Iterable[Pattern], figures: Mapping[str, tuple[int, int]]) -> tuple[Pattern, ...]:
    """The patterns with these counts."""
    return tuple(replace(pattern, seen=figures[pattern.id][0], right=figures[pattern.id][1]) for pattern in patterns)


def held_out(
    patterns: Sequence[Pattern], spoken: Mapping[Labelled, frozenset[str]]
) -> Iterator[tuple[str, tuple[Reading, ...]]]:
    """For each program, how its texts are read by patterns whose counts come from all others only.

    A pattern that was never right elsewhere may not speak. Exit statuses are not looked at.
    """
    for source in sorted({text.source for text in spoken if text.kind}):
        figures = counts(patterns, {text: names for text, names in spoken.items() if text.source != source})
        allowed = {each.id: each for each in counted(patterns, figures) if each.right}
        texts = [text for text in spoken if text.source == source]
        usable = {text: [each for name, each in allowed.items() if name in spoken[text]] for text in texts}
        yield (
            source,
            tuple(
                Reading(text=text, kind=read(text, chosen, structured=False).kind) for text, chosen in usable.items()
            ),
        )


def confusion(found: Iterable[Reading]) -> Counter[tuple[FailureKind, FailureKind]]:
    """How often a text of the first kind was read as the second."""
    return Counter((each.text.kind, each.kind) for each in found if each.text.kind)
