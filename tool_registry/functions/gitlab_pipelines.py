"""GitLab's pipelines and their jobs: which there are, how they stand, what they wrote."""

from __future__ import annotations

from typing import Any, Literal, TypedDict

from tool_registry.functions.gitlab_access import Limit, Number, Project, ask_gitlab, below, listed
from tool_registry.functions.gitlab_requests import NO_REQUEST
from tool_registry.functions.moments import moment
from tool_registry.functions.services import SERVICE
from tool_registry.sources.expected import expected
from tool_registry.sources.http import Reply
from tool_registry.sources.python import tool
from tool_registry.tool import Effect, ToolContext

NO_PIPELINE = (*NO_REQUEST, "404 Pipeline Not Found", "404 Job Not Found")
ACTIVE = frozenset({"created", "waiting_for_resource", "preparing", "waiting_for_callback", "pending", "running"})
"""The statuses of a pipeline that goes on by itself; manual and scheduled ones wait for somebody."""
LOG_LIMIT = 20_000_000
"""Bytes of a job's log that are read."""


class Pipeline(TypedDict):
    """A pipeline; its status as GitLab says it (running, success, failed, canceled, ...), times in epoch seconds."""

    pipeline_id: int
    status: str
    active: bool
    ref: str
    sha: str
    source: str
    created_at: float | None
    updated_at: float | None
    url: str


class Pipelines(TypedDict):
    """Pipelines, the newest first; `found` false where the merge request is not there, `truncated` for more of them."""

    found: bool
    pipelines: list[Pipeline]
    count: int
    truncated: bool


class FoundPipeline(TypedDict):
    """A pipeline, or `found` false."""

    found: bool
    pipeline: Pipeline | None


class Job(TypedDict):
    """A job of a pipeline; `why` is GitLab's word for a failure."""

    job_id: int
    name: str
    stage: str
    status: str
    why: str
    allow_failure: bool
    duration: float | None
    started_at: float | None
    finished_at: float | None
    url: str


class Jobs(TypedDict):
    """The jobs of a pipeline in their order, and the names of those that failed and had to succeed."""

    found: bool
    jobs: list[Job]
    failed: list[str]
    count: int
    truncated: bool


class Trace(TypedDict):
    """The end of what a job wrote; `lines` is how many it wrote."""

    found: bool
    text: str
    lines: int
    truncated: bool


@tool(
    effect=Effect.READ,
    idempotent=True,
    domain="gitlab",
    timeout=60,
    examples=({"project": "group/shop", "ref": "main"}, {"project": "group/shop", "mr_id": 7, "state": "active"}),
    exact=True,
    needs=SERVICE,
)
async def gitlab_ci_list(
    context: ToolContext,
    project: Project = "",
    ref: str = "",
    mr_id: int | None = None,
    state: Literal["", "active", "finished"] = "",
    limit: Limit = 50,
) -> Pipelines:
    """Lists the pipelines of a project, a branch or a merge request, the newest first; none is an empty list.

    Args:
        project: The project's path or number; empty for the domain's.
        ref: Only those of this branch or tag.
        mr_id: Only those of the merge request of this number.
        state: active for those that run or wait to run by themselves, finished for the others; empty for all.
        limit: How many of the newest are looked at.

    Returns:
        found (false: no such merge request), pipelines, count and truncated.
    """
    if mr_id is not None:
        request = below(project, context, f"/merge_requests/{mr_id}")
        if await ask_gitlab("GET", request, context, missing=NO_REQUEST) is None:
            return {"found": False, "pipelines": [], "count": 0, "truncated": False}
    path = below(project, context, f"/merge_requests/{mr_id}/pipelines" if mr_id is not None else "/pipelines")
    rows, more = await listed(path, context, params={"ref": ref} if ref and mr_id is None else {}, limit=limit)
    found = sorted((pipeline(one) for one in rows), key=lambda one: -one["pipeline_id"])
    kept = [one for one in found if state == "" or one["active"] == (state == "active")]
    kept = [one for one in kept if not ref or mr_id is None or one["ref"] == ref]
    return {"found": True, "pipelines": kept, "count": len(kept), "truncated": more}


@tool(
    effect=Effect.READ,
    idempotent=True,
    domain="gitlab",
    timeout=30,
    examples=({"project": "group/shop", "pipeline_id": 4711},),
    exact=True,
    needs=SERVICE,
)
async def gitlab_ci_view(pipeline_id: Number, context: ToolContext, project: Project = "") -> FoundPipeline:
    """Shows a pipeline; that there is none of that number is a normal answer.

    Args:
        pipeline_id: The pipeline's number.
        project: The project's path or number; empty for the domain's.

    Returns:
        found and pipeline.
    """
    standing = await seen(pipeline_id, context, project)
    return {"found": standing is not None, "pipeline": standing}


