"""What an HTTP call that did not work leaves behind, as evidence."""

from __future__ import annotations

import errno
import os
import socket
import ssl
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from tool_registry.tool import ToolError


class Progress:
    """How far a request came.

    `sent` turns true when its first byte is about to leave, and stays true; `answered` when the head of an answer could
    be read.
    """

    def __init__(self) -> None:
        self.sent = False
        self.answered = False
        self._connected: Any = None
        self._greeting = False

    @property
    def extensions(self) -> dict[str, Any]:
        """What httpx is handed so that it tells."""
        return {"trace": self._watch}

    async def _watch(self, event: str, details: Mapping[str, Any]) -> None:
        if event.endswith(".send_request_headers.started"):
            asked = details.get("request")
            self.sent = self.sent or getattr(asked, "method", b"") != b"CONNECT"
            self.answered = False
        if event.endswith(".receive_response_headers.complete"):
            self.answered = True
        self._follow(event, details)

    def _follow(self, event: str, details: Mapping[str, Any]) -> None:
        """Notes which connection is greeting the server by TLS."""
        if event.endswith(".connect_tcp.complete"):
            self._connected = details.get("return_value")
        if ".start_tls." in event:
            self._greeting = not event.endswith(".complete")

    async def let_go(self) -> None:
        """Closes the connection whose handshake was cut off, which the client itself forgets and leaves open."""
        if self._greeting and self._connected is not None:
            self._greeting = False
            await self._connected.aclose()


def with_reason(error: ToolError, words: str, /, kind: str | None = None, **details: Any) -> ToolError:
    """The same failure with the server's own words behind the message; `kind` counts where it has none yet."""
    return ToolError(
        f"{error.message}: {words}",
        kind=error.kind or kind,
        http_status=error.http_status,
        output=error.output,
        sent=error.sent,
        retry_after=error.retry_after,
        details={**error.details, **details},
    )


def unsuccessful(what: str, status: int, headers: Mapping[str, str], text: str) -> ToolError:
    """The failure that an answer's status means."""
    try:
        phrase = f" {HTTPStatus(status).phrase}"
    except ValueError:
        phrase = ""
    details = {name: headers[name] for name in ("location", "www-authenticate", "content-type") if name in headers}
    return ToolError(
        f"{what} answered {status}{phrase}",
        http_status=status,
        output=text,
        sent=True,
        retry_after=_retry_after(headers),
        details=details,
    )


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds the server asks to wait; its own clock counts where it names a date."""
    wanted = headers.get("retry-after", "").strip()
    if wanted.isascii() and wanted.isdigit():
        return float(wanted[:9])  # thirty years are for ever
    until, now = _date(wanted), _date(headers.get("date", "")) or datetime.now(UTC)
    return max((until - now).total_seconds(), 0.0) if until else None


def _date(text: str) -> datetime | None:
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 - late: only an unsuccessful answer needs it

    try:
        found = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def refused(error: Exception, what: str, progress: Progress) -> ToolError:
    """The failure that an exception of the HTTP client means: no answer came, or none that can be read."""
    import httpx  # noqa: PLC0415 - late: imported long since, when this is reached

    cause, symbol = root_of(error)
    if isinstance(cause, ssl.SSLError):
        reason = getattr(cause, "verify_message", "") or cause.reason or str(cause)
        return ToolError(f"{what}: no trusted connection: {reason}", kind="tls", sent=progress.sent, output=str(cause))
    if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol | httpx.LocalProtocolError | ValueError):
        return ToolError(f"{what} cannot be asked: {error}", kind="usage_error", sent=progress.sent)
    if isinstance(error, httpx.DecodingError):
        return ToolError(f"{what} answered with a broken body: {error}", kind="api_contract_mismatch", sent=True)
    said = _said(cause) or str(error) or type(error).__name__
    if _is_no_http(error, progress):
        return ToolError(
            f"{what} answered with something that is not HTTP: {said}", kind="api_contract_mismatch", sent=True
        )
    return ToolError(
        f"{what}: {said}",
        kind="timeout" if isinstance(error, httpx.TimeoutException) else None,
        errno=symbol or _hung_up(error, progress),
        sent=progress.sent,
        output=said,
        details={"exception": type(error).__name__},
    )


def _is_no_http(error: Exception, progress: Progress) -> bool:
    """Whether what came cannot be read as the head of an answer; a server that hung up said nothing at all."""
    import h11  # noqa: PLC0415 - late, with httpx

    return not progress.answered and any(isinstance(cause, h11.RemoteProtocolError) for cause in _causes(error))


def _hung_up(error: Exception, progress: Progress) -> str | None:
    """ECONNRESET where the other side closed a connection in the middle of an exchange, which is no system error."""
    import httpx  # noqa: PLC0415 - late, with httpx

    lost = isinstance(error, httpx.RemoteProtocolError | httpx.ReadError | httpx.WriteError | httpx.CloseError)
    return "ECONNRESET" if lost and progress.sent else None


def root_of(error: BaseException) -> tuple[BaseException, str | None]:
    """The system's own error behind a client's, and its symbolic name."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLError):
            return cause, None
        if isinstance(cause, OSError) and cause.errno is not None:
            return cause, _symbol(cause)
    return error, None


def _said(cause: BaseException) -> str:
    if isinstance(cause, OSError) and cause.errno and not isinstance(cause, socket.gaierror):
        return os.strerror(cause.errno)
    return str(getattr(cause, "strerror", "") or cause)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error and everything behind it, nearest first; the client wraps the system's error several times."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        current = waiting.pop(0)
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        inner = current.exceptions if isinstance(current, BaseExceptionGroup) else ()
        waiting += [current.__cause__, current.__context__, *inner]


def _symbol(error: OSError) -> str | None:
    if isinstance(error, socket.gaierror):
        names = (name for name in vars(socket) if name.startswith("EAI_"))
        return next((name for name in names if getattr(socket, name) == error.errno), "EAI_FAIL")
    return errno.errorcode.get(error.errno or 0)
