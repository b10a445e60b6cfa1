"""What it means when an MCP server gives no result: it is gone, it is late, or it refuses the request."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol

from tool_registry.sources.http_failure import root_of, unsuccessful
from tool_registry.sources.mcp_http import Exchange
from tool_registry.sources.mcp_lines import OVERSIZE, UNREADABLE
from tool_registry.sources.mcp_log import ServerLog
from tool_registry.sources.mcp_server import McpServer
from tool_registry.sources.mcp_stdio import Program
from tool_registry.tool import ToolError

INVALID_PARAMS, METHOD_NOT_FOUND, INVALID_REQUEST = -32602, -32601, -32600
CLOSED, LATE = -32000, -32001
"""The SDK's own codes, for a connection that ended and an answer that did not come; servers use them, too."""
LINE = "\n"
EXTRA = "pip install 'skill-engine[mcp]'"


class Life(Protocol):
    """What is known of a server that was started, or should have been."""

    server: McpServer
    log: ServerLog
    program: Program | None
    exchange: Exchange | None

    @property
    def is_over(self) -> bool:
        """Whether nothing can be asked any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A failure that several callers are told: each gets an exception of its own."""

    message: str
    fields: Mapping[str, Any]

    def again(self) -> ToolError:
        """The failure as a new exception."""
        return ToolError(self.message, **self.fields)


def gone(life: Life, *, sent: bool | None) -> ToolError:
    """The server was there and is not there any more."""
    how = _ending(life)
    return ToolError(
        f"the MCP server {life.server.name} is gone{how}",
        kind="connection_refused",
        output=life.log.tail(),
        sent=sent,
        details={"server": life.server.name},
    )


def _ending(life: Life) -> str:
    status = life.program.exit_status if life.program is not None else None
    if status is None:
        return ""
    return f": signal {-status} ended it" if status < 0 else f": it ended with exit status {status}"


def not_started(life: Life, error: BaseException) -> Told:
    """The server never got as far as taking calls; nothing was asked of it."""
    cause, met = _root(error), life.exchange
    found = (
        _known_cause(life, cause)
        or (_unreached(life, met, met.error) if met is not None and met.error is not None else None)
        or (_refused(life, met) if met is not None and (met.status or 0) >= HTTPStatus.BAD_REQUEST else None)
        or _silent(life, cause)
    )
    fields = {
        name: getattr(found, name) for name in ("kind", "http_status", "errno", "program", "output", "retry_after")
    }
    return Told(message=found.message, fields={**fields, "sent": False, "details": {"server": life.server.name}})


def _known_cause(life: Life, cause: BaseException) -> ToolError | None:
    if isinstance(cause, ToolError):
        cause.message = f"{_what(life)}: {cause.message}"
        return cause
    if isinstance(cause, ImportError):
        said = f"{_what(life)} needs the extra `mcp`, which is not installed ({EXTRA})"
        return ToolError(said, kind="dependency_missing")
    return None


def _silent(life: Life, cause: BaseException) -> ToolError:
    """A server that ended, or gave no answer; what it wrote to standard error may say why."""
    tail = life.log.tail()
    last = f"; it said: {tail.rpartition(LINE)[2][:300]}" if tail else ""
    said = f"{_what(life)} could not be started: {_why(life, cause)}{last}"
    return ToolError(said, kind="connection_refused", output=tail)


def _why(life: Life, cause: BaseException) -> str:
    if isinstance(cause, TimeoutError):
        return f"it gave no answer within {life.server.start_within:g} s"
    return _ending(life).removeprefix(": ") or _words(cause)


def of(error: BaseException, life: Life, exchange: Exchange, method: str, seconds: float) -> ToolError:
    """The failure that an exception of the SDK means; nothing is taken from words that evidence tells better."""
    if isinstance(error, ToolError):
        return error
    if life.is_over:
        return gone(life, sent=True)
    found = _http(life, exchange, error) if life.server.url else None
    return found or _by_code(error, life.server.name, f"{life.server.name} ({method})", seconds)


def _by_code(error: BaseException, server: str, what: str, seconds: float) -> ToolError:
    """The failure that an error of the protocol means: the server answered, and the answer is no result."""
    code, said = getattr(error, "code", None), str(error)
    if not isinstance(code, int):
        wrong = f"{what} answered with something else than the protocol promises: {_words(error)[:500]}"
        return ToolError(wrong, kind="api_contract_mismatch", sent=True, details={"server": server})
    details, kind, told = {"server": server, "code": code}, None, f"{what} answers with an error: {said}"
    if code == LATE and said.endswith("timed out"):
        kind, told, said = "timeout", f"no answer from {what} within {round(seconds, 2):g} s", ""
    elif code == OVERSIZE:
        kind, told = "resource_exhausted", f"{what}: {said}"
    elif code == UNREADABLE:
        kind, told = "api_contract_mismatch", f"{what}: {said}"
    elif code in {INVALID_PARAMS, METHOD_NOT_FOUND, INVALID_REQUEST}:
        kind, told = "usage_error", f"{what} refuses the request: {said}"
    return ToolError(told, kind=kind, output=said, sent=True, details=details)


def _http(life: Life, exchange: Exchange, error: BaseException) -> ToolError | None:
    """The failure that the exchange of an HTTP call shows; None where it shows none."""
    details = {"server": life.server.name}
    if exchange.too_large and (exchange.status or 0) < HTTPStatus.BAD_REQUEST:
        said = f"{_what(life)}: {exchange.too_large}"
        return ToolError(said, kind="resource_exhausted", sent=True, details=details)
    if exchange.error is not None:
        return _unreached(life, exchange, exchange.error)
    status = exchange.status or 0
    # The protocol has two meanings of 404: the session is over, or (in the modern era) there is no such method.
    if status == HTTPStatus.NOT_FOUND and getattr(error, "code", METHOD_NOT_FOUND) != METHOD_NOT_FOUND:
        said = f"the MCP server {life.server.name} does not know this session any more"
        return ToolError(said, kind="connection_refused", sent=False, details=details)
    # A refusal that speaks the protocol is read as such.
    if status >= HTTPStatus.BAD_REQUEST and '"jsonrpc"' not in exchange.text:
        return _refused(life, exchange)
    if getattr(error, "code", None) == CLOSED and str(error).startswith(("SSE stream", "Connection closed")):
        return gone(life, sent=True)
    return None


def _refused(life: Life, exchange: Exchange) -> ToolError:
    """The server's HTTP said no, and what its status says is evidence."""
    refused = unsuccessful(_what(life), exchange.status or 0, exchange.headers, exchange.text)
    refused.details["server"] = life.server.name
    return refused


def _unreached(life: Life, exchange: Exchange, error: Exception) -> ToolError:
    """No answer came; the system's own word for why counts, where there is one."""
    cause, symbol = root_of(error)
    kind = None if symbol else "connection_refused"
    if isinstance(cause, ssl.SSLError):
        kind = "tls"
    elif "Timeout" in type(error).__name__:
        kind = "timeout"
    said = f"{_what(life)} cannot be reached: {_words(cause) or _words(error)}"
    details = {"server": life.server.name, "exception": type(error).__name__}
    return ToolError(said, kind=kind, errno=symbol, sent=exchange.sent, output=said, details=details)


def _what(life: Life) -> str:
    return f"the MCP server {life.server.name}"


def _root(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _words(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
