"""Bodies that are packed, endless or strangely labelled."""

from __future__ import annotations

import gzip
import resource
import zlib

import pytest

from tests.unit.tool_registry.small_server import Asked, Told, small_server
from tool_registry.sources.http import request
from tool_registry.sources.http_body import decoded
from tool_registry.tool import ToolContext, ToolError

CONTEXT = ToolContext(timeout=10)
TEXT = b"packed " * 100


def _packed(body: bytes, coding: str, status: int = 200) -> Told:
    return Told(status=status, body=body, headers={"Content-Encoding": coding})


def _bomb() -> bytes:
    """A gigabyte of zeros, packed twice: a few kilobytes."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    once = b"".join([*(packer.compress(bytes(1 << 20)) for _ in range(1024)), packer.flush()])
    return gzip.compress(once, mtime=0)


@pytest.mark.parametrize(
    ("body", "coding"),
    [
        (gzip.compress(TEXT, mtime=0), "gzip"),
        (gzip.compress(TEXT, mtime=0), "X-GZIP"),
        (zlib.compress(TEXT), "deflate"),
        (zlib.compress(TEXT)[2:-4], "deflate"),
        (TEXT, "identity"),
    ],
)
async def test_a_packed_body_is_unpacked(body: bytes, coding: str) -> None:
    """The forms that are asked for, and both readings of deflate."""
    with small_server(lambda _: _packed(body, coding)) as server:
        assert (await request("GET", server.url, context=CONTEXT)).content == TEXT


async def test_a_bomb_costs_no_memory() -> None:
    """Packed once it is cut off at the limit, packed twice it is refused: nobody asked for that."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    told = {"/once": _packed(gzip.decompress(_bomb()), "gzip"), "/twice": _packed(_bomb(), "gzip, gzip")}
    with small_server(lambda asked: told[asked.path]) as server:
        with pytest.raises(ToolError, match="more than 5,000,000 bytes") as large:
            await request("GET", f"{server.url}/once", context=CONTEXT)
        with pytest.raises(ToolError, match="not asked for") as layered:
            await request("GET", f"{server.url}/twice", context=CONTEXT)
    assert (large.value.kind, layered.value.kind) == ("resource_exhausted", "api_contract_mismatch")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kB


async def test_a_failure_packed_strangely_is_still_that_failure() -> None:
    """The status says what happened; a body nobody can read takes nothing from it."""
    with small_server(lambda _: _packed(_bomb(), "gzip, gzip", 503)) as server, pytest.raises(ToolError) as caught:
        await request("GET", server.url, context=CONTEXT)
    assert (caught.value.http_status, caught.value.output) == (503, "")


@pytest.mark.parametrize("charset", ["idna", "undefined", "zlib_codec", "no-such", "a\0b", "punycode", "x" * 10_000])
def test_a_strange_character_set_is_read_as_utf_8(charset: str) -> None:
    """Some of Python's encodings raise whatever they are told about undecodable bytes."""
    assert decoded(b"caf\xc3\xa9 \xff", charset) == "café \ufffd"


async def test_one_call_does_not_send_what_another_was_given() -> None:
    """Connections are shared, cookies are not."""

    def answer(asked: Asked) -> Told:
        return Told(body=asked.headers.get("cookie", "none").encode(), headers={"Set-Cookie": "session=mine; Path=/"})

    context = ToolContext(timeout=10, connections={})
    with small_server(answer) as server:
        assert [(await request("GET", server.url, context=context)).text for _ in range(2)] == ["none", "none"]
        for client in (context.connections or {}).values():
            await client.aclose()


@pytest.mark.parametrize("url", ["http://[", "http://127.0.0.1:99999/", "http://127.0.0.1:-1/", "http://127.0.0.1:0/"])
async def test_an_address_no_server_can_have_is_a_usage_error(url: str) -> None:
    """It is found before the client breaks on it."""
    with pytest.raises(ToolError) as caught:
        await request("GET", url, context=CONTEXT)
    assert (caught.value.kind, caught.value.sent) == ("usage_error", False)


async def test_a_redirect_to_no_address_is_the_failure() -> None:
    """The answer with the redirect is what went wrong."""
    away = Told(status=302, headers={"Location": "http://127.0.0.1:99999/"})
    with small_server(lambda _: away) as server, pytest.raises(ToolError) as caught:
        await request("GET", server.url, context=CONTEXT, follow_redirects=True)
    assert caught.value.http_status == 302


@pytest.mark.parametrize("wait", ["²", "9" * 400])
async def test_a_retry_after_nobody_can_wait_for_breaks_nothing(wait: str) -> None:
    """Superscript digits are digits to Python, and four hundred nines are infinite."""
    told = Told(status=503, headers={"Retry-After": wait})
    with small_server(lambda _: told) as server, pytest.raises(ToolError) as caught:
        await request("GET", server.url, context=CONTEXT)
    assert caught.value.retry_after in (None, 999_999_999.0)
