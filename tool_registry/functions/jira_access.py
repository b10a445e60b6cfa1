"""Asking Jira (REST API version 2): where it is, as whom, and what its refusals mean.

The domain `jira` gives the `url`, the `project` in which issues are made unless another one is named, and where the
token is kept (`credential`; the environment variable JIRA_API_TOKEN unless it says). With a `username` it is shown as
that user's password, as Atlassian's cloud wants; without one as a bearer token, as a server of one's own wants.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any

from tool_registry.functions.credential import credential
from tool_registry.functions.services import service_url
from tool_registry.sources.http import Reply, request
from tool_registry.sources.http_failure import with_reason
from tool_registry.tool import ToolContext, ToolError

Key = Annotated[str, {"pattern": "^[A-Z][A-Z0-9_]+-[0-9]+$"}]
Text = Annotated[str, {"minLength": 1}]


async def ask_jira(
    method: str,
    path: str,
    context: ToolContext,
    *,
    params: Mapping[str, Any] | None = None,
    body: Any = None,
    may_miss: bool = False,
) -> Reply | None:
    """Jira's answer; None where an issue is not there, or not for whoever asks, if it `may_miss`."""
    url = service_url(context, "Jira")
    try:
        reply = await request(
            method,
            f"{url}/rest/api/2{path}",
            context=context,
            headers=await _headers(context),
            params=params,
            json=body,
        )
    except ToolError as error:
        reason = _reason(error)
        if may_miss and error.http_status == HTTPStatus.NOT_FOUND and reason:
            return None
        raise _explained(error, reason) from error
    return reply


async def answer(method: str, path: str, context: ToolContext, **asked: Any) -> Any:
    """What Jira answers, read as JSON; nothing may be missing."""
    reply = await ask_jira(method, path, context, **asked)
    return reply.json() if reply else None


async def _headers(context: ToolContext) -> dict[str, str]:
    token = await credential(context, usual="JIRA_API_TOKEN")
    if not token:
        return {}
    user = context.settings.get("username")
    if not user:
        return {"Authorization": f"Bearer {token}"}
    basic = base64.b64encode(f"{user}:{token}".encode()).decode()
    context.secret(basic)
    return {"Authorization": f"Basic {basic}"}


def _explained(error: ToolError, reason: str) -> ToolError:
    """The failure with Jira's own reason; what it refuses for itself (400) was asked wrongly."""
    kind = "usage_error" if error.http_status == HTTPStatus.BAD_REQUEST else None
    return with_reason(error, reason, kind) if reason else error


def _reason(error: ToolError) -> str:
    """Jira's words: `errorMessages`, and `errors` by field; or one `message`."""
    if error.http_status is None:
        return ""
    try:
        said = json.loads(error.output)
    except (ValueError, RecursionError):
        return ""
    match said:
        case {"errorMessages": [*messages], **others}:
            fields = others.get("errors")
            named = [f"{name}: {why}" for name, why in fields.items()] if isinstance(fields, dict) else []
            return "; ".join([*(str(each) for each in messages), *named])
        case {"message": str(reason)}:
            return reason
    return ""
