"""One HTTP request with a deadline, a bounded answer, and failures told by evidence.

`request` is for tools written in Python; tools declared in YAML are built on it in `sources.http_tool`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

import anyio

from tool_registry.tool import ToolContext, ToolError

BODY_LIMIT = 5_000_000
"""Bytes of an answer that are read at most, unless a call allows more."""
EVIDENCE_LIMIT = 8_000
"""Bytes of an unsuccessful answer that are read, as evidence."""
REDIRECTS = 5
"""How many redirects are followed, where a call follows any."""
CARRIED = frozenset({"accept", "accept-language", "user-agent", "range"})
"""The headers that go along to another origin; every other one may be a credential."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A server's answer; header names are in lower case, `found` is False for a status that means "not found"."""

    status: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)
    url: str = ""
    found: bool = True

    @property
    def text(self) -> str:
        """The body as text, in the character set the server names or UTF-8; undecodable bytes are replaced."""
        from tool_registry.sources.http_body import decoded  # noqa: PLC0415 - late: not every run asks a server

        named = self.headers.get("content-type", "").lower().partition("charset=")[2].partition(";")[0]
        return decoded(self.content, named.strip("\"' ") or "utf-8")

    def json(self) -> Any:
        """The body read as JSON; ToolError (`api_contract_mismatch`) if it is none."""
        import json  # noqa: PLC0415 - late: not every run asks a server

        try:
            return json.loads(self.content)
        except (ValueError, RecursionError) as error:
            raise ToolError(
                f"{spoken(self.url)} answered {self.status} with something that is not JSON: {error}",
                kind="api_contract_mismatch",
                http_status=self.status,
                output=self.text[:EVIDENCE_LIMIT],
            ) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    """What is sent, hop by hop."""

    method: str
    url: str
    headers: Mapping[str, str]
    content: bytes | None
    hops: int


async def request(  # noqa: PLR0913 - a request is a flat record, every part by keyword
    method: str,
    url: str,
    *,
    context: ToolContext,
    headers: Mapping[str, str] | None = None,
    params: Mapping[str, Any] | None = None,
    json: Any = None,
    data: Mapping[str, Any] | bytes | None = None,
    timeout: float | None = None,
    ok: Collection[int] = range(200, 300),
    not_found: Collection[int] = (),
    follow_redirects: bool = False,
    body_limit: int = BODY_LIMIT,
    ca_file: Path | None = None,
    trust: Any = None,
) -> Reply:
    """Sends one request and gives the answer, if its status is one of `ok` or `not_found`.

    `json` is sent as JSON, a mapping in `data` as a form, bytes as they are. `params` are appended to the URL's query;
    a list repeats its name, None is left out. `timeout` in seconds for everything together, by default the call's own.
    Loopback addresses are reached directly, others by the environment's proxies. Redirects are a failure unless
    `follow_redirects`; then only GET and HEAD follow, never from https to http, and to another origin go neither
    credentials nor the caller's other headers. `ca_file` is a certificate
    authority to trust besides the usual ones, by default the setting `ca_file` of the domain;
    `trust` (`sources.trust.Trust`) says it by content.

    Raises:
        ToolError: with `http_status` and the body's beginning for another status, with `errno` and `sent=False` when
            no connection came about, `kind="tls"`, `kind="timeout"`, or `sent=True` when the answer got lost.
    """
    from tool_registry.sources.http_failure import Progress  # noqa: PLC0415 - late, with httpx

    seconds = context.timeout if timeout is None else timeout
    content, content_type = _body(json, data)
    named = {**context.trace_headers, **content_type, **(headers or {})}
    sent_headers = {name.lower(): value for name, value in named.items()}
    asked = _Request(method=method.upper(), url=_with_query(url, params), headers=sent_headers, content=content, hops=0)
    trusted = ca_file or context.settings.get("ca_file")
    expected = _Expected(
        ok=ok,
        not_found=not_found,
        follow=follow_redirects,
        limit=body_limit,
        ca_file=trust or (Path(trusted) if trusted else None),
    )
    progress = Progress()
    with anyio.move_on_after(seconds):
        return await _answered(asked, expected, context, progress)
    raise ToolError(
        f"{asked.method} {spoken(url)} did not finish within {seconds:.3g} seconds",
        kind="timeout",
        sent=progress.sent,
        details={"seconds": seconds},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Expected:
    """What the caller takes for an answer."""

    ok: Collection[int]
    not_found: Collection[int]
    follow: bool
    limit: int
    ca_file: Any


async def _answered(asked: _Request, expected: _Expected, context: ToolContext, progress: Any) -> Reply:
    """Asks, and follows redirects where that is allowed."""
    from tool_registry.sources.connections import unlogged  # noqa: PLC0415 - late, with httpx
    from tool_registry.sources.http_failure import unsuccessful  # noqa: PLC0415 - late, with httpx

    while True:
        with unlogged():
            reply = await _exchange(asked, expected, context, progress)
        if reply.status in expected.ok or reply.status in expected.not_found:
            return reply
        following = _next(asked, reply) if expected.follow else None
        if following is None:
            raise unsuccessful(f"{asked.method} {spoken(asked.url)}", reply.status, reply.headers, reply.text)
        asked = following


async def _exchange(asked: _Request, expected: _Expected, context: ToolContext, progress: Any) -> Reply:
    import httpx  # noqa: PLC0415 - late: costs 0.13 s, and most runs of most skills ask no server

    from tool_registry.sources.connections import client_for  # noqa: PLC0415 - late, with httpx
    from tool_registry.sources.http_failure import refused  # noqa: PLC0415 - late, with httpx

    _check(asked.url)
    try:
        async with client_for(asked.url, context.connections, expected.ca_file) as client:
            message = client.build_request(
                asked.method,
                asked.url,
                headers=dict(asked.headers),
                content=asked.content,
                extensions=progress.extensions,
            )
            response = await client.send(message, stream=True)
            try:
                return await _read(response, asked, expected)
            finally:
                with anyio.CancelScope(shield=True):
                    await response.aclose()
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, ValueError) as error:
        raise refused(error, f"{asked.method} {spoken(asked.url)}", progress) from error
    finally:
        with anyio.CancelScope(shield=True):
            await progress.let_go()


