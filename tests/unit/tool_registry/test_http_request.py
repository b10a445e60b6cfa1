"""`request`: answers, and what is left behind when there is none."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import anyio
import pytest

from tests.unit.tool_registry.small_server import Asked, Told, small_server
from tool_registry.sources.http import request
from tool_registry.tool import ToolContext, ToolError

CONTEXT = ToolContext(timeout=10)


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's own proxy settings do not matter here."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def _json(value: object, status: int = 200) -> Told:
    return Told(status=status, body=json.dumps(value).encode(), headers={"Content-Type": "application/json"})


@contextmanager
def _closed_port() -> Iterator[int]:
    """A port that nobody listens on, and nobody else is given meanwhile."""
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@contextmanager
def _raw_server(reply: bytes) -> Iterator[int]:
    """A server that says `reply` to whoever connects, and hangs up."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(reply)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        thread.join(5)


async def _failure(method: str, url: str, **options: object) -> ToolError:
    with pytest.raises(ToolError) as caught:
        await request(method, url, context=CONTEXT, **options)  # type: ignore[arg-type]
    return caught.value


async def test_answer_has_status_headers_and_body() -> None:
    """A good answer is given whole; header names are in lower case."""
    with small_server(lambda _: _json({"a": [1]})) as server:
        reply = await request("get", f"{server.url}/x", context=CONTEXT)
    assert (reply.status, reply.json(), reply.text, reply.found) == (200, {"a": [1]}, '{"a": [1]}', True)
    assert reply.headers["content-type"] == "application/json"


async def test_request_carries_what_was_given() -> None:
    """Method, query, headers and JSON arrive; a list repeats its name, None is left out."""
    with small_server(lambda _: Told()) as server:
        await request(
            "POST",
            f"{server.url}/x?k=1",
            context=CONTEXT,
            headers={"X-Own": "yes"},
            params={"a": ["1", "2"], "none": None, "flag": True, "text": "a b&c"},
            json={"n": 1},
        )
        await request("PUT", server.url, context=CONTEXT, data={"user": "a&b"})
        await request("PUT", server.url, context=CONTEXT, data=b"\0\1")
    first, form, raw = server.asked
    assert (first.method, first.path) == ("POST", "/x?k=1&a=1&a=2&flag=true&text=a+b%26c")
    assert (first.headers["x-own"], first.headers["content-type"]) == ("yes", "application/json")
    assert json.loads(first.body) == {"n": 1}
    assert (form.body, form.headers["content-type"]) == (b"user=a%26b", "application/x-www-form-urlencoded")
    assert (raw.body, raw.headers["content-type"]) == (b"\0\1", "application/octet-stream")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 418, 429, 500, 503, 599])
async def test_other_status_is_a_failure_with_evidence(status: int) -> None:
    """A status that is not expected fails with the number and what the server said, and no kind is guessed."""
    with small_server(lambda _: Told(status=status, body=b"all is well, success")) as server:
        failure = await _failure("GET", f"{server.url}/x?token=abcd")
    assert (failure.http_status, failure.output, failure.sent) == (status, "all is well, success", True)
    assert failure.kind is None
    assert "abcd" not in failure.message


async def test_success_is_success_whatever_it_says() -> None:
    """A body full of alarming words is a good answer when the status is good."""
    with small_server(lambda _: Told(body=b"error 401 failed timeout")) as server:
        assert (await request("GET", server.url, context=CONTEXT)).text == "error 401 failed timeout"


async def test_not_found_can_be_an_answer() -> None:
    """A status declared as "not found" is an answer that says so."""
    with small_server(lambda _: Told(status=404, body=b"nothing")) as server:
        assert (await request("GET", server.url, context=CONTEXT, not_found=[404])).found is False


async def test_expected_statuses_replace_the_usual() -> None:
    """`ok` says which statuses are good, all others are not."""
    with small_server(lambda asked: Told(status=200 if asked.path == "/a" else 503)) as server:
        assert (await request("GET", f"{server.url}/b", context=CONTEXT, ok=[503])).status == 503
        assert (await _failure("GET", f"{server.url}/a", ok=[503])).http_status == 200


async def test_error_body_is_bounded() -> None:
    """Of an unsuccessful answer the first 8 kB are evidence."""
    with small_server(lambda _: Told(status=500, body=b"x" * 100_000)) as server:
        assert len((await _failure("GET", server.url)).output) == 8_000


