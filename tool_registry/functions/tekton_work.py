"""What the tasks of a Tekton pipeline run wrote, and stopping one."""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

from tool_registry.functions.cluster import CLUSTER, ask_cluster, inside, promised
from tool_registry.functions.konflux_access import TEKTON, Name, Named, one_of, tenant
from tool_registry.functions.tekton_runs import BAD, PipelineRun, TaskRun, runs_of_tasks, told_run
from tool_registry.sources.python import tool
from tool_registry.tool import Effect, ToolContext, ToolError

MOST_LOGS = 20
LONGEST_LOG = 1_000_000
REFUSED = 400
"""What Tekton's own admission answers (with `BadRequest`) to a change of a run that has ended."""

Lines = Annotated[int, {"minimum": 1, "maximum": 5_000}]


class StepLog(TypedDict):
    """The end of what one step of a task wrote; `gone` where its pod is there no more."""

    task: str
    task_run: str
    step: str
    exit_status: int | None
    lines: list[str]
    gone: bool


class RunLogs(TypedDict):
    """Logs of a pipeline run, or `found` false; `truncated` where more steps wrote than are given."""

    found: bool
    status: str
    message: str
    logs: list[StepLog]
    count: int
    truncated: bool


class ChangedRun(TypedDict):
    """How a pipeline run stands; `changed` false when it had ended or was asked before, `found` when there is none."""

    found: bool
    changed: bool
    pipeline_run: PipelineRun | None


@tool(
    effect=Effect.READ,
    idempotent=True,
    domain="konflux",
    timeout=90,
    examples=(
        {"pipeline_run": "shop-api-on-push-x7k2p"},
        {"pipeline_run": "shop-api-on-push-x7k2p", "tasks": ["build"]},
    ),
    exact=True,
    needs=CLUSTER,
)
async def tkn_pipelinerun_logs(
    pipeline_run: Name,
    context: ToolContext,
    namespace: Named = "",
    tasks: list[str] | None = None,
    lines: Lines = 100,
) -> RunLogs:
    """Gives the end of what the steps of a pipeline run wrote: of the tasks that are named, or of those that failed.

    Args:
        pipeline_run: Its name.
        namespace: The namespace; empty for the domain's.
        tasks: The tasks, by their names in the pipeline; left out, those that failed, and of these the failed steps.
        lines: How many of each step's last lines are given.

    Returns:
        found, status and message (of the pipeline run), logs, count and truncated (at most 20 logs are given).
    """
    place = tenant(namespace, context)
    said = await one_of("pipelineruns", pipeline_run, place, context, TEKTON)
    if said is None:
        return {"found": False, "status": "", "message": "", "logs": [], "count": 0, "truncated": False}
    with promised():
        run = told_run(said)
    told, _ = await runs_of_tasks(pipeline_run, place, context)
    wanted = [(task, step) for task in told for step in _wanted(task, tasks)]
    logs = [await _log(task, step, place, context, lines) for task, step in wanted[:MOST_LOGS]]
    return {
        "found": True,
        "status": run["status"],
        "message": run["message"],
        "logs": logs,
        "count": len(logs),
        "truncated": len(wanted) > MOST_LOGS,
    }


@tool(
    effect=Effect.WRITE,
    idempotent=True,
    domain="konflux",
    timeout=60,
    examples=({"pipeline_run": "shop-api-on-push-x7k2p"},),
    exact=True,
    needs=CLUSTER,
)
async def tkn_pipelinerun_cancel(
    pipeline_run: Name,
    context: ToolContext,
    namespace: Named = "",
    how: Literal["Cancelled", "CancelledRunFinally", "StoppedRunFinally"] = "Cancelled",
) -> ChangedRun:
    """Cancels a pipeline run; one that has ended, or is being cancelled, stays as it is. Its tasks take a moment.

    Args:
        pipeline_run: Its name.
        namespace: The namespace; empty for the domain's.
        how: Cancelled stops all at once; CancelledRunFinally runs the final tasks, StoppedRunFinally lets others end.

    Returns:
        found, changed and pipeline_run.
    """
    place = tenant(namespace, context)
    said = await one_of("pipelineruns", pipeline_run, place, context, TEKTON)
    if said is None:
        return {"found": False, "changed": False, "pipeline_run": None}
    with promised():
        before, asked = told_run(said), str((said.get("spec") or {}).get("status") or "")
    if not before["active"] or asked in {how, "Cancelled"}:
        return {"found": True, "changed": False, "pipeline_run": before}
    path = inside(place, "pipelineruns", pipeline_run, group=TEKTON)
    try:
        made = (await ask_cluster("PATCH", path, context, patch={"spec": {"status": how}})).json()
    except ToolError as refused:
        if (ended := await _ended(refused, pipeline_run, place, context)) is None:
            raise
        return {"found": True, "changed": False, "pipeline_run": ended}
    with promised():
        return {"found": True, "changed": True, "pipeline_run": told_run(made)}


async def _ended(refused: ToolError, pipeline_run: str, place: str, context: ToolContext) -> PipelineRun | None:
    """The run that ended between the look and the change; None where the refusal means another thing."""
    if refused.http_status != REFUSED:
        return None
    said = await one_of("pipelineruns", pipeline_run, place, context, TEKTON)
    if said is None:
        return None
    with promised():
        run = told_run(said)
    return None if run["active"] else run


def _wanted(task: TaskRun, named: list[str] | None) -> list[str]:
    """The steps of a task whose logs are meant; a task that never had a pod has none."""
    if not task["pod"]:
        return []
    if named is not None:
        return task["steps"] if task["task"] in named or task["name"] in named else []
    if task["status"] not in BAD:
        return []
    return [each["step"] for each in task["failed_steps"]] or task["steps"]


async def _log(task: TaskRun, step: str, place: str, context: ToolContext, lines: int) -> StepLog:
    params = {"container": f"step-{step}", "tailLines": lines, "limitBytes": LONGEST_LOG}
    path = inside(place, "pods", task["pod"], "log")
    reply = await ask_cluster("GET", path, context, params=params, accept="*/*", not_found=(404,))
    status = next((each["exit_status"] for each in task["failed_steps"] if each["step"] == step), None)
    return {
        "task": task["task"],
        "task_run": task["name"],
        "step": step,
        "exit_status": status,
        "lines": reply.text.splitlines()[-lines:] if reply.found else [],
        "gone": not reply.found,
    }
