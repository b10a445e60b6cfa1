"""How the environment is: what the monitor looked at, what it found, what will fail soon, and what people are told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field
from enum import StrEnum
from typing import Literal

from engine.model.lazy_dataclass import dataclass


class Wellbeing(StrEnum):
    """How one part of the environment is; `ending`: it works now, and will soon not, for its token ends."""

    WELL = "well"
    ENDING = "ending"
    UNWELL = "unwell"
    UNKNOWN = "unknown"


GRAVITY = (Wellbeing.WELL, Wellbeing.ENDING, Wellbeing.UNKNOWN, Wellbeing.UNWELL)
"""From the best to the worst: a whole is as its worst part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One thing that was looked at; times in seconds since the epoch.

    `fix` is the call that was run for it, `fixed` whether that helped (None: none was run), `before` how it was before
    the fix, and `trouble` what was wrong then. `since` is when it became as it is, `told` what people were told last.
    """

    name: str
    state: Wellbeing
    at: float
    message: str = ""
    kind: str = ""
    expires_at: float | None = None
    user: str = ""
    fix: str = ""
    fixed: bool | None = None
    before: Wellbeing | None = None
    trouble: str = ""
    since: float | None = None
    told: Wellbeing | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheck:
    """A domain or a health skill, and the parts of it that were looked at."""

    name: str
    parts: tuple[Part, ...]

    @property
    def state(self) -> Wellbeing:
        """As its worst part is."""
        return worst(part.state for part in self.parts)

    @property
    def expires_at(self) -> float | None:
        """When the first of its tokens ends."""
        return min((part.expires_at for part in self.parts if part.expires_at is not None), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictedIssue:
    """Something that will fail soon; `left` in seconds until then, `sequence` the trigger that says so, if one does."""

    type: str
    domain: str
    probability: float
    left: float | None = None
    proactive_fix: str = ""
    sequence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthReport:
    """What one look at everything found; `at` when it ended, seconds since the epoch."""

    at: float
    checks: tuple[HealthCheck, ...]
    issues: tuple[PredictedIssue, ...] = ()

    @property
    def state(self) -> Wellbeing:
        """As the worst of all is."""
        return worst(check.state for check in self.checks)

    @property
    def needs_somebody(self) -> bool:
        """Whether anything is not well, or not known to be; a token that ends soon is well until then."""
        return self.state in {Wellbeing.UNWELL, Wellbeing.UNKNOWN}

    @property
    def expires_at(self) -> float | None:
        """When the first of all tokens ends."""
        return min((check.expires_at for check in self.checks if check.expires_at is not None), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What is remembered of a part from the look before: how it was, since when, and what people were told of it."""

    state: Wellbeing
    since: float | None = None
    told: Wellbeing | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthNotice:
    """A change people are told of, once; `subjects` are the parts it is about (`ephemeral/token`)."""

    text: str
    state: Wellbeing
    at: float
    subjects: tuple[str, ...]
    level: Literal["note", "warning"] = "warning"
    message: str = ""
    fix: str = ""
    was: Wellbeing | None = None
    tries: int = field(default=0, compare=False)


def worst(states: Iterable[Wellbeing]) -> Wellbeing:
    """The worst of some states; well where there is none."""
    return max(states, key=GRAVITY.index, default=Wellbeing.WELL)


def subject(check: str, part: str) -> str:
    """The name of a part among all: `ephemeral/token`; of a check that is one thing, the check's own."""
    return f"{check}/{part}" if part else check
