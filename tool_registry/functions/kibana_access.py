"""Asking Elasticsearch (8 or 9) for logs, directly or through Kibana: where it is, as whom, what its refusals mean.

The domain `kibana` gives the `url` and says by `via` what answers there: `elasticsearch`, or `kibana`, whose console
then hands the request on (`/api/console/proxy`). `credential` refers to an API key (the encoded form), or with
`token_type = "bearer"` to a token, or with a `username` to that user's password. `index` is where logs are looked for
unless a call says, and `fields` says how they call what is read (`tool_registry.functions.kibana_fields`).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from tool_registry.functions.credential import credential
from tool_registry.functions.services import service_url
from tool_registry.sources.http import Reply, request
from tool_registry.sources.http_failure import with_reason
from tool_registry.tool import ToolContext, ToolError

SCHEMES = {"api_key": "ApiKey", "bearer": "Bearer"}
WAYS = ("elasticsearch", "kibana")
USUAL_INDEX = "logs-*"
Index = Annotated[str, {"pattern": r"^(?!\.{1,2}$)[a-z0-9*.,:_-]*$", "maxLength": 1_000}]
KINDS = {
    "index_not_found_exception": "resource_not_found",
    "circuit_breaking_exception": "resource_exhausted",
    "es_rejected_execution_exception": "rate_limited",
}
"""What its `type` of a refusal means, where the status alone would say less."""


async def ask_logs(method: str, path: str, context: ToolContext, *, body: Any = None, **params: Any) -> Reply:
    """The answer of Elasticsearch to `path`; a refusal names the reason that it gives.

    Raises:
        ToolError: `configuration_error` without a url, `usage_error` for a query that is none.
    """
    return await _asked(context, method, path, body, params, through=_way(context) == "kibana")


async def ask_kibana(path: str, context: ToolContext) -> Reply | None:
    """The answer of Kibana itself; None where Elasticsearch is asked directly."""
    return await _asked(context, "GET", path, None, {}, through=False) if _way(context) == "kibana" else None


async def _asked(
    context: ToolContext, method: str, path: str, body: Any, params: Mapping[str, Any], through: bool
) -> Reply:
    url = service_url(context, "Kibana")
    headers = await _headers(context)
    asked = f"{path}?{urlencode(params)}" if params else path
    if through:
        headers |= {"kbn-xsrf": "skill", "x-elastic-internal-origin": "skill"}
        method, asked = "POST", f"/api/console/proxy?{urlencode({'path': asked, 'method': method})}"
    try:
        return await request(method, f"{url}{asked}", context=context, headers=headers, json=body)
    except ToolError as error:
        raise _explained(error) from error


def index_path(index: str, context: ToolContext) -> str:
    """The path of an index, a pattern or several of them: those that are named, or else the domain's."""
    named = index or str(context.settings.get("index") or USUAL_INDEX)
    return "/" + quote(named, safe="*,:")


def _way(context: ToolContext) -> str:
    named = str(context.settings.get("via") or WAYS[0])
    if named not in WAYS:
        raise ToolError(f"via is one of {', '.join(WAYS)}, not {named!r}", kind="configuration_error", sent=False)
    return named


async def _headers(context: ToolContext) -> dict[str, str]:
    token = await credential(context, usual="ELASTIC_API_KEY")
    if not token:
        return {}
    if user := context.settings.get("username"):
        basic = base64.b64encode(f"{user}:{token}".encode()).decode()
        context.secret(basic)
        return {"Authorization": f"Basic {basic}"}
    named = str(context.settings.get("token_type") or "api_key")
    if named not in SCHEMES:
        message = f"token_type is one of {', '.join(SCHEMES)}, not {named!r}"
        raise ToolError(message, kind="configuration_error", sent=False)
    return {"Authorization": f"{SCHEMES[named]} {token}"}


def _explained(error: ToolError) -> ToolError:
    """The failure with the server's own reason; what it refuses for itself (400) was asked wrongly."""
    named, reason = _reason(error)
    refused = "usage_error" if error.http_status == HTTPStatus.BAD_REQUEST else None
    return with_reason(error, reason, KINDS.get(named, refused), type=named) if reason else error


def _reason(error: ToolError) -> tuple[str, str]:
    """The type and the words of a refusal: the first root cause of Elasticsearch, or Kibana's own message."""
    try:
        said = json.loads(error.output) if error.http_status else None
    except (ValueError, RecursionError):
        return "", ""
    match said:
        case {"error": {"root_cause": [{"type": str(named), "reason": str(reason)}, *_]}}:
            return named, reason
        case {"error": {"type": str(named), "reason": str(reason)}}:
            return named, reason
        case {"statusCode": int(), "error": str(named), "message": str(reason)}:
            return named, reason
        case {"error": str(reason)}:
            return "", reason
    return "", ""
