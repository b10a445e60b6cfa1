"""Findings are told in the form the reader understands."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from engine.library.codes import MEANING, FindingCode
from engine.library.reports import ReportFormat, as_github, as_json, as_sarif, as_text, report
from engine.model.place import Finding, Place, Severity

ERROR = Finding(
    place=Place(file="skills/a b:c,d.yaml", line=3, column=7),
    code=FindingCode.UNKNOWN_TOOL,
    message="there is no\r\ntool 100% called x",
    hint="did you mean y?",
)
WARNING = Finding(
    place=Place(file="skills/e.yaml", line=1, column=1),
    code="from-the-future",
    message="odd",
    severity=Severity.WARNING,
)


def test_text_has_one_finding_on_a_line() -> None:
    """The place comes first, so that terminals and editors can jump to it."""
    assert as_text([WARNING]) == "skills/e.yaml:1:1: from-the-future odd"
    assert as_text([ERROR]).endswith("(did you mean y?)")
    assert as_text([]) == ""


def test_json_is_a_list_of_flat_objects() -> None:
    """Every field is there, plain."""
    first, second = json.loads(as_json([ERROR, WARNING]))
    assert first == {
        "file": "skills/a b:c,d.yaml",
        "line": 3,
        "column": 7,
        "severity": "error",
        "code": "unknown-tool",
        "message": "there is no\r\ntool 100% called x",
        "hint": "did you mean y?",
    }
    assert second["severity"] == "warning"
    assert json.loads(as_json([])) == []


def test_github_annotations_are_escaped() -> None:
    """Percent signs and line breaks cannot end a command; colons and commas cannot end a property."""
    assert as_github([ERROR]) == (
        "::error file=skills/a b%3Ac%2Cd.yaml,line=3,col=7,title=unknown-tool"
        "::there is no%0D%0Atool 100%25 called x (did you mean y?)"
    )
    assert as_github([WARNING]).startswith("::warning file=skills/e.yaml,line=1,col=1,title=from-the-future::")


def test_sarif_names_its_rules_and_places() -> None:
    """Results point at rules by id and index, and at files by URI."""
    log = json.loads(as_sarif([ERROR, WARNING, ERROR]))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["from-the-future", "unknown-tool"]
    assert rules[1]["shortDescription"]["text"] == MEANING[FindingCode.UNKNOWN_TOOL]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    first, second, _ = run["results"]
    assert (first["level"], second["level"]) == ("error", "warning")
    place = first["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "skills/a%20b%3Ac%2Cd.yaml"
    assert place["region"] == {"startLine": 3, "startColumn": 7}


@pytest.mark.parametrize("form", list(ReportFormat))
def test_every_form_tells_every_finding(form: ReportFormat) -> None:
    """No form leaves a finding out, and none fails without findings."""
    assert report([ERROR, WARNING], form).count("odd") == 1
    report([], form)


def test_files_are_named_from_the_root_of_a_repository() -> None:
    """A file inside the root loses the way to it; one outside keeps its whole name."""
    inside = replace(WARNING, place=replace(WARNING.place, file="/srv/me/repository/skills/e.yaml"))
    (result,) = json.loads(report([inside], ReportFormat.JSON, root=Path("/srv/me/repository")))
    assert result["file"] == "skills/e.yaml"
    (result,) = json.loads(report([inside], ReportFormat.JSON, root=Path("/home/you")))
    assert result["file"] == "/srv/me/repository/skills/e.yaml"


def test_every_code_has_a_sentence() -> None:
    """The list of codes is closed, and each is explained once."""
    assert set(MEANING) == set(FindingCode)
    assert len(set(MEANING.values())) == len(MEANING)
    assert all(sentence.endswith(".") for sentence in MEANING.values())
