"""Stopping GitLab's pipelines, and running what failed in them again."""

from __future__ import annotations

import time
from typing import TypedDict

from tool_registry.functions.gitlab_access import Number, Project, answer, below, listed
from tool_registry.functions.gitlab_pipelines import Job, Pipeline, job, pipeline, seen
from tool_registry.functions.services import SERVICE
from tool_registry.sources.python import tool
from tool_registry.tool import Effect, ToolContext

REPEATED = frozenset({"failed", "canceled"})
"""What a retry of a pipeline does again."""
MOST_JOBS = 1_000
AGAIN = 600.0
"""Seconds within which a job that failed may have failed again: a retry's own time, and clocks that differ."""


class ChangedPipeline(TypedDict):
    """How a pipeline stands now; `changed` false when there was nothing to do, `found` when there is none."""

    found: bool
    changed: bool
    pipeline: Pipeline | None


class Retried(TypedDict):
    """Whether the jobs of a pipeline were run again; null where they may have failed again since."""

    happened: bool | None
    value: ChangedPipeline | None


@tool(
    effect=Effect.WRITE,
    domain="gitlab",
    timeout=60,
    verify="gitlab_ci_retried",
    examples=({"project": "group/shop", "pipeline_id": 4711},),
    exact=True,
    needs=SERVICE,
)
async def gitlab_ci_retry(pipeline_id: Number, context: ToolContext, project: Project = "") -> ChangedPipeline:
    """Runs the failed and cancelled jobs of a pipeline again; where none are, nothing is done.

    After its answer was lost it is repeated only where `gitlab_ci_retried` sees that nothing was done: jobs that
    failed again meanwhile would run a third time.

    Args:
        pipeline_id: The pipeline's number.
        project: The project's path or number; empty for the domain's.

    Returns:
        found, changed and pipeline.
    """
    before = await seen(pipeline_id, context, project)
    if before is None or not await _failed(pipeline_id, context, project):
        return {"found": before is not None, "changed": False, "pipeline": before}
    made = await answer("POST", below(project, context, f"/pipelines/{pipeline_id}/retry"), context)
    return {"found": True, "changed": True, "pipeline": pipeline(made)}


@tool(
    effect=Effect.READ,
    idempotent=True,
    domain="gitlab",
    timeout=60,
    examples=({"project": "group/shop", "pipeline_id": 4711},),
    exact=True,
    needs=SERVICE,
)
async def gitlab_ci_retried(pipeline_id: Number, context: ToolContext, project: Project = "") -> Retried:
    """Says whether a pipeline's failed jobs were run again: none are left, or only such as failed long ago.

    Args:
        pipeline_id: The pipeline's number.
        project: The project's path or number; empty for the domain's.

    Returns:
        happened (null where nobody can tell), and value with found, changed and pipeline.
    """
    now = await seen(pipeline_id, context, project)
    if now is None:
        return {"happened": None, "value": None}
    left = await _failed(pipeline_id, context, project)
    if not left:
        return {"happened": True, "value": {"found": True, "changed": True, "pipeline": now}}
    ended = [one["finished_at"] for one in left]
    old = all(at is not None and time.time() - at > AGAIN for at in ended)
    return {"happened": False if old else None, "value": None}


@tool(
    effect=Effect.WRITE,
    idempotent=True,
    domain="gitlab",
    timeout=60,
    examples=({"project": "group/shop", "pipeline_id": 4711},),
    exact=True,
    needs=SERVICE,
)
async def gitlab_ci_cancel(pipeline_id: Number, context: ToolContext, project: Project = "") -> ChangedPipeline:
    """Cancels a pipeline; one that has ended already stays as it is. GitLab may take a moment to stop its jobs.

    Args:
        pipeline_id: The pipeline's number.
        project: The project's path or number; empty for the domain's.

    Returns:
        found, changed and pipeline.
    """
    before = await seen(pipeline_id, context, project)
    if before is None or not before["active"]:
        return {"found": before is not None, "changed": False, "pipeline": before}
    made = await answer("POST", below(project, context, f"/pipelines/{pipeline_id}/cancel"), context)
    return {"found": True, "changed": True, "pipeline": pipeline(made)}


async def _failed(pipeline_id: int, context: ToolContext, project: str) -> list[Job]:
    """Those of its jobs that would run again."""
    rows, _ = await listed(below(project, context, f"/pipelines/{pipeline_id}/jobs"), context, limit=MOST_JOBS)
    return [one for one in map(job, rows) if one["status"] in REPEATED]
