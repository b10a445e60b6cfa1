"""What memory already knows about a failure."""

from __future__ import annotations

from engine.heal.request import KnownFixes
from engine.model.failure import Diagnosis, Failure
from engine.model.heal import KnownIssue


def recall(failure: Failure, diagnosis: Diagnosis, fixes: KnownFixes) -> tuple[KnownIssue, ...]:
    """Known issues, the matched pattern's first, then those recorded for this very tool; each said once."""
    text = f"{failure.message}\n{failure.evidence.text}"
    found = (*_of_pattern(diagnosis), *fixes.known(failure.tool, text))
    return tuple({(issue.meaning, issue.root_cause, issue.fix): issue for issue in reversed(found)}.values())[::-1]


def _of_pattern(diagnosis: Diagnosis) -> tuple[KnownIssue, ...]:
    pattern = diagnosis.pattern
    if pattern is None or not (pattern.meaning or pattern.commands):
        return ()
    issue = KnownIssue(
        source="patterns.yaml", meaning=pattern.meaning, fix=pattern.fix or "", commands=pattern.commands
    )
    return (issue,)