async def test_large_answer_is_refused_while_it_arrives() -> None:
    """A body longer than the limit is a failure, and is not read to its end."""
    with small_server(lambda _: Told(body=b"x" * 1_000_000)) as server:
        failure = await _failure("GET", server.url, body_limit=1000)
    assert (failure.kind, failure.http_status) == ("resource_exhausted", 200)


@pytest.mark.parametrize(
    ("given", "least", "most"),
    [("7", 7, 7), (timedelta(seconds=100), 90, 110), (timedelta(seconds=-100), 0, 0)],
)
async def test_retry_after_is_seconds(given: str | timedelta, least: float, most: float) -> None:
    """`Retry-After` as seconds or as a date is a number of seconds, never negative."""
    later = datetime.now(UTC) + given if isinstance(given, timedelta) else None
    value = format_datetime(later, usegmt=True) if later else str(given)
    with small_server(lambda _: Told(status=429, headers={"Retry-After": value})) as server:
        waited = (await _failure("GET", server.url)).retry_after
    assert waited is not None
    assert least <= waited <= most


async def test_broken_retry_after_is_none() -> None:
    """A `Retry-After` that is neither seconds nor a date is left out."""
    with small_server(lambda _: Told(status=503, headers={"Retry-After": "soon"})) as server:
        assert (await _failure("GET", server.url)).retry_after is None


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_refused_connection_has_its_number(host: str) -> None:
    """Nobody listening is ECONNREFUSED, and nothing was sent."""
    with _closed_port() as port:
        failure = await _failure("POST", f"http://{host}:{port}/")
    assert (failure.errno, failure.sent, failure.http_status) == ("ECONNREFUSED", False, None)


async def test_unknown_host_has_its_number() -> None:
    """A name that cannot be resolved gives the resolver's own number."""
    failure = await _failure("GET", "http://no-such-host.invalid/")
    assert failure.errno is not None
    assert failure.errno.startswith("EAI_")
    assert failure.sent is False


async def test_tls_to_a_plain_server_is_tls() -> None:
    """A server that does not speak TLS, or one that is not trusted, is kind `tls`, and nothing was sent."""
    with small_server(lambda _: Told()) as server:
        failure = await _failure("GET", server.url.replace("http:", "https:"))
    assert (failure.kind, failure.sent) == ("tls", False)


async def test_connection_cut_after_the_request_was_sent() -> None:
    """A server that takes the request and hangs up may have acted: `sent` says so."""
    with small_server(lambda _: Told(cut=True)) as server:
        failure = await _failure("POST", server.url, json={})
    assert (failure.sent, failure.http_status, failure.errno) == (True, None, "ECONNRESET")


async def test_answer_that_is_no_http() -> None:
    """Something else than HTTP on the port is a failure, not a crash."""
    with _raw_server(b"SSH-2.0-OpenSSH_9\r\n\r\n") as port:
        failure = await _failure("GET", f"http://127.0.0.1:{port}/")
    assert (failure.sent, failure.kind) == (True, "api_contract_mismatch")


async def test_deadline_covers_everything() -> None:
    """A slow server is a timeout at the deadline, and the request had been sent."""
    began = time.monotonic()
    with small_server(lambda _: Told(pause=3)) as server:
        failure = await _failure("GET", server.url, timeout=0.2)
        assert time.monotonic() - began < 2.9
    assert (failure.kind, failure.sent) == ("timeout", True)


async def test_cancellation_is_not_swallowed() -> None:
    """A cancelled request stays cancelled."""
    with small_server(lambda _: Told(pause=1)) as server, anyio.move_on_after(0.2) as scope:
        await request("GET", server.url, context=CONTEXT)
    assert scope.cancelled_caught


@pytest.mark.parametrize("url", ["ftp://host/x", "file:///etc/passwd", "http:///x", "nonsense", "http://host:bad/"])
async def test_what_is_no_web_address_is_a_usage_error(url: str) -> None:
    """Only http and https are asked."""
    failure = await _failure("GET", url)
    assert (failure.kind, failure.sent) == ("usage_error", False)


async def test_header_cannot_carry_a_second_one() -> None:
    """A line break inside a header value is refused."""
    with small_server(lambda _: Told()) as server:
        failure = await _failure("GET", server.url, headers={"X-A": "b\r\nX-Evil: yes"})
    assert failure.kind == "usage_error"
    assert server.asked == []


