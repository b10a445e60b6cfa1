"""What is learnt from history and put before people: proposals, and what became of them."""

from __future__ import annotations

from enum import StrEnum

from engine.model.failure import FailureKind
from engine.model.lazy_dataclass import dataclass


class ProposalStatus(StrEnum):
    """Whether a person has decided: not yet, kept, or never to be proposed again."""

    OPEN = "open"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


class About(StrEnum):
    """What is proposed: a pattern that names an error, or a repair that a person made by hand."""

    PATTERN = "pattern"
    REPAIR = "repair"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """Something learnt from history that does nothing until a person has accepted it.

    `text` is the failure's line with times, ids, paths and numbers levelled; `example` one such line as it was said,
    secrets masked. `times` counts failures, `first_seen` and `last_seen` are seconds since the epoch. A pattern brings
    `pattern`, `kind`, `fix` and `program`; `seen` and `right` count failures whose kind is known otherwise, and those
    of them that had this one. A repair brings the words `error_pattern` of the tool's error, `root_cause` and
    `fix_applied`.
    """

    id: str
    about: About
    text: str
    because: str
    example: str
    tools: tuple[str, ...] = ()
    times: int = 0
    first_seen: float = 0.0
    last_seen: float = 0.0
    status: ProposalStatus = ProposalStatus.OPEN
    pattern: str = ""
    kind: FailureKind = FailureKind.UNKNOWN
    fix: str = ""
    program: str = ""
    seen: int = 0
    right: int = 0
    error_pattern: str = ""
    root_cause: str = ""
    fix_applied: str = ""
