"""Asking GitLab (API version 4): where it is, as whom, page by page, and what its refusals mean.

The domain `gitlab` gives the `url`, the `project` its tools mean unless they are told another one, and where the token
is kept (`credential`; the environment variable GITLAB_TOKEN unless it says).
`token_type` is personal (also of a project or group), oauth or job. Without a token the request is sent all the same:
what anybody may read needs none.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Annotated, Any
from urllib.parse import quote

from tool_registry.functions.credential import credential
from tool_registry.functions.services import service_url
from tool_registry.sources.expected import expected
from tool_registry.sources.http import BODY_LIMIT, Reply, request
from tool_registry.sources.http_failure import with_reason
from tool_registry.tool import ToolContext, ToolError

HEADERS = {"personal": "PRIVATE-TOKEN", "oauth": "Authorization", "job": "JOB-TOKEN"}
PAGE = 100
"""The most that GitLab gives at once."""
Limit = Annotated[int, {"minimum": 1, "maximum": 1_000}]
Number = Annotated[int, {"minimum": 1}]
Project = Annotated[str, {"pattern": r"^$|^[0-9]+$|^[\w.-]+(/[\w.-]+)+$"}]


async def ask_gitlab(
    method: str,
    path: str,
    context: ToolContext,
    *,
    params: Mapping[str, Any] | None = None,
    body: Any = None,
    missing: Collection[str] | None = None,
    limit: int = BODY_LIMIT,
) -> Reply | None:
    """GitLab's answer; None where it says that what was asked for is not there.

    `missing` are the words by which it may say so (its `message`); None means that nothing may be missing. That there
    is no such project is never a normal answer: whoever may not see a project is told the same.
    """
    url = service_url(context, "GitLab")
    try:
        return await request(
            method,
            f"{url}/api/v4{path}",
            context=context,
            headers=await _headers(context),
            params=params,
            json=body,
            body_limit=limit,
        )
    except ToolError as error:
        reason = _reason(error)
        if error.http_status == 404 and missing is not None and reason in missing:  # noqa: PLR2004 - RFC 9110
            return None
        raise _explained(error, reason) from error


async def answer(method: str, path: str, context: ToolContext, **asked: Any) -> Any:
    """What GitLab answers, read as JSON; nothing may be missing."""
    reply = await ask_gitlab(method, path, context, **asked)
    return reply.json() if reply else None


async def listed(
    path: str, context: ToolContext, *, limit: int, params: Mapping[str, Any] | None = None
) -> tuple[list[dict[str, Any]], bool]:
    """The first rows of a list, read page by page, and whether there are more of them."""
    found: list[dict[str, Any]] = []
    size = min(limit, PAGE)
    for page in range(1, -(-limit // size) + 1):
        reply = await ask_gitlab("GET", path, context, params={**(params or {}), "per_page": size, "page": page})
        if reply is None:
            break
        with expected("GitLab"):
            found += [dict(row) for row in _rows(reply)]
        more = bool(reply.headers.get("x-next-page")) or 'rel="next"' in reply.headers.get("link", "")
        if not more:
            return found[:limit], len(found) > limit
    return found[:limit], True


def _rows(reply: Reply) -> list[Any]:
    told = reply.json()
    if not isinstance(told, list):
        raise TypeError(f"a list was promised, not {type(told).__name__}")
    return told


def below(project: str, context: ToolContext, path: str = "") -> str:
    """The path of something in a project: the one that is named, or else the domain's."""
    named = project or str(context.settings.get("project") or "")
    if not named:
        message = "name a project, or set one: the domain gitlab has no project"
        raise ToolError(message, kind="configuration_error", sent=False)
    return f"/projects/{quote(named, safe='')}{path}"


async def _headers(context: ToolContext) -> dict[str, str]:
    token = await credential(context, usual="GITLAB_TOKEN")
    named = str(context.settings.get("token_type") or "personal")
    if named not in HEADERS:
        message = f"token_type is one of {', '.join(HEADERS)}, not {named!r}"
        raise ToolError(message, kind="configuration_error", sent=False)
    if not token:
        return {}
    return {HEADERS[named]: f"Bearer {token}" if named == "oauth" else token}


def _explained(error: ToolError, reason: str) -> ToolError:
    """The failure with GitLab's own reason, and the kind where its status alone would say another one."""
    return with_reason(error, reason, _kind(error.http_status, reason)) if reason else error


def _kind(status: int | None, reason: str) -> str | None:
    """What it means: 400 and 422 refuse what was asked for, and 405 a merge request that is not ready."""
    match status:
        case 405 | 422 if reason in ("405 Method Not Allowed", "Branch cannot be merged"):
            return "conflict"
        case 400 | 422:
            return "usage_error"
    return None


def _reason(error: ToolError) -> str:
    """GitLab's words: `message` (text, list, or lists by field), or `error` and its description."""
    try:
        said = json.loads(error.output) if error.http_status else None
    except (ValueError, RecursionError):
        return ""
    match said:
        case {"error": str(name), "error_description": str(description)}:
            return f"{name}: {description}"
        case {"message": str(reason)} | {"error": str(reason)}:
            return reason
        case {"message": [*reasons]}:
            return "; ".join(str(each) for each in reasons)
        case {"message": dict(fields)}:
            return "; ".join(f"{name} {_joined(why)}" for name, why in fields.items())
    return ""


def _joined(why: Any) -> str:
    return ", ".join(str(each) for each in why) if isinstance(why, list) else str(why)
