"""From a row of `patterns.yaml` to a pattern; what a row does wrong is said with its line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from engine.documents import Document
from engine.memory import expressions
from engine.memory.words import Words, key
from engine.model.failure import FailureKind, Pattern
from engine.model.lazy_dataclass import dataclass
from engine.model.place import Finding, Place, Severity

SECTION = r"(?:[a-z][a-z0-9_]*_)?patterns"
"""Names of the lists of patterns; groups are for the reader, the engine makes no difference."""
_NAME = r"[A-Za-z][A-Za-z0-9_.-]{0,99}"
SHIPPED = "shipped_patterns"
"""The list of the live file that gets the statistics of shipped patterns."""
ABOUT_ITS_WORDS = frozenset({"pattern", "expression", "seen", "right", "confidence", "example", "provenance"})
"""Fields of a shipped row that say nothing of other words than its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PatternRow:
    """One pattern, where it stands in the live file, and how often it was right on the texts it was shipped with."""

    path: tuple[str, int] | None
    """None for a shipped one of which the live file says nothing."""
    pattern: Pattern
    shipped_seen: int
    shipped_right: int
    written: tuple[Any, Any, Any]
    """What the engine wrote last: observations, confirmed, confidence."""
    told: Mapping[str, Any]
    """The row as it counts, the shipped fields among it."""
    weight: float = 1.0
    """With which share what was observed here counts, since it has not been seen for long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """The patterns of a file in its order, then the shipped ones; and the file's mistakes."""

    rows: tuple[PatternRow, ...]
    findings: tuple[Finding, ...]
    misshapen: tuple[Finding, ...] = ()
    """What stands where a list of patterns is due; all the rest of the file counts."""


def rows(live: Document | None, seed: Document | None = None, words: Words = MappingProxyType({})) -> Rows:
    """Every usable pattern of the live file, and of the shipped ones those it neither replaces nor switches off.

    A row with the id of a shipped one says only what is different. A row with a mistake in it is left out and reported,
    and the shipped one stands in for it. `words` are those of expressions, as `engine.memory.words` knows them.
    """
    shipped = {_id(row): row for _, row in _entries(seed) if isinstance(row, dict)}
    found: dict[str, PatternRow] = {}
    findings: list[Finding] = []
    off: set[str] = set()
    for path, row in _entries(live):
        whole = _over(shipped, row)
        if _of_another_version(path, whole):
            continue
        mistake = _mistake(live, path, whole, shipped)
        name = "" if mistake else _id(whole)
        if not mistake and name in found | dict.fromkeys(off):
            message = f"the id {name} stands twice; only the first is used"
            mistake = _finding(live, (*path, "id"), "duplicate-id", message, "give each its own id")
        if mistake:
            findings.append(mistake)
        elif whole.get("off") is True:
            off.add(name)
        else:
            found[name] = _row(path, whole, row, words)
    rest = (row for name, row in shipped.items() if name not in found and name not in off)
    usable = (_row(None, row, {}, words) for row in rest if _mistake(seed, (), row, shipped) is None)
    misshapen = _misshapen(live)
    return Rows(rows=(*found.values(), *usable), findings=(*misshapen, *findings), misshapen=misshapen)


def _of_another_version(path: tuple[str, int], row: Any) -> bool:
    """Whether it is the statistics of a pattern that is no longer shipped, or not yet."""
    return path[0] == SHIPPED and isinstance(row, dict) and bool(row.get("id")) and not _expression(row)


def _over(shipped: Mapping[str, Mapping[str, Any]], row: Any) -> Any:
    """The row with what the shipped one of its id says beside it; the counts of other words than these are left out."""
    beneath = shipped.get(_id(row)) if isinstance(row, dict) else None
    if beneath is None:
        return row
    if _expression(row) not in ("", _expression(beneath)):
        beneath = {name: value for name, value in beneath.items() if name not in ABOUT_ITS_WORDS}
    return {**beneath, **row}


def _entries(document: Document | None) -> Iterator[tuple[tuple[str, int], Any]]:
    if document is None or not isinstance(document.value, dict):
        return
    for section, entries in document.value.items():
        if re.fullmatch(SECTION, section) and isinstance(entries, list):
            yield from (((section, index), row) for index, row in enumerate(entries))


