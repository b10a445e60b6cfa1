"""An MCP server behind an address: the SDK's streamable HTTP, and the evidence it throws away.

The SDK turns every refusal into "Server returned an error response", and one connection that cannot be made ends them
all. Here the client underneath notes status and headers for the call they belong to (the SDK carries the caller's
context to the request), and what cannot be reached becomes a refusal of that one request.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from tool_registry.sources.connections import is_loopback
from tool_registry.sources.http_failure import Progress

LONGEST_ANSWER = 32_000_000
"""Bytes that one answer, or one event of a stream, may have."""
LONGEST_REFUSAL = 65_536
"""Bytes of an answer that refuses which are read as evidence."""
MOST_DENSE = 1_000
"""How many bytes one byte of a compressed answer can stand for."""
CONNECTING = 10.0
"""Seconds that connecting may take."""


@dataclass
class Exchange:
    """What the requests of one call met: `status` and `headers` of the last answer, or the `error` before one.

    `sent` is false while nothing has left this machine; `too_large` says why an answer was not read to its end.
    """

    sent: bool = False
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    error: Exception | None = None
    too_large: str = ""

    def note(self, response: Any) -> None:
        """Keeps what the head of an answer says."""
        self.sent, self.status, self.headers, self.error = True, response.status_code, dict(response.headers), None

    async def read(self, response: Any) -> None:
        """Keeps what a refusal says; it stays readable for the SDK."""
        with suppress(Exception):  # a refusal that breaks off is one all the same
            self.text = (await response.aread()).decode("utf-8", "replace")


EXCHANGE: ContextVar[Exchange | None] = ContextVar("mcp_exchange", default=None)
"""Where the requests of the current call are noted."""


@asynccontextmanager
async def http_streams(url: str, headers: Mapping[str, str]) -> AsyncIterator[Any]:
    """The streams that the SDK's client reads and writes, over requests to that address."""
    import httpx2  # noqa: PLC0415 - late: comes with the SDK, and most runs ask no such server
    from mcp.client.streamable_http import streamable_http_client  # noqa: PLC0415 - late, as above

    client = _noting(httpx2)(
        headers=dict(headers),
        trust_env=not is_loopback(httpx2.URL(url).host),
        timeout=httpx2.Timeout(None, connect=CONNECTING),
        event_hooks={"response": [_bounding(httpx2)]},
    )
    client.headers["Accept-Encoding"] = "identity"
    async with client, streamable_http_client(url, http_client=client, max_sse_event_size=LONGEST_ANSWER) as streams:
        yield streams


def _noting(httpx2: Any) -> Any:
    """The SDK's HTTP client, which notes what its requests meet."""

    class Noting(httpx2.AsyncClient):  # type: ignore[misc] # it is known when it is needed
        async def send(self, request: Any, **options: Any) -> Any:
            exchange, progress = EXCHANGE.get() or Exchange(), Progress()
            request.extensions = {**request.extensions, **progress.extensions}
            try:
                response = await super().send(request, **options)
            except httpx2.TransportError as error:
                exchange.error, exchange.sent = error, exchange.sent or progress.sent
                return httpx2.Response(HTTPStatus.BAD_GATEWAY, request=request)
            exchange.note(response)
            if response.status_code >= HTTPStatus.BAD_REQUEST:
                await exchange.read(response)
            return response

    return Noting


def _bounding(httpx2: Any) -> Callable[[Any], Awaitable[None]]:
    """A hook that gives every answer a stream with an end; events of a stream are counted by the SDK."""

    class Bounded(httpx2.AsyncByteStream):  # type: ignore[misc] # as above
        def __init__(self, stream: Any, longest: int, exchange: Exchange) -> None:
            self._stream, self._longest, self._left, self._exchange = stream, longest, longest, exchange

        async def __aiter__(self) -> AsyncIterator[bytes]:
            async for chunk in self._stream:
                self._left -= len(chunk)
                if self._left < 0:
                    self._exchange.too_large = f"the answer was larger than {self._longest:,} bytes"
                    raise httpx2.ReadError(self._exchange.too_large)
                yield chunk

        async def aclose(self) -> None:
            await self._stream.aclose()

    async def bound(response: Any) -> None:
        if response.headers.get("content-type", "").startswith("text/event-stream"):
            return
        refuses = response.status_code >= HTTPStatus.BAD_REQUEST
        longest = LONGEST_REFUSAL if refuses else LONGEST_ANSWER
        if response.headers.get("content-encoding", "identity") != "identity":
            longest //= MOST_DENSE  # nobody asked for that
        response.stream = Bounded(response.stream, longest, EXCHANGE.get() or Exchange())

    return bound
