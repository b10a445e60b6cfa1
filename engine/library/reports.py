"""Findings as text for people and as JSON, annotations and SARIF for machines."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import quote

from engine.library.codes import meaning
from engine.model.place import Finding, Severity


class ReportFormat(StrEnum):
    """The forms in which `skill check` tells what it found."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"
    SARIF = "sarif"


def report(findings: Sequence[Finding], form: ReportFormat, *, root: Path | None = None) -> str:
    """The findings in one of the forms, without a final line break; the text form of none is empty.

    Files inside `root` are named from there on, as the machines behind the last two forms expect of a repository.
    """
    return _FORMS[form]([_seen_from(root, finding) for finding in findings] if root else findings)


def as_text(findings: Iterable[Finding]) -> str:
    """One finding on a line: `file:line:column: code message (hint)`."""
    return "\n".join(map(str, findings))


def as_json(findings: Iterable[Finding]) -> str:
    """A JSON list of flat objects."""
    return json.dumps([_record(finding) for finding in findings], indent=2, ensure_ascii=False)


def as_github(findings: Iterable[Finding]) -> str:
    """Workflow commands that GitHub shows beside the lines of a pull request."""
    return "\n".join(_annotation(finding) for finding in findings)


def as_sarif(findings: Sequence[Finding]) -> str:
    """A SARIF 2.1.0 log with one run."""
    codes = sorted({finding.code for finding in findings})
    run = {
        "tool": {"driver": {"name": "skill check", "rules": [_rule(code) for code in codes]}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, codes) for finding in findings],
    }
    schema = "https://json.schemastore.org/sarif-2.1.0.json"
    return json.dumps({"$schema": schema, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False)


_FORMS: Mapping[ReportFormat, Callable[[Sequence[Finding]], str]] = {
    ReportFormat.TEXT: as_text,
    ReportFormat.JSON: as_json,
    ReportFormat.GITHUB: as_github,
    ReportFormat.SARIF: as_sarif,
}


def _seen_from(root: Path, finding: Finding) -> Finding:
    path = Path(finding.place.file)
    if not path.is_relative_to(root):
        return finding
    return replace(finding, place=replace(finding.place, file=path.relative_to(root).as_posix()))


def _sentence(finding: Finding) -> str:
    return f"{finding.message} ({finding.hint})" if finding.hint else finding.message


def _record(finding: Finding) -> dict[str, Any]:
    return {
        "file": finding.place.file,
        "line": finding.place.line,
        "column": finding.place.column,
        "severity": finding.severity.value,
        "code": str(finding.code),
        "message": finding.message,
        "hint": finding.hint,
    }


def _annotation(finding: Finding) -> str:
    place = finding.place
    properties = {"file": place.file, "line": place.line, "col": place.column, "title": str(finding.code)}
    listed = ",".join(f"{name}={_escaped_property(str(value))}" for name, value in properties.items())
    return f"::{finding.severity} {listed}::{_escaped(_sentence(finding))}"


def _escaped(text: str) -> str:
    """A line break would end the command, so it is written as its code; `%` first, as the code uses it."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escaped_property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")


def _rule(code: str) -> dict[str, Any]:
    return {"id": str(code), "shortDescription": {"text": meaning(code)}}


def _result(finding: Finding, codes: Sequence[str]) -> dict[str, Any]:
    place = finding.place
    location = {
        "artifactLocation": {"uri": quote(place.file, safe="/")},
        "region": {"startLine": place.line, "startColumn": place.column},
    }
    return {
        "ruleId": str(finding.code),
        "ruleIndex": codes.index(finding.code),
        "level": "error" if finding.severity is Severity.ERROR else "warning",
        "message": {"text": _sentence(finding)},
        "locations": [{"physicalLocation": location}],
    }
