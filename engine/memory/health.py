"""The health book: what the last look at the environment found, as people and the next look read it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from engine.documents import Document
from engine.documents import findings as schema_findings
from engine.errors import DocumentError
from engine.memory.store import Store
from engine.model.health import HealthCheck, HealthReport, Part, PredictedIssue, Remembered, Wellbeing, subject
from engine.model.secret import Secrets

FILE = "state/environment_health.yaml"
SCHEMA = "environment_health"
EMPTY = """\
# What the last look at the environment found: written by `skill health check` and `skill health watch`. What you change
# below is overwritten by the next look; comments stay. Times are UTC. Fields: memory/README.md.

last_checked: "1970-01-01T00:00:00Z"
health_checks: {}
predicted_issues: []
"""
LONGEST = 500
"""Characters of a message that are kept."""
MOST = 100
"""Domains, skills and issues that are written; the schema allows no more."""

_VALID: Mapping[Wellbeing, bool | None] = {
    Wellbeing.WELL: True,
    Wellbeing.ENDING: True,
    Wellbeing.UNWELL: False,
    Wellbeing.UNKNOWN: None,
}


class HealthBook:
    """Reads and writes `state/environment_health.yaml`; a broken file is reported, and left as it is."""

    def __init__(self, store: Store, *, secrets: Secrets) -> None:
        self._store = store
        self._secrets = secrets

    def content(self) -> Mapping[str, Any]:
        """What the file says; empty where there is none. Raises DocumentError when it is broken."""
        document = self._store.document(FILE)
        if document is None:
            return {}
        _insist(document)
        return document.value if isinstance(document.value, dict) else {}

    def remembered(self) -> dict[str, Remembered]:
        """How each part was at the look before; empty where the file does not say, or is broken."""
        with suppress(DocumentError):
            return _remembered(self.content())
        return {}

    def update(self, settle: Callable[[Mapping[str, Remembered]], HealthReport]) -> None:
        """Writes the report that `settle` makes of what the file remembers; the file is locked meanwhile.

        Two looks at the same time thus do not tell the same twice. Raises DocumentError when the file is broken or
        cannot be written; `settle` may have been asked by then.
        """
        with self._store.editing(FILE, empty=EMPTY) as editing:
            _insist(editing.document)
            wanted = self._secrets.mask(_content(settle(_remembered(editing.value))))
            for name, value in wanted.items():
                editing.set((name,), value)


def _insist(document: Document) -> None:
    found = schema_findings(document, SCHEMA)
    if found:
        raise DocumentError(found[0].message, findings=found, hint=found[0].hint)


def _remembered(content: Any) -> dict[str, Remembered]:
    """How each part was, and what people were told of it."""
    checks = content.get("health_checks") if isinstance(content, dict) else None
    found: dict[str, Remembered] = {}
    for name, check in (checks or {}).items():
        details = check.get("details")
        parts = {"": check} if details is None else details
        for part, said in parts.items():
            known = _known(said)
            if known is not None:
                found[subject(name, part)] = known
    return found


def _known(said: Mapping[str, Any]) -> Remembered | None:
    with suppress(ValueError, KeyError, TypeError):
        told = Wellbeing(said["told"]) if said.get("told") else None
        return Remembered(state=Wellbeing(said["state"]), since=_moment(said.get("since")), told=told)
    return None


def _content(report: HealthReport) -> dict[str, Any]:
    return {
        "last_checked": utc(report.at),
        "health_checks": {check.name: _check(check) for check in report.checks[:MOST]},
        "predicted_issues": [_issue(issue) for issue in report.issues[:MOST]],
    }


def _check(check: HealthCheck) -> dict[str, Any]:
    at = max(part.at for part in check.parts)
    if len(check.parts) == 1 and not check.parts[0].name:
        return _without_nothing({"healthy": _VALID[check.state], "last_checked": utc(at), **_told(check.parts[0])})
    details = {part.name: {"valid": _VALID[part.state], **_told(part)} for part in check.parts}
    user = next((part.user for part in check.parts if part.user), "")
    whole = {
        "healthy": _VALID[check.state],
        "last_checked": utc(at),
        "expires": utc(check.expires_at),
        "user": user[:200],
        "message": "; ".join(part.message for part in check.parts if part.message)[:LONGEST],
    }
    shown = {name: _without_nothing(part) for name, part in details.items()}
    return {**_without_nothing(whole), "details": shown}


def _told(part: Part) -> dict[str, Any]:
    named = {"user": part.user[:200]} if not part.name else {}
    return {
        "state": part.state.value,
        "since": utc(part.since),
        "told": part.told.value if part.told else None,
        "expires": utc(part.expires_at),
        **named,
        "message": part.message[:LONGEST],
    }


def _issue(issue: PredictedIssue) -> dict[str, Any]:
    found = {
        "type": issue.type,
        "domain": issue.domain,
        "probability": round(issue.probability, 3),
        "time_to_failure": None if issue.left is None else spoken(issue.left),
        "proactive_fix": issue.proactive_fix[:200],
        "sequence": issue.sequence,
    }
    return _without_nothing(found)


def _without_nothing(found: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is not known; that a state is not known is said (`healthy: null`)."""
    return {name: value for name, value in found.items() if name in {"healthy", "valid"} or value not in (None, "")}


def spoken(seconds: float) -> str:
    """A span of time in words, as the reference has it: `8 minutes`."""
    for limit, unit, word in ((120, 1, "seconds"), (7_200, 60, "minutes"), (172_800, 3_600, "hours")):
        if seconds < limit:
            count = f"{max(0.0, seconds) / unit:.0f}"
            return f"{count} {word[:-1] if count == '1' else word}"
    return f"{seconds / 86_400:.0f} days"


def utc(moment: float | None) -> str | None:
    """A moment as the file has it; None for none, and for one that no calendar has."""
    with suppress(ValueError, OverflowError, OSError):
        return None if moment is None else datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return None


def _moment(text: Any) -> float | None:
    with suppress(ValueError):
        return datetime.fromisoformat(text).timestamp() if isinstance(text, str) else None
    return None


__all__ = ["EMPTY", "FILE", "HealthBook", "spoken", "utc"]
