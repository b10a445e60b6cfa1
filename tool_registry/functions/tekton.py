"""Tekton's pipeline runs and the runs of their tasks: which there are, and how they stand."""

from __future__ import annotations

from typing import Any, Literal, TypedDict

from tool_registry.functions.cluster import CLUSTER, promised
from tool_registry.functions.konflux_access import (
    APPLICATION,
    COMPONENT,
    SNAPSHOT,
    TEKTON,
    Limit,
    Name,
    Named,
    newest_of,
    one_of,
    tenant,
)
from tool_registry.functions.tekton_runs import BAD, REQUEST, PipelineRun, TaskRun, runs_of_tasks, told_run
from tool_registry.sources.python import tool
from tool_registry.tool import Effect, ToolContext


class PipelineRuns(TypedDict):
    """Pipeline runs, the newest first; `count` before the limit, `truncated` where there are more."""

    namespace: str
    pipeline_runs: list[PipelineRun]
    names: list[str]
    count: int
    truncated: bool


class TaskRuns(TypedDict):
    """Runs of tasks in the order in which they began, and the tasks that failed."""

    namespace: str
    task_runs: list[TaskRun]
    failed: list[str]
    count: int
    truncated: bool


class Described(TypedDict):
    """A pipeline run with its tasks and results, or `found` false."""

    found: bool
    pipeline_run: PipelineRun | None
    task_runs: list[TaskRun]
    failed: list[str]
    skipped: list[str]
    results: dict[str, Any]


@tool(
    effect=Effect.READ,
    idempotent=True,
    domain="konflux",
    timeout=90,
    examples=({}, {"application": "shop", "state": "active"}, {"pull_request": 7}),
    exact=True,
    needs=CLUSTER,
)
async def tkn_pipelinerun_list(  # noqa: PLR0913, PLR0917 - a filter per label, every one by keyword
    context: ToolContext,
    namespace: Named = "",
    application: Named = "",
    component: Named = "",
    snapshot: Named = "",
    pull_request: int | None = None,
    branch: str = "",
    state: Literal["", "active", "finished", "failed"] = "",
    limit: Limit = 50,
) -> PipelineRuns:
    """Lists the pipeline runs of a namespace, the newest first; none is an empty list.

    Args:
        namespace: The namespace; empty for the domain's.
        application: Only those of this application of Konflux.
        component: Only those of this component.
        snapshot: Only those that test or release this snapshot.
        pull_request: Only those begun for the pull or merge request of this number.
        branch: Only those begun for this branch.
        state: active for those that have not ended, finished, or failed (also by time); empty for all.
        limit: How many are given at most.

    Returns:
        namespace, pipeline_runs, names, count (before the limit) and truncated.
    """
    place = tenant(namespace, context)
    wanted = {APPLICATION: application, COMPONENT: component, SNAPSHOT: snapshot, REQUEST: str(pull_request or "")}
    found, more = await newest_of("pipelineruns", place, context, wanted, TEKTON)
    with promised():
        runs = [one for one in map(told_run, found) if _is(one, state) and branch in ("", one["branch"])]
    kept = runs[:limit]
    return {
        "namespace": place,
        "pipeline_runs": kept,
        "names": [one["name"] for one in kept],
        "count": len(runs),
        "truncated": more or len(runs) > limit,
    }


@tool(
    effect=Effect.READ,
    idempotent=True,
    domain="konflux",
    timeout=60,
    examples=({"pipeline_run": "shop-api-on-push-x7k2p"},),
    exact=True,
    needs=CLUSTER,
)
async def tkn_pipelinerun_describe(pipeline_run: Name, context: ToolContext, namespace: Named = "") -> Described:
    """Shows a pipeline run, its tasks and its results; one that is not there is `found: false`.

    Args:
        pipeline_run: Its name.
        namespace: The namespace; empty for the domain's.

    Returns:
        found, pipeline_run, task_runs, failed (tasks), skipped (tasks) and results (by name).
    """
    place = tenant(namespace, context)
    said = await one_of("pipelineruns", pipeline_run, place, context, TEKTON)
    if said is None:
        return {"found": False, "pipeline_run": None, "task_runs": [], "failed": [], "skipped": [], "results": {}}
    tasks, _ = await runs_of_tasks(pipeline_run, place, context)
    with promised():
        status = said.get("status") or {}
        return {
            "found": True,
            "pipeline_run": told_run(said),
            "task_runs": tasks,
            "failed": _failed(tasks),
            "skipped": [str(each["name"]) for each in status.get("skippedTasks") or ()],
            "results": {str(each["name"]): each["value"] for each in status.get("results") or ()},
        }


@tool(
    effect=Effect.READ,
    idempotent=True,
    domain="konflux",
    timeout=60,
    examples=({"pipeline_run": "shop-api-on-push-x7k2p"},),
    exact=True,
    needs=CLUSTER,
)
async def tkn_taskrun_list(
    context: ToolContext, pipeline_run: Named = "", namespace: Named = "", limit: Limit = 200
) -> TaskRuns:
    """Lists the runs of tasks, of a pipeline run or of all of a namespace, as they began; none is an empty list.

    Args:
        pipeline_run: The pipeline run's name; empty for all of the namespace.
        namespace: The namespace; empty for the domain's.
        limit: How many of the newest are given at most.

    Returns:
        namespace, task_runs, failed (tasks), count (before the limit) and truncated.
    """
    place = tenant(namespace, context)
    tasks, more = await runs_of_tasks(pipeline_run, place, context)
    kept = tasks[-limit:]
    return {
        "namespace": place,
        "task_runs": kept,
        "failed": _failed(kept),
        "count": len(tasks),
        "truncated": more or len(tasks) > limit,
    }


def _failed(tasks: list[TaskRun]) -> list[str]:
    return [one["task"] or one["name"] for one in tasks if one["status"] in BAD]


def _is(one: PipelineRun, state: str) -> bool:
    match state:
        case "active":
            return one["active"]
        case "finished":
            return not one["active"]
        case "failed":
            return one["status"] in BAD
    return True
