"""The server's log: a short line on standard error for everything that is asked, by whom, and how it ended."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any

from mcp.server.context import CallNext, HandlerResult, ServerMiddleware

from engine.frontends.mcp_server.offers import Context
from engine.frontends.mcp_server.serving import Serving

LONGEST = 60
"""Characters of a name that a client gave."""
SILENT = frozenset({"ping", "notifications/initialized", "notifications/progress"})


def logging_requests(serving: Serving) -> ServerMiddleware[Any]:
    """Middleware that writes the lines; arguments and results are in none of them."""

    async def middleware(ctx: Context, call_next: CallNext) -> HandlerResult:
        began = time.monotonic()
        ending = "not answered"
        try:
            result = await call_next(ctx)
            ending = _ending(result)
        except Exception as error:
            ending = f"refused: {plain(str(error), 200)}"
            raise
        else:
            return result
        finally:
            if ctx.method not in SILENT:
                serving.note(f"{_client(ctx)}: {_asked(ctx)}: {ending} ({time.monotonic() - began:.2f} s)")

    return middleware


def plain(text: Any, longest: int = LONGEST) -> str:
    """What somebody else wrote, on one line, without what a terminal obeys, and short."""
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in str(text)[: 2 * longest]).split())
    return line if len(line) <= longest else f"{line[:longest]}…"


class SdkLines(logging.Handler):
    """Writes what the SDK and the web server warn of as lines of ours, without what they quote of messages."""

    def __init__(self, serving: Serving) -> None:
        super().__init__(logging.WARNING)
        self._serving = serving

    def emit(self, record: logging.LogRecord) -> None:
        """One line for one record."""
        error = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else ""
        said = plain(record.getMessage(), 300)
        self._serving.say(f"{record.name}: {said}{f' ({error})' if error else ''}")


def take_over_logging(serving: Serving) -> None:
    """From now on the process's log records of some weight are lines of the server's log."""
    root = logging.getLogger()
    root.handlers[:] = [SdkLines(serving)]
    root.setLevel(logging.WARNING)


def _asked(ctx: Context) -> str:
    name = (ctx.params or {}).get("name")
    return f"{plain(ctx.method)} {plain(name)}" if name else plain(ctx.method)


def _client(ctx: Context) -> str:
    known = ctx.session.client_params
    if known:
        return f"{plain(known.client_info.name)} {plain(known.client_info.version, 20)}"
    said = (ctx.params or {}).get("clientInfo") if ctx.method == "initialize" else None
    named = [plain(said[key], 20) for key in ("name", "version") if said.get(key)] if isinstance(said, Mapping) else []
    return " ".join(named) or "somebody"


def _ending(result: HandlerResult) -> str:
    if not isinstance(result, dict):
        return "done"
    status = (result.get("structuredContent") or {}).get("status") if "structuredContent" in result else None
    if result.get("resultType") == "input_required":
        return "asked back"
    return str(status or ("refused" if result.get("isError") else "done"))
