"""Stopping GitLab's pipelines, and running what failed in them again."""

from __future__ import annotations

from typing import TypedDict

from tool_registry.functions.gitlab_access import Number, Project, answer, below, listed
from tool_registry.functions.gitlab_pipelines import Pipeline, job, pipeline, seen
from tool_registry.functions.services import SERVICE
from tool_registry.sources.python import tool
from tool_registry.tool import Effect, ToolContext

REPEATED = frozenset({"failed", "canceled"})
"""What a retry of a pipeline does again."""
MOST_JOBS = 1_000


class ChangedPipeline(TypedDict):
    """How a pipeline stands now; `changed` false when there was nothing to do, `found` when there is none."""

    found: bool
    changed: bool
    pipeline: Pipeline | None


@tool(
    effect=Effect.WRITE,
    domain="gitlab",
    timeout=60,
    examples=({"project": "group/shop", "pipeline_id": 4711},),
    exact=True,
    needs=SERVICE,
)
async def gitlab_ci_retry(pipeline_id: Number, context: ToolContext, project: Project = "") -> ChangedPipeline:
    """Runs the failed and cancelled jobs of a pipeline again; where none are, nothing is done.

    It is not repeated by itself after its answer was lost: jobs that failed again meanwhile would run a third time.

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


async def _failed(pipeline_id: int, context: ToolContext, project: str) -> bool:
    """Whether any of its jobs would run again."""
    rows, _ = await listed(below(project, context, f"/pipelines/{pipeline_id}/jobs"), context, limit=MOST_JOBS)
    return any(job(one)["status"] in REPEATED for one in rows)
