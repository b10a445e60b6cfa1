"""Running a project's own tests inside a namespace, and reading what pytest counted.

Failing tests are an answer, not a failure of the tool: whether they matter is for the skill to say. Not being able to
find out is a failure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol, TypedDict
from urllib.parse import quote

from tool_registry.functions.platform import call_platform
from tool_registry.functions.where import EITHER, on_platform
from tool_registry.sources.expected import expected
from tool_registry.sources.python import tool
from tool_registry.tool import Effect, ToolContext, ToolError

REPORT = "report.xml"
TOLD = {0, 1, 2, 5}
"""The exit statuses with which pytest has told about tests: passed, failed, interrupted by errors, none collected."""

NO_SUCH_PROGRAM = 127
MOST_FAILURES = 50
MESSAGE_LIMIT = 500


class FailedTest(TypedDict):
    """A test that failed, or broke before it could."""

    name: str
    message: str


class Counts(TypedDict):
    """What pytest counted; `failing` are names, at most 50, `duration` in seconds."""

    ok: bool
    total: int
    passed: int
    failed: int
    errors: int
    skipped: int
    duration: float
    exit_status: int
    failing: list[str]
    failures: list[FailedTest]


class Element(Protocol):
    """What is used of an element of the report; the parser itself is imported where it is needed."""

    tag: str
    text: str | None

    def get(self, key: str, default: str) -> str:
        """The attribute called `key`."""

    def __iter__(self) -> Iterator[Element]:
        """The elements inside."""


@tool(
    effect=Effect.WRITE,
    idempotent=False,
    domain="ephemeral",
    timeout=600,
    examples=(
        {"namespace": "ephemeral-abc", "app": "main"},
        {"namespace": "ephemeral-abc", "app": "main", "path": "tests"},
    ),
    exact=True,
    needs=EITHER,
)
async def kubectl_exec_pytest(namespace: str, app: str, context: ToolContext, path: str = "") -> Counts:
    """Runs pytest beside an application in its namespace; failing tests are a normal answer.

    Tests write to the namespace's database, so a run whose answer was lost is not repeated. In a cluster they are a job
    with the image and the environment of the application's deployment.

    Args:
        namespace: The namespace.
        app: The application whose folder and environment the tests run in.
        path: Which tests, counted from that folder; empty for all.

    Returns:
        ok (pytest ended well), total, passed, failed, errors, skipped, duration (seconds), exit_status, failing (the
        names of failed tests) and failures (name and message of each).
    """
    if path.startswith("-"):
        raise ToolError(f"{path!r} is no path of tests", kind="usage_error", sent=False)
    # The command ends a little before the call does, so that what it printed comes back instead of a bare time-out.
    allowed = max(1, int(0.9 * context.timeout))
    if not on_platform(context.settings):
        from tool_registry.functions import cluster_tests  # noqa: PLC0415 - the local profile needs none of it

        return counted(await cluster_tests.run(namespace, app, path, allowed, context))
    command = ["python3", "-m", "pytest", "-q", f"--junitxml={REPORT}", *([path] if path else [])]
    wanted = {"app": app, "command": command, "timeout": allowed, "collect": REPORT}
    where = f"/api/namespaces/{quote(namespace, safe='')}/exec"
    return counted(await call_platform("POST", where, context, body=wanted))


def counted(done: Mapping[str, Any]) -> Counts:
    """The counts of a finished pytest, from its exit status and its JUnit report; ToolError where there are none."""
    with expected("whoever ran the tests"):
        status, report = int(done["exit_status"]), done.get("collected")
    words = "\n".join(part.strip() for part in (done.get("stdout") or "", done.get("stderr") or "") if part.strip())
    if done.get("timed_out"):
        raise ToolError("the tests ran out of time and were ended", kind="timeout", program="pytest", output=words)
    if report is None or status not in TOLD:
        raise _no_report(status, words)
    return _counts(_cases(str(report), words), status)


def _no_report(status: int, words: str) -> ToolError:
    absent = status == NO_SUCH_PROGRAM or "No module named pytest" in words
    last = words.rpartition("\n")[2] or "and said nothing"
    return ToolError(
        "there is no pytest inside the namespace" if absent else f"pytest ended with exit status {status}: {last}",
        kind="dependency_missing" if absent else "api_contract_mismatch",
        exit_status=status,
        program="pytest",
        output=words,
    )


def _cases(report: str, words: str) -> Sequence[Element]:
    from xml.etree import ElementTree as ET  # noqa: PLC0415 - late: only a run that tests pays for the parser

    # The report comes from the code under test: a document type could name entities, and a JUnit report has none.
    if re.search(r"<!\s*(DOCTYPE|ENTITY)", report, re.IGNORECASE):
        raise _broken("it declares a document type", words)
    try:
        root = ET.fromstring(report)  # noqa: S314 - document types are refused above
    except ET.ParseError as error:
        raise _broken(str(error), words) from error
    if root.tag not in {"testsuites", "testsuite"}:
        raise _broken(f"its root is <{root.tag}>", words)
    return list(root.iter("testcase"))


def _broken(why: str, words: str) -> ToolError:
    return ToolError(
        f"the JUnit report cannot be read: {why}", kind="api_contract_mismatch", program="pytest", output=words
    )


def _counts(cases: Sequence[Element], status: int) -> Counts:
    told = [(case, _outcome(case)) for case in cases]
    outcomes = [outcome for _, outcome in told]
    bad = [case for case, outcome in told if outcome in {"failure", "error"}]
    if status == 0 and bad:
        raise _broken("it names failed tests, but pytest ended with exit status 0", "")
    return {
        "ok": status == 0,
        "total": len(cases),
        "passed": outcomes.count("passed"),
        "failed": outcomes.count("failure"),
        "errors": outcomes.count("error"),
        "skipped": outcomes.count("skipped"),
        "duration": round(sum(_seconds(case) for case in cases), 3),
        "exit_status": status,
        "failing": [_name(case) for case in bad[:MOST_FAILURES]],
        "failures": [{"name": _name(case), "message": _message(case)} for case in bad[:MOST_FAILURES]],
    }


def _outcome(case: Element) -> str:
    """The worst a case says; pytest puts a failure and an error of its teardown into one."""
    said = {child.tag for child in case}
    return next((outcome for outcome in ("failure", "error", "skipped") if outcome in said), "passed")


def _seconds(case: Element) -> float:
    try:
        return float(case.get("time", "0"))
    except ValueError:
        return 0.0


def _name(case: Element) -> str:
    group, name = case.get("classname", ""), case.get("name", "")
    return f"{group}::{name}" if group else name


def _message(case: Element) -> str:
    for child in case:
        if child.tag in {"failure", "error"}:
            return (child.get("message", "") or (child.text or "").strip().partition("\n")[0])[:MESSAGE_LIMIT]
    return ""