@tool(
    effect=Effect.READ,
    idempotent=True,
    domain="gitlab",
    timeout=60,
    examples=({"project": "group/shop", "pipeline_id": 4711},),
    exact=True,
    needs=SERVICE,
)
async def gitlab_ci_jobs(
    pipeline_id: Number, context: ToolContext, project: Project = "", retried: bool = False, limit: Limit = 200
) -> Jobs:
    """Lists the jobs of a pipeline in their order; that there is no such pipeline is a normal answer.

    Args:
        pipeline_id: The pipeline's number.
        project: The project's path or number; empty for the domain's.
        retried: Whether jobs are listed that were repeated since.
        limit: How many are given at most.

    Returns:
        found, jobs, failed (names), count and truncated.
    """
    if await seen(pipeline_id, context, project) is None:
        return {"found": False, "jobs": [], "failed": [], "count": 0, "truncated": False}
    path = below(project, context, f"/pipelines/{pipeline_id}/jobs")
    rows, more = await listed(path, context, params={"include_retried": retried}, limit=limit)
    jobs = sorted((job(one) for one in rows), key=lambda one: one["job_id"])
    failed = [one["name"] for one in jobs if one["status"] == "failed" and not one["allow_failure"]]
    return {"found": True, "jobs": jobs, "failed": failed, "count": len(jobs), "truncated": more}


@tool(
    effect=Effect.READ,
    idempotent=True,
    domain="gitlab",
    timeout=60,
    examples=({"project": "group/shop", "job_id": 471100, "lines": 50},),
    exact=True,
    needs=SERVICE,
)
async def gitlab_ci_trace(job_id: Number, context: ToolContext, project: Project = "", lines: Limit = 200) -> Trace:
    """Gives the end of what a job wrote; that there is no such job, or nothing written yet, is a normal answer.

    Args:
        job_id: The job's number.
        project: The project's path or number; empty for the domain's.
        lines: How many of its last lines are given.

    Returns:
        found, text, lines (how many there are) and truncated.
    """
    path = below(project, context, f"/jobs/{job_id}/trace")
    reply = await ask_gitlab("GET", path, context, missing=NO_PIPELINE, limit=LOG_LIMIT)
    if reply is None:
        return {"found": False, "text": "", "lines": 0, "truncated": False}
    with expected("GitLab"):
        written = _log(reply)
    return {
        "found": True,
        "text": "\n".join(written[-lines:]),
        "lines": len(written),
        "truncated": len(written) > lines,
    }


def _log(reply: Reply) -> list[str]:
    """The lines of a log, which is plain text: a page for people comes from somebody else."""
    named = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
    if named != "text/plain":
        raise TypeError(f"plain text was promised, not {named}")
    return reply.text.splitlines()


async def seen(pipeline_id: int, context: ToolContext, project: str) -> Pipeline | None:
    """A pipeline; None when the project has none of that number."""
    path = below(project, context, f"/pipelines/{pipeline_id}")
    reply = await ask_gitlab("GET", path, context, missing=NO_PIPELINE)
    return pipeline(reply.json()) if reply else None


@expected("GitLab")
def pipeline(said: dict[str, Any]) -> Pipeline:
    """A pipeline in the parts a skill reads."""
    return {
        "pipeline_id": int(said["id"]),
        "status": str(said["status"]),
        "active": said["status"] in ACTIVE,
        "ref": str(said.get("ref") or ""),
        "sha": str(said["sha"]),
        "source": str(said.get("source") or ""),
        "created_at": moment(said.get("created_at")),
        "updated_at": moment(said.get("updated_at")),
        "url": str(said.get("web_url") or ""),
    }


@expected("GitLab")
def job(said: dict[str, Any]) -> Job:
    """A job in the parts a skill reads."""
    return {
        "job_id": int(said["id"]),
        "name": str(said["name"]),
        "stage": str(said.get("stage") or ""),
        "status": str(said["status"]),
        "why": str(said.get("failure_reason") or ""),
        "allow_failure": bool(said.get("allow_failure")),
        "duration": said.get("duration"),
        "started_at": moment(said.get("started_at")),
        "finished_at": moment(said.get("finished_at")),
        "url": str(said.get("web_url") or ""),
    }
