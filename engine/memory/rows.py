"""From a row of `patterns.yaml` to a pattern; what a row does wrong is said with its line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from engine.documents import Document
from engine.memory import expressions
from engine.model.failure import FailureKind, Pattern
from engine.model.place import Finding, Severity

SECTION = r"(?:[a-z][a-z0-9_]*_)?patterns"
"""Names of the lists of patterns; groups are for the reader, the engine makes no difference."""
_NAME = r"[A-Za-z][A-Za-z0-9_.-]{0,99}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PatternRow:
    """One pattern, where it stands in the file, and how often it was right on the texts it was shipped with."""

    path: tuple[str, int]
    pattern: Pattern
    shipped_seen: int
    shipped_right: int
    written: tuple[Any, Any, Any]
    """What the engine wrote last: observations, confirmed, confidence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """The patterns of a file in its order, and its mistakes."""

    rows: tuple[PatternRow, ...]
    findings: tuple[Finding, ...]


def rows(document: Document) -> Rows:
    """Every usable pattern of the document; a row with a mistake in it is left out and reported."""
    found: dict[str, PatternRow] = {}
    findings: list[Finding] = []
    for path, row in _entries(document):
        mistake = _mistake(document, path, row)
        if mistake is not None:
            findings.append(mistake)
            continue
        made = _row(path, row)
        if made.pattern.id in found:
            message = f"the id {made.pattern.id} stands twice; only the first is used"
            findings.append(_finding(document, (*path, "id"), "duplicate-id", message, "give each its own id"))
            continue
        found[made.pattern.id] = made
    return Rows(rows=tuple(found.values()), findings=tuple(findings))


def _entries(document: Document) -> Iterator[tuple[tuple[str, int], Any]]:
    if not isinstance(document.value, dict):
        return
    for section, entries in document.value.items():
        if re.fullmatch(SECTION, section) and isinstance(entries, list):
            yield from (((section, index), row) for index, row in enumerate(entries))


def _mistake(document: Document, path: tuple[str, int], row: Any) -> Finding | None:
    if not isinstance(row, dict):
        return _finding(document, path, "wrong-type", "a pattern is a mapping", "begin it with `- id: NAME`")
    key = "pattern" if "pattern" in row else "expression"
    expression = row.get(key)
    if not isinstance(expression, str) or not expression:
        hint = "give the words a failing tool says, as a regular expression"
        return _finding(document, (*path, key), "no-pattern", "this entry has no `pattern`", hint)
    if row.get("kind") not in FailureKind.__members__.values():
        message = f"{row['kind']} is not a kind of failure" if row.get("kind") else "this entry has no `kind`"
        hint = f"one of: {', '.join(FailureKind)}"
        return _finding(document, (*path, "kind"), "unknown-kind", message, hint)
    fault = expressions.fault(expression)
    if fault:
        hint = "until it is mended the engine goes on without it"
        return _finding(document, (*path, key), "bad-pattern", f"the pattern {fault}", hint)
    return None


def _row(path: tuple[str, int], row: Mapping[str, Any]) -> PatternRow:
    expression = str(row.get("pattern") or row.get("expression"))
    seen, right = _count(row, "seen"), _count(row, "right")
    observations = _count(row, "observations") if "observations" in row else seen
    confirmed = _count(row, "confirmed") if "confirmed" in row else right
    pattern = Pattern(
        id=str(row.get("id") or _slug(expression)),
        expression=expression,
        kind=FailureKind(row["kind"]),
        meaning=_text(row, "meaning"),
        program=_text(row, "program") or None,
        fix=_fix(row),
        fix_args=row["fix_args"] if isinstance(row.get("fix_args"), dict) else {},
        commands=_texts(row, "commands"),
        seen=observations,
        right=min(confirmed, observations),
        untouched=row["untouched"] if isinstance(row.get("untouched"), bool) else None,
    )
    written = (row.get("observations"), row.get("confirmed"), row.get("confidence"))
    return PatternRow(path=path, pattern=pattern, shipped_seen=seen, shipped_right=min(right, seen), written=written)


def _fix(row: Mapping[str, Any]) -> str | None:
    """A role or a tool; a sentence there is advice for people, and the schema says so."""
    fix = row.get("fix")
    return fix if isinstance(fix, str) and re.fullmatch(_NAME, fix) else None


def _slug(expression: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", expression.lower()).strip("-")[:60] or "pattern"


def _count(row: Mapping[str, Any], name: str) -> int:
    value = row.get(name)
    return max(0, value) if isinstance(value, int) and not isinstance(value, bool) else 0


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    return value if isinstance(value, str) else ""


def _texts(row: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = row.get(name)
    return tuple(str(text) for text in value) if isinstance(value, list) else ()


def _finding(document: Document, path: tuple[str | int, ...], code: str, message: str, hint: str) -> Finding:
    return Finding(place=document.place(path), code=code, message=message, hint=hint, severity=Severity.WARNING)
