"""Konflux's integration tests (`IntegrationTestScenario`, v1beta2), and what they said of a snapshot."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypedDict

from tool_registry.functions.cluster import CLUSTER, promised
from tool_registry.functions.konflux_access import (
    SCENARIOS,
    Limit,
    Named,
    annotation,
    label,
    newest_of,
    one_of,
    tenant,
)
from tool_registry.functions.konflux_snapshots import RESULTS, Outcome, outcome
from tool_registry.functions.moments import moment
from tool_registry.sources.python import tool
from tool_registry.tool import Effect, ToolContext

OPTIONAL = "test.appstudio.openshift.io/optional"
BAD = frozenset(
    {"TestFail", "TestInvalid", "Deleted", "EnvironmentProvisionError", "DeploymentError", "BuildPLRFailed"}
    | {"SnapshotCreationFailed", "GroupSnapshotCreationFailed"}
)
GOOD = frozenset({"TestPassed", "TestWarning"})
"""The statuses of a test (integration-service, pkg/integrationteststatus); the others have not ended."""


class IntegrationTest(TypedDict):
    """A test of an application; with a snapshot, what it said of that one.

    `status` is Konflux's word (Pending, InProgress, TestPassed, TestFail, ...), empty where it did not run;
    `optional` ones do not hold a release up.
    """

    name: str
    application: str
    optional: bool
    disabled: bool
    status: str
    outcome: Outcome
    details: str
    pipeline_run: str
    started_at: float | None
    finished_at: float | None


class IntegrationTests(TypedDict):
    """Tests by name; `failed` and `waiting` name those that are required, `outcome` is what these say together."""

    found: bool
    namespace: str
    tests: list[IntegrationTest]
    failed: list[str]
    waiting: list[str]
    outcome: Outcome
    count: int
    truncated: bool


@tool(
    effect=Effect.READ,
    idempotent=True,
    domain="konflux",
    timeout=60,
    examples=({"application": "shop"}, {"snapshot": "shop-20260101-abcde"}),
    exact=True,
    needs=CLUSTER,
)
async def konflux_list_integration_tests(
    context: ToolContext, application: Named = "", snapshot: Named = "", namespace: Named = "", limit: Limit = 200
) -> IntegrationTests:
    """Lists the integration tests of an application, and with a snapshot what each of them said of it.

    Args:
        application: The application; empty for the snapshot's, or for all of the namespace.
        snapshot: The snapshot whose results are given.
        namespace: The tenant's namespace; empty for the domain's.
        limit: How many are given at most.

    Returns:
        found (false: no such snapshot), namespace, tests, failed, waiting, outcome, count and truncated.
    """
    place = tenant(namespace, context)
    said = await one_of("snapshots", snapshot, place, context) if snapshot else None
    if snapshot and said is None:
        return {
            "found": False, "namespace": place, "tests": [], "failed": [], "waiting": [], "outcome": "none", "count": 0,
            "truncated": False,
        }  # fmt: skip
    with promised():
        results = _results(said) if said else {}
        of = application or (str(said["spec"]["application"]) if said else "")
    scenarios, more = await newest_of("integrationtestscenarios", place, context, group=SCENARIOS)
    with promised():
        known = [one for one in scenarios if of in ("", str(one["spec"].get("application") or ""))]
        tests = sorted((_test(one, results) for one in known), key=lambda one: one["name"])
        overall = outcome(said) if said else "none"
    required = [one for one in tests if not one["optional"] and not one["disabled"]]
    kept = tests[:limit]
    return {
        "found": True,
        "namespace": place,
        "tests": kept,
        "failed": [one["name"] for one in required if one["outcome"] == "failed"],
        "waiting": [one["name"] for one in required if one["outcome"] == "running"],
        "outcome": overall,
        "count": len(tests),
        "truncated": more or len(tests) > limit,
    }


def _results(said: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """What each test noted on the snapshot: a list in JSON, in an annotation."""
    told = json.loads(annotation(said, RESULTS) or "[]")
    return {str(one["scenario"]): one for one in told}


def _test(said: Mapping[str, Any], results: Mapping[str, Mapping[str, Any]]) -> IntegrationTest:
    name = str(said["metadata"]["name"])
    result = results.get(name, {})
    status = str(result.get("status") or "")
    return {
        "name": name,
        "application": str(said["spec"].get("application") or ""),
        "optional": label(said, OPTIONAL) == "true" or bool(result.get("isOptionalScenario")),
        "disabled": bool(said["spec"].get("disabled")),
        "status": status,
        "outcome": "none" if not status else "passed" if status in GOOD else "failed" if status in BAD else "running",
        "details": str(result.get("details") or ""),
        "pipeline_run": str(result.get("testPipelineRunName") or ""),
        "started_at": moment(result.get("startTime")),
        "finished_at": moment(result.get("completionTime")),
    }