async def _read(response: Any, asked: _Request, expected: _Expected) -> Reply:
    """Reads the body while it arrives, no further than it may be long."""
    from tool_registry.sources.http_body import BodyError, read_body  # noqa: PLC0415 - late, with httpx

    good = response.status_code in expected.ok
    limit = expected.limit if good else EVIDENCE_LIMIT
    try:
        content = await read_body(response, limit)
    except BodyError as error:
        if good:
            raise _unreadable(
                asked, response.status_code, f"a broken body: {error}", "api_contract_mismatch"
            ) from error
        content = b""  # the status is what matters of an unsuccessful answer
    if good and len(content) > limit:
        raise _unreadable(asked, response.status_code, f"more than {limit:,} bytes", "resource_exhausted")
    return Reply(
        status=response.status_code,
        headers={name.lower(): value for name, value in response.headers.items()},
        content=content[:limit],
        url=asked.url,
        found=response.status_code not in expected.not_found,
    )


def _unreadable(asked: _Request, status: int, what: str, kind: str) -> ToolError:
    message = f"{asked.method} {spoken(asked.url)} answered with {what}"
    return ToolError(message, kind=kind, http_status=status, sent=True)


def _check(url: str) -> None:
    """Refuses what is no web address; a port that no address can have is found here, not deep inside the client."""
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError as error:
        raise ToolError(f"{spoken(url)} is not an address: {error}", kind="usage_error", sent=False) from error
    if not good:
        message = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]} is not the address of a web server"
        raise ToolError(message, kind="usage_error", sent=False)


def _next(asked: _Request, reply: Reply) -> _Request | None:
    """Where a redirect leads, None if it is none or may not be followed."""
    location = reply.headers.get("location")
    if reply.status not in (301, 302, 303, 307, 308) or not location or asked.hops >= REDIRECTS:
        return None
    if asked.method not in ("GET", "HEAD"):
        return None
    try:
        target = urljoin(asked.url, location)
        here, there = urlsplit(asked.url), urlsplit(target)
        same = _origin(here) == _origin(there)
    except ValueError:
        return None  # no address: the redirect itself is the failure
    if here.scheme == "https" and there.scheme != "https":
        return None
    headers = {name: value for name, value in asked.headers.items() if same or name in CARRIED}
    return _Request(method=asked.method, url=target, headers=headers, content=None, hops=asked.hops + 1)


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _body(json: Any, data: Mapping[str, Any] | bytes | None) -> tuple[bytes | None, dict[str, str]]:
    if json is not None:
        from json import dumps  # noqa: PLC0415 - late: not every run asks a server

        return dumps(json).encode(), {"Content-Type": "application/json"}
    if isinstance(data, bytes):
        return data, {"Content-Type": "application/octet-stream"}
    if data is not None:
        return _form(data).encode(), {"Content-Type": "application/x-www-form-urlencoded"}
    return None, {}


def _with_query(url: str, params: Mapping[str, Any] | None) -> str:
    query = _form(params or {})
    if not query:
        return url
    address, _, fragment = url.partition("#")
    joined = f"{address}{'&' if '?' in address else '?'}{query}"
    return f"{joined}#{fragment}" if fragment else joined


def _form(values: Mapping[str, Any]) -> str:
    from urllib.parse import urlencode  # noqa: PLC0415 - with its only use

    pairs = []
    for name, value in values.items():
        several = value if isinstance(value, list | tuple) else [value]
        pairs += [(name, _word(one)) for one in several if one is not None]
    return urlencode(pairs)


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def spoken(url: str) -> str:
    """A URL as a message may show it: without credentials, query and fragment."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return repr(url.partition("?")[0].rpartition("@")[2][:80])
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
