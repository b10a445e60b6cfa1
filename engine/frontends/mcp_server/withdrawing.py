"""Requests that a client takes back: because somebody wants it, or only because it waits no longer for the answer.

Both come as `notifications/cancelled`. The SDKs send it for their own time-outs too, and nothing but its `reason`
tells one from the other.
"""

from __future__ import annotations

import re
from typing import Any

import anyio
from mcp.server.context import CallNext, HandlerResult, ServerMiddleware

from engine.frontends.mcp_server.offers import Context
from engine.frontends.mcp_server.serving import Serving, Withdrawn

NOTIFICATION = "notifications/cancelled"
REASON_WITHIN = 1.0
"""Seconds for the reason to arrive: the SDK cancels a request first, and hands the notification on at once."""
IMPATIENT = re.compile(r"\btime[ds]?[ _-]?out|timeout(error|exception)|deadline[ _]exceeded|-32001\b", re.IGNORECASE)
"""What SDKs give as the reason when their own time is over, in Python, TypeScript, Go, C#, Rust."""


def noticing_withdrawals(serving: Serving) -> ServerMiddleware[Any]:
    """Middleware that keeps, for every request under way, the reason for which its client took it back."""

    async def middleware(ctx: Context, call_next: CallNext) -> HandlerResult:
        if ctx.request_id is None:
            if ctx.method == NOTIFICATION:
                _tell(serving, ctx)
            return await call_next(ctx)
        request = _request(ctx, ctx.request_id)
        serving.under_way[request] = Withdrawn()
        try:
            return await call_next(ctx)
        finally:
            serving.under_way.pop(request, None)

    return middleware


def is_withdrawn(ctx: Context) -> bool:
    """Whether the client has said that it wants no answer any more; a closed connection says nothing of the kind.

    The dispatcher marks the request before it cancels its handler, and only for `notifications/cancelled`. The mark is
    not among what a handler is given, so it is read where the session keeps it.
    """
    return bool(ctx.session._request_outbound.cancel_requested.is_set())  # noqa: SLF001 - see above


async def waits_no_longer(serving: Serving, ctx: Context) -> bool:
    """Whether the request was taken back because the client's own time was over, as its reason says."""
    withdrawn = serving.under_way.get(_request(ctx, ctx.request_id))
    if withdrawn is None:
        return False
    with anyio.move_on_after(REASON_WITHIN):
        await withdrawn.told.wait()
    return IMPATIENT.search(withdrawn.reason) is not None


def _tell(serving: Serving, ctx: Context) -> None:
    params = ctx.params or {}
    withdrawn = serving.under_way.get(_request(ctx, params.get("requestId")))
    if withdrawn is not None:
        withdrawn.reason = str(params.get("reason") or "")
        withdrawn.told.set()


def _request(ctx: Context, number: Any) -> tuple[int, str]:
    """What tells a request from all others: every client numbers its own, and what its answers go through is its own.

    In the newer era each message has a connection object, and all of one stream share what they are sent through.
    """
    return id(ctx.session._connection.outbound), str(number)  # noqa: SLF001 - a session is of one message only
