"""Who may ask over HTTP: names, pages and tokens, decided by headers alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from engine.frontends.mcp_server.guard import LOOPBACK, Guard
from tool_registry.sources.connections import is_loopback

TOKEN = "a-token-of-many-characters"


async def nowhere(scope: Scope, receive: Receive, send: Send) -> None:
    """An application nobody reaches."""


def guard() -> Guard:
    """A guard that knows this machine and one name more."""
    told: list[str] = []
    return Guard(app=nowhere, hosts=LOOPBACK | {"skills.example"}, token=TOKEN, refused=told.append)


def headers(**told: str) -> Headers:
    """Headers of a request that may pass, changed as told; empty ones are left out."""
    right = {"host": "127.0.0.1:8329", "authorization": f"Bearer {TOKEN}"}
    return Headers({name: value for name, value in {**right, **told}.items() if value})


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"host": "localhost"},
        {"host": "LOCALHOST:1"},
        {"host": "[::1]:8329"},
        {"host": "skills.example"},
        {"origin": "http://localhost:3000"},
        {"origin": "https://skills.example"},
        {"authorization": f"bearer  {TOKEN}"},
    ],
)
def test_this_machine_and_allowed_names_pass(told: dict[str, str]) -> None:
    """In any spelling, at any port."""
    assert guard().complaint(headers(**told)) is None


@given(some.text(alphabet="abc.:[]@/1270\\localhost#?%", max_size=30))
def test_no_other_host_passes(host: str) -> None:
    """However it is written: what is let in is one of the names, alone or with a port."""
    if guard().complaint(headers(host=host)) is None:
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() or host.endswith(":") else host
        assert name.strip("[]").lower() in {*LOOPBACK, "skills.example"}


@given(some.text(max_size=40))
def test_no_other_token_passes(token: str) -> None:
    """Not in any encoding."""
    raw = [(b"host", b"localhost"), (b"authorization", f"Bearer {token}".encode())]
    found = guard().complaint(Headers(raw=raw))
    assert (found is None) is (token.strip() == TOKEN)


def test_headers_that_are_given_twice_do_not_pass() -> None:
    """Somebody in between could have read the other one."""
    right = [(b"host", b"localhost"), (b"authorization", f"Bearer {TOKEN}".encode())]
    assert guard().complaint(Headers(raw=right)) is None
    assert guard().complaint(Headers(raw=[*right, (b"host", b"evil.example")])) is not None
    assert guard().complaint(Headers(raw=[*right, (b"authorization", b"Bearer x")])) is not None
    assert guard().complaint(Headers(raw=[*right, (b"origin", b"null")])) is not None


def test_loopback_is_known_by_address_and_name() -> None:
    """All others reach further than this machine."""
    assert [is_loopback(host) for host in ("127.0.0.1", "127.9.9.9", "::1", "localhost")] == [True] * 4
    assert [is_loopback(host) for host in ("0.0.0.0", "::", "10.0.0.1", "example", "")] == [False] * 5  # noqa: S104 - a word