def _misshapen(document: Document | None) -> tuple[Finding, ...]:
    if document is None or document.value is None:
        return ()
    if not isinstance(document.value, dict):
        return (_finding(document, (), "wrong-type", "lists of patterns are due here", "begin with `patterns:`"),)
    return tuple(
        _finding(document, (name,), "wrong-type", f"{name} must be a list of patterns", "begin each with `- id: NAME`")
        for name, value in document.value.items()
        if re.fullmatch(SECTION, name) and not isinstance(value, list | None)
    )


def _mistake(
    document: Document | None, path: tuple[str, int] | tuple[()], row: Any, shipped: Mapping[str, Mapping[str, Any]]
) -> Finding | None:
    if not isinstance(row, dict):
        return _finding(document, path, "wrong-type", "a pattern is a mapping", "begin it with `- id: NAME`")
    key = "pattern" if "pattern" in row else "expression"
    expression = row.get(key)
    if row.get("off") is True and row.get("id"):
        return None
    if not isinstance(expression, str) or not expression:
        hint = "give the words a failing tool says, as a regular expression"
        return _finding(document, (*path, key), "no-pattern", "this entry has no `pattern`", hint)
    if row.get("kind") not in FailureKind.__members__.values():
        message = f"{row['kind']} is not a kind of failure" if row.get("kind") else "this entry has no `kind`"
        hint = f"one of: {', '.join(FailureKind)}"
        return _finding(document, (*path, "kind"), "unknown-kind", message, hint)
    # What is shipped was tried before it was; to try it again would cost every process that heals 0.4 s.
    fault = "" if expression == _expression(shipped.get(_id(row), {})) else expressions.fault(expression)
    if fault:
        hint = "until it is mended the engine goes on without it"
        return _finding(document, (*path, key), "bad-pattern", f"the pattern {fault}", hint)
    return None


def _row(path: tuple[str, int] | None, row: Mapping[str, Any], written: Mapping[str, Any], words: Words) -> PatternRow:
    seen, right = _count(row, "seen"), _count(row, "right")
    observations = _count(row, "observations") if "observations" in row else seen
    confirmed = _count(row, "confirmed") if "confirmed" in row else right
    weight = _share(row, "weight")
    pattern = Pattern(
        id=_id(row),
        expression=_expression(row),
        kind=FailureKind(row["kind"]),
        meaning=_text(row, "meaning"),
        program=_text(row, "program") or None,
        fix=_fix(row),
        fix_args=row["fix_args"] if isinstance(row.get("fix_args"), dict) else {},
        commands=_texts(row, "commands"),
        seen=weighed(seen, observations, weight),
        right=weighed(right, min(confirmed, observations), weight),
        untouched=row["untouched"] if isinstance(row.get("untouched"), bool) else None,
        words=words.get(key(_expression(row)), ()),
    )
    return PatternRow(
        path=path,
        pattern=pattern,
        shipped_seen=seen,
        shipped_right=min(right, seen),
        written=(written.get("observations"), written.get("confirmed"), written.get("confidence")),
        told=row,
        weight=weight,
    )


def weighed(shipped: int, counted: int, weight: float) -> int:
    """A count of which only the shipped part counts wholly, and what was added here with that weight."""
    return shipped + round(weight * max(0, counted - shipped))


def _id(row: Mapping[str, Any]) -> str:
    return str(row.get("id") or _slug(_expression(row)))


def _expression(row: Mapping[str, Any]) -> str:
    expression = row.get("pattern") or row.get("expression")
    return expression if isinstance(expression, str) else ""


def _fix(row: Mapping[str, Any]) -> str | None:
    """A role or a tool; a sentence there is advice for people, and the schema says so."""
    fix = row.get("fix")
    return fix if isinstance(fix, str) and re.fullmatch(_NAME, fix) else None


def _slug(expression: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", expression.lower()).strip("-")[:60] or "pattern"


def _count(row: Mapping[str, Any], name: str) -> int:
    value = row.get(name)
    return max(0, value) if isinstance(value, int) and not isinstance(value, bool) else 0


def _share(row: Mapping[str, Any], name: str) -> float:
    value = row.get(name, 1.0)
    return min(1.0, max(0.0, float(value))) if isinstance(value, int | float) and not isinstance(value, bool) else 1.0


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    return value if isinstance(value, str) else ""


def _texts(row: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = row.get(name)
    return tuple(str(text) for text in value) if isinstance(value, list) else ()


def _finding(document: Document | None, path: tuple[str | int, ...], code: str, message: str, hint: str) -> Finding:
    place = document.place(path) if document is not None else Place(file="", line=1, column=1)
    return Finding(place=place, code=code, message=message, hint=hint, severity=Severity.WARNING)
