"""Why a call failed for good, and what a person should do: remedy skills, root causes, and what memory knows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Protocol

from engine.heal.causes import finder
from engine.heal.causes.case import Case
from engine.heal.causes.looks import Looks, NoLooks
from engine.model.heal import KnownIssue
from engine.model.lazy_dataclass import dataclass
from engine.model.remediation import RemedyStep, RootCause

PATTERNS = "patterns.yaml"
MEMORY = "known_issue"
"""What a cause is called that only memory knows."""


REMEDIES = 10.0
"""Seconds that all remedy skills of one failure may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """The root cause, if one was found; `left_out` are sentences about what could not be asked, and why.

    `looks` are the calls that were made to find it, each with how it went.
    """

    cause: RootCause | None = None
    left_out: tuple[str, ...] = ()
    looks: tuple[str, ...] = ()

    @property
    def data(self) -> dict[str, Any]:
        """It as event data: the root cause as a record, and what was looked at for it."""
        cause = self.cause.record if self.cause else None
        return {"root_cause": cause, "looks": list(self.looks), "left_out": list(self.left_out)}


class Remedies(Protocol):
    """Asks the remedies that are written as skills, found by the failure's kind."""

    async def __call__(self, case: Case, *, within: float) -> Explained:
        """What the first of them says that fits, in at most `within` seconds; never raises but for cancellation."""


async def no_remedies(case: Case, *, within: float) -> Explained:  # noqa: ARG001 - the same for all
    """There are none."""
    return Explained()


async def explain(
    case: Case,
    looks: Looks | None = None,
    *,
    known: Iterable[KnownIssue] = (),
    remedies: Remedies = no_remedies,
    within: float = REMEDIES,
) -> Explained:
    """The root cause of a failure with real values in it: a remedy skill's, else a module's, else what memory knows.

    What memory knows is added to its steps in any case. Never raises but for cancellation: a cause that breaks while it
    is looked for is left out, and said so, for it must not hide the failure itself.
    """
    explained = await remedies(case, within=min(within, REMEDIES)) if within > 0 else Explained()
    if explained.cause is None:
        found = await _by_modules(case, looks or NoLooks())
        explained = replace(found, left_out=(*explained.left_out, *found.left_out))
    return replace(explained, cause=_remembered(explained.cause, tuple(known)))


async def _by_modules(case: Case, looks: Looks) -> Explained:
    try:
        return Explained(cause=await finder.find(case, looks))
    except Exception as error:  # noqa: BLE001 - explaining that breaks must not hide the tool's failure
        said = f"looking for the root cause broke and was left out: {type(error).__name__}: {error}"
        return Explained(left_out=(said,))


def _remembered(cause: RootCause | None, known: tuple[KnownIssue, ...]) -> RootCause | None:
    """The cause with what memory adds; alone, that is a cause of its own.

    What the pattern says for all its failures stands back where a cause with this one's own values was found, and what
    was once learnt of such failures where a look has confirmed what this one comes from.
    """
    if cause is not None and cause.confirmed:
        return cause
    known = known if cause is None else tuple(issue for issue in known if issue.source != PATTERNS)
    sentences = tuple(dict.fromkeys(sentence for issue in known for sentence in _told(issue)))
    if not sentences:
        return cause
    if cause is None:
        steps = tuple(RemedyStep(text=sentence) for sentence in sentences[1:])
        return RootCause(id=MEMORY, because=sentences[0], steps=steps, source="memory")
    new = (RemedyStep(text=sentence) for sentence in sentences if sentence not in cause.sentences)
    return replace(cause, steps=(*cause.steps, *new))


def _told(issue: KnownIssue) -> list[str]:
    """What memory says; a fix that is only a role's name tells a person nothing."""
    cause = (issue.root_cause or issue.meaning).rstrip(".")
    fix = issue.fix if " " in issue.fix or "(" in issue.fix else ""
    said = [f"{cause}: {fix}" if fix else f"{cause}."] if cause or fix else []
    return [*said, *(f"Try: {command}" for command in issue.commands)]
