"""The open connections that the HTTP calls of one registry share."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import AsyncIterator, Iterator, MutableMapping
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from anyio.lowlevel import current_token

from tool_registry.sources.trust import Trust
from tool_registry.tool import ToolError

TALKATIVE = (
    "httpx", "httpcore.connection", "httpcore.http11", "httpcore.proxy",
    "httpx2", "httpcore2.connection", "httpcore2.http11", "httpcore2.proxy",
)  # fmt: skip
"""Loggers that write down whole addresses and headers."""

_UNLOGGED: ContextVar[bool] = ContextVar("unlogged", default=False)


@contextmanager
def unlogged() -> Iterator[None]:
    """Meanwhile httpx keeps no log of what this task asks: there are tokens in addresses, and in headers.

    What a program that embeds the engine asks by httpx is logged as that program likes.
    """
    for name in TALKATIVE:
        logging.getLogger(name).addFilter(_is_logged)
    token = _UNLOGGED.set(True)
    try:
        yield
    finally:
        _UNLOGGED.reset(token)


def _is_logged(_record: logging.LogRecord) -> bool:
    return not _UNLOGGED.get()


@asynccontextmanager
async def client_for(
    url: str, shared: MutableMapping[Any, Any] | None, ca_file: Path | Trust | None
) -> AsyncIterator[Any]:
    """An httpx client fit for the URL: a shared one that stays open, or without `shared` one for this use only.

    Clients differ by what is costly or must differ: loading certificates (0.05 s) is spared where the URL needs none,
    and loopback addresses never go through a proxy. A client belongs to the event loop it was made in.
    """
    parts = urlsplit(url)
    secure, direct = parts.scheme == "https", is_loopback(parts.hostname or "")
    if shared is None:
        async with _client(secure, direct, ca_file) as client:
            yield client
        return
    key = ("http", secure, direct, ca_file, current_token())
    if key not in shared:
        shared[key] = _client(secure, direct, ca_file)
    yield shared[key]


def _client(secure: bool, direct: bool, ca_file: Path | Trust | None) -> Any:
    from http.cookiejar import CookieJar, DefaultCookiePolicy  # noqa: PLC0415 - late, with httpx

    import httpx  # noqa: PLC0415 - late: costs 0.13 s, and most runs of most skills ask no server

    return httpx.AsyncClient(
        verify=_certificates(ca_file) if secure else False,
        trust_env=not direct,
        timeout=None,  # noqa: S113 - sources.http sets one deadline for a whole request
        headers={"User-Agent": "skill-engine"},
        # A call sends what it is told and nothing that another call was given; cookies know no ports, besides.
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
    )


def _certificates(ca_file: Path | Trust | None) -> Any:
    if ca_file is None:
        return True
    if isinstance(ca_file, Trust):
        return ca_file.context()
    import httpx  # noqa: PLC0415 - late, as above

    certificates = httpx.create_ssl_context()
    if not ca_file.is_file():  # a pipe would keep everybody waiting
        message = f"the certificate authority {ca_file} is no plain file"
        raise ToolError(message, kind="configuration_error", sent=False)
    try:
        certificates.load_verify_locations(cafile=ca_file)
    except OSError as error:
        message = f"the certificate authority {ca_file} cannot be read: {error}"
        raise ToolError(message, kind="configuration_error", sent=False) from error
    return certificates


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, told by its name alone."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