async def test_redirect_is_not_followed_unasked() -> None:
    """A redirect is an unexpected status; where it leads is in the details."""
    with small_server(lambda _: Told(status=302, headers={"Location": "/b"})) as server:
        failure = await _failure("GET", server.url)
    assert (failure.http_status, failure.details["location"]) == (302, "/b")


async def test_redirect_within_a_server_keeps_credentials() -> None:
    """On the same origin everything goes along."""

    def answer(asked: Asked) -> Told:
        return Told(status=301, headers={"Location": "/b"}) if asked.path == "/a" else Told(body=b"here")

    with small_server(answer) as server:
        reply = await request(
            "GET", f"{server.url}/a", context=CONTEXT, headers={"Authorization": "Bearer t"}, follow_redirects=True
        )
    assert reply.text == "here"
    assert [asked.headers.get("authorization") for asked in server.asked] == ["Bearer t", "Bearer t"]


async def test_redirect_elsewhere_loses_credentials() -> None:
    """To another origin neither credentials nor the caller's own headers go along."""
    with (
        small_server(lambda _: Told(body=b"stranger")) as other,
        small_server(lambda _: Told(status=307, headers={"Location": f"{other.url}/b"})) as server,
    ):
        await request(
            "GET",
            server.url,
            context=CONTEXT,
            headers={"Authorization": "Bearer t", "X-Api-Key": "k", "Accept": "text/plain"},
            follow_redirects=True,
        )
    (asked,) = other.asked
    assert "authorization" not in asked.headers
    assert "x-api-key" not in asked.headers
    assert asked.headers["accept"] == "text/plain"


async def test_redirect_of_a_write_is_never_followed() -> None:
    """A POST is not sent a second time, to nowhere."""
    with small_server(lambda _: Told(status=307, headers={"Location": "/b"})) as server:
        failure = await _failure("POST", server.url, json={}, follow_redirects=True)
    assert failure.http_status == 307
    assert len(server.asked) == 1


async def test_redirects_end() -> None:
    """A server that redirects in a circle is a failure."""
    with small_server(lambda _: Told(status=302, headers={"Location": "/again"})) as server:
        failure = await _failure("GET", server.url, follow_redirects=True)
    assert failure.http_status == 302
    assert len(server.asked) == 6


@pytest.mark.parametrize("body", [b"<html>error</html>", b"[" * 7_000])
async def test_json_that_is_none_says_so(body: bytes) -> None:
    """A body that should be JSON and is not, or so deep that nobody can read it, breaks the contract."""
    with small_server(lambda _: Told(body=body)) as server:
        reply = await request("GET", server.url, context=CONTEXT)
    with pytest.raises(ToolError) as caught:
        reply.json()
    assert (caught.value.kind, caught.value.output) == ("api_contract_mismatch", body.decode())


async def test_binary_body_has_text() -> None:
    """Bytes that are no text, and a character set nobody knows, still give text."""
    told = Told(body=b"a\xff", headers={"Content-Type": "text/plain; charset=nonsense"})
    with small_server(lambda _: told) as server:
        assert (await request("GET", server.url, context=CONTEXT)).text == "a�"


async def test_shared_connection_is_reused() -> None:
    """Calls that share connections connect once; without that, each connects and closes."""
    with small_server(lambda _: Told()) as server:
        shared = ToolContext(timeout=10, connections={})
        assert shared.connections is not None
        for _ in range(3):
            await request("GET", server.url, context=shared)
        assert server.connections == 1
        for client in shared.connections.values():
            await client.aclose()
        for _ in range(2):
            await request("GET", server.url, context=CONTEXT)
        assert server.connections == 3


async def test_loopback_never_goes_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy in the environment is for other hosts: this machine is asked directly."""
    with _closed_port() as port, small_server(lambda _: Told(body=b"direct")) as server:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{port}")
        assert (await request("GET", server.url, context=CONTEXT)).text == "direct"
        failure = await _failure("GET", "http://example.invalid/")
    assert failure.errno == "ECONNREFUSED"


async def test_many_at_once() -> None:
    """Forty requests at the same time all get their own answer."""
    got: list[str] = []
    with small_server(lambda asked: Told(body=asked.path.encode())) as server:
        context = ToolContext(timeout=10, connections={})

        async def one(number: int) -> None:
            got.append((await request("GET", f"{server.url}/{number}", context=context)).text)

        async with anyio.create_task_group() as group:
            for number in range(40):
                group.start_soon(one, number)
        for client in (context.connections or {}).values():
            await client.aclose()
    assert sorted(got) == sorted(f"/{number}" for number in range(40))
