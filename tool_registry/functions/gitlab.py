"""GitLab, where one is configured: what its CI says about a merge request."""

from __future__ import annotations

from typing import Any

from tool_registry.functions.gitlab_access import ask_gitlab, below
from tool_registry.functions.gitlab_requests import NO_REQUEST
from tool_registry.functions.services import SERVICE
from tool_registry.sources.expected import expected
from tool_registry.sources.python import tool
from tool_registry.tool import Effect, ToolContext, ToolOutput

PIPELINE = {
    "type": "object",
    "required": ["found"],
    "additionalProperties": False,
    "properties": {
        "found": {"type": "boolean"},
        "id": {"type": "integer"},
        "status": {"type": "string", "description": "as GitLab says it: running, success, failed, canceled, ..."},
        "sha": {"type": "string"},
        "url": {"type": "string"},
    },
}


@tool(
    effect=Effect.READ,
    idempotent=True,
    domain="gitlab",
    timeout=30,
    result=PIPELINE,
    examples=({"project": "group/shop", "mr_id": 7},),
    needs=SERVICE,
)
async def gitlab_mr_pipeline(project: str, mr_id: int, context: ToolContext) -> ToolOutput:
    """Says how the newest CI pipeline of a merge request stands; that there is none of either is a normal answer.

    Args:
        project: The project's path, as in `group/shop`.
        mr_id: The merge request's number in that project.

    Returns:
        found, id, status, sha and url.
    """
    path = below(project, context, f"/merge_requests/{mr_id}/pipelines")
    reply = await ask_gitlab("GET", path, context, params={"per_page": 1}, missing=NO_REQUEST)
    pipelines: list[dict[str, Any]] = reply.json() if reply else []
    if not pipelines:
        return ToolOutput(value={"found": False}, found=False)
    return ToolOutput(value={"found": True, **_pipeline(pipelines)})


@expected("GitLab")
def _pipeline(pipelines: list[dict[str, Any]]) -> dict[str, Any]:
    newest = pipelines[0]
    return {
        "id": int(newest["id"]),
        "status": str(newest["status"]),
        "sha": str(newest["sha"]),
        "url": str(newest.get("web_url") or ""),
    }
