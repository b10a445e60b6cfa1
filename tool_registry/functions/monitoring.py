"""Asking Prometheus and Alertmanager: where they are, as whom, and what their refusals mean.

The domains `prometheus` and `alertmanager` give the `url`, and where a token is kept (`credential`). Without one the
request is sent all the same: many of these servers ask for none.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping
from typing import Any

from tool_registry.functions.credential import credential
from tool_registry.functions.services import service_url
from tool_registry.sources.http import Reply, request
from tool_registry.sources.http_failure import with_reason
from tool_registry.tool import ToolContext, ToolError

KINDS = {
    "bad_data": "usage_error",
    "execution": "usage_error",
    "timeout": "timeout",
    "not_found": "resource_not_found",
}
"""What Prometheus' `errorType` means (its HTTP API, "Format overview"); the status tells enough of the others."""
REFUSED = (400, 422)
"""By which both refuse what was asked for itself, and not who asked or when."""


async def ask_monitoring(  # noqa: PLR0913 - a request is a flat record, every part by keyword
    method: str,
    path: str,
    context: ToolContext,
    *,
    of: str,
    variable: str,
    params: Mapping[str, Any] | None = None,
    form: Mapping[str, Any] | None = None,
    body: Any = None,
    not_found: Collection[int] = (),
) -> Reply:
    """The answer of the domain's server, a Prometheus or an Alertmanager; a refusal names the reason that it gives."""
    url = service_url(context, of)
    token = await credential(context, usual=variable)
    try:
        return await request(
            method,
            f"{url}{path}",
            context=context,
            headers={"Authorization": f"Bearer {token}"} if token else {},
            params=params,
            data=form,
            json=body,
            not_found=not_found,
        )
    except ToolError as error:
        raise _explained(error) from error


def number(text: Any) -> float | None:
    """A sample's number; None for the ones JSON does not have (NaN, +Inf, -Inf)."""
    read = float(text)
    return read if math.isfinite(read) else None


def texts(told: Any) -> dict[str, str]:
    """Labels, or annotations."""
    return {str(name): str(value) for name, value in (told or {}).items()}


def _explained(error: ToolError) -> ToolError:
    """The failure with the server's own reason, and its kind where the server names it."""
    kind, reason = _reason(error)
    return with_reason(error, reason, kind) if reason else error


def _reason(error: ToolError) -> tuple[str | None, str]:
    """The kind and reason of a refusal: Prometheus' envelope, Alertmanager's text, or its `code` and `message`."""
    if error.http_status is None:
        return None, ""
    try:
        said = json.loads(error.output)
    except (ValueError, RecursionError):
        return None, ""
    refused = "usage_error" if error.http_status in REFUSED else None
    match said:
        case {"errorType": str(named), "error": str(reason)}:
            return KINDS.get(named), reason
        case {"code": int(), "message": str(reason)} | str(reason):
            return refused, reason
    return None, ""
