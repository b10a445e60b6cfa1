"""Asking Prometheus and Alertmanager: where they are, as whom, and what their refusals mean.

The domains `prometheus` and `alertmanager` give the `url`. A token comes from the file that `token_file` names, read
anew for every call so that a fix can renew it, or from an environment variable (`token_variable`). Without one the
request is sent all the same: many of these servers ask for none.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tool_registry.functions.moments import moment
from tool_registry.sources.http import Reply, request
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
UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0, "w": 604_800.0, "y": 31_536_000.0}
DURATION = "^([0-9]{1,7}(ms|s|m|h|d|w|y)){1,7}$"
"""As Prometheus writes durations: 90s, 5m, 1h30m, 2d."""
LONGEST_TOKEN = 100_000


async def ask_monitoring(  # noqa: PLR0913 - a request is a flat record, every part by keyword
    method: str,
    path: str,
    context: ToolContext,
    *,
    variable: str,
    params: Mapping[str, Any] | None = None,
    form: Mapping[str, Any] | None = None,
    body: Any = None,
    not_found: Collection[int] = (),
) -> Reply:
    """The answer of the domain's server; a refusal names the reason that the server gives."""
    url = context.settings.get("url")
    if not url:
        raise ToolError("no such server is configured: the domain has no url", kind="configuration_error", sent=False)
    token = _token(context, variable)
    try:
        return await request(
            method,
            f"{str(url).rstrip('/')}{path}",
            context=context,
            headers={"Authorization": f"Bearer {token}"} if token else {},
            params=params,
            data=form,
            json=body,
            not_found=not_found,
        )
    except ToolError as error:
        raise _explained(error) from error


@contextmanager
def promised(reply: Reply) -> Iterator[None]:
    """Whoever reads the answer in this block and finds it is shaped otherwise fails with what it was."""
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise ToolError(
            f"the answer does not have the form of this server's API: {type(error).__name__}: {error}",
            kind="api_contract_mismatch",
            http_status=reply.status,
            output=reply.text[:2_000],
            sent=True,
        ) from error


def seconds_of(duration: str) -> float:
    """The seconds of a duration as Prometheus writes it; ToolError (`usage_error`) for anything else."""
    if not re.fullmatch(DURATION, duration):
        raise ToolError(f"{duration!r} is not a duration, as in 90s, 5m or 1h30m", kind="usage_error", sent=False)
    return sum(int(count) * UNITS[unit] for count, unit in re.findall(r"([0-9]+)(ms|[smhdwy])", duration))


def epoch_of(told: str) -> float:
    """A moment given as epoch seconds or as RFC 3339 writes it; ToolError (`usage_error`) for anything else."""
    try:
        found: float | None = number(told)
    except ValueError:
        found = moment(told)
    if found is None:
        raise ToolError(f"{told!r} is not a moment: write it as 2026-01-31T09:00:00Z", kind="usage_error", sent=False)
    return found


def number(text: Any) -> float | None:
    """A sample's number; None for the ones JSON does not have (NaN, +Inf, -Inf)."""
    read = float(text)
    return read if math.isfinite(read) else None


def texts(told: Any) -> dict[str, str]:
    """Labels, or annotations."""
    return {str(name): str(value) for name, value in (told or {}).items()}


def _token(context: ToolContext, usual: str) -> str:
    settings = context.settings
    token = context.environment.get(str(settings.get("token_variable") or usual), "")
    if file := settings.get("token_file"):
        try:
            with (context.folder / Path(str(file)).expanduser()).open(encoding="utf-8", errors="replace") as kept:
                token = kept.read(LONGEST_TOKEN)
        except OSError:
            token = ""  # nobody has logged in yet: the server says so, and a fix helps
    token = token.strip()
    context.secret(token)
    return token


def _explained(error: ToolError) -> ToolError:
    """The failure with the server's own reason, and its kind where the server names it."""
    kind, reason = _reason(error)
    if not reason:
        return error
    return ToolError(
        f"{error.message}: {reason}",
        kind=error.kind or kind,
        http_status=error.http_status,
        output=error.output,
        sent=error.sent,
        retry_after=error.retry_after,
        details=error.details,
    )


def _reason(error: ToolError) -> tuple[str | None, str]:
    """The kind and reason of a refusal: Prometheus' envelope, Alertmanager's text, or its `code` and `message`."""
    if error.http_status is None:
        return None, ""
    try:
        said = json.loads(error.output)
    except ValueError:
        return None, ""
    refused = "usage_error" if error.http_status in REFUSED else None
    match said:
        case {"errorType": str(named), "error": str(reason)}:
            return KINDS.get(named), reason
        case {"code": int(), "message": str(reason)} | str(reason):
            return refused, reason
    return None, ""
