"""What Tekton's runs are (`tekton.dev/v1`), taken apart, with what Konflux and Pipelines as Code note on them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypedDict

from tool_registry.functions.cluster import promised
from tool_registry.functions.konflux_access import (
    APPLICATION,
    COMPONENT,
    SCENARIO,
    SNAPSHOT,
    TEKTON,
    annotation,
    condition,
    label,
    newest_of,
)
from tool_registry.functions.moments import moment
from tool_registry.tool import ToolContext

OF_RUN, OF_TASK = "tekton.dev/pipelineRun", "tekton.dev/pipelineTask"
SORT = "pipelines.appstudio.openshift.io/type"
AS_CODE = "pipelinesascode.tekton.dev"
REQUEST = f"{AS_CODE}/pull-request"
CANCELLED = frozenset(
    {"Cancelled", "CancelledRunFinally", "StoppedRunFinally", "PipelineRunCancelled", "TaskRunCancelled"}
)
LATE = frozenset({"PipelineRunTimeout", "TaskRunTimeout"})
"""Reasons of a condition `Succeeded` that is false (tektoncd/pipeline, docs/pipelineruns.md and docs/taskruns.md)."""
BAD = frozenset({"failed", "timed_out"})

Standing = Literal["pending", "running", "succeeded", "failed", "cancelled", "timed_out"]


class PipelineRun(TypedDict):
    """A pipeline run; `active` until it has ended, times in epoch seconds, empty text for what nobody noted on it.

    `type` is build, test, managed, ... as Konflux calls it; `branch`, `sha` and `pull_request` are those that
    Pipelines as Code began it for.
    """

    name: str
    namespace: str
    status: Standing
    active: bool
    cancelling: bool
    reason: str
    message: str
    pipeline: str
    type: str
    application: str
    component: str
    snapshot: str
    scenario: str
    branch: str
    sha: str
    pull_request: int | None
    created_at: float | None
    started_at: float | None
    finished_at: float | None
    url: str


class FailedStep(TypedDict):
    """A step of a task that ended with something else than 0."""

    step: str
    exit_status: int
    reason: str


class TaskRun(TypedDict):
    """One run of a task; `task` is its name in the pipeline, `pod` empty where none was made or it is forgotten."""

    name: str
    task: str
    pipeline_run: str
    status: Standing
    active: bool
    reason: str
    message: str
    pod: str
    steps: list[str]
    failed_steps: list[FailedStep]
    started_at: float | None
    finished_at: float | None


async def runs_of_tasks(pipeline_run: str, place: str, context: ToolContext) -> tuple[list[TaskRun], bool]:
    """The runs of tasks in the order in which they began, and whether there are more."""
    found, more = await newest_of("taskruns", place, context, {OF_RUN: pipeline_run}, TEKTON)
    with promised():
        told = [_task_run(one) for one in found]
    return sorted(told, key=lambda one: (one["started_at"] or float("inf"), one["name"])), more


def told_run(said: Mapping[str, Any]) -> PipelineRun:
    """A pipeline run, taken apart."""
    meta, spec, status = said["metadata"], said.get("spec") or {}, said.get("status") or {}
    ended, standing = condition(said, "Succeeded"), _standing(said)
    return {
        "name": str(meta["name"]),
        "namespace": str(meta.get("namespace") or ""),
        "status": standing,
        "active": standing in ("pending", "running"),
        "cancelling": standing == "running" and spec.get("status") in CANCELLED,
        "reason": str(ended.get("reason") or ""),
        "message": str(ended.get("message") or ""),
        "pipeline": str((spec.get("pipelineRef") or {}).get("name") or label(said, "tekton.dev/pipeline")),
        "type": label(said, SORT),
        "application": label(said, APPLICATION),
        "component": label(said, COMPONENT),
        "snapshot": label(said, SNAPSHOT) or annotation(said, SNAPSHOT),
        "scenario": label(said, SCENARIO),
        "branch": _branch(said),
        "sha": label(said, f"{AS_CODE}/sha"),
        "pull_request": int(label(said, REQUEST) or 0) or None,
        "created_at": moment(meta.get("creationTimestamp")),
        "started_at": moment(status.get("startTime")),
        "finished_at": moment(status.get("completionTime")),
        "url": annotation(said, f"{AS_CODE}/log-url"),
    }


def _branch(said: Mapping[str, Any]) -> str:
    """The branch that was built: of a request the one it comes from."""
    noted = [f"{AS_CODE}/source-branch", f"{AS_CODE}/branch", "build.appstudio.redhat.com/target_branch"]
    found = next((told for name in noted if (told := annotation(said, name) or label(said, name))), "")
    return found.removeprefix("refs/heads/")


def _standing(said: Mapping[str, Any]) -> Standing:
    """How it stands, by its condition `Succeeded`: unknown until it has ended."""
    ended = condition(said, "Succeeded")
    match ended.get("status"), ended.get("reason"):
        case "True", _:
            return "succeeded"
        case "False", reason if reason in CANCELLED:
            return "cancelled"
        case "False", reason if reason in LATE:
            return "timed_out"
        case "False", _:
            return "failed"
        case "Unknown", reason if reason not in ("Pending", "PipelineRunPending"):
            return "running"
    return "pending"


def _task_run(said: Mapping[str, Any]) -> TaskRun:
    status, standing, ended = said.get("status") or {}, _standing(said), condition(said, "Succeeded")
    steps = list(status.get("steps") or ())
    return {
        "name": str(said["metadata"]["name"]),
        "task": label(said, OF_TASK),
        "pipeline_run": label(said, OF_RUN),
        "status": standing,
        "active": standing in ("pending", "running"),
        "reason": str(ended.get("reason") or ""),
        "message": str(ended.get("message") or ""),
        "pod": str(status.get("podName") or ""),
        "steps": [str(each["name"]) for each in steps],
        "failed_steps": [told for each in steps if (told := _failed_step(each))],
        "started_at": moment(status.get("startTime")),
        "finished_at": moment(status.get("completionTime")),
    }


def _failed_step(said: Mapping[str, Any]) -> FailedStep | None:
    ended = said.get("terminated") or {}
    if not ended.get("exitCode"):
        return None
    return {
        "step": str(said["name"]),
        "exit_status": int(ended["exitCode"]),
        "reason": str(ended.get("reason") or ""),
    }
