"""A report as JUnit XML, in the form that Ant's schema and all its relatives accept.

One `testsuite` for each file, one `testcase` for each rehearsal. A rehearsal that could not be played, and a file that
is invalid, is an `error`; an expectation that is not met is a `failure`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from engine.frontends.cli.layout import one_line, short_path
from engine.frontends.cli.rehearsal_reports import Report, diff_lines
from engine.model.lazy_dataclass import dataclass
from engine.model.rehearsal import Difference
from engine.run.rehearsal.rehearse import Verdict

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML document may hold, however they are written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """One test case; `kind` is `failure` or `error`, or empty for one that passed."""

    name: str
    seconds: float = 0.0
    kind: str = ""
    message: str = ""
    text: str = ""


def junit_xml(report: Report) -> str:
    """The whole report as a document."""
    root = Element("testsuites")
    moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    for number, (file, cases) in enumerate(_cases(report).items()):
        _suite(root, cases, {"package": "rehearsals", "id": str(number), "name": file, "timestamp": moment})
    indent(root)
    return tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _cases(report: Report) -> dict[str, list[_Case]]:
    """The cases of each file."""
    cases: dict[str, list[_Case]] = {}
    for verdict in report.verdicts:
        cases.setdefault(short_path(verdict.rehearsal.place.file), []).append(_case(verdict))
    for finding in report.findings:
        told = _Case(name=f"line {finding.place.line}", kind="error", message=finding.message, text=str(finding))
        cases.setdefault(short_path(finding.place.file), []).append(told)
    return cases


def _case(verdict: Verdict) -> _Case:
    name = verdict.rehearsal.name
    if verdict.error is not None:
        return _Case(
            name=name, seconds=verdict.seconds, kind="error", message=verdict.error.message, text=str(verdict.error)
        )
    if not verdict.differences:
        return _Case(name=name, seconds=verdict.seconds)
    first, *more = verdict.differences
    message = f"{first.message} (and {len(more)} more)" if more else first.message
    text = "\n".join(line for difference in verdict.differences for line in _told(difference))
    return _Case(name=name, seconds=verdict.seconds, kind="failure", message=message, text=text)


def _told(difference: Difference) -> Iterator[str]:
    place = difference.place
    yield f"{short_path(place.file)}:{place.line}:{place.column} {difference.way}: {difference.message}"
    yield from (f"  {line}" for line in (diff_lines(difference.sides) if difference.sides else ()))


def _suite(root: Element, cases: Sequence[_Case], attributes: dict[str, str]) -> None:
    figures = {
        "hostname": "localhost",
        "tests": str(len(cases)),
        "failures": str(sum(case.kind == "failure" for case in cases)),
        "errors": str(sum(case.kind == "error" for case in cases)),
        "time": f"{sum(case.seconds for case in cases):.3f}",
    }
    suite = SubElement(root, "testsuite", attributes | figures)
    SubElement(suite, "properties")
    for case in cases:
        told = {"name": _clean(one_line(case.name)), "classname": attributes["name"], "time": f"{case.seconds:.3f}"}
        element = SubElement(suite, "testcase", told)
        if case.kind:
            SubElement(element, case.kind, {"message": _clean(case.message), "type": case.kind}).text = _clean(
                case.text
            )
    SubElement(suite, "system-out")
    SubElement(suite, "system-err")


def _clean(text: str) -> str:
    return _NO_XML.sub("\ufffd", text)
