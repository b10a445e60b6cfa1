"""What a finished pytest counts as."""

from __future__ import annotations

from typing import Any

import pytest

from tool_registry.functions.tests_run import counted
from tool_registry.tool import ToolError

REPORT = """<?xml version="1.0" encoding="utf-8"?>
<testsuites name="pytest tests"><testsuite name="pytest" errors="1" failures="1" skipped="1" tests="4" time="0.4">
<testcase classname="tests.test_a" name="test_good" time="0.1"/>
<testcase classname="tests.test_a" name="test_bad" time="0.2"><failure message="assert 1 == 2">long</failure></testcase>
<testcase classname="tests.test_a" name="test_later" time="0.0"><skipped message="later"/></testcase>
<testcase classname="" name="tests.test_b" time="0.1"><error>ImportError: no module
second line</error></testcase>
</testsuite></testsuites>"""
PASSED = '<testsuites><testsuite tests="1"><testcase classname="t" name="a" time="0.1"/></testsuite></testsuites>'


def done(**changes: Any) -> dict[str, Any]:
    """A finished command as the platform tells it."""
    ended = {"exit_status": 0, "timed_out": False, "stdout": "", "stderr": "", "collected": PASSED, "duration": 1.0}
    return {**ended, **changes}


def test_failing_tests_are_an_answer() -> None:
    """Counts and names; whether they matter is for the skill to say."""
    counts = counted(done(exit_status=1, collected=REPORT))
    assert counts == {
        "ok": False,
        "total": 4,
        "passed": 1,
        "failed": 1,
        "errors": 1,
        "skipped": 1,
        "duration": 0.4,
        "exit_status": 1,
        "failing": ["tests.test_a::test_bad", "tests.test_b"],
        "failures": [
            {"name": "tests.test_a::test_bad", "message": "assert 1 == 2"},
            {"name": "tests.test_b", "message": "ImportError: no module"},
        ],
    }


@pytest.mark.parametrize("words", ["error: 401 failed timeout", "FAILED", "Traceback (most recent call last)"])
def test_what_tests_print_does_not_make_them_fail(words: str) -> None:
    """An exit status and a report are evidence; words are not."""
    assert counted(done(stdout=words))["ok"] is True


def test_no_tests_at_all_is_an_answer() -> None:
    """It has an exit status of its own: 5."""
    counts = counted(done(exit_status=5, collected="<testsuites><testsuite tests='0'/></testsuites>"))
    assert (counts["ok"], counts["total"]) == (False, 0)


@pytest.mark.parametrize(
    ("ended", "kind", "sentence"),
    [
        (done(collected="<testsuites><testsuite>"), "api_contract_mismatch", "report cannot be read"),
        (done(collected="<html/>"), "api_contract_mismatch", "its root is <html>"),
        (done(collected='<!DOCTYPE x [<!ENTITY a "b">]><testsuites/>'), "api_contract_mismatch", "a document type"),
        (done(collected=REPORT), "api_contract_mismatch", "ended with exit status 0"),
        (done(collected=None, stdout="bad usage", exit_status=4), "api_contract_mismatch", "exit status 4: bad usage"),
        (done(exit_status=3), "api_contract_mismatch", "exit status 3"),
        (done(collected=None, exit_status=127), "dependency_missing", "no pytest inside"),
        (done(collected=None, exit_status=1, stderr="No module named pytest"), "dependency_missing", "no pytest"),
        (done(collected=None, exit_status=124, timed_out=True), "timeout", "ran out of time"),
    ],
)
def test_not_being_able_to_tell_is_a_failure(ended: dict[str, Any], kind: str, sentence: str) -> None:
    """A report that is missing, broken or at odds with the exit status never counts as passed."""
    with pytest.raises(ToolError, match=sentence) as caught:
        counted(ended)
    assert (caught.value.kind, caught.value.program) == (kind, "pytest")
